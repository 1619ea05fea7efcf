/* The register file: the library's guest state, and what of it the kernel reads and writes.
 *
 * A register of the x87 unit is a double here, and 80 bits wide in an image. Every double comes back from an
 * image with the bits that it went with, so that a signal handler disturbs nothing. MMX registers are the
 * same registers, used as plain 64 bits; the library does not say which it is, but it marks all eight as in
 * use and the first one as the stack's top when an MMX instruction is executed. That state is taken to be
 * MMX, and its image is the processor's: exponents of all ones. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/soft/cpu.h"

enum {
    FLAG_FIXED = 1 << 1 | 1 << 9, /* bit 1 and IF: always set */
    FLAG_TF = 1 << 8,
    /* The XSAVE image (Intel SDM vol. 1, 13.4). */
    XSAVE_LEGACY = 512,
    XSAVE_FCW = 0,
    XSAVE_ST = 32,
    X87_REGISTERS = 8,
    X87_BYTES = 16, /* that a register takes in an image */
    X87_EXPONENT = 0x7fff,
    X87_BIAS = 16383,
    X87_NEGATIVE = 0x8000,
    X87_MMX = 0xffff, /* sign and exponent of an MMX register */
    DOUBLE_EXPONENT = 0x7ff,
    DOUBLE_BIAS = 1023,
    DOUBLE_FRACTION = 52, /* bits */
    XSAVE_MXCSR = 24,
    XSAVE_XMM = 160,
    XSAVE_AVX = 576,
    XSTATE_X87 = 1,
    XSTATE_SSE = 2,
    XSTATE_AVX = 4,
    FCW_ROUNDING = 0xc00,
    MXCSR_ROUNDING = 0x6000,
    INITIAL_FCW = 0x37f,
    INITIAL_MXCSR = 0x1f80,
    VECTOR_REGISTERS = 16,
    XMM_BYTES = 16,
};
_Static_assert(XSAVE_AVX + VECTOR_REGISTERS * XMM_BYTES == CPU_XSAVE_SIZE, "hw/cpu.h");
_Static_assert(offsetof(VexGuestAMD64State, guest_R15) ==
                   offsetof(VexGuestAMD64State, guest_RAX) + CPU_R15 * sizeof(uint64_t),
               "the library numbers the registers as the processor does");

static const VexGuestAMD64State *state_of(const struct engine *e, const struct cpu *cpu) {
    return e->loaded == cpu ? &e->area.guest : &cpu->guest;
}

static VexGuestAMD64State *mutable_state_of(struct engine *e, struct cpu *cpu) {
    return e->loaded == cpu ? &e->area.guest : &cpu->guest;
}

static bool trap_flag_of(const struct engine *e, const struct cpu *cpu) {
    return e->loaded == cpu ? e->trap_flag : cpu->trap_flag;
}

static void set_trap_flag(struct engine *e, struct cpu *cpu, bool value) {
    if (e->loaded == cpu)
        e->trap_flag = value;
    else
        cpu->trap_flag = value;
}

uint64_t cpu_get_flags(const VexGuestAMD64State *g, bool trap_flag) {
    return LibVEX_GuestAMD64_get_rflags(g) | FLAG_FIXED | (trap_flag ? FLAG_TF : 0);
}

void cpu_set_flags(VexGuestAMD64State *g, uint64_t flags, bool *ret_trap_flag) {
    LibVEX_GuestAMD64_put_rflags(flags, g);
    *ret_trap_flag = flags & FLAG_TF;
}

/* A register of the library's that only other systems have: MXCSR, and the control word above it. */
static uint64_t *controls(VexGuestAMD64State *g) {
    return (uint64_t *)((uint8_t *)g + offsetof(VexGuestAMD64State, guest_SC_CLASS));
}

