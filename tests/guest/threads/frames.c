/* Handlers in the middle of things: what their frame holds and may change (registers, x87, SSE, AVX), hostile
 * frames, faults that a handler repairs by mprotect or mmap or leaves by longjmp, nested faults, faults with the
 * signal blocked, overflowing stacks, codes of faults. */
#include "say.h"
#include <cpuid.h>
#include <immintrin.h>
#include <setjmp.h>
#include <sys/resource.h>
#include <ucontext.h>

static sigjmp_buf back;
static volatile int count, code, error_bits, trap_number, address_kind;
static char *volatile area;
static char *volatile expected;
static volatile char *volatile nowhere = (char *)16;

/* ---- codes ---- */

static void leaves(int signal, siginfo_t *info, void *context) {
    ucontext_t *uc = context;
    count++;
    code = signal * 1000 + info->si_code;
    error_bits = (int)uc->uc_mcontext.gregs[REG_ERR];
    trap_number = (int)uc->uc_mcontext.gregs[REG_TRAPNO];
    address_kind = info->si_addr == expected                                ? 1
                   : info->si_addr == (void *)uc->uc_mcontext.gregs[REG_RIP] ? 2
                   : info->si_addr == NULL                                  ? 0
                                                                            : 3;
    siglongjmp(back, 1);
}

static void handle(int signal, void (*handler)(int, siginfo_t *, void *), int flags) {
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};
    sigaction(signal, &action, NULL);
}

#define FAULT(what, at, action)                                                                              \
    do {                                                                                                     \
        expected = (char *)(at);                                                                             \
        code = 0;                                                                                            \
        if (sigsetjmp(back, 1) == 0) {                                                                       \
            action;                                                                                          \
        }                                                                                                    \
        say("%s: signal %d code %d, trap %d error %x, address %d", what, code / 1000, code % 1000,          \
            trap_number, (unsigned)error_bits & ~1u, address_kind); /* the lowest bit: whether it was in memory */                                                \
    } while (0)

