/* Memory of every kind whose name or permissions change, each touched page by page once it has them. */
#include <linux/prctl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096, PAGES = 40 };

static char *map(int protection, int flags) {
    char *at = mmap(NULL, PAGES * PAGE, protection, flags | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED)
        exit(1);
    return at;
}

static void name(char *at, int pages, const char *text) {
    if (prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, at, pages * PAGE, text))
        exit(1);
}

static void touch(char *at, int pages) {
    for (int i = 0; i < pages; i++)
        at[i * PAGE]++;
}

int main(void) {
    char *hole = map(PROT_NONE, MAP_PRIVATE), *ledger = map(PROT_READ | PROT_WRITE, MAP_PRIVATE);
    char *shared = map(PROT_READ | PROT_WRITE, MAP_SHARED), *parts = map(PROT_READ | PROT_WRITE, MAP_PRIVATE);
    char *heap = sbrk(4 * PAGE);
    name(ledger, PAGES, "ledger");
    name(shared, PAGES, "board");
    name(heap, 4, "pile"); /* is the heap all the same */
    touch(heap, 4);
    name(parts, PAGES, "parts");
    name(parts + 10 * PAGE, 10, "index");
    name(parts + 20 * PAGE, 20, NULL);
    touch(parts, PAGES);
    mprotect(hole, PAGES / 2 * PAGE, PROT_READ | PROT_WRITE);
    touch(hole, PAGES / 2);
    munmap(hole, PAGES * PAGE); /* what follows may come to lie there */
    touch(ledger, PAGES / 2);
    if (vfork() == 0) /* a process in this very space */
        _exit(0);
    if (fork() == 0) {
        touch(ledger, PAGES);
        name(ledger, PAGES, "copy");
        ledger = mremap(ledger, PAGES * PAGE, 4 * PAGES * PAGE, MREMAP_MAYMOVE);
        touch(ledger + PAGES * PAGE, PAGES);
        _exit(0);
    }
    while (wait(NULL) > 0) {
    }
    touch(shared, PAGES);
    if (fork() == 0) { /* perhaps in a space with a number that was another's */
        touch(map(PROT_READ | PROT_WRITE, MAP_PRIVATE), PAGES);
        _exit(0);
    }
    while (wait(NULL) > 0) {
    }
    ledger = mremap(ledger, PAGES * PAGE, 2 * PAGES * PAGE, MREMAP_MAYMOVE);
    touch(ledger + PAGES * PAGE, PAGES);
    return 0;
}