uint16_t cpu_get_fcw(const VexGuestAMD64State *g) {
    return (uint16_t)((g->guest_SC_CLASS >> 32 & ~(uint64_t)FCW_ROUNDING) | g->guest_FPROUND << 10);
}

void cpu_set_fcw(VexGuestAMD64State *g, uint16_t fcw) {
    *controls(g) = (*controls(g) & UINT32_MAX) | (uint64_t)fcw << 32;
    g->guest_FPROUND = (fcw & FCW_ROUNDING) >> 10;
}

uint32_t cpu_get_mxcsr(const VexGuestAMD64State *g) {
    return (uint32_t)((g->guest_SC_CLASS & UINT32_MAX & ~(uint64_t)MXCSR_ROUNDING) | g->guest_SSEROUND << 13);
}

void cpu_set_mxcsr(VexGuestAMD64State *g, uint32_t mxcsr) {
    *controls(g) = (*controls(g) & ~(uint64_t)UINT32_MAX) | mxcsr;
    g->guest_SSEROUND = (mxcsr & MXCSR_ROUNDING) >> 13;
}

int soft_cpu_create(struct engine *e, struct cpu **ret_cpu) {
    struct cpu *cpu = calloc(1, sizeof *cpu);
    if (!cpu)
        return -ENOMEM;
    *ret_cpu = cpu;
    soft_cpu_reset(e, cpu);
    return 0;
}

void soft_cpu_destroy(struct engine *e, struct cpu *cpu) {
    if (e->loaded == cpu)
        e->loaded = NULL;
    free(cpu);
}

void soft_cpu_reset(struct engine *e, struct cpu *cpu) {
    if (e->loaded == cpu)
        e->loaded = NULL;
    LibVEX_GuestAMD64_initialise(&cpu->guest);
    cpu_set_fcw(&cpu->guest, INITIAL_FCW);
    cpu_set_mxcsr(&cpu->guest, INITIAL_MXCSR);
    cpu->trap_flag = false;
}

void soft_cpu_copy(struct engine *e, struct cpu *to, const struct cpu *from) {
    *mutable_state_of(e, to) = *state_of(e, from);
    set_trap_flag(e, to, trap_flag_of(e, from));
}

void cpu_load(struct engine *e, struct cpu *cpu) {
    if (e->loaded == cpu)
        return;
    if (e->loaded) {
        e->loaded->guest = e->area.guest;
        e->loaded->trap_flag = e->trap_flag;
    }
    e->area.guest = cpu->guest;
    e->area.guest.host_EvC_FAILADDR = (uint64_t)area_event;
    e->trap_flag = cpu->trap_flag;
    e->loaded = cpu;
}

static uint64_t *general(VexGuestAMD64State *g) {
    return (uint64_t *)((uint8_t *)g + offsetof(VexGuestAMD64State, guest_RAX));
}

static const uint64_t *general_const(const VexGuestAMD64State *g) {
    return (const uint64_t *)((const uint8_t *)g + offsetof(VexGuestAMD64State, guest_RAX));
}

static void copy_registers(const VexGuestAMD64State *g, bool trap_flag, struct cpu_registers *ret_registers) {
    memcpy(ret_registers->general, general_const(g), sizeof ret_registers->general);
    ret_registers->rip = g->guest_RIP;
    ret_registers->rflags = cpu_get_flags(g, trap_flag);
    ret_registers->fs_base = g->guest_FS_CONST;
    ret_registers->gs_base = g->guest_GS_CONST;
}

void soft_get_registers(struct engine *e, const struct cpu *cpu, struct cpu_registers *ret_registers) {
    copy_registers(state_of(e, cpu), trap_flag_of(e, cpu), ret_registers);
}

void soft_get_executing(const struct engine *e, struct cpu_registers *ret_registers) {
    copy_registers(e->alone ? &e->snapshot : &e->area.guest, e->trap_flag, ret_registers);
    if (!e->alone)
        ret_registers->rip += e->instruction;
}

