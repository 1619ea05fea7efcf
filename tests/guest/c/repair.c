/* A SIGSEGV handler in three trades: it repairs the mapping and returns, so that the instruction is executed
 * again; it jumps out by siglongjmp; it changes the registers in the saved context. Each under all kinds of
 * access. */
#include "check.h"
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>

static char *volatile expected_address;
static volatile int faults, last_code;
static sigjmp_buf jump;
static char spare[64];

static void handler_check(const siginfo_t *info) {
    faults++;
    last_code = info->si_code;
    CHECK(info->si_signo == SIGSEGV && info->si_addr == expected_address);
}

static void handler_repair(int signal, siginfo_t *info, void *context) {
    (void)signal, (void)context;
    handler_check(info);
    char *page = (char *)((uintptr_t)info->si_addr & ~(PAGE - 1));
    if (info->si_code == SEGV_MAPERR)
        CHECK(mmap(page, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
              page);
    else
        CHECK(mprotect(page, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC) == 0);
}

static void handler_jump(int signal, siginfo_t *info, void *context) {
    (void)signal, (void)context;
    handler_check(info);
    siglongjmp(jump, info->si_code);
}

/* Points the register that held the wild address at `spare`; the access is then made there. */
static void handler_redirect(int signal, siginfo_t *info, void *context) {
    (void)signal;
    handler_check(info);
    ucontext_t *at = context;
    CHECK(at->uc_mcontext.gregs[REG_RSI] == (greg_t)info->si_addr);
    CHECK(at->uc_mcontext.gregs[REG_CR2] == (greg_t)info->si_addr);
    CHECK(at->uc_mcontext.gregs[REG_R12] == 0x1234567); /* another register, as it was */
    at->uc_mcontext.gregs[REG_RSI] = (greg_t)spare;
    at->uc_mcontext.gregs[REG_R13] = 42;
}

static void handler_set(void (*handler)(int, siginfo_t *, void *)) {
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    CHECK(sigaction(SIGSEGV, &action, NULL) == 0);
}

/* The store happens here and now, whatever the compiler thinks of it. */
static void poke(char *at, int value) {
    *(volatile char *)at = (char)value;
}

static void repairs(char *area) {
    handler_set(handler_repair);
    faults = 0;
    for (int i = 0; i < 8; i++) {
        char *page = area + (size_t)i * PAGE;
        expected_address = page + 100;
        CHECK(i % 2 ? munmap(page, PAGE) == 0 : mprotect(page, PAGE, PROT_NONE) == 0);
        poke(page + 100, 'a' + i);
        CHECK(faults == i + 1 && last_code == (i % 2 ? SEGV_MAPERR : SEGV_ACCERR));
        CHECK(page[100] == 'a' + i);
    }
    expected_address = area; /* a read-only page can be read … */
    CHECK(mprotect(area, PAGE, PROT_READ) == 0);
    CHECK(area[0] == 0 && faults == 8);
    poke(area, 1); /* … and its first write faults */
    CHECK(faults == 9);
    memcpy(area + 200, "\xb8\x07\x00\x00\x00\xc3", 6); /* mov eax, 7; ret */
    CHECK(mprotect(area, PAGE, PROT_READ | PROT_WRITE) == 0);
    expected_address = area + 200; /* not executable: the fetch faults, is repaired and goes on */
    int result;
    __asm__ volatile("call *%1" : "=a"(result) : "r"(area + 200) : "memory", "cc");
    CHECK(result == 7 && faults == 10);
    puts("repair and return");
}

static void jumps(char *area) {
    handler_set(handler_jump);
    faults = 0;
    CHECK(mprotect(area, PAGE, PROT_NONE) == 0);
    for (volatile int i = 0; i < 5; i++) {
        expected_address = i % 2 ? area + 40 : (char *)0x10000;
        int code = sigsetjmp(jump, 1);
        if (code == 0) {
            poke(expected_address, 1);
            not_reached(__LINE__);
        }
        CHECK(code == (i % 2 ? SEGV_ACCERR : SEGV_MAPERR));
    }
    CHECK(faults == 5);
    sigset_t now;
    CHECK(sigprocmask(SIG_BLOCK, NULL, &now) == 0 && !sigismember(&now, SIGSEGV));
    puts("jump out");
}

static void redirects(char *area) {
    handler_set(handler_redirect);
    CHECK(mprotect(area, PAGE, PROT_NONE) == 0);
    strcpy(spare, "elsewhere");
    expected_address = area + 8;
    faults = 0;
    register uint64_t r12 __asm__("r12") = 0x1234567;
    register uint64_t r13 __asm__("r13") = 0;
    uint64_t value;
    char *from = expected_address;
    __asm__ volatile("movq (%%rsi), %0" : "=r"(value), "+S"(from), "+r"(r13) : "r"(r12) : "memory");
    CHECK(memcmp(&value, "elsewher", 8) == 0 && r13 == 42 && from == spare && faults == 1);
    puts("changed registers");
}

int main(void) {
    char *area = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(area != MAP_FAILED);
    repairs(area);
    jumps(area);
    redirects(area);
    return 0;
}
