/* Copy-on-write under pressure: a parent and its children, grandchildren included, share pages after fork,
 * write their own patterns into some of them in an order of their own, and verify that they see their own
 * writes and nobody else's. Usage: fork-cow [pages [children]] */
#include "check.h"
#include <sys/mman.h>
#include <sys/wait.h>

struct memory {
    uint64_t *words; /* 512 a page; the first and the last of a page are used */
    size_t pages;
    unsigned *writer; /* who wrote page i last, as this process must see it */
};

static void page_write(struct memory *m, size_t page, unsigned who) {
    m->words[page * 512] = pattern(page, who);
    m->words[page * 512 + 511] = pattern(page + 1000000, who);
    m->writer[page] = who;
}

static void memory_verify(const struct memory *m) {
    for (size_t page = 0; page < m->pages; page++) {
        CHECK(m->words[page * 512] == pattern(page, m->writer[page]));
        CHECK(m->words[page * 512 + 511] == pattern(page + 1000000, m->writer[page]));
    }
}

/* Writes a third of the pages, in a pseudo-random order. */
static void memory_scribble(struct memory *m, unsigned who) {
    uint64_t state = who * 77777 + 1;
    for (size_t i = 0; i < m->pages / 3; i++)
        page_write(m, next_random(&state) % m->pages, who);
}

static void process_run(struct memory *m, unsigned who, unsigned children, unsigned depth) {
    pid_t pids[16];
    for (unsigned i = 0; i < children; i++) {
        pids[i] = fork();
        CHECK(pids[i] >= 0);
        unsigned child = who * 10 + i + 1;
        if (pids[i] == 0) {
            memory_verify(m); /* as it was at the fork, whatever the parent does meanwhile */
            memory_scribble(m, child);
            if (depth > 0)
                process_run(m, child, 2, depth - 1);
            memory_verify(m);
            _exit((int)(child % 50));
        }
        memory_scribble(m, who + 5000 + i);
    }
    memory_verify(m);
    for (unsigned i = 0; i < children; i++) {
        int status;
        CHECK(waitpid(pids[i], &status, 0) == pids[i]);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == (int)((who * 10 + i + 1) % 50));
    }
    memory_verify(m);
}

int main(int argc, char **argv) {
    struct memory m = {.pages = argc > 1 ? strtoul(argv[1], NULL, 10) : 64};
    unsigned children = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 3;
    m.words = mmap(NULL, m.pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    m.writer = calloc(m.pages, sizeof *m.writer);
    CHECK(m.words != MAP_FAILED && m.writer && children <= 16);
    for (size_t page = 0; page < m.pages; page++)
        page_write(&m, page, 9);
    process_run(&m, 1, children, 1);
    printf("%zu pages, %u children: all saw what they should\n", m.pages, children);
    return 0;
}