void soft_set_registers(struct engine *e, struct cpu *cpu, const struct cpu_registers *registers) {
    VexGuestAMD64State *g = mutable_state_of(e, cpu);
    memcpy(general(g), registers->general, sizeof registers->general);
    g->guest_RIP = registers->rip;
    g->guest_FS_CONST = registers->fs_base;
    g->guest_GS_CONST = registers->gs_base;
    bool trap_flag;
    cpu_set_flags(g, registers->rflags, &trap_flag);
    set_trap_flag(e, cpu, trap_flag);
}

uint64_t soft_get_register(struct engine *e, const struct cpu *cpu, enum cpu_register r) {
    return general_const(state_of(e, cpu))[r];
}

void soft_set_register(struct engine *e, struct cpu *cpu, enum cpu_register r, uint64_t value) {
    general(mutable_state_of(e, cpu))[r] = value;
}

/* The upper half of a vector register. */
static uint8_t *upper_half(VexGuestAMD64State *g, int i) {
    return (uint8_t *)&g->guest_YMM0 + (size_t)i * sizeof g->guest_YMM0 + XMM_BYTES;
}

/* What 80 bits are made of. */
struct extended {
    uint64_t mantissa;
    uint16_t top; /* sign and exponent */
};

static struct extended extended_from_double(uint64_t bits) {
    uint64_t fraction = bits & ((1ULL << DOUBLE_FRACTION) - 1);
    unsigned exponent = bits >> DOUBLE_FRACTION & DOUBLE_EXPONENT;
    unsigned sign = bits >> 63 ? X87_NEGATIVE : 0;
    if (exponent == DOUBLE_EXPONENT)
        return (struct extended){1ULL << 63 | fraction << 11, (uint16_t)(sign | X87_EXPONENT)};
    if (exponent)
        return (struct extended){1ULL << 63 | fraction << 11,
                                 (uint16_t)(sign | (exponent - DOUBLE_BIAS + X87_BIAS))};
    if (!fraction)
        return (struct extended){0, (uint16_t)sign};
    int shift = __builtin_clzll(fraction);
    return (struct extended){fraction << shift, (uint16_t)(sign | (unsigned)(X87_BIAS + 64 - DOUBLE_BIAS -
                                                                             DOUBLE_FRACTION - shift))};
}

static uint64_t extended_to_double(struct extended x) {
    uint64_t sign = (uint64_t)(x.top >> 15) << 63, bits, fraction = x.mantissa << 1 >> 12;
    if ((x.top & X87_EXPONENT) == X87_EXPONENT) {
        bool is_infinite = x.mantissa << 1 == 0;
        uint64_t quiet = fraction || is_infinite ? 0 : 1ULL << (DOUBLE_FRACTION - 1);
        return sign | (uint64_t)DOUBLE_EXPONENT << DOUBLE_FRACTION | fraction | quiet;
    }
    long double value;
    memset(&value, 0, sizeof value);
    memcpy(&value, &x, 10);
    double rounded = (double)value;
    memcpy(&bits, &rounded, sizeof bits);
    return bits;
}

static bool is_mmx(const VexGuestAMD64State *g) {
    bool used = true;
    for (unsigned i = 0; i < X87_REGISTERS; i++)
        used &= g->guest_FPTAG[i] != 0;
    return used && g->guest_FTOP % X87_REGISTERS == 0;
}

/* An image numbers registers from the stack's top. */
static unsigned physical(const VexGuestAMD64State *g, unsigned i) {
    return (g->guest_FTOP + i) % X87_REGISTERS;
}

static void x87_write_image(const VexGuestAMD64State *g, uint8_t image[CPU_XSAVE_SIZE]) {
    bool mmx = is_mmx(g);
    for (unsigned i = 0; i < X87_REGISTERS; i++) {
        uint64_t bits = g->guest_FPREG[physical(g, i)];
        struct extended x = mmx ? (struct extended){bits, X87_MMX} : extended_from_double(bits);
        memcpy(image + XSAVE_ST + i * X87_BYTES, &x, 10);
    }
}

