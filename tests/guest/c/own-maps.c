/* Reads /proc/self/maps and looks for its own mappings in it: text, data, bss, heap, stack, what it maps,
 * with permissions, names and offsets; and how they change. Also /proc/self/exe, cmdline, statm, status. */
#include "check.h"
#include <fcntl.h>
#include <sys/mman.h>

struct range {
    uintptr_t first, last; /* last: one behind */
    char access[5];
    unsigned long offset;
    char name[256];
};

/* The line that covers the address; false when there is none. */
static int range_find(const void *address, struct range *range) {
    FILE *maps = fopen("/proc/self/maps", "r");
    CHECK(maps);
    char line[512];
    int found = 0;
    while (!found && fgets(line, sizeof line, maps)) {
        unsigned long first, last;
        range->name[0] = 0;
        CHECK(sscanf(line, "%lx-%lx %4s %lx %*x:%*x %*u %255[^\n]", &first, &last, range->access,
                     &range->offset, range->name) >= 4);
        range->first = first, range->last = last;
        found = (uintptr_t)address >= first && (uintptr_t)address < last;
    }
    fclose(maps);
    return found;
}

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static void show(const char *what, const void *address) {
    struct range range;
    CHECK(range_find(address, &range));
    CHECK((range.first & 4095) == 0 && (range.last & 4095) == 0);
    printf("%s: %s %s\n", what, range.access, base_name(range.name));
}

static char in_bss[3 * 4096];
static int in_data = 5;
static const int in_rodata = 6;

static void sections(void) {
    char on_stack = 0;
    void *on_heap = malloc(100);
    show("text", (void *)(uintptr_t)sections);
    show("read-only data", &in_rodata);
    show("data", &in_data);
    struct range range;
    CHECK(range_find(in_bss + 5000, &range) && strcmp(range.access, "rw-p") == 0);
    show("heap", on_heap);
    show("stack", &on_stack);
    free(on_heap);
}

static void mappings(void) {
    int fd = open("maps.dat", O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK(fd >= 0 && ftruncate(fd, 8 * PAGE) == 0);
    char *shared = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 2 * PAGE);
    CHECK(shared != MAP_FAILED);
    struct range range;
    CHECK(range_find(shared, &range) && range.first == (uintptr_t)shared &&
          range.last == range.first + 3 * PAGE);
    CHECK(range.offset == 2 * PAGE && strcmp(range.access, "rw-s") == 0);
    printf("shared: %s\n", base_name(range.name));
    CHECK(mprotect(shared + PAGE, PAGE, PROT_READ) == 0); /* one becomes three */
    CHECK(range_find(shared + PAGE, &range) && range.first == (uintptr_t)shared + PAGE);
    CHECK(range.last == range.first + PAGE && range.offset == 3 * PAGE && strcmp(range.access, "r--s") == 0);
    CHECK(mprotect(shared + PAGE, PAGE, PROT_READ | PROT_WRITE) == 0); /* and one again */
    CHECK(range_find(shared, &range) && range.last == range.first + 3 * PAGE);
    CHECK(munmap(shared + PAGE, PAGE) == 0);
    CHECK(range_find(shared, &range) && range.last == range.first + PAGE);
    CHECK(!range_find(shared + PAGE, &range));
    CHECK(unlink("maps.dat") == 0 && range_find(shared, &range));
    printf("unlinked: %s\n", base_name(range.name));
    char *none = mmap(NULL, 5 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(none != MAP_FAILED && range_find(none, &range) && strcmp(range.access, "---p") == 0);
    puts("mappings");
}

static unsigned long status_field(const char *name) {
    FILE *status = fopen("/proc/self/status", "r");
    CHECK(status);
    char line[256];
    unsigned long value = 0;
    while (fgets(line, sizeof line, status))
        if (strncmp(line, name, strlen(name)) == 0)
            value = strtoul(line + strlen(name), NULL, 10);
    fclose(status);
    return value;
}

static void counts(const char *self) {
    char text[4096];
    ssize_t n = readlink("/proc/self/exe", text, sizeof text - 1);
    CHECK(n > 0);
    text[n] = 0;
    printf("exe %s\n", base_name(text));
    int fd = open("/proc/self/cmdline", O_RDONLY);
    n = read(fd, text, sizeof text);
    CHECK(n == (ssize_t)strlen(self) + 5 && strcmp(text, self) == 0 && memcmp(text + n - 4, "one", 4) == 0);
    close(fd);
    CHECK(status_field("Pid:") == (unsigned long)getpid() &&
          status_field("PPid:") == (unsigned long)getppid());
    unsigned long before = status_field("VmSize:");
    CHECK(mmap(NULL, 1024 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
    CHECK(status_field("VmSize:") == before + 4096); /* in kB */
    FILE *statm = fopen("/proc/self/statm", "r");
    unsigned long size, resident;
    CHECK(statm && fscanf(statm, "%lu %lu", &size, &resident) == 2 && size * 4 >= before && resident <= size);
    fclose(statm);
    puts("counts");
}

int main(int argc, char **argv) {
    CHECK(argc == 2 && strcmp(argv[1], "one") == 0);
    sections();
    mappings();
    counts(argv[0]);
    return 0;
}
