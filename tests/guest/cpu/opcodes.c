/* Every instruction pattern, executed once alone (by the trap flag) and once in the course of a program, with
 * registers and memory that are the same for each run, and what it did in one line:
 *
 *   number: bytes step SIGNAL.CODE.TRAP.ERROR@RIP[ ADDRESS] general flags vectors x87 memory block …
 *
 * The code is in a page that is mapped twice, to be written and to be executed; a data page is behind it.
 * Usage: cpu-opcodes FIRST LAST STRIDE   patterns that every CPU of this level has
 *        cpu-opcodes absent FIRST LAST STRIDE   those that CPUs beyond x86-64-v3 have: which are executed
 *        cpu-opcodes absent-v2 FIRST LAST STRIDE   beyond x86-64-v2
 *        cpu-opcodes show NUMBER   all registers */
#include <signal.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>

#include "bare.h"
#include "pattern.h"

enum {
    PAGE = 4096,
    CODE_OFFSET = 0x800,
    DATA_OFFSET = 0x400, /* of what pointers point at, in the data page */
    STACK_OFFSET = 0xc00,
    BREAKPOINT = 0xcc,
    FLAG_TF = 0x100,
    FLAGS_COMPARED = 0xdd5 & ~0x100,
    VECTORS = 16,
    FPSTATE_SOFTWARE = 464,
    FPSTATE_BV = 512,
    FPSTATE_AVX = 576,
    MXCSR_STICKY = 0x3f,
    ARCH_SET_FS_CODE = 0x1002,
};
#define CODE         ((uint8_t *)0x50000000)
#define WRITABLE     ((uint8_t *)0x58000000)
#define DATA         (CODE + PAGE)
#define XSTATE_MAGIC 0x46505853u

enum mode { MODE_COMPARE, MODE_ABSENT, MODE_ABSENT_V2, MODE_SHOW };

/* The run: what is executed now, and how far it is. */
static struct {
    enum mode mode;
    uint64_t number, last, stride;
    bool started, stepping, loads_segment;
    struct pattern pattern;
    unsigned length; /* of the instruction as the step found it; 0: not known */
    uint64_t rcx;    /* before it */
    ucontext_t end;  /* where main() goes on */
} run;

static uint64_t hash(uint64_t h, const void *data, size_t bytes) {
    const uint64_t *words = data;
    for (size_t i = 0; i < bytes / sizeof *words; i++)
        h = (h ^ words[i]) * 0x9e3779b97f4a7c15u, h ^= h >> 29;
    return h;
}

/* ---- the state before ---- */

static uint64_t some_value(uint64_t *random, bool pointer) {
    uint64_t r = pattern_random(random), value = pattern_random(random);
    switch (r & 7) {
    case 0: return value;
    case 1: return value & 0xff;
    case 2: return -(value & 0xff);
    case 3: return pointer ? value : 0;
    default: break;
    }
    return pointer ? (uint64_t)(DATA + DATA_OFFSET) + (value & 0x380) : value >> (r >> 8 & 63);
}

static void set_general(ucontext_t *uc, uint64_t *random) {
    static const int order[] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                                REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
    greg_t *g = uc->uc_mcontext.gregs;
    for (unsigned i = 0; i < 16; i++)
        g[order[i]] = (greg_t)some_value(random, i >= 3 && i != 9);
    if (pattern_random(random) & 3)
        g[REG_RCX] &= 31;
    if (pattern_compares_strings(&run.pattern)) /* of two operands that fault, either may be the first */
        g[REG_RDI] = g[REG_RSI] = (greg_t)(DATA + DATA_OFFSET);
    g[REG_RSP] = (greg_t)(DATA + STACK_OFFSET) + (pattern_random(random) & 7 ? 0 : 8);
    if (run.pattern.memory && run.pattern.base < 8) {
        uint64_t r = pattern_random(random), odd = r >> 8 & 7;
        greg_t address = (greg_t)(DATA + DATA_OFFSET) + (greg_t)(r >> 16 & 0x380);
        address += odd == 0 ? 1 + (greg_t)(r >> 32 & 15) : 0;                        /* misaligned */
        address = odd == 1 ? 0x20000000 : odd == 2 ? (greg_t)(1ULL << 60) : address; /* nowhere */
        g[order[run.pattern.base]] = g[order[run.pattern.base + 8]] = address;
    }
    if (pattern_is_indirect_jump(&run.pattern) && !run.pattern.memory)
        for (unsigned i = 0; i < 16; i++)
            g[order[i]] &= (1LL << 46) - 1;
    if (!run.pattern.vex && run.pattern.map == 1 &&
        run.pattern.opcode == 5) /* no system call has that number */
        g[REG_RAX] = (g[REG_RAX] & 0xfff) | 0x100000;
    g[REG_RIP] = (greg_t)(CODE + CODE_OFFSET);
    g[REG_EFL] =
        (greg_t)(0x202 | (pattern_random(random) & 0x8d5) | (pattern_random(random) & 7 ? 0 : 0x400));
}

