/* The vector registers across signals: a handler that uses them all does not disturb the interrupted code,
 * whether the signal comes from a fault in its middle, from raise or from a timer; and what the handler
 * writes into the saved context arrives in the registers. With AVX where the CPU has it, SSE otherwise; both
 * print the same. */
#include "check.h"
#include <immintrin.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <ucontext.h>

static char *guarded;
static volatile sig_atomic_t signals;
static int have_avx;

__attribute__((target("avx"))) static void trash_avx(void) {
    __asm__ volatile("vpcmpeqb %%xmm0, %%xmm0, %%xmm0\n vinsertf128 $1, %%xmm0, %%ymm0, %%ymm0\n"
                     "vmovaps %%ymm0, %%ymm1\n vmovaps %%ymm0, %%ymm2\n vmovaps %%ymm0, %%ymm7\n"
                     "vmovaps %%ymm0, %%ymm15\n"
                     :
                     :
                     : "xmm0", "xmm1", "xmm2", "xmm7", "xmm15");
}

static void trash_sse(void) {
    __asm__ volatile("pcmpeqb %%xmm0, %%xmm0\n movaps %%xmm0, %%xmm1\n movaps %%xmm0, %%xmm2\n"
                     "movaps %%xmm0, %%xmm7\n movaps %%xmm0, %%xmm15\n"
                     :
                     :
                     : "xmm0", "xmm1", "xmm2", "xmm7", "xmm15");
}

static void on_signal(int signal, siginfo_t *info, void *context) {
    (void)info;
    signals++;
    if (have_avx)
        trash_avx();
    else
        trash_sse();
    if (signal == SIGSEGV)
        CHECK(mprotect(guarded, PAGE, PROT_READ | PROT_WRITE) == 0);
    if (signal == SIGUSR2) { /* writes xmm3 of the interrupted code */
        ucontext_t *at = context;
        for (int i = 0; i < 4; i++)
            at->uc_mcontext.fpregs->_xmm[3].element[i] = (uint32_t)(1000 + i);
    }
}

/* Fills registers, stores through a page that faults, and gives back what the registers hold then. */
__attribute__((target("avx"))) static void round_avx(const uint64_t in[16], uint64_t out[16],
                                                     char *store_to) {
    __asm__ volatile("vmovups (%0), %%ymm1\n vmovups 32(%0), %%ymm2\n vmovups 64(%0), %%ymm7\n"
                     "vmovups 96(%0), %%ymm15\n"
                     "vmovups %%ymm2, (%2)\n"
                     "vmovups %%ymm1, (%1)\n vmovups %%ymm2, 32(%1)\n vmovups %%ymm7, 64(%1)\n"
                     "vmovups %%ymm15, 96(%1)\n vzeroupper\n"
                     :
                     : "r"(in), "r"(out), "r"(store_to)
                     : "memory", "xmm1", "xmm2", "xmm7", "xmm15");
}

static void round_sse(const uint64_t in[16], uint64_t out[16], char *store_to) {
    __asm__ volatile("movups (%0), %%xmm1\n movups 32(%0), %%xmm2\n movups 64(%0), %%xmm7\n"
                     "movups 96(%0), %%xmm15\n"
                     "movups %%xmm2, (%2)\n"
                     "movups %%xmm1, (%1)\n movups %%xmm2, 32(%1)\n movups %%xmm7, 64(%1)\n"
                     "movups %%xmm15, 96(%1)\n"
                     :
                     : "r"(in), "r"(out), "r"(store_to)
                     : "memory", "xmm1", "xmm2", "xmm7", "xmm15");
    for (int i = 0; i < 16; i++)
        if (i % 4 >= 2)
            out[i] = in[i]; /* no upper halves here */
}

static void round_check(uint64_t seed, char *store_to) {
    uint64_t in[16], out[16] = {0};
    for (size_t i = 0; i < 16; i++)
        in[i] = pattern(i, seed);
    if (have_avx)
        round_avx(in, out, store_to);
    else
        round_sse(in, out, store_to);
    CHECK(memcmp(in, out, sizeof in) == 0);
    CHECK(memcmp(in + 4, store_to, have_avx ? 32 : 16) == 0);
}

static void faults(void) {
    for (unsigned i = 0; i < 20; i++) {
        CHECK(mprotect(guarded, PAGE, PROT_NONE) == 0);
        round_check(i, guarded + 64 + i);
    }
    CHECK(signals == 20);
    puts("faults");
}

static void timer_ticks(void) {
    struct itimerval timer = {{0, 2000}, {0, 2000}}, off = {0};
    char store[64];
    signals = 0;
    CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
    double sum = 0;
    long rounds = 0;
    for (; signals < 20; rounds++) {
        round_check((uint64_t)rounds, store);
        sum += (double)(rounds & 1023) * 0.5;
    }
    CHECK(setitimer(ITIMER_REAL, &off, NULL) == 0);
    double expected = 0;
    for (long i = 0; i < rounds; i++)
        expected += (double)(i & 1023) * 0.5;
    CHECK(sum == expected);
    puts("timer");
}

static void context_write(void) {
    uint32_t out[4];
    long result;
    __asm__ volatile("pxor %%xmm3, %%xmm3\n syscall\n movups %%xmm3, (%2)"
                     : "=a"(result)
                     : "a"(62L), "r"(out), "D"((long)getpid()), "S"((long)SIGUSR2) /* kill */
                     : "memory", "rcx", "r11", "xmm3");
    CHECK(result == 0);
    for (uint32_t i = 0; i < 4; i++)
        CHECK(out[i] == 1000 + i);
    puts("context");
}

int main(void) {
    have_avx = __builtin_cpu_supports("avx");
    guarded = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(guarded != MAP_FAILED);
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART};
    CHECK(sigaction(SIGSEGV, &action, NULL) == 0 && sigaction(SIGALRM, &action, NULL) == 0);
    CHECK(sigaction(SIGUSR2, &action, NULL) == 0);
    faults();
    timer_ticks();
    context_write();
    return 0;
}
