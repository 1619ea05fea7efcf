/* Code that comes and goes, as a just-in-time compiler makes it: written into pages that are both writable
 * and executable, through a second mapping of the same page, by read, by write to the mapped file, by a
 * child; replaced by mmap, mremap, munmap, mprotect and MADV_DONTNEED. Each time the function at the same
 * address must give the new number, never one that was there before. */
#include "check.h"
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

enum { CODE_SIZE = 6 };
static sigjmp_buf jump;

static void on_fault(int signal) {
    siglongjmp(jump, signal);
}

/* mov eax, number; ret */
static void code_make(unsigned char code[CODE_SIZE], uint32_t number) {
    code[0] = 0xb8;
    memcpy(code + 1, &number, 4);
    code[5] = 0xc3;
}

static void code_write(void *at, uint32_t number) {
    unsigned char code[CODE_SIZE];
    code_make(code, number);
    memcpy(at, code, CODE_SIZE);
}

static uint32_t code_call(const void *at) {
    uint32_t result;
    __asm__ volatile("call *%1" : "=a"(result) : "r"(at) : "rcx", "rdx", "memory", "cc");
    return result;
}

static char *map(size_t pages, int protection, int flags, int fd) {
    char *at = mmap(NULL, pages * PAGE, protection, flags, fd, 0);
    CHECK(at != MAP_FAILED);
    return at;
}

static const int all = PROT_READ | PROT_WRITE | PROT_EXEC;

