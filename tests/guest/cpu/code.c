/* Code that is cut off by the end of its page, that changes, moves, vanishes or is shared while it is
 * executed: one line a case. */
#include "../c/check.h"
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

static sigjmp_buf back;
static volatile int caught_signal, caught_code;
static volatile uintptr_t caught_address;

static void on_signal(int signal, siginfo_t *info, void *context) {
    (void)context;
    caught_signal = signal;
    caught_code = info->si_code;
    caught_address = (uintptr_t)info->si_addr;
    siglongjmp(back, 1);
}

/* Calls it, and tells what it returned or which signal it raised, and where. */
static void call(const char *name, const uint8_t *code, const uint8_t *page) {
    if (sigsetjmp(back, 1) == 0) {
        int (*function)(void);
        memcpy(&function, &code, sizeof function);
        printf("%s: %d\n", name, function());
        return;
    }
    long place = (long)(caught_address - (uintptr_t)page);
    if (place >= -(long)PAGE && place <= (long)(4 * PAGE))
        printf("%s: signal %d, code %d, at %ld\n", name, caught_signal, caught_code, place);
    else
        printf("%s: signal %d, code %d\n", name, caught_signal, caught_code);
}

static uint8_t *map(size_t pages, int protection) {
    uint8_t *p = mmap(NULL, pages * PAGE, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(p != MAP_FAILED);
    return p;
}

enum { RWX = PROT_READ | PROT_WRITE | PROT_EXEC };

/* mov $value, %eax; ret */
static void put_function(uint8_t *at, uint32_t value) {
    at[0] = 0xb8;
    memcpy(at + 1, &value, sizeof value);
    at[5] = 0xc3;
}

/* ---- at the end of a page ---- */

static const struct instruction {
    const char *name;
    uint8_t bytes[20];
    size_t length;
} instructions[] = {
    {"zero", {0x31, 0xc0, 0xc3}, 3},
    {"mov", {0xb8, 1, 0, 0, 0}, 5},
    {"ud2", {0x0f, 0x0b}, 2},
    {"undefined", {0x06}, 1},
    {"undefined-two", {0x0f, 0x04}, 2},
    {"prefixes",
     {0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x90},
     15},
    {"too-long",
     {0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x90},
     16},
    {"long-mov", {0x48, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8}, 10},
    {"memory", {0x48, 0x81, 0x84, 0x24, 0, 0xff, 0xff, 0xff, 1, 0, 0, 0}, 12},
    {"vector", {0xc4, 0xe2, 0x7d, 0x58, 0x44, 0x24, 0xf8}, 7},
    {"jump", {0xe9, 0, 0, 0, 0}, 5},
    {"privileged", {0xf4}, 1},
    {"interrupt", {0xcc}, 1},
    {"prefix-only", {0xf3}, 1},
    {"escape-only", {0x0f, 0x38}, 2},
    {"lock", {0xf0, 0x90}, 2},
};

/* Its first `there` bytes end the page; what follows it, if it is all there, is a page that ends the call. */
static void try_end(const struct instruction *in, size_t there, int next) {
    uint8_t *p = map(2, PROT_READ | PROT_WRITE);
    char name[64];
    memset(p + PAGE, 0xc3, PAGE);
    memcpy(p + PAGE - there, in->bytes, there);
    if (there < in->length)
        memcpy(p + PAGE, in->bytes + there, in->length - there);
    CHECK(mprotect(p, PAGE, PROT_READ | PROT_EXEC) == 0 && mprotect(p + PAGE, PAGE, next) == 0);
    snprintf(name, sizeof name, "%s, %zu of %zu bytes, %s", in->name, there, in->length,
             next & PROT_EXEC ? "more"
             : next           ? "data"
                              : "nothing");
    call(name, p + PAGE - there, p);
    CHECK(munmap(p, 2 * PAGE) == 0);
}

static void page_ends(void) {
    for (size_t i = 0; i < sizeof instructions / sizeof *instructions; i++)
        for (size_t there = 1; there <= instructions[i].length; there++) {
            try_end(&instructions[i], there, PROT_NONE);
            if (there == 1 || there == instructions[i].length)
                try_end(&instructions[i], there, PROT_READ);
        }
}

/* ---- changing code ---- */

/* An instruction that writes the one behind it: mov $7, next+1(%rip); mov $1, %eax; ret */
static void next_instruction(void) {
    uint8_t *p = map(1, RWX);
    static const uint8_t code[] = {0xc7, 0x05, 1, 0, 0, 0, 7, 0, 0, 0, 0xb8, 1, 0, 0, 0, 0xc3};
    for (int i = 0; i < 3; i++) {
        memcpy(p + 100, code, sizeof code);
        call("writes the next instruction", p + 100, p);
    }
    memcpy(p + PAGE - 11, code, 11);
    call("and is cut off", p + PAGE - 11, p);
}

/* Into the middle of an instruction: mov $0xc3xxxxxx …, whose immediate is code. */
static void middle(void) {
    uint8_t *p = map(1, RWX);
    static const uint8_t code[] = {0xb8, 0x6a, 0x09, 0x58, 0xc3, 0xc3};
    memcpy(p, code, sizeof code);
    call("from the beginning", p, p);
    call("from the middle", p + 1, p);
    call("from the beginning", p, p);
}

static void rewriting(void) {
    uint8_t *p = map(1, RWX);
    unsigned sum = 0;
    int (*function)(void);
    memcpy(&function, &p, sizeof function);
    for (unsigned i = 0; i < 300; i++) {
        put_function(p, i);
        sum += (unsigned)function();
    }
    printf("rewritten 300 times: %u\n", sum);
}

static void protection(void) {
    uint8_t *p = map(1, PROT_READ | PROT_WRITE);
    put_function(p, 11);
    call("not executable", p, p);
    CHECK(mprotect(p, PAGE, PROT_READ | PROT_EXEC) == 0);
    call("executable", p, p);
    CHECK(mprotect(p, PAGE, PROT_READ | PROT_WRITE) == 0);
    put_function(p, 12);
    call("not any more", p, p);
    CHECK(mprotect(p, PAGE, PROT_READ | PROT_EXEC) == 0);
    call("changed", p, p);
    CHECK(mprotect(p, PAGE, PROT_NONE) == 0);
    call("none", p, p);
    CHECK(mprotect(p, PAGE, PROT_EXEC) == 0);
    call("only executable", p, p);
    CHECK(madvise(p, PAGE, MADV_DONTNEED) == 0 && mprotect(p, PAGE, RWX) == 0);
    put_function(p, 13);
    call("discarded and written again", p, p);
}

static void double_mapping(void) {
    int fd = memfd_create("code", 0);
    CHECK(fd >= 0 && ftruncate(fd, (off_t)PAGE) == 0);
    uint8_t *w = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    uint8_t *x = mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
    uint8_t *y = mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
    CHECK(w != MAP_FAILED && x != MAP_FAILED && y != MAP_FAILED);
    for (uint32_t i = 20; i < 23; i++) {
        put_function(w, i);
        call("mapped twice", x, x);
        call("and privately", y, y);
    }
    uint8_t code[6];
    put_function(code, 24);
    CHECK(pwrite(fd, code, sizeof code, 0) == sizeof code);
    call("written by pwrite", x, x);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        put_function(w, 25);
        _exit(0);
    }
    CHECK(waitpid(child, NULL, 0) == child);
    call("written by a child", x, x);
    CHECK(ftruncate(fd, 0) == 0);
    call("truncated", x, x);
}