static uint64_t some_float(uint64_t *random) {
    static const uint64_t special[] = {0,
                                       1ULL << 63,
                                       0x7ff0000000000000,
                                       0x7ff8000000000000,
                                       0x3ff0000000000000,
                                       0x7f8000003f800000,
                                       0x8000000000000001,
                                       0x41dfffffffc00000};
    uint64_t r = pattern_random(random);
    double number = (double)(int64_t)(r >> 40) - 1000;
    uint64_t bits;
    __builtin_memcpy(&bits, &number, sizeof bits);
    float narrow = (float)(r >> 48 & 0x3ff) - 100;
    uint32_t narrow_bits;
    __builtin_memcpy(&narrow_bits, &narrow, sizeof narrow_bits);
    switch (pattern_is_fma(&run.pattern) ? 1 + (r & 1) : r & 3) {
    case 0: return special[r >> 8 & 7];
    case 1: return bits;
    case 2: return (uint64_t)narrow_bits << 32 | narrow_bits;
    }
    return r;
}

/* The x87 unit: MMX registers, or six integers, for which 53 bits are enough. */
static void set_x87(uint8_t *image, uint64_t *random, bool mmx) {
    uint64_t *words = (uint64_t *)(void *)image;
    words[0] = mmx ? 0x37f : 0x27f | 2 << 27;
    words[1] = words[2] = 0;
    for (unsigned i = 0; i < 8; i++) {
        uint64_t r = pattern_random(random), number = (r & 0x7fff) << 48 | 1ULL << 63;
        words[4 + 2 * i] = mmx ? r : i < 6 ? number : 0;
        words[5 + 2 * i] = mmx ? 0xffff : i < 6 ? (0x3fff + (r >> 16 & 15)) | (r >> 32 & 0x8000) : 0;
    }
    image[4] = mmx ? 0xff : 0xfc; /* which are in use */
}

static void set_vectors(uint8_t *image, uint64_t *random) {
    uint64_t *words = (uint64_t *)(void *)image;
    uint64_t rounding = pattern_random(random) & 3;
    uint32_t mxcsr = 0x1f80 | (uint32_t)(pattern_converts(&run.pattern) ? rounding << 13 : 0);
    bool floats = pattern_random(random) & 1 || pattern_is_fma(&run.pattern);
    set_x87(image, random, pattern_uses_mmx(&run.pattern));
    __builtin_memcpy(image + 24, &mxcsr, sizeof mxcsr);
    for (unsigned i = 0; i < 2 * VECTORS; i++)
        words[20 + i] = floats ? some_float(random) : pattern_random(random);
    uint32_t magic;
    __builtin_memcpy(&magic, image + FPSTATE_SOFTWARE, sizeof magic);
    if (magic != XSTATE_MAGIC)
        return;
    words[FPSTATE_BV / 8] |= 7;
    for (unsigned i = 0; i < 2 * VECTORS; i++)
        words[FPSTATE_AVX / 8 + i] = floats ? some_float(random) : pattern_random(random);
}

static void set_memory(uint64_t *random) {
    uint64_t *words = (uint64_t *)(void *)DATA;
    bool jump = pattern_is_indirect_jump(&run.pattern);
    for (unsigned i = 0; i < PAGE / 8; i++) {
        words[i] = i & 7 && !pattern_is_fma(&run.pattern) ? pattern_random(random) : some_float(random);
        if (jump) /* see the suite `exemptions` for jumps to addresses that cannot be */
            words[i] &= (1ULL << 46) - 1;
    }
    for (unsigned i = 0; i < 2; i++) /* POPF must not ask for alignment checks: the handler would meet them */
        words[STACK_OFFSET / 8 + i] &= ~(1ULL << 18);
}

static void set_code(const struct pattern *p, unsigned length) {
    uint8_t *at = WRITABLE + CODE_OFFSET;
    for (unsigned i = 0; i < PATTERN_BYTES; i++)
        at[i] = i < length ? p->bytes[i] : BREAKPOINT;
    unsigned leaf = 0, other; /* a real CPU must be told that code has changed under another address */
    __asm__ volatile("cpuid" : "+a"(leaf), "=c"(other) : : "rbx", "rdx", "memory");
}

/* MOV to a segment register, POP, LFS, LGS: the base of fs is to be restored behind them. */
static bool loads_segment(const struct pattern *p) {
    return !p->vex && ((p->map == 0 && p->opcode == 0x8e) ||
                       (p->map == 1 && ((p->opcode & 0xf7) == 0xa1 || (p->opcode & 0xfe) == 0xb4)));
}