static void x87_read_image(VexGuestAMD64State *g, const uint8_t image[CPU_XSAVE_SIZE]) {
    struct extended x[X87_REGISTERS];
    bool mmx = is_mmx(g);
    for (unsigned i = 0; i < X87_REGISTERS; i++) {
        memcpy(&x[i], image + XSAVE_ST + i * X87_BYTES, 10);
        mmx &= x[i].top == X87_MMX;
    }
    for (unsigned i = 0; i < X87_REGISTERS; i++)
        g->guest_FPREG[physical(g, i)] = mmx ? x[i].mantissa : extended_to_double(x[i]);
}

void soft_get_xsave(struct engine *e, const struct cpu *cpu, uint8_t image[CPU_XSAVE_SIZE]) {
    VexGuestAMD64State copy = *state_of(e, cpu);
    const uint16_t fcw = cpu_get_fcw(&copy);
    const uint32_t mxcsr = cpu_get_mxcsr(&copy);
    memset(image, 0, CPU_XSAVE_SIZE);
    LibVEX_GuestAMD64_fxsave(&copy, (HWord)image);
    memcpy(image + XSAVE_FCW, &fcw, sizeof fcw);
    memcpy(image + XSAVE_MXCSR, &mxcsr, sizeof mxcsr);
    x87_write_image(&copy, image);
    image[XSAVE_LEGACY] = XSTATE_X87 | XSTATE_SSE | XSTATE_AVX;
    for (int i = 0; i < VECTOR_REGISTERS; i++)
        memcpy(image + XSAVE_AVX + i * XMM_BYTES, upper_half(&copy, i), XMM_BYTES);
}

/* A part that the image does not hold is in its initial state. */
static void clear_absent(uint8_t image[CPU_XSAVE_SIZE]) {
    unsigned present = image[XSAVE_LEGACY];
    uint16_t fcw = INITIAL_FCW;
    uint32_t mxcsr = INITIAL_MXCSR;
    if (!(present & XSTATE_X87)) {
        memset(image, 0, XSAVE_MXCSR);
        memset(image + XSAVE_MXCSR + 8, 0, XSAVE_XMM - XSAVE_MXCSR - 8);
        memcpy(image + XSAVE_FCW, &fcw, sizeof fcw);
    }
    if (!(present & XSTATE_SSE))
        memset(image + XSAVE_XMM, 0, VECTOR_REGISTERS * XMM_BYTES);
    if (!(present & (XSTATE_SSE | XSTATE_AVX)))
        memcpy(image + XSAVE_MXCSR, &mxcsr, sizeof mxcsr);
    if (!(present & XSTATE_AVX))
        memset(image + XSAVE_AVX, 0, VECTOR_REGISTERS * XMM_BYTES);
}

void soft_set_xsave(struct engine *e, struct cpu *cpu, const uint8_t image[CPU_XSAVE_SIZE]) {
    VexGuestAMD64State *g = mutable_state_of(e, cpu);
    uint8_t copy[CPU_XSAVE_SIZE];
    memcpy(copy, image, sizeof copy);
    clear_absent(copy);
    LibVEX_GuestAMD64_fxrstor((HWord)copy, g);
    x87_read_image(g, copy);
    uint16_t fcw;
    uint32_t mxcsr;
    memcpy(&fcw, copy + XSAVE_FCW, sizeof fcw);
    memcpy(&mxcsr, copy + XSAVE_MXCSR, sizeof mxcsr);
    cpu_set_fcw(g, fcw);
    cpu_set_mxcsr(g, mxcsr);
    for (int i = 0; i < VECTOR_REGISTERS; i++)
        memcpy(upper_half(g, i), copy + XSAVE_AVX + i * XMM_BYTES, XMM_BYTES);
}