static void moving(void) {
    uint8_t *p = map(3, RWX);
    put_function(p, 30);
    call("before moving", p, p);
    uint8_t *q = mremap(p, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, p + PAGE);
    CHECK(q == p + PAGE);
    call("moved", q, q);
    call("left behind", p, p);
    p = map(1, RWX);
    put_function(p, 31);
    call("before mapping over", p, p);
    CHECK(mmap(p, PAGE, RWX, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == p);
    call("mapped over", p, p);
    put_function(p, 32);
    call("written again", p, p);
}

/* mov %rdi … is set by nobody: the code unmaps its own page. mov $11, %eax; syscall; mov $5, %eax; ret */
static void unmapping_itself(void) {
    uint8_t *p = map(1, RWX);
    static const uint8_t code[] = {0xbe, 0x00, 0x10, 0,    0, 0xb8, 11, 0, 0,
                                   0,    0x0f, 0x05, 0xb8, 5, 0,    0,  0, 0xc3};
    uint8_t head[10] = {0x48, 0xbf};
    memcpy(head + 2, &p, sizeof p);
    memcpy(p, head, sizeof head);
    memcpy(p + sizeof head, code, sizeof code);
    call("unmaps itself", p, p);
}

static void child_changes(void) {
    uint8_t *p = map(1, RWX);
    put_function(p, 40);
    call("before fork", p, p);
    fflush(stdout);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        put_function(p, 41);
        call("in the child", p, p);
        fflush(stdout);
        _exit(0);
    }
    CHECK(waitpid(child, NULL, 0) == child);
    call("in the parent", p, p);
}

static void *write_function(void *p) {
    put_function(p, 51);
    return NULL;
}

static void thread_changes(void) {
    uint8_t *p = map(1, RWX);
    pthread_t thread;
    put_function(p, 50);
    call("before the thread", p, p);
    CHECK(pthread_create(&thread, NULL, write_function, p) == 0 && pthread_join(thread, NULL) == 0);
    call("after the thread", p, p);
}

/* A function in each of many pages: in few frames they leave memory between calls. */
static void many_pages(void) {
    enum { PAGES = 200 };
    uint8_t *p = map(PAGES, RWX);
    unsigned sum = 0;
    for (unsigned i = 0; i < PAGES; i++)
        put_function(p + i * PAGE + i, i);
    for (unsigned round = 0; round < 4; round++)
        for (unsigned i = 0; i < PAGES; i++) {
            int (*function)(void);
            uint8_t *at = p + i * PAGE + i;
            memcpy(&function, &at, sizeof function);
            sum += (unsigned)function();
            put_function(at, i + round);
        }
    printf("many pages: %u\n", sum);
}

int main(void) {
    static char stack[1 << 16];
    stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    CHECK(sigaltstack(&alternate, NULL) == 0);
    for (size_t i = 0; i < 5; i++)
        CHECK(sigaction((int[]){SIGILL, SIGTRAP, SIGBUS, SIGSEGV, SIGFPE}[i], &action, NULL) == 0);
    page_ends();
    next_instruction();
    middle();
    rewriting();
    protection();
    double_mapping();
    moving();
    unmapping_itself();
    child_changes();
    thread_changes();
    many_pages();
    return 0;
}
