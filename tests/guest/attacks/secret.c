/* Memory that is new to a process holds nothing of anybody else's: whatever kind it is, and however it was
 * made. Another process has filled all memory, page cache and swap with a secret before, and has ended. Run
 * again with the machine's allocations filled with a pattern (MALLOC_PERTURB_), it also sees what the
 * kernel's own memory gives away. */
#include "../c/check.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>

enum { NEW_PAGES = 64 };
#define SECRET 0x5ec2e75ec2e75ec2u

/* Fills so many pages with the secret, memory and files, and ends. */
static void leave_secrets(size_t pages) {
    pid_t pid = fork();
    if (pid == 0) {
        uint64_t *memory =
            mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        uint64_t *shared =
            mmap(NULL, pages / 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED || shared == MAP_FAILED)
            _exit(1);
        for (size_t i = 0; i < pages * PAGE / 8; i++)
            memory[i] = SECRET;
        for (size_t i = 0; i < pages / 4 * PAGE / 8; i++)
            shared[i] = SECRET;
        _exit(0);
    }
    int status;
    CHECK(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0);
}

static void expect_zero(const char *what, const void *memory, size_t length) {
    const uint8_t *bytes = memory;
    for (size_t i = 0; i < length; i++)
        if (bytes[i] != 0) {
            printf("%s: byte %zu is not zero\n", what, i);
            return;
        }
    printf("%s: zero\n", what);
}

static void *map(size_t pages, int flags) {
    void *memory = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, flags, -1, 0);
    CHECK(memory != MAP_FAILED);
    return memory;
}

static void private_memory(void) {
    expect_zero("anonymous memory", map(NEW_PAGES, MAP_PRIVATE | MAP_ANONYMOUS), NEW_PAGES * PAGE);
    expect_zero("populated memory", map(NEW_PAGES, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE),
                NEW_PAGES * PAGE);
    char *heap = sbrk(0);
    CHECK(sbrk((intptr_t)(NEW_PAGES * PAGE)) == heap);
    expect_zero("the heap", heap, NEW_PAGES * PAGE);
    memset(heap, 's', NEW_PAGES * PAGE);
    CHECK(sbrk(-(intptr_t)(NEW_PAGES * PAGE)) != (void *)-1 && sbrk((intptr_t)(NEW_PAGES * PAGE)) == heap);
    expect_zero("the heap, grown again", heap, NEW_PAGES * PAGE);
    char *small = map(2, MAP_PRIVATE | MAP_ANONYMOUS);
    memset(small, 's', 2 * PAGE);
    char *large = mremap(small, 2 * PAGE, NEW_PAGES * PAGE, MREMAP_MAYMOVE);
    CHECK(large != MAP_FAILED && large[PAGE] == 's');
    expect_zero("what mremap adds", large + 2 * PAGE, (NEW_PAGES - 2) * PAGE);
}

static __attribute__((noinline)) void stack(size_t pages) {
    volatile char *top = __builtin_frame_address(0);
    const char *low = (const char *)((uintptr_t)(top - pages * PAGE) & ~(PAGE - 1));
    expect_zero("the stack, grown", low, PAGE);
}

static void given_back(void) {
    static const struct {
        const char *name;
        int advice, flags;
    } cases[] = {
        {"after MADV_DONTNEED", MADV_DONTNEED, MAP_PRIVATE | MAP_ANONYMOUS},
        {"after MADV_REMOVE", MADV_REMOVE, MAP_SHARED | MAP_ANONYMOUS},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *memory = map(8, cases[i].flags);
        memset(memory, 's', 8 * PAGE);
        CHECK(madvise(memory, 8 * PAGE, cases[i].advice) == 0);
        expect_zero(cases[i].name, memory, 8 * PAGE);
    }
    char *wiped = map(4, MAP_PRIVATE | MAP_ANONYMOUS);
    memset(wiped, 's', 4 * PAGE);
    CHECK(madvise(wiped, 4 * PAGE, MADV_WIPEONFORK) == 0);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        expect_zero("wiped on fork", wiped, 4 * PAGE);
        fflush(stdout);
        _exit(0);
    }
    CHECK(waitpid(pid, NULL, 0) == pid && wiped[0] == 's');
}

/* MADV_FREE: the old content or zeros, and nothing else. */
static void freed(void) {
    char *memory = map(NEW_PAGES, MAP_PRIVATE | MAP_ANONYMOUS);
    memset(memory, 's', NEW_PAGES * PAGE);
    CHECK(madvise(memory, NEW_PAGES * PAGE, MADV_FREE) == 0);
    leave_secrets(2 * NEW_PAGES);
    for (size_t i = 0; i < NEW_PAGES; i++)
        for (size_t j = 0; j < PAGE; j++)
            CHECK(memory[i * PAGE + j] == memory[i * PAGE] && (memory[i * PAGE] == 's' || !memory[i * PAGE]));
    puts("after MADV_FREE: old or zero");
}

static void files(void) {
    int fd = open("short.dat", O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK(fd >= 0 && write(fd, "123", 3) == 3);
    for (int flags = MAP_SHARED; flags <= MAP_PRIVATE; flags++) {
        char *tail = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, flags, fd, 0);
        CHECK(tail != MAP_FAILED);
        expect_zero(flags == MAP_SHARED ? "behind the end, shared" : "behind the end, private", tail + 3,
                    PAGE - 3);
        CHECK(munmap(tail, PAGE) == 0);
    }
    CHECK(ftruncate(fd, 100) == 0 && ftruncate(fd, 3) == 0 && ftruncate(fd, 2 * PAGE) == 0);
    char *grown = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
    CHECK(grown != MAP_FAILED);
    expect_zero("a file cut and grown", grown + 3, 2 * PAGE - 3);
    int memory = memfd_create("holes", 0);
    CHECK(memory >= 0 && ftruncate(memory, NEW_PAGES * PAGE) == 0 && pwrite(memory, "x", 1, 5 * PAGE) == 1);
    char *holes = mmap(NULL, NEW_PAGES * PAGE, PROT_READ, MAP_SHARED, memory, 0);
    CHECK(holes != MAP_FAILED);
    expect_zero("holes before", holes, 5 * PAGE);
    expect_zero("holes behind", holes + 5 * PAGE + 1, (NEW_PAGES - 5) * PAGE - 1);
    CHECK(unlink("short.dat") == 0);
}

int main(int argc, char **argv) {
    size_t pages = argc > 1 ? strtoul(argv[1], NULL, 0) : 512;
    leave_secrets(pages);
    private_memory();
    stack(200);
    leave_secrets(pages);
    expect_zero("shared memory", map(NEW_PAGES, MAP_SHARED | MAP_ANONYMOUS), NEW_PAGES * PAGE);
    given_back();
    freed();
    leave_secrets(pages);
    files();
    return 0;
}
