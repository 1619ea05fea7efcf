/* Names of anonymous memory, as prctl(2) has them: what it says of each, and what /proc/self/maps shows. */
#include <errno.h>
#include <linux/prctl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>

enum { PAGE = 4096 };

static void name(const char *what, char *at, size_t length, const char *text) {
    const int result = prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, at, length, text);
    printf("%s: %s\n", what, result ? strerrorname_np(errno) : "done");
}

/* Lines of maps with a name, as pages from `base` on. */
static void show(const char *base) {
    char line[512];
    FILE *maps = fopen("/proc/self/maps", "r");
    while (fgets(line, sizeof line, maps)) {
        unsigned long start, end;
        const char *shown = strstr(line, "[anon");
        if (shown && sscanf(line, "%lx-%lx", &start, &end) == 2)
            printf("  %ld+%lu %s", ((long)start - (long)base) / PAGE, (end - start) / PAGE, shown);
    }
    fclose(maps);
}

int main(void) {
    char *base = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char text[81];
    memset(text, 'x', 80);
    text[80] = '\0';
    name("all of it", base, 16 * PAGE, "ledger");
    show(base);
    name("the middle", base + 4 * PAGE, 2 * PAGE, "index");
    show(base);
    name("the middle as the rest", base + 4 * PAGE, 2 * PAGE, "ledger");
    show(base);
    name("a part of a page", base, 1, "head");
    show(base);
    name("no name", base, PAGE, NULL);
    show(base);
    munmap(base + 8 * PAGE, PAGE);
    name("across a hole", base, 16 * PAGE, "both");
    show(base);
    name("nothing", base, 0, "none");
    name("not at a page", base + 1, PAGE, "odd");
    name("a bracket", base, PAGE, "a[");
    name("a control character", base, PAGE, "a\n");
    name("too long", base, PAGE, text);
    name("just not too long", base, PAGE, text + 1);
    name("no string", base, PAGE, (const char *)8);
    name("a file", (char *)((uintptr_t)main & ~(uintptr_t)(PAGE - 1)), PAGE, "file");
    name("another request", base, 0, NULL);
    printf("another request: %d\n", prctl(PR_SET_VMA, 1, base, PAGE, "x"));
    return 0;
}
