/* Accesses that lie in two pages, the second (or first) of which faults: what the signal says, that nothing
 * was written, which registers a string instruction has when it stops in its middle; and that the access is
 * right once the handler has repaired the page. Every kind of access that behaves differently inside: 2 to 32
 * bytes, read-modify-write, locked, compare-and-swap, push, call, string instructions. */
#include "check.h"
#include <immintrin.h>
#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>

static char *area; /* two pages, one of which cannot be used */
static char *spoilt;
static char before[2 * PAGE];
static volatile int faults;
static greg_t seen[NGREG];

static void on_fault(int signal, siginfo_t *info, void *context) {
    (void)signal;
    ucontext_t *at = context;
    char *address = info->si_addr;
    if (faults++ == 0) {
        memcpy((void *)seen, at->uc_mcontext.gregs, sizeof seen);
        printf(" faults at %+d", (int)(address - (area + PAGE)));
    }
    CHECK(faults < 10 && address >= spoilt && address < spoilt + PAGE);
    CHECK(mprotect(spoilt, PAGE, PROT_READ | PROT_WRITE) == 0);
    printf("%s", memcmp(area, before, 2 * PAGE) == 0 ? "" : ", partly written");
}

/* Fills both pages with a pattern, then takes one away. */
static void spoil(int page, int access) {
    CHECK(mprotect(area, 2 * PAGE, PROT_READ | PROT_WRITE) == 0);
    for (size_t i = 0; i < 2 * PAGE; i++)
        area[i] = (char)(i * 7 + i / 256);
    memcpy(before, area, 2 * PAGE);
    spoilt = area + (size_t)page * PAGE;
    faults = 0;
    CHECK(mprotect(spoilt, PAGE, access) == 0);
}

static uint64_t area_hash(void) {
    uint64_t hash = 0;
    for (size_t i = PAGE - 64; i < PAGE + 64; i++)
        hash = hash * 131 + (unsigned char)area[i];
    return hash;
}

static void report(uint64_t value) {
    printf(": %d fault%s, value %016llx, memory %016llx\n", faults, faults == 1 ? "" : "s",
           (unsigned long long)value, (unsigned long long)area_hash());
}

#define EACH(NAME, BODY)                                                                                     \
    for (int page = 0; page < 2; page++)                                                                     \
        for (int access = 0; access < 2; access++) {                                                         \
            uint64_t value = 0;                                                                              \
            char *at = area + PAGE - 1; /* the last byte of the first page */                                \
            (void)at;                                                                                        \
            spoil(page, access ? PROT_READ : PROT_NONE);                                                     \
            printf("%s, page %d %s:", NAME, page, access ? "read-only" : "hidden");                          \
            BODY;                                                                                            \
            report(value);                                                                                   \
        }

static void plain(void) {
    EACH("load 2", __asm__ volatile("movzwl (%1), %k0" : "=r"(value) : "r"(at) : "memory"))
    EACH("load 4", __asm__ volatile("movl -2(%1), %k0" : "=r"(value) : "r"(at) : "memory"))
    EACH("load 8", __asm__ volatile("movq -3(%1), %0" : "=r"(value) : "r"(at) : "memory"))
    EACH("store 2", __asm__ volatile("movw $0x1234, (%0)" : : "r"(at) : "memory"))
    EACH("store 4", __asm__ volatile("movl $0x12345678, -1(%0)" : : "r"(at) : "memory"))
    EACH("store 8", __asm__ volatile("movq $-2, -5(%0)" : : "r"(at) : "memory"))
    EACH("load 16", __asm__ volatile("movups -7(%1), %%xmm1\n movq %%xmm1, %0"
                                     : "=r"(value)
                                     : "r"(at)
                                     : "memory", "xmm1"))
    EACH("store 16", __asm__ volatile("pcmpeqb %%xmm1, %%xmm1\n movups %%xmm1, -7(%0)"
                                      :
                                      : "r"(at)
                                      : "memory", "xmm1"))
    EACH("add 8", __asm__ volatile("addq $77, -3(%0)" : : "r"(at) : "memory", "cc"))
    EACH("not 4", __asm__ volatile("notl -1(%0)" : : "r"(at) : "memory"))
    EACH("bts", __asm__ volatile("btsl $20, -1(%0)" : : "r"(at) : "memory", "cc"))
}

static void locked(void) {
    EACH("lock add 8", __asm__ volatile("lock addq $77, -3(%0)" : : "r"(at) : "memory", "cc"))
    EACH("lock xadd 4", value = 5; __asm__ volatile("lock xaddl %k0, -1(%1)"
                                                    : "+r"(value)
                                                    : "r"(at)
                                                    : "memory", "cc"))
    EACH("xchg 8", value = 9; __asm__ volatile("xchgq %0, -2(%1)" : "+r"(value) : "r"(at) : "memory"))
    EACH("cmpxchg 8, equal", memcpy(&value, before + PAGE - 4, 8);
         __asm__ volatile("lock cmpxchgq %2, -3(%1)"
                          : "+a"(value)
                          : "r"(at), "r"((uint64_t)99)
                          : "memory", "cc"))
    EACH("cmpxchg 8, different", value = 1; __asm__ volatile("lock cmpxchgq %2, -3(%1)"
                                                             : "+a"(value)
                                                             : "r"(at), "r"((uint64_t)99)
                                                             : "memory", "cc"))
    EACH("cmpxchg8b", value = 2; __asm__ volatile("lock cmpxchg8b -3(%1)"
                                                  : "+a"(value)
                                                  : "r"(at), "d"(0), "b"(1), "c"(2)
                                                  : "memory", "cc"))
}

