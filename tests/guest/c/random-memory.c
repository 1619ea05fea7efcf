/* Random memory operations that check themselves. A shadow model knows what every page of an arena must hold
 * and may do; each step is one mmap, munmap, mprotect, mremap, madvise, fork or a burst of touches, drawn
 * from the seed; after each the touched pages are verified, at the end (and in every forked child) all of
 * them. Usage: random-memory SEED STEPS [PAGES] */
#include "check.h"
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

enum { MAX_PAGES = 1024 };

struct shadow {
    uint64_t value[MAX_PAGES]; /* the word at `index(page)`; 0 for zero-filled */
    unsigned char access[MAX_PAGES];
    unsigned char mapped[MAX_PAGES];
};

static struct shadow shadow;
static char *arena;
static size_t pages;
static uint64_t state;
static sigjmp_buf jump;

static uint64_t draw(uint64_t below) {
    return (next_random(&state) >> 16) % below;
}

static volatile uint64_t *word(size_t page) {
    return (volatile uint64_t *)(arena + page * PAGE) + page * 37 % 512;
}

static void on_fault(int signal) {
    (void)signal;
    siglongjmp(jump, 1);
}

static void page_verify(size_t page) {
    int may_read = shadow.mapped[page] && (shadow.access[page] & PROT_READ);
    if (sigsetjmp(jump, 1) == 0) {
        uint64_t value = *word(page);
        CHECK(may_read && value == shadow.value[page]);
    } else {
        CHECK(!may_read);
    }
}

static void page_write(size_t page, uint64_t value) {
    int may_write = shadow.mapped[page] && (shadow.access[page] & PROT_WRITE);
    if (sigsetjmp(jump, 1) == 0) {
        *word(page) = value;
        CHECK(may_write);
        shadow.value[page] = value;
    } else {
        CHECK(!may_write);
    }
}

/* A random run of pages of the arena. */
static size_t run_draw(size_t *length) {
    size_t first = draw(pages);
    *length = 1 + draw(pages - first < 24 ? pages - first : 24);
    return first;
}

static int access_draw(void) {
    static const int choices[] = {PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE,
                                  PROT_READ | PROT_WRITE};
    return choices[draw(5)];
}

static void step_map(void) {
    size_t length, first = run_draw(&length);
    int access = access_draw();
    CHECK(mmap(arena + first * PAGE, length * PAGE, access, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
          arena + first * PAGE);
    for (size_t i = first; i < first + length; i++) {
        shadow.mapped[i] = 1;
        shadow.access[i] = (unsigned char)access;
        shadow.value[i] = 0;
    }
}

static void step_unmap(void) {
    size_t length, first = run_draw(&length);
    CHECK(munmap(arena + first * PAGE, length * PAGE) == 0);
    memset(shadow.mapped + first, 0, length);
}

/* mprotect changes the pages before a hole, then fails with ENOMEM. */
static void step_protect(void) {
    size_t length, first = run_draw(&length), good = 0;
    int access = access_draw();
    while (good < length && shadow.mapped[first + good])
        good++;
    int result = mprotect(arena + first * PAGE, length * PAGE, access);
    CHECK(good == length ? result == 0 : result == -1 && errno == ENOMEM);
    memset(shadow.access + first, access, good);
}

static void step_forget(void) {
    size_t length, first = run_draw(&length), mapped = 0;
    for (size_t i = first; i < first + length; i++)
        mapped += shadow.mapped[i];
    int result = madvise(arena + first * PAGE, length * PAGE, MADV_DONTNEED);
    CHECK(mapped == length ? result == 0 : result == -1 && errno == ENOMEM);
    for (size_t i = first; i < first + length; i++)
        shadow.value[i] = 0;
}

/* At once if the run is one mapping to the kernel; if not, which EFAULT says, page by page. */
static void run_move(size_t first, size_t to, size_t length) {
    const int flags = MREMAP_MAYMOVE | MREMAP_FIXED;
    char *from = arena + first * PAGE, *at = arena + to * PAGE;
    if (mremap(from, length * PAGE, length * PAGE, flags, at) == at)
        return;
    CHECK(errno == EFAULT && length > 1);
    for (size_t i = 0; i < length; i++)
        CHECK(mremap(from + i * PAGE, PAGE, PAGE, flags, at + i * PAGE) == at + i * PAGE);
}

/* Moves a run of equal pages over another place of the arena. */
static void step_move(void) {
    size_t first = draw(pages), length = 0;
    if (!shadow.mapped[first])
        return;
    while (first + length < pages && length < 12 && shadow.mapped[first + length] &&
           shadow.access[first + length] == shadow.access[first])
        length++;
    size_t to = draw(pages - length + 1);
    if (to < first + length && first < to + length)
        return;
    run_move(first, to, length);
    for (size_t i = 0; i < length; i++) {
        shadow.value[to + i] = 0; /* the word looked at lies elsewhere in the page: bring it there */
        shadow.access[to + i] = shadow.access[first + i];
        shadow.mapped[to + i] = 1;
        shadow.mapped[first + i] = 0;
    }
    int access = shadow.access[to];
    CHECK(mprotect(arena + to * PAGE, length * PAGE, PROT_READ | PROT_WRITE) == 0);
    for (size_t i = 0; i < length; i++) {
        volatile uint64_t *was = (volatile uint64_t *)(arena + (to + i) * PAGE) + (first + i) * 37 % 512;
        CHECK(*was == shadow.value[first + i]);
        uint64_t value = *was;
        *was = 0;
        shadow.value[to + i] = *word(to + i) = value;
    }
    CHECK(mprotect(arena + to * PAGE, length * PAGE, access) == 0);
}

static void touch_some(unsigned count) {
    for (unsigned i = 0; i < count; i++) {
        size_t page = draw(pages);
        page_verify(page);
        if (draw(2))
            page_write(page, next_random(&state) | 1);
    }
}

static void verify_all(void) {
    for (size_t page = 0; page < pages; page++)
        page_verify(page);
}

/* The child goes its own way and verifies; the parent's pages must not change by it. */
static void step_fork(void) {
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        touch_some(60);
        verify_all();
        _exit(0);
    }
    touch_some(30);
    int status;
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    verify_all();
}

static void step(void) {
    uint64_t kind = draw(100);
    if (kind < 20)
        step_map();
    else if (kind < 30)
        step_unmap();
    else if (kind < 45)
        step_protect();
    else if (kind < 52)
        step_forget();
    else if (kind < 64)
        step_move();
    else if (kind < 66)
        step_fork();
    touch_some(20);
}

int main(int argc, char **argv) {
    CHECK(argc >= 3);
    state = strtoul(argv[1], NULL, 10) * 2654435761u + 1;
    unsigned long steps = strtoul(argv[2], NULL, 10);
    pages = argc > 3 ? strtoul(argv[3], NULL, 10) : 200;
    CHECK(pages >= 32 && pages <= MAX_PAGES);
    struct sigaction action = {.sa_handler = on_fault};
    CHECK(sigaction(SIGSEGV, &action, NULL) == 0);
    arena = mmap(NULL, pages * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(arena != MAP_FAILED);
    memset(shadow.mapped, 1, pages);
    for (unsigned long i = 0; i < steps; i++)
        step();
    verify_all();
    uint64_t hash = 0;
    for (size_t i = 0; i < pages; i++)
        hash = hash * 31 + (shadow.mapped[i] ? shadow.value[i] : 7);
    printf("seed %s, %lu steps: %016llx\n", argv[1], steps, (unsigned long long)hash);
    return 0;
}