static void codes(void) {
    char *page = mmap(NULL, 4096 * 4, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int fd = memfd_create("short", 0);
    char *file = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    munmap(page + 4096, 4096);
    mprotect(page + 8192, 4096, PROT_READ);
    mprotect(page + 12288, 4096, PROT_NONE);
    static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
    for (int i = 0; i < COUNT(signals); i++)
        handle(signals[i], leaves, 0);
    FAULT("read of nothing", page + 4096, *(volatile char *)(page + 4096));
    FAULT("write to nothing", page + 4100, *(volatile char *)(page + 4100) = 1);
    FAULT("read of null", NULL, *(volatile char *)expected);
    FAULT("write to read-only", page + 8192, *(volatile char *)(page + 8192) = 1);
    FAULT("read of PROT_NONE", page + 12288, *(volatile char *)(page + 12288));
    FAULT("write to PROT_NONE", page + 12288, *(volatile char *)(page + 12288) = 1);
    FAULT("a file that is too short", file, *(volatile char *)file = 1);
    FAULT("the kernel's half", -4096L, *(volatile char *)expected);
    FAULT("no address at all", 0x800000000000, *(volatile char *)expected);
    FAULT("execution of data", page, ((void (*)(void))expected)());
    FAULT("execution of nothing", page + 4096, ((void (*)(void))expected)());
    FAULT("call to no address", 0x1234567812345678, ((void (*)(void))expected)());
    volatile int zero = 0, one = 1;
    FAULT("division by 0", NULL, one = one / zero);
    FAULT("hlt", NULL, __asm__ volatile("hlt"));
    FAULT("ud2", NULL, __asm__ volatile("ud2"));
    FAULT("int3", NULL, __asm__ volatile("int3"));
    FAULT("cli", NULL, __asm__ volatile("cli"));
    FAULT("a misaligned movaps", NULL, __asm__ volatile("movaps %%xmm0, 1(%0)" : : "r"((uintptr_t)page & ~15UL) : "memory"));
    munmap(page, 16384);
    munmap(file, 8192);
    close(fd);
}

/* ---- repairs: garbage collectors and the like ---- */

static void protects(int signal, siginfo_t *info, void *context) {
    (void)signal, (void)context;
    count++;
    mprotect((void *)((uintptr_t)info->si_addr & ~4095UL), 4096, PROT_READ | PROT_WRITE);
}

static void maps(int signal, siginfo_t *info, void *context) {
    (void)signal, (void)context;
    count++;
    char *page = mmap((void *)((uintptr_t)info->si_addr & ~4095UL), 4096, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    memset(page, 7, 4096);
}

static void skips(int signal, siginfo_t *info, void *context) {
    ucontext_t *uc = context;
    (void)signal, (void)info;
    count++;
    uc->uc_mcontext.gregs[REG_RIP] += 3; /* the length of the instruction below */
    uc->uc_mcontext.gregs[REG_RBX] = 0x4242;
}

static void repairs(void) {
    enum { PAGES = 64 };
    area = mmap(NULL, PAGES * 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    handle(SIGSEGV, protects, 0);
    count = 0;
    for (int i = 0; i < PAGES; i++)
        for (int j = 0; j < 4; j++)
            area[(i * 37 % PAGES) * 4096 + j * 1000] = (char)i;
    say("write barrier: %d faults", count);
    mprotect(area, PAGES * 4096, PROT_READ);
    count = 0;
    memset(area + 100, 3, (PAGES - 1) * 4096);
    long sum = 0;
    for (int i = 0; i < PAGES * 4096; i++)
        sum += area[i];
    say("memset across them: %d faults, sum %ld", count, sum);
    munmap(area, PAGES * 4096);
    handle(SIGSEGV, maps, SA_ONSTACK);
    static char alternate[65536];
    sigaltstack(&(stack_t){.ss_sp = alternate, .ss_size = sizeof alternate}, NULL);
    count = 0, sum = 0;
    for (int i = 0; i < PAGES * 4096 - 8; i += 4096 - 4) /* some reads straddle two pages */
        sum += *(volatile long *)(area + i) & 0xff;
    say("mapped on demand: %d faults, sum %ld", count, sum);
    munmap(area, PAGES * 4096);
    handle(SIGSEGV, skips, 0);
    long rbx = 1;
    count = 0;
    __asm__ volatile("mov %2, %%rax\n\tmov (%%rax), %%rbx\n\tmov %%rbx, %0" : "=r"(rbx) : "0"(rbx), "r"(area) : "rax", "rbx", "memory");
    say("skipped: %d faults, register %lx", count, rbx);
}

/* ---- nested, blocked, overflowing ---- */

static void nests(int signal, siginfo_t *info, void *context) {
    (void)signal, (void)context;
    int depth = ++count;
    if (depth < 5)
        *(volatile char *)(area + depth * 4096) = 1;
    mprotect((void *)((uintptr_t)info->si_addr & ~4095UL), 4096, PROT_READ | PROT_WRITE);
}

static void faults_again(int signal, siginfo_t *info, void *context) {
    (void)signal, (void)info, (void)context;
    *nowhere = 1;
}

static void jumps(int signal, siginfo_t *info, void *context) {
    (void)signal, (void)info, (void)context;
    count++;
    siglongjmp(back, 1);
}

static int recurse(int n) {
    volatile char frame[512];
    frame[0] = (char)n;
    return n == 0x7fffffff ? frame[0] : recurse(n + 1) + frame[1];
}

static int overflow(void *kind) {
    static char alternate[65536];
    struct rlimit limit = {256 * 1024, RLIM_INFINITY};
    setrlimit(RLIMIT_STACK, &limit);
    int flags = 0;
    if (kind) {
        sigaltstack(&(stack_t){.ss_sp = alternate, .ss_size = sizeof alternate}, NULL);
        flags = SA_ONSTACK;
    }
    handle(SIGSEGV, jumps, flags);
    if (sigsetjmp(back, 1) == 0)
        return recurse(0) & 1;
    return 40;
}

static void deep_in_handler(int signal, siginfo_t *info, void *context) {
    (void)signal, (void)info, (void)context;
    count++;
    recurse(0);
}

static int overflow_in_handler(void *unused) {
    (void)unused;
    static char alternate[16384];
    sigaltstack(&(stack_t){.ss_sp = alternate, .ss_size = sizeof alternate}, NULL);
    struct rlimit limit = {256 * 1024, RLIM_INFINITY};
    setrlimit(RLIMIT_STACK, &limit);
    handle(SIGUSR1, deep_in_handler, 0);
    handle(SIGSEGV, jumps, SA_ONSTACK);
    if (sigsetjmp(back, 1) == 0)
        raise(SIGUSR1);
    return 41;
}

static int fault_in_handler(void *unused) {
    (void)unused;
    handle(SIGSEGV, faults_again, 0);
    *nowhere = 1;
    return 1;
}

static int fault_while_blocked(void *ignored) {
    sigset_t set;
    handle(SIGSEGV, jumps, 0);
    if (ignored) {
        signal(SIGSEGV, SIG_IGN);
    } else {
        sigemptyset(&set);
        sigaddset(&set, SIGSEGV);
        sigprocmask(SIG_BLOCK, &set, NULL);
    }
    if (sigsetjmp(back, 1) == 0)
        *nowhere = 1;
    return 1;
}

static int no_restorer(void *unused) {
    (void)unused;
    struct {
        void *handler;
        unsigned long flags;
        void *restorer;
        uint64_t mask;
    } raw = {.handler = (void *)jumps};
    syscall(SYS_rt_sigaction, SIGUSR1, &raw, NULL, 8);
    raise(SIGUSR1);
    return 1;
}

static void *own_stack_thread(void *unused) {
    (void)unused;
    static __thread char alternate[32768];
    sigaltstack(&(stack_t){.ss_sp = alternate, .ss_size = sizeof alternate}, NULL);
    static __thread sigjmp_buf here;
    if (sigsetjmp(here, 1) == 0) {
        memcpy(&back, &here, sizeof back);
        recurse(0);
    }
    return (void *)(intptr_t)count;
}

static void nesting(void) {
    area = mmap(NULL, 8 * 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    handle(SIGSEGV, nests, SA_NODEFER);
    count = 0;
    area[0] = 1;
    say("nested faults: %d", count);
    say_child("stack overflow without an alternate stack", in_child(overflow, NULL));
    say_child("stack overflow with one", in_child(overflow, (void *)1));
    say_child("stack overflow in a handler", in_child(overflow_in_handler, NULL));
    say_child("a fault in the handler of faults", in_child(fault_in_handler, NULL));
    say_child("a fault while it is blocked", in_child(fault_while_blocked, NULL));
    say_child("a fault while it is ignored", in_child(fault_while_blocked, (void *)1));
    say_child("no restorer", in_child(no_restorer, NULL));
    pthread_t thread;
    pthread_attr_t attributes;
    void *value;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 131072);
    handle(SIGSEGV, jumps, SA_ONSTACK);
    count = 0;
    pthread_create(&thread, &attributes, own_stack_thread, NULL);
    pthread_join(thread, &value);
    say("a thread's stack overflows: %ld", (long)(intptr_t)value);
}

/* ---- extended state ---- */

static volatile int magic_seen, size_seen, features_seen, legacy_is_there;
static void clobbers(int signal, siginfo_t *info, void *context) {
    (void)signal, (void)info, (void)context;
    count++;
    unsigned mxcsr, initial = 0x1f80;
    unsigned short control;
    __asm__ volatile("stmxcsr %0; fnstcw %1" : "=m"(mxcsr), "=m"(control));
    code = mxcsr == initial && control == 0x37f;
    __asm__ volatile("pcmpeqb %%xmm0, %%xmm0; pcmpeqb %%xmm7, %%xmm7; fninit; fldpi; fldpi" : : : "xmm0", "xmm7", "st", "st(1)");
}

static void looks(int signal, siginfo_t *info, void *context) {
    (void)signal, (void)info;
    ucontext_t *uc = context;
    uint8_t *image = (uint8_t *)uc->uc_mcontext.fpregs;
    uint32_t magic1, extended, size, magic2;
    uint64_t features, header;
    memcpy(&magic1, image + 464, 4);
    memcpy(&extended, image + 468, 4);
    memcpy(&features, image + 472, 8);
    memcpy(&size, image + 480, 4);
    memcpy(&magic2, image + size, 4);
    memcpy(&header, image + 512, 8);
    magic_seen = (magic1 == 0x46505853) + 2 * (magic2 == 0x46505845);
    size_seen = extended == size + 4 && size >= 576;
    features_seen = (features & 3) == 3 && (header & ~features) == 0;
    legacy_is_there = (uintptr_t)image % 64 == 0 && image > (uint8_t *)uc;
    /* the interrupted code finds these */
    uint64_t low = 0x1122334455667788;
    memcpy(image + 160 + 16 * 3, &low, 8); /* xmm3 */
    uint32_t mxcsr;
    memcpy(&mxcsr, image + 24, 4);
    mxcsr |= 0x2000; /* round down */
    memcpy(image + 24, &mxcsr, 4);
    uc->uc_mcontext.gregs[REG_R12] = 0x5678;
}

static void extended_state(void) {
    uint64_t xmm[4] = {1, 2, 3, 4}, r12 = 0;
    unsigned mxcsr = 0x1f80 | 0x4000, now;
    unsigned short control = 0xf7f, control_now;
    double kept = 0;
    handle(SIGUSR1, clobbers, 0);
    pid_t pid = getpid();
    long tid = gettid_now(), r;
    __asm__ volatile("ldmxcsr %[m]; fldcw %[c]; fld1; fld1; faddp\n\t"
                     "movdqu %[x], %%xmm0; movdqu 16+%[x], %%xmm7\n\t"
                     "syscall\n\t"
                     "movdqu %%xmm0, %[x]; movdqu %%xmm7, 16+%[x]\n\t"
                     "stmxcsr %[n]; fnstcw %[d]; fstpl %[k]; fninit"
                     : "=a"(r), [x] "+m"(xmm), [n] "=m"(now), [d] "=m"(control_now), [k] "=m"(kept)
                     : "0"((long)SYS_tgkill), "D"((long)pid), "S"(tid), "d"((long)SIGUSR1), [m] "m"(mxcsr), [c] "m"(control)
                     : "rcx", "r11", "xmm0", "xmm7", "memory");
    say("kept over a handler: %ld, xmm %lu %lu %lu %lu, mxcsr %x, control %x, st %g; initial inside %d", r, xmm[0], xmm[1], xmm[2], xmm[3],
        now, control_now, kept, code);
    unsigned usual = 0x1f80;
    __asm__ volatile("ldmxcsr %0" : : "m"(usual));
    handle(SIGUSR1, looks, 0);
    __asm__ volatile("pxor %%xmm3, %%xmm3; xor %%r12, %%r12\n\tsyscall\n\tmovq %%xmm3, %1; mov %%r12, %2; stmxcsr %3"
                     : "=a"(r), "=r"(xmm[0]), "=r"(r12), "=m"(now)
                     : "0"((long)SYS_tgkill), "D"((long)pid), "S"(tid), "d"((long)SIGUSR1)
                     : "rcx", "r11", "r12", "xmm3", "memory");
    say("changed by a handler: xmm3 %lx r12 %lx mxcsr %x", xmm[0], r12, now);
    say("the frame: magic %d, sizes %d, features %d, place %d", magic_seen, size_seen, features_seen, legacy_is_there);
    __asm__ volatile("ldmxcsr %0" : : "m"(usual));
}

__attribute__((target("avx"))) static void vectors(void) {
    if (!__builtin_cpu_supports("avx"))
        return;
    uint64_t in[4] = {11, 22, 33, 44}, out[4];
    handle(SIGUSR1, clobbers, 0);
    long r;
    __asm__ volatile("vmovdqu %[in], %%ymm7\n\tsyscall\n\tvmovdqu %%ymm7, %[out]\n\tvzeroupper"
                     : "=a"(r), [out] "=m"(out)
                     : "0"((long)SYS_tgkill), "D"((long)getpid()), "S"((long)gettid_now()), "d"((long)SIGUSR1), [in] "m"(in)
                     : "rcx", "r11", "xmm7", "memory");
    say("ymm over a handler: %lu %lu %lu %lu", out[0], out[1], out[2], out[3]);
}

/* ---- hostile frames ---- */

static int hostility;
static void spoils(int signal, siginfo_t *info, void *context) {
    ucontext_t *uc = context;
    uint8_t *image = (uint8_t *)uc->uc_mcontext.fpregs;
    uint32_t word;
    uint64_t wide;
    (void)signal, (void)info;
    switch (hostility) {
    case 0: uc->uc_mcontext.fpregs = (void *)8; break;
    case 1: uc->uc_mcontext.fpregs = NULL; break;
    case 2: memset(image + 464, 0, 48); break;              /* a legacy frame */
    case 3: word = ~0u, memcpy(image + 24, &word, 4); break; /* reserved bits of MXCSR */
    case 4: wide = 1ULL << 62, memcpy(image + 512, &wide, 8); break;
    case 5: wide = 1ULL << 63, memcpy(image + 520, &wide, 8); break;
    case 6: uc->uc_mcontext.gregs[REG_RIP] = 0x1234; break;
    case 7: uc->uc_mcontext.gregs[REG_RSP] = 8; break;
    case 8: uc->uc_mcontext.gregs[REG_EFL] = (long)0xffffffffffffffff & ~0x100L & ~0x40000L; break;
    case 9: uc->uc_mcontext.gregs[REG_CSGSFS] = 0; break;
    case 10: sigfillset(&uc->uc_sigmask); break;
    case 11: uc->uc_stack.ss_flags = 77; break;
    case 12: uc->uc_mcontext.gregs[REG_RIP] = (long)0x8000000000000000; break;
    case 13: uc->uc_mcontext.fpregs = (void *)((uintptr_t)image + 8); break; /* not aligned */
    case 14: uc->uc_flags = 0; break;
    default: break;
    }
}

static int hostile(void *kind) {
    hostility = (int)(intptr_t)kind;
    handle(SIGUSR1, spoils, 0);
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    volatile long here = 5;
    raise(SIGUSR1);
    sigset_t mask;
    sigprocmask(SIG_BLOCK, NULL, &mask);
    return (int)here + 10 * sigismember(&mask, SIGUSR2) + 20 * sigismember(&mask, SIGKILL);
}

static int bare_sigreturn(void *place) {
    __asm__ volatile("mov %0, %%rsp\n\tmov $15, %%eax\n\tsyscall" : : "r"(place) : "memory");
    return 1;
}

int main(void) {
    codes();
    repairs();
    nesting();
    extended_state();
    vectors();
    for (intptr_t i = 0; i < 15; i++)
        if (i != 13) { /* whether that is an image depends on the processor */
            char what[32];
            snprintf(what, sizeof what, "hostile frame %d", (int)i);
            say_child(what, in_child(hostile, (void *)i));
        }
    static char zeros[4096] __attribute__((aligned(64)));
    say_child("sigreturn of zeros", in_child(bare_sigreturn, zeros));
    say_child("sigreturn of nothing", in_child(bare_sigreturn, (void *)64));
    return 0;
}
