/* The other exceptions, with the signal, the code and the address that Linux reports: SIGFPE of divisions,
 * SIGILL, SIGTRAP, SIGBUS past the end of a file, SIGSEGV of privileged instructions and of addresses that
 * are not canonical. The handler skips the instruction or jumps out. */
#include "check.h"
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>

static sigjmp_buf jump;
static volatile siginfo_t seen;
static volatile uint64_t seen_rip;
static volatile int skip; /* bytes to skip; 0: jump out */

static void handler(int signal, siginfo_t *info, void *context) {
    (void)signal;
    ucontext_t *at = context;
    seen = *info;
    seen_rip = (uint64_t)at->uc_mcontext.gregs[REG_RIP];
    if (skip == 0)
        siglongjmp(jump, 1);
    at->uc_mcontext.gregs[REG_RIP] += skip;
}

static void report(const char *what, int signal, int code) {
    CHECK(seen.si_signo == signal);
    printf("%s: %s, code %d\n", what, strsignal(signal), seen.si_code);
    CHECK(seen.si_code == code);
    seen.si_signo = 0;
}

static void divisions(void) {
    uint32_t quotient = 5, remainder = 0;
    skip = 2; /* f7 f1 */
    __asm__ volatile("divl %%ecx" : "+a"(quotient), "+d"(remainder) : "c"(0));
    CHECK(quotient == 5 && remainder == 0 && seen.si_addr == (void *)seen_rip);
    report("division by zero", SIGFPE, FPE_INTDIV);
    int32_t low = INT32_MIN, high = -1;
    __asm__ volatile("idivl %%ecx" : "+a"(low), "+d"(high) : "c"(-1));
    CHECK(low == INT32_MIN);
    report("quotient too large", SIGFPE, FPE_INTDIV);
    uint16_t narrow = 0x1000;
    __asm__ volatile("divb %%cl" : "+a"(narrow) : "c"(1));
    report("quotient too large, 8 bits", SIGFPE, FPE_INTDIV);
    skip = 3; /* 48 f7 f9 */
    int64_t wide = INT64_MIN, top = -1;
    __asm__ volatile("idivq %%rcx" : "+a"(wide), "+d"(top) : "c"((int64_t)-1));
    report("quotient too large, 64 bits", SIGFPE, FPE_INTDIV);
}

static void illegal(void) {
    skip = 2;
    __asm__ volatile("ud2");
    CHECK(seen.si_addr == (void *)seen_rip);
    report("ud2", SIGILL, ILL_ILLOPN);
    skip = 1;
    __asm__ volatile(".byte 0x06"); /* push es: not in 64-bit mode */
    report("push es", SIGILL, ILL_ILLOPN);
}

static void traps(void) {
    skip = 0;
    if (sigsetjmp(jump, 1) == 0)
        __asm__ volatile("int3");
    report("int3", SIGTRAP, SI_KERNEL);
    /* The instruction pointer stands behind it: returning goes on there. */
    uint64_t behind;
    skip = 1;
    __asm__ volatile("int3\n nop\n 1: leaq 1b(%%rip), %0" : "=r"(behind));
    CHECK(seen_rip + 1 == behind);
    report("int3, skipping a nop", SIGTRAP, SI_KERNEL);
}

static void privileged(void) {
    skip = 1;
    __asm__ volatile("hlt");
    CHECK(seen.si_addr == NULL);
    report("hlt", SIGSEGV, SI_KERNEL);
    __asm__ volatile("cli");
    report("cli", SIGSEGV, SI_KERNEL);
    skip = 2; /* e4 80 */
    __asm__ volatile("inb $0x80, %%al" : : : "rax");
    report("in", SIGSEGV, SI_KERNEL);
    skip = 1;
    __asm__ volatile("outb %%al, %%dx" : : "a"(0), "d"(0x80));
    report("out", SIGSEGV, SI_KERNEL);
    skip = 3; /* 48 8b 01 */
    __asm__ volatile("movq (%%rcx), %%rax" : : "c"((uint64_t)1 << 63) : "rax");
    CHECK(seen.si_addr == NULL);
    report("not canonical", SIGSEGV, SI_KERNEL);
    skip = 3; /* 0f 28 01 */
    __asm__ volatile("movaps (%%rcx), %%xmm0" : : "c"((char *)&jump + 1) : "xmm0");
    report("misaligned movaps", SIGSEGV, SI_KERNEL);
}

static void buses(void) {
    int fd = open("bus.dat", O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK(fd >= 0 && ftruncate(fd, 2 * PAGE) == 0);
    char *at = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(at != MAP_FAILED);
    at[PAGE] = 1;
    skip = 0;
    if (sigsetjmp(jump, 1) == 0)
        *(volatile char *)(at + 2 * PAGE + 5) = 1;
    CHECK(seen.si_addr == at + 2 * PAGE + 5);
    report("past the end of the file", SIGBUS, BUS_ADRERR);
    CHECK(ftruncate(fd, PAGE) == 0); /* a page that was there is cut off */
    if (sigsetjmp(jump, 1) == 0)
        *(volatile char *)(at + PAGE) = 2;
    report("cut off", SIGBUS, BUS_ADRERR);
    CHECK_ERROR(write(STDOUT_FILENO, at + 3 * PAGE, 1), EFAULT); /* the kernel's own access */
    CHECK(ftruncate(fd, 3 * PAGE) == 0 && at[PAGE] == 0);        /* back again, as zeros */
    CHECK(munmap(at, 4 * PAGE) == 0 && unlink("bus.dat") == 0);
}

int main(void) {
    const int signals[] = {SIGFPE, SIGILL, SIGTRAP, SIGBUS, SIGSEGV};
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        CHECK(sigaction(signals[i], &action, NULL) == 0);
    divisions();
    illegal();
    traps();
    privileged();
    buses();
    return 0;
}