static void in_place(void) {
    char *at = map(2, all, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    for (uint32_t i = 0; i < 300; i++) {
        code_write(at + 100, i);
        CHECK(code_call(at + 100) == i);
        code_write(at + PAGE - 3, i + 1000); /* across the page's end */
        CHECK(code_call(at + PAGE - 3) == i + 1000);
        at[PAGE + 2] = (char)0xc3;           /* the same byte again: its last, in the second page */
        *(at + PAGE) = (char)(at[PAGE] + 1); /* third byte of the number */
        CHECK(code_call(at + PAGE - 3) == i + 1000 + 0x10000);
        CHECK(code_call(at + 100) == i);
    }
    CHECK(munmap(at, 2 * PAGE) == 0);
    puts("in place");
}

static void two_mappings(void) {
    int fd = memfd_create("jit", 0);
    CHECK(fd >= 0 && ftruncate(fd, 4 * PAGE) == 0);
    char *writable = map(4, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
    char *executable = map(4, PROT_READ | PROT_EXEC, MAP_SHARED, fd);
    for (uint32_t i = 0; i < 200; i++) {
        char *at = writable + (i % 4) * PAGE + i;
        code_write(at, i * 3);
        CHECK(code_call(executable + (at - writable)) == i * 3);
        code_write(at, i * 5); /* what has just run */
        CHECK(code_call(executable + (at - writable)) == i * 5);
    }
    unsigned char code[CODE_SIZE];
    code_make(code, 777);
    CHECK(pwrite(fd, code, CODE_SIZE, 199) == CODE_SIZE); /* by the kernel, into the file */
    CHECK(code_call(executable + 199) == 777);
    code_make(code, 778);
    CHECK(pwrite(fd, code, CODE_SIZE, 199) == CODE_SIZE);
    CHECK(code_call(executable + 199) == 778);
    pid_t pid = fork();
    if (pid == 0) {
        code_write(writable + 199, 779);
        _exit((int)(code_call(executable + 199) - 779));
    }
    int status;
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    CHECK(code_call(executable + 199) == 779);
    CHECK(munmap(writable, 4 * PAGE) == 0 && munmap(executable, 4 * PAGE) == 0 && close(fd) == 0);
    puts("two mappings");
}

static void by_read(void) {
    int fd = open("code.bin", O_RDWR | O_CREAT | O_TRUNC, 0600);
    char *at = map(1, all, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    unsigned char code[CODE_SIZE];
    for (uint32_t i = 0; i < 50; i++) {
        code_make(code, i);
        CHECK(pwrite(fd, code, CODE_SIZE, 0) == CODE_SIZE);
        CHECK(pread(fd, at + 8, CODE_SIZE, 0) == CODE_SIZE && code_call(at + 8) == i);
    }
    CHECK(close(fd) == 0 && unlink("code.bin") == 0 && munmap(at, PAGE) == 0);
    puts("by read");
}

static void replaced(void) {
    char *at = map(1, all, MAP_PRIVATE | MAP_ANONYMOUS, -1),
         *other = map(1, all, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    code_write(at, 1);
    code_write(other, 2);
    CHECK(code_call(at) == 1 && code_call(other) == 2);
    CHECK(mremap(other, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at) == at);
    CHECK(code_call(at) == 2);
    for (uint32_t i = 0; i < 20; i++) {
        CHECK(mmap(at, PAGE, all, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == at);
        code_write(at, i + 10);
        CHECK(code_call(at) == i + 10);
    }
    CHECK(madvise(at, PAGE, MADV_DONTNEED) == 0); /* zeros: add [rax], al */
    CHECK(signal(SIGSEGV, on_fault) != SIG_ERR && sigsetjmp(jump, 1) == 0);
    if (sigsetjmp(jump, 1) == 0) {
        __asm__ volatile("xorl %%eax, %%eax\n call *%0" : : "r"(at) : "rax", "memory", "cc");
        not_reached(__LINE__);
    }
    code_write(at, 50);
    CHECK(code_call(at) == 50 && munmap(at, PAGE) == 0);
    if (sigsetjmp(jump, 1) == 0) {
        code_call(at);
        not_reached(__LINE__);
    }
    puts("replaced");
}

static void protected(void) {
    char *at = map(1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    for (uint32_t i = 0; i < 50; i++) {
        code_write(at + i, i);
        if (sigsetjmp(jump, 1) == 0) { /* not executable yet */
            code_call(at + i);
            not_reached(__LINE__);
        }
        CHECK(mprotect(at, PAGE, PROT_READ | PROT_EXEC) == 0 && code_call(at + i) == i);
        if (sigsetjmp(jump, 1) == 0) { /* not writable any more */
            *(volatile char *)at = 1;
            not_reached(__LINE__);
        }
        CHECK(mprotect(at, PAGE, PROT_READ | PROT_WRITE) == 0);
    }
    CHECK(munmap(at, PAGE) == 0);
    puts("protected in turn");
}

/* After fork each has its own code at the same address. */
static void forked(void) {
    char *at = map(1, all, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    code_write(at, 5);
    CHECK(code_call(at) == 5);
    for (uint32_t i = 0; i < 10; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            CHECK(code_call(at) == 5 + i);
            code_write(at, 90 + i);
            _exit((int)code_call(at));
        }
        code_write(at, 6 + i);
        CHECK(code_call(at) == 6 + i);
        int status;
        CHECK(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == (int)(90 + i));
        CHECK(code_call(at) == 6 + i);
    }
    puts("forked");
}

/* More code than a small machine has frames. */
static void many_pages(void) {
    enum { PAGES = 64 };
    char *at = map(PAGES, all, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    uint32_t version[PAGES] = {0};
    uint64_t state = 5;
    for (uint32_t i = 0; i < PAGES; i++)
        code_write(at + i * PAGE + i, i);
    for (uint32_t i = 0; i < 3000; i++) {
        uint32_t page = (uint32_t)(next_random(&state) % PAGES);
        CHECK(code_call(at + page * PAGE + page) == page + version[page] * 100);
        if (i % 5 == 0)
            code_write(at + page * PAGE + page, page + ++version[page] * 100);
    }
    CHECK(munmap(at, PAGES * PAGE) == 0);
    puts("many pages");
}

int main(void) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    in_place();
    two_mappings();
    by_read();
    replaced();
    protected();
    forked();
    many_pages();
    return 0;
}
