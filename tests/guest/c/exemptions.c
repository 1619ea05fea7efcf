/* What is allowed to differ between the host and the machine, one line each: a test compares both with what
 * the documentation says. Usage: exemptions NAME */
#include "check.h"
#include <fenv.h>
#include <math.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <ucontext.h>
#include <xmmintrin.h>

static sigjmp_buf jump;

static void on_signal(int signal) {
    siglongjmp(jump, signal);
}

/* The x87's registers hold 64 bits of mantissa on a real CPU. */
static void long_double(void) {
    volatile long double one = 1.0L, small = 0x1p-60L;
    puts(one + small == one ? "53 bits" : "64 bits");
}

/* Sticky flags in MXCSR. */
static void sse_flags(void) {
    volatile double one = 1.0, three = 3.0;
    _mm_setcsr(_mm_getcsr() & ~0x3fu);
    volatile double third = one / three;
    (void)third;
    puts(_mm_getcsr() & _MM_EXCEPT_INEXACT ? "inexact is noted" : "inexact is not noted");
}

/* The x87's status word. */
static void x87_flags(void) {
    unsigned short status;
    __asm__ volatile("fnclex\n fld1\n fldz\n fdivrp %%st, %%st(1)\n fnstsw %0\n fstp %%st(0)" : "=a"(status));
    puts(status & 4 ? "division by zero is noted" : "division by zero is not noted");
}

static void sse_unmasked(void) {
    volatile double one = 1.0, zero = 0.0;
    CHECK(signal(SIGFPE, on_signal) != SIG_ERR);
    if (sigsetjmp(jump, 1) == 0) {
        _mm_setcsr(_mm_getcsr() & ~(unsigned)_MM_MASK_DIV_ZERO);
        volatile double infinity = one / zero;
        (void)infinity;
        puts("no signal");
    } else {
        puts("SIGFPE");
    }
}

/* Denormal results are flushed to zero when MXCSR says so. */
static void flush_to_zero(void) {
    volatile double tiny = 0x1p-1022, half = 0.5;
    _mm_setcsr(_mm_getcsr() | _MM_FLUSH_ZERO_ON);
    puts(tiny * half == 0.0 ? "flushed" : "not flushed");
}

/* Which way sums are rounded. */
static void rounding(void) {
    volatile double one = 1.0, small = 0x1p-60;
    _MM_SET_ROUNDING_MODE(_MM_ROUND_UP);
    volatile double sum = one + small;
    _MM_SET_ROUNDING_MODE(_MM_ROUND_NEAREST);
    puts(sum > one ? "up" : "to nearest");
}

/* The x87's indefinite number, which an empty register yields, is negative. */
static void empty_register(void) {
    unsigned char image[10];
    __asm__ volatile("fninit\n fld %%st(3)\n fstpt %0" : "=m"(image));
    puts(image[9] & 0x80 ? "negative" : "positive");
}

/* The sign of a NaN that is subtracted from a product. */
static void nan_sign(void) {
    if (!__builtin_cpu_supports("fma")) {
        puts("no such instruction");
        return;
    }
    uint64_t nan = 0x7ff8000000000001, result;
    double c, one = 1.0;
    memcpy(&c, &nan, sizeof c);
    __asm__ volatile(
        "vmovsd %1, %%xmm0\n vmovsd %2, %%xmm1\n vfmsub213sd %%xmm1, %%xmm0, %%xmm0\n vmovq %%xmm0, %0"
        : "=r"(result)
        : "m"(one), "m"(c)
        : "xmm0", "xmm1");
    puts(result >> 63 ? "changed" : "kept");
}

static volatile uint64_t fault_place;

static void on_fault(int signal, siginfo_t *info, void *context) {
    fault_place = (uint64_t)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
    siglongjmp(jump, signal);
}

/* Where a jump to what cannot be an address faults. */
static void impossible_jump(void) {
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    uint64_t nowhere = 0x1234567812345678;
    CHECK(sigaction(SIGSEGV, &action, NULL) == 0);
    if (sigsetjmp(jump, 1) == 0)
        __asm__ volatile("jmp *%0" : : "r"(nowhere));
    puts(fault_place == nowhere ? "at its target" : "at the jump");
}

/* A register that selects a segment. */
static void selector(void) {
    unsigned short value = 0x2b;
    __asm__ volatile("mov %0, %%es\n mov %%es, %0" : "+r"(value));
    printf("%x\n", value);
}

/* Two readings around the same work, three times; on a CPU the differences differ. */
static void time_stamp(void) {
    uint64_t differences[3];
    for (int i = 0; i < 3; i++) {
        uint64_t before = __builtin_ia32_rdtsc();
        for (volatile int j = 0; j < 20000; j = j + 1)
            ;
        differences[i] = __builtin_ia32_rdtsc() - before;
        CHECK(differences[i] > 0 && differences[i] < 1000000000000);
    }
    printf("%llu\n", (unsigned long long)differences[2]);
}

static void processors(void) {
    cpu_set_t set;
    CHECK(sched_getaffinity(0, sizeof set, &set) == 0);
    printf("%d in the mask, %ld online, now on %d\n", CPU_COUNT(&set), sysconf(_SC_NPROCESSORS_ONLN),
           CPU_COUNT(&set) == 1 ? sched_getcpu() : 0);
}

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        void (*show)(void);
    } all[] = {{"long-double", long_double},
               {"sse-flags", sse_flags},
               {"x87-flags", x87_flags},
               {"sse-unmasked", sse_unmasked},
               {"flush-to-zero", flush_to_zero},
               {"time-stamp", time_stamp},
               {"processors", processors},
               {"rounding", rounding},
               {"empty-register", empty_register},
               {"nan-sign", nan_sign},
               {"impossible-jump", impossible_jump},
               {"selector", selector}};
    for (size_t i = 0; argc > 1 && i < sizeof all / sizeof *all; i++)
        if (strcmp(argv[1], all[i].name) == 0) {
            all[i].show();
            return 0;
        }
    return 2;
}