static void stack(void) {
    EACH("push",
         __asm__ volatile(
             "movq %%rsp, %%r8\n leaq 4(%0), %%rsp\n pushq $0x55\n movq %%rsp, %%r9\n movq %%r8, %%rsp\n"
             :
             : "r"(at)
             : "memory", "r8", "r9"))
    EACH("pop", __asm__ volatile("movq %%rsp, %%r8\n leaq -3(%1), %%rsp\n popq %0\n movq %%r8, %%rsp\n"
                                 : "=&r"(value)
                                 : "r"(at)
                                 : "memory", "r8"))
    EACH("pop to memory", __asm__ volatile("pushq $0x66\n popq -3(%0)" : : "r"(at) : "memory"))
}

/* Copies 64 bytes over the border, forwards and backwards; it stops at the border,
 * with the registers there. */
static void strings(void) {
    static char other[256];
    for (size_t i = 0; i < sizeof other; i++)
        other[i] = (char)(i * 3);
    EACH("rep movsb to", {
        char *to = area + PAGE - 30;
        char *from = other;
        uint64_t n = 64;
        __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
        if (faults)
            printf(", rcx %d, rdi %+d", (int)seen[REG_RCX], (int)((char *)seen[REG_RDI] - (area + PAGE)));
        CHECK(n == 0 && to == area + PAGE + 34);
    })
    EACH("rep movsq from", {
        char *from = area + PAGE - 28;
        char *to = other;
        uint64_t n = 8;
        __asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
        if (faults)
            printf(", rcx %d, rsi %+d", (int)seen[REG_RCX], (int)((char *)seen[REG_RSI] - (area + PAGE)));
        memcpy(&value, other + 24, 8);
    })
    EACH("rep stosl", {
        char *to = area + PAGE - 30;
        uint64_t n = 16;
        __asm__ volatile("rep stosl" : "+D"(to), "+c"(n) : "a"(0x01020304) : "memory");
        if (faults)
            printf(", rcx %d, rdi %+d", (int)seen[REG_RCX], (int)((char *)seen[REG_RDI] - (area + PAGE)));
    })
    EACH("std rep movsb", {
        char *to = area + PAGE + 20;
        char *from = other + 100;
        uint64_t n = 40;
        __asm__ volatile("std\n rep movsb\n cld" : "+D"(to), "+S"(from), "+c"(n) : : "memory", "cc");
        if (faults)
            printf(", rcx %d, rdi %+d", (int)seen[REG_RCX], (int)((char *)seen[REG_RDI] - (area + PAGE)));
    })
    EACH("repne scasb", {
        char *to = area + PAGE - 20;
        uint64_t n = 100;
        __asm__ volatile("repne scasb" : "+D"(to), "+c"(n) : "a"(before[PAGE + 10]) : "memory", "cc");
        if (faults)
            printf(", rcx %d", (int)seen[REG_RCX]);
        value = n;
    })
    EACH("repe cmpsb", {
        char *to = area + PAGE - 20;
        char *from = before + PAGE - 20;
        uint64_t n = 60;
        __asm__ volatile("repe cmpsb" : "+D"(to), "+S"(from), "+c"(n) : : "memory", "cc");
        if (faults)
            printf(", rcx %d", (int)seen[REG_RCX]);
        value = n;
    })
}

__attribute__((target("avx2"))) static void avx(void) {
    EACH("load 32",
         __asm__ volatile(
             "vmovdqu -13(%1), %%ymm1\n vextracti128 $1, %%ymm1, %%xmm1\n vmovq %%xmm1, %0\n vzeroupper"
             : "=r"(value)
             : "r"(at)
             : "memory", "xmm1"))
    EACH("store 32", __asm__ volatile("vpcmpeqb %%ymm1, %%ymm1, %%ymm1\n vmovdqu %%ymm1, -13(%0)\n vzeroupper"
                                      :
                                      : "r"(at)
                                      : "memory", "xmm1"))
}

int main(void) {
    setvbuf(stdout, NULL, _IOFBF, 1 << 16);
    area = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    static char alternate[65536];
    stack_t alternate_stack = {.ss_sp = alternate, .ss_size = sizeof alternate};
    CHECK(area != MAP_FAILED && sigaltstack(&alternate_stack, NULL) == 0);
    CHECK(sigaction(SIGSEGV, &action, NULL) == 0);
    plain();
    locked();
    stack();
    strings();
    if (__builtin_cpu_supports("avx2"))
        avx();
    return 0;
}