static void prepare(ucontext_t *uc) {
    uint64_t random = run.pattern.random;
    bool restore = run.loads_segment;
    run.loads_segment = loads_segment(&run.pattern);
    restore |= run.loads_segment;
    set_general(uc, &random);
    set_vectors((uint8_t *)uc->uc_mcontext.fpregs, &random);
    set_memory(&random);
    set_code(&run.pattern, run.stepping || !run.length ? PATTERN_BYTES : run.length);
    run.rcx = (uint64_t)uc->uc_mcontext.gregs[REG_RCX];
    if (run.stepping)
        uc->uc_mcontext.gregs[REG_EFL] |= FLAG_TF;
    if (restore)
        bare_call(SYS_arch_prctl, ARCH_SET_FS_CODE, (long)DATA, 0, 0, 0, 0);
}

/* ---- the state after ---- */

static void print_registers(const ucontext_t *uc) {
    const uint64_t *words = (const uint64_t *)(const void *)uc->uc_mcontext.fpregs;
    for (unsigned i = 0; i < NGREG; i++) {
        bare_print(i % 4 ? " " : "\n  ");
        bare_print_hex((uint64_t)uc->uc_mcontext.gregs[i], 16);
    }
    for (unsigned i = 0; i < FPSTATE_SOFTWARE / 8; i++) {
        bare_print(i % 4 ? " " : "\n  ");
        bare_print_hex(words[i], 16);
    }
    for (unsigned i = 0; i < 2 * VECTORS; i++) {
        bare_print(i % 4 ? " " : "\n  ");
        bare_print_hex(words[FPSTATE_AVX / 8 + i], 16);
    }
    bare_print("\n  ");
    for (unsigned i = 0; i < PAGE / 8; i++)
        bare_print_hex(((const uint64_t *)(const void *)DATA)[i] & 0xffff, 4);
    bare_print("\n");
}

static uint64_t hash_x87(const uint8_t *image) {
    const uint64_t *words = (const uint64_t *)(const void *)image;
    uint64_t status = pattern_sets_conditions(&run.pattern) ? 0x7d000000 : 0x38000000;
    uint64_t h = (words[0] & status) | image[4];
    for (unsigned i = 0; i < 8; i++) {
        uint64_t value[2] = {words[4 + 2 * i], words[5 + 2 * i] & 0xffff};
        if (value[0] == 3ULL << 62) /* of an empty register: see the suite `exemptions` */
            value[1] = 0x7fff;
        if (value[1] != 0xffff) /* not an MMX register: as exact as a double */
            value[0] &= ~0xfffULL;
        if (image[4] >> ((i + (words[0] >> 27 & 7)) & 7) & 1)
            h = hash(h, value, sizeof value);
    }
    return h;
}

static uint64_t hash_vectors(const uint8_t *image) {
    const uint64_t *words = (const uint64_t *)(const void *)image;
    uint32_t magic, mxcsr;
    __builtin_memcpy(&magic, image + FPSTATE_SOFTWARE, sizeof magic);
    __builtin_memcpy(&mxcsr, image + 24, sizeof mxcsr);
    uint64_t h = hash(mxcsr & ~(uint32_t)MXCSR_STICKY, words + 20, 256);
    return magic == XSTATE_MAGIC ? hash(h, words + FPSTATE_AVX / 8, 256) : h;
}

static void print_result(int signal, const siginfo_t *info, const ucontext_t *uc) {
    const greg_t *g = uc->uc_mcontext.gregs;
    struct undefined u = pattern_undefined(&run.pattern, run.rcx, g[REG_EFL] & 0x40);
    const uint8_t *image = (const uint8_t *)uc->uc_mcontext.fpregs;
    bare_print(run.stepping ? " step " : " block ");
    bare_print_hex((uint64_t)signal, 0);
    bare_print(".");
    bare_print_hex((uint64_t)(uint8_t)info->si_code, 0);
    bare_print(".");
    bare_print_hex((uint64_t)g[REG_TRAPNO], 0);
    bare_print(".");
    bare_print_hex((uint64_t)g[REG_ERR], 0);
    bare_print("@");
    bare_print_hex((uint64_t)g[REG_RIP] - (uint64_t)(CODE + CODE_OFFSET), 0);
    if (g[REG_TRAPNO] == 14) {
        bare_print(" ");
        bare_print_hex((uint64_t)info->si_addr, 0);
    }
    bare_print(" g");
    uint64_t h = hash(0, g, sizeof *g * REG_RIP);
    bare_print_hex(u.general ? 0 : h & 0xffffff, 0);
    bare_print(" f");
    bare_print_hex((uint64_t)g[REG_EFL] & FLAGS_COMPARED & ~u.flags, 0);
    bare_print(" v");
    bare_print_hex(u.vectors ? 0 : hash_vectors(image) & 0xffffff, 0);
    bare_print(" x");
    bare_print_hex(u.x87 ? 0 : hash_x87(image) & 0xffffff, 0);
    bare_print(" m");
    bare_print_hex(u.memory ? 0 : hash(0, DATA, PAGE) & 0xffffff, 0);
    if (run.mode == MODE_SHOW)
        print_registers(uc);
}

static void print_bytes(void) {
    bare_print_hex(run.number, 0);
    bare_print(": ");
    for (unsigned i = 0; i < 15; i++)
        bare_print_hex(run.pattern.bytes[i], 2);
}

/* ---- from one pattern to the next ---- */

static bool is_wanted(const struct pattern *p) {
    switch (run.mode) {
    case MODE_COMPARE: return !pattern_is_optional(p);
    case MODE_ABSENT: return pattern_is_feature(p, false);
    case MODE_ABSENT_V2: return pattern_is_feature(p, true);
    case MODE_SHOW: break;
    }
    return true;
}

/* False: no more. */
static bool find_pattern(void) {
    for (; run.number < run.last; run.number += run.stride)
        if (pattern_make(run.number, &run.pattern) && is_wanted(&run.pattern))
            return true;
    return false;
}

static void begin(ucontext_t *uc) {
    if (!find_pattern()) {
        uint64_t flags = run.end.uc_flags;
        *uc =
            (ucontext_t){.uc_flags = flags, .uc_stack = run.end.uc_stack, .uc_mcontext = run.end.uc_mcontext};
        return;
    }
    run.stepping = true;
    run.length = 0;
    if (run.mode == MODE_COMPARE || run.mode == MODE_SHOW)
        print_bytes();
    prepare(uc);
}

static void on_signal(int signal, void *info, void *context) {
    ucontext_t *uc = context;
    uint64_t behind = (uint64_t)uc->uc_mcontext.gregs[REG_RIP] - (uint64_t)(CODE + CODE_OFFSET);
    if (!run.started) {
        run.started = true;
        run.end = *uc;
        begin(uc);
        return;
    }
    if (run.mode == MODE_ABSENT || run.mode == MODE_ABSENT_V2) {
        if (signal != SIGILL) {
            print_bytes();
            print_result(signal, info, uc);
            bare_print("\n");
        }
        run.number += run.stride;
        begin(uc);
        return;
    }
    print_result(signal, info, uc);
    if (run.stepping) {
        run.stepping = false;
        run.length = signal == SIGTRAP && behind <= 15 ? (unsigned)behind : 0;
        if (pattern_is_string(&run.pattern)) /* a step may have left it where it was */
            run.length = run.pattern.opcode_end;
        prepare(uc);
        return;
    }
    bare_print("\n");
    run.number += run.stride;
    begin(uc);
}

static bool map(void) {
    long fd = bare_call(SYS_memfd_create, (long)"code", 0, 0, 0, 0, 0);
    long size = bare_call(SYS_ftruncate, fd, PAGE, 0, 0, 0, 0);
    long code = bare_call(SYS_mmap, (long)CODE, PAGE, PROT_READ | PROT_EXEC, MAP_SHARED | MAP_FIXED, fd, 0);
    long writable =
        bare_call(SYS_mmap, (long)WRITABLE, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0);
    long data = bare_call(SYS_mmap, (long)DATA, PAGE, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    for (unsigned i = 0; i < PAGE; i++)
        WRITABLE[i] = BREAKPOINT;
    return size == 0 && code == (long)CODE && writable == (long)WRITABLE && data == (long)DATA;
}

static bool parse(int argc, char **argv) {
    int i = 1;
    if (argc > 1 && argv[1][0] == 'a')
        run.mode = argv[i++][6] ? MODE_ABSENT_V2 : MODE_ABSENT; /* "absent" or "absent-v2" */
    else if (argc > 1 && argv[1][0] == 's')
        run.mode = MODE_SHOW, i++;
    if (i >= argc)
        return false;
    run.number = bare_number(argv[i++]);
    run.last = i < argc ? bare_number(argv[i++]) : run.number + 1;
    run.stride = i < argc ? bare_number(argv[i]) : 1;
    if (run.last > pattern_count())
        run.last = pattern_count();
    return run.stride > 0;
}

int bare_main(int argc, char **argv) {
    if (!parse(argc, argv) || !map())
        return 2;
    bare_catch(on_signal);
    bare_call(SYS_arch_prctl, ARCH_SET_FS_CODE, (long)DATA, 0, 0, 0, 0);
    __asm__ volatile("int3");
    bare_print("end\n");
    return 0;
}
