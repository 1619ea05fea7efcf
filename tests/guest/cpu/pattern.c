#include "pattern.h"

enum {
    CF = 1,
    PF = 4,
    AF = 16,
    ZF = 64,
    SF = 128,
    OF = 0x800,
    ARITHMETIC = CF | PF | AF | ZF | SF | OF,
    REGS = 8,
    OPCODES = 256,
};

/* Prefixes of patterns without VEX. */
static const struct {
    uint8_t bytes[3]; /* 0: none */
    uint8_t rex;
} legacy[] = {
    {{0}, 0},       {{0x66}, 0},    {{0xf2}, 0},       {{0xf3}, 0},       {{0}, 0x48},       {{0x66}, 0x48},
    {{0xf2}, 0x48}, {{0xf3}, 0x48}, {{0xf0}, 0},       {{0xf0}, 0x48},    {{0xf0, 0x66}, 0}, {{0x67}, 0},
    {{0x64}, 0},    {{0x65}, 0x49}, {{0xf2, 0x66}, 0}, {{0x66, 0xf3}, 0}, {{0}, 0x40},       {{0}, 0x47},
    {{0x66}, 0x45}, {{0xf3}, 0x4d}, {{0xf2}, 0x45},
};
enum {
    LEGACY = sizeof legacy / sizeof *legacy,
    LEGACY_MAPS = 4,
    VEX_MAPS = 3,
    VEX_KINDS = 16, /* pp, L, W */
    PER_OPCODE = REGS * FORMS,
    LEGACY_COUNT = LEGACY_MAPS * LEGACY * OPCODES * PER_OPCODE,
    VEX_COUNT = VEX_MAPS * VEX_KINDS * OPCODES * PER_OPCODE,
};

uint64_t pattern_count(void) {
    return LEGACY_COUNT + VEX_COUNT;
}

uint64_t pattern_random(uint64_t *state) {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 0x2545f4914f6cdd1du;
}

/* ---- bytes ---- */

static void put(struct pattern *p, uint8_t byte) {
    p->bytes[p->opcode_end++] = byte;
}

static void put_legacy(struct pattern *p, unsigned kind) {
    for (unsigned i = 0; i < sizeof legacy[kind].bytes && legacy[kind].bytes[i]; i++) {
        uint8_t byte = legacy[kind].bytes[i];
        put(p, byte);
        p->operand16 |= byte == 0x66;
        p->lock |= byte == 0xf0;
        if (byte == 0xf2 || byte == 0xf3 || (byte == 0x66 && !p->prefix))
            p->prefix = byte;
    }
    uint8_t rex = legacy[kind].rex;
    if (rex)
        put(p, rex);
    p->wide = rex & 8;
    p->extended = rex & 1;
    if (p->map)
        put(p, 0x0f);
    if (p->map > 1)
        put(p, p->map == 2 ? 0x38 : 0x3a);
    put(p, p->opcode);
}

/* Half of those that can be written with the two-byte prefix are. */
static void put_vex(struct pattern *p, unsigned kind) {
    static const uint8_t prefixes[] = {0, 0x66, 0xf3, 0xf2};
    uint64_t random = pattern_random(&p->random);
    uint8_t v = random & 3 ? 15 : random >> 8 & 15, pp = kind & 3, l = kind >> 2 & 1,
            w = (uint8_t)(kind >> 3);
    uint8_t b = random >> 16 & 1;
    p->prefix = prefixes[pp];
    p->wide = w;
    p->vector256 = l;
    uint8_t last = (uint8_t)(v << 3 | l << 2 | pp);
    if (p->map == 1 && !w && random >> 17 & 1) {
        put(p, 0xc5);
        put(p, 0x80 | last);
    } else {
        put(p, 0xc4);
        put(p, (uint8_t)(0xc0 | (b ? 0 : 0x20) | p->map));
        put(p, (uint8_t)(w << 7 | last));
        p->extended = b;
    }
    put(p, p->opcode);
}

/* ModRM and what follows it. The base is a register that holds an address, or rip. */
static void put_operand(struct pattern *p, enum form form) {
    uint64_t random = pattern_random(&p->random);
    unsigned at = p->opcode_end;
    static const uint8_t bases[] = {3, 6, 7, 2};
    p->base = bases[random & 3];
    p->memory = form != FORM_REGISTER;
    uint8_t modrm = (uint8_t)(p->reg << 3);
    for (unsigned i = at; i < PATTERN_BYTES; i++)
        p->bytes[i] = (uint8_t)pattern_random(&p->random);
    if (form == FORM_REGISTER) {
        p->rm = random >> 8 & 7;
        p->bytes[at] = (uint8_t)(0xc0 | modrm | p->rm);
    } else if (form == FORM_MEMORY || random >> 8 & 1) {
        p->bytes[at] = (uint8_t)(modrm | p->base);
    } else if (random >> 9 & 1) { /* rip + 0x800 … */
        p->bytes[at] = modrm | 5;
        p->bytes[at + 1] = (uint8_t)(random >> 16);
        p->bytes[at + 2] = 0xc;
        p->bytes[at + 3] = p->bytes[at + 4] = 0;
        p->base = REGS;
    } else { /* base + 2^n * rcx + distance of a byte */
        p->bytes[at] = modrm | 0x44;
        p->bytes[at + 1] = (uint8_t)((random >> 10 & 3) << 6 | 1 << 3 | p->base);
        p->bytes[at + 2] &= 0xf8;
    }
}

static bool is_prefix(const struct pattern *p) {
    switch (p->opcode) {
    case 0x0f:
    case 0x26:
    case 0x2e:
    case 0x36:
    case 0x3e:
    case 0x62: /* EVEX */
    case 0x64:
    case 0x65:
    case 0x66:
    case 0x67:
    case 0xc4:
    case 0xc5:
    case 0xd5: /* REX2 */
    case 0xf0:
    case 0xf2:
    case 0xf3: return true;
    }
    return p->opcode >> 4 == 4;
}

/* A jump by as little as the instruction's own length would loop, or go on in the midst of it. */
static bool is_short_jump(const struct pattern *p) {
    return !p->vex && p->map == 0 &&
           (p->opcode >> 4 == 7 || (p->opcode >= 0xe0 && p->opcode <= 0xe3) || p->opcode == 0xeb);
}

bool pattern_make(uint64_t number, struct pattern *p) {
    *p = (struct pattern){.random = (number + 1) * 0x9e3779b97f4a7c15u, .vex = number >= LEGACY_COUNT};
    if (p->vex)
        number -= LEGACY_COUNT;
    enum form form = number % FORMS;
    p->reg = (number /= FORMS) % REGS;
    p->opcode = (uint8_t)(number /= REGS);
    number /= OPCODES;
    if (p->vex) {
        p->map = 1 + (unsigned)number / VEX_KINDS;
        put_vex(p, number % VEX_KINDS);
    } else {
        p->map = (unsigned)(number / LEGACY);
        if (p->map == 0 && is_prefix(p))
            return false;
        if (p->map == 1 && (p->opcode == 0x38 || p->opcode == 0x3a))
            return false;
        put_legacy(p, (unsigned)(number % LEGACY));
    }
    put_operand(p, form);
    if (p->map == 1 && p->opcode == 5 && !p->vex) /* SYSCALL: a step goes on behind it */
        for (unsigned i = p->opcode_end; i < PATTERN_BYTES; i++)
            p->bytes[i] = 0x90;
    if (is_short_jump(p))
        p->bytes[p->opcode_end] = (uint8_t)(0x40 | p->reg << 4);
    return true;
}

bool pattern_converts(const struct pattern *p) {
    return p->map == 1 && (p->opcode == 0x2d || (p->opcode == 0x5b && p->prefix == 0x66) ||
                           (p->opcode == 0xe6 && p->prefix == 0xf2));
}

bool pattern_is_fma(const struct pattern *p) {
    return p->vex && p->map == 2 && p->opcode >= 0x96 && p->opcode <= 0xbf && (p->opcode & 15) >= 6;
}

bool pattern_may_not_load(const struct pattern *p) {
    if (p->map != 3 || !p->memory)
        return false;
    switch (p->opcode) {
    case 0x02:
    case 0x06:
    case 0x0c:
    case 0x0d:
    case 0x0e:
    case 0x0f:
    case 0x21:
    case 0x40:
    case 0x41:
    case 0x46: return true;
    }
    return false;
}

bool pattern_is_string(const struct pattern *p) {
    bool transfers = p->opcode >= 0xa4 && p->opcode <= 0xaf && (p->opcode & 0xfe) != 0xa8;
    return !p->vex && p->map == 0 && (transfers || (p->opcode >= 0x6c && p->opcode <= 0x6f));
}

bool pattern_compares_strings(const struct pattern *p) {
    return !p->vex && p->map == 0 && (p->opcode == 0xa6 || p->opcode == 0xa7);
}

bool pattern_uses_mmx(const struct pattern *p) {
    bool converts =
        p->map == 1 && (p->opcode == 0x2a || p->opcode == 0x2c || p->opcode == 0x2d || p->opcode == 0xd6);
    return !p->vex && p->map > 0 && (!p->prefix || converts);
}

/* FCOM and relatives, FTST, FXAM. */
bool pattern_sets_conditions(const struct pattern *p) {
    if (p->vex || p->map != 0)
        return false;
    switch (p->opcode) {
    case 0xd8:
    case 0xdc: return p->reg == 2 || p->reg == 3;
    case 0xd9: return !p->memory && p->reg == 4;
    case 0xda:
    case 0xde: return (p->memory && p->reg == 2) || p->reg == 3 || (!p->memory && p->reg == 5);
    case 0xdd: return !p->memory && p->reg >= 4;
    }
    return false;
}

bool pattern_is_indirect_jump(const struct pattern *p) {
    return !p->vex && p->map == 0 &&
           (p->opcode == 0xc2 || p->opcode == 0xc3 || p->opcode == 0xca || p->opcode == 0xcb ||
            p->opcode == 0xcf || (p->opcode == 0xff && p->reg >= 2 && p->reg <= 5));
}

/* ---- what is not the same everywhere ---- */

/* FLDENV, FNSTENV, FRSTOR, FNSAVE, FNSTCW, FNSTSW: exception flags and pointers; see
 * the suite `exemptions`. */
static bool is_x87_image(const struct pattern *p) {
    return !p->vex && p->map == 0 && p->memory &&
           ((p->opcode == 0xd9 && (p->reg == 4 || p->reg >= 6)) || (p->opcode == 0xdd && p->reg >= 4));
}

/* Where the immediate of an instruction with a ModRM operand stands. */
static unsigned immediate_at(const struct pattern *p) {
    uint8_t modrm = p->bytes[p->opcode_end];
    unsigned mod = modrm >> 6, rm = modrm & 7;
    return p->opcode_end + 1 + (mod == 1 ? 2 : mod == 0 && rm == 5 ? 4 : 0);
}

static bool in(unsigned value, unsigned first, unsigned last) {
    return value >= first && value <= last;
}

/* Instructions that only the kernel's configuration or the vendor decides about, as
 * about jumps by 16 bits. */
static bool is_optional_one_byte(const struct pattern *p) {
    bool scale = p->opcode == 0xd9 && p->reg >= 6; /* beyond the range of a double: see there, too */
    if (in(p->opcode, 0xd8, 0xdf) && !p->memory && (p->rm >= 6 || scale)) /* and empty x87 registers */
        return true;
    if (is_x87_image(p) && p->operand16) /* 16-bit images */
        return true;
    if (p->opcode == 0xff && p->memory && p->reg >= 2 && p->reg <= 5) /* to a misaligned address */
        return true;
    if (p->opcode == 0xff && p->wide && p->memory && (p->reg == 3 || p->reg == 5)) /* far, of 64 bits */
        return true;
    if (p->opcode == 0xca || (p->opcode == 0xdf && p->reg == 4 && !p->memory)) /* FNSTSW AX: as above */
        return true;
    bool repeated_loop =
        p->opcode <= 0xe1 && p->opcode >= 0xe0 && p->prefix >= 0xf2; /* AMD's knows other conditions */
    if (repeated_loop)
        return true;
    bool near = is_short_jump(p) || p->opcode == 0xe8 || p->opcode == 0xe9 || p->opcode == 0xc2 ||
                p->opcode == 0xc3 || (p->opcode == 0xff && (p->reg == 2 || p->reg == 4));
    return (near && p->operand16) || p->opcode == 0xcd || /* INT n: 32-bit system calls */
           ((p->opcode == 0xc6 || p->opcode == 0xc7) && p->reg == 7 && !p->memory); /* XABORT, XBEGIN */
}

/* 0f 01 and 0f ae and 0f c7: groups of system instructions. */
static bool is_optional_group(const struct pattern *p) {
    switch (p->opcode) {
    case 0x00: return true; /* SLDT, STR, LLDT, LTR, VERR, VERW: what the kernel emulates */
    case 0x01: return p->memory ? p->reg < 2 || p->reg == 4 || p->reg == 5 : !(p->reg == 7 && p->rm == 0);
    case 0xae:
        if (p->memory)
            return p->reg == 0 || p->reg == 1 || p->reg == 4 || p->reg == 5 || p->reg == 6 ||
                   (p->reg == 7 && p->prefix) || p->prefix == 0xf3;
        return p->prefix != 0;
    case 0xc7: return p->reg != 1;
    }
    return false;
}

static bool is_optional_two_byte(const struct pattern *p) {
    switch (p->opcode) {
    case 0x02: /* LAR, LSL: of segments that the kernel chooses */
    case 0x03:
    case 0x07: /* SYSRET, SYSENTER, SYSEXIT, 3DNow!, GETSEC: by vendor */
    case 0x0e:
    case 0x0f:
    case 0x34:
    case 0x35:
    case 0x37:
    case 0x31: /* RDTSC, CPUID */
    case 0xa2:
    case 0x24:
    case 0x26:
    case 0x78: /* VMREAD, EXTRQ, INSERTQ */
    case 0x79:
    case 0xa6: /* PadLock */
    case 0xa7:
    case 0xb9: /* UD1, UD0: length by vendor */
    case 0xff: return true;
    case 0x0d: return !p->memory;
    case 0x20: /* LOCK MOV CR0 is CR8 with AMD */
    case 0x22: return p->lock;
    case 0xab: /* which byte of the operand an address that faults is: see the suite `exemptions` */
    case 0xb3:
    case 0xbb: return p->lock && p->memory;
    case 0xb2: /* LSS, LFS, LGS of 64 bits */
    case 0xb4:
    case 0xb5: return p->wide;
    case 0x09: return p->prefix == 0xf3;
    case 0x1a: /* MPX */
    case 0x1b: return true;
    case 0x1c: return p->memory && p->reg == 0;
    case 0x1e: return p->prefix == 0xf3;
    case 0x2b: return p->prefix >= 0xf2; /* MOVNTSS, MOVNTSD */
    }
    if ((in(p->opcode, 0x80, 0x8f) || in(p->opcode, 0xc8, 0xcf)) && p->operand16) /* BSWAP: undefined */
        return true;
    return is_optional_group(p);
}

static bool is_optional_38(const struct pattern *p) {
    uint8_t o = p->opcode;
    return in(o, 0x80, 0x8f) || in(o, 0xc8, 0xcf) || in(o, 0xd0, 0xda) || in(o, 0xf5, 0xff) ||
           (p->prefix == 0xf3 && in(o, 0xdb, 0xdf));
}

static bool is_optional_3a(const struct pattern *p) {
    if (p->opcode == 0x0f && p->memory &&
        p->bytes[immediate_at(p)] >= 8) /* PALIGNR of nothing need not load */
        return true;
    return pattern_may_not_load(p) || in(p->opcode, 0xc0, 0xcf) || p->opcode == 0xf0;
}

static bool is_optional_vex(const struct pattern *p) {
    uint8_t o = p->opcode;
    switch (p->map) {
    case 1: return in(o, 0x41, 0x4b) || in(o, 0x90, 0x99) || o == 0xae; /* masks */
    case 2:
        return in(o, 0x48, 0x57) || in(o, 0x5c, 0x5f) || in(o, 0x6c, 0x6f) || in(o, 0xb0, 0xb5) ||
               in(o, 0xc8, 0xda) || (in(o, 0xdb, 0xdf) && p->vector256) || in(o, 0xe0, 0xef) || o == 0xf0 ||
               o == 0xf1 || in(o, 0x80, 0x8b);
    }
    if (pattern_may_not_load(p))
        return true;
    if (o < 2 && !p->wide) /* VPERMQ, VPERMPD */
        return true;
    return in(o, 0x30, 0x37) || in(o, 0x48, 0x49) || in(o, 0x5c, 0x5f) || in(o, 0x68, 0x6f) ||
           in(o, 0x78, 0x7f) || in(o, 0xc0, 0xcf) || o == 0xde || (o == 0x44 && p->vector256);
}

bool pattern_is_optional(const struct pattern *p) {
    if (p->vex)
        return is_optional_vex(p);
    switch (p->map) {
    case 0: return is_optional_one_byte(p);
    case 1: return is_optional_two_byte(p);
    case 2: return is_optional_38(p);
    }
    return is_optional_3a(p);
}

/* ---- what CPUID tells ---- */

static bool is_group_feature(const struct pattern *p) {
    switch (p->opcode) {
    case 0x01:
        return p->memory ? p->reg == 5
                         : p->reg != 4 && p->reg != 6 && p->bytes[p->opcode_end] != 0xd0 &&
                               p->bytes[p->opcode_end] != 0xd1 && p->bytes[p->opcode_end] != 0xf8 &&
                               p->bytes[p->opcode_end] != 0xf9;
    case 0xae: return p->memory ? p->reg == 6 : p->prefix != 0;
    case 0xc7: return p->reg != 1;
    }
    return false;
}

static bool is_two_byte_feature(const struct pattern *p) {
    switch (p->opcode) {
    case 0x0e: /* 3DNow!, GETSEC, test registers, SSE4a, PadLock */
    case 0x0f:
    case 0x24:
    case 0x26:
    case 0x37:
    case 0x78:
    case 0x79:
    case 0xa6:
    case 0xa7: return true;
    case 0x2b: return p->prefix >= 0xf2;
    }
    return is_group_feature(p);
}

bool pattern_is_feature(const struct pattern *p, bool v2) {
    if (p->vex)
        return v2 || (is_optional_vex(p) && !pattern_may_not_load(p) && !(p->map == 3 && p->opcode < 2));
    switch (p->map) {
    case 0: return (p->opcode == 0xc6 || p->opcode == 0xc7) && p->reg == 7 && !p->memory;
    case 1: return is_two_byte_feature(p);
    case 2: return is_optional_38(p);
    }
    return is_optional_3a(p) && !pattern_may_not_load(p);
}

/* ---- flags (Intel SDM vol. 1, appendix A, and AMD's manual where it defines less) ---- */

static unsigned operand_bits(const struct pattern *p, bool byte) {
    return byte ? 8 : p->wide ? 64 : p->operand16 ? 16 : 32;
}

static uint64_t undefined_by_shift(const struct pattern *p, unsigned count) {
    bool rotate = p->reg < 4;
    unsigned bits = operand_bits(p, !(p->opcode & 1));
    if (count == 0)
        return 0;
    return (uint64_t)(count == 1 ? 0 : OF) | (rotate ? 0 : AF) | (!rotate && count >= bits ? CF : 0);
}

static unsigned shift_count(const struct pattern *p, uint64_t count) {
    bool byte = p->map == 0 && !(p->opcode & 1);
    return (unsigned)count & (p->wide && !byte ? 63 : 31);
}

static uint64_t undefined_flags_one_byte(const struct pattern *p, uint64_t rcx) {
    uint8_t o = p->opcode;
    switch (o) {
    case 0x80:
    case 0x81:
    case 0x83: return p->reg == 1 || p->reg == 4 || p->reg == 6 ? AF : 0;
    case 0x84:
    case 0x85:
    case 0xa8:
    case 0xa9: return AF;
    case 0x69:
    case 0x6b: return SF | ZF | AF | PF;
    case 0xc0:
    case 0xc1: return undefined_by_shift(p, shift_count(p, p->bytes[immediate_at(p)]));
    case 0xd0:
    case 0xd1: return undefined_by_shift(p, 1);
    case 0xd2:
    case 0xd3: return undefined_by_shift(p, shift_count(p, rcx));
    case 0xf6:
    case 0xf7: return p->reg < 2 ? AF : p->reg < 4 ? 0 : p->reg < 6 ? SF | ZF | AF | PF : ARITHMETIC;
    }
    return in(o, 0x08, 0x0d) || in(o, 0x20, 0x25) || in(o, 0x30, 0x35) ? AF : 0;
}

static uint64_t undefined_flags_two_byte(const struct pattern *p, uint64_t rcx) {
    unsigned count = shift_count(p, p->opcode & 1 ? rcx : p->bytes[immediate_at(p)]);
    switch (p->opcode) {
    case 0xa3:
    case 0xab:
    case 0xb3:
    case 0xba:
    case 0xbb: return OF | SF | AF | PF;
    case 0xa4:
    case 0xa5:
    case 0xac:
    case 0xad:
        return count == 0 ? 0 : count >= operand_bits(p, false) ? ARITHMETIC : count == 1 ? AF : AF | OF;
    case 0xaf: return SF | ZF | AF | PF;
    case 0xbc:
    case 0xbd: return p->prefix == 0xf3 ? OF | SF | PF | AF : CF | OF | SF | AF | PF;
    }
    return 0;
}

static uint64_t undefined_flags_vex(const struct pattern *p) {
    if (p->map != 2)
        return 0;
    switch (p->opcode) {
    case 0xf2:
    case 0xf3:
    case 0xf5: return AF | PF;
    case 0xf7: return AF | SF | PF;
    }
    return 0;
}

/* A double shift of 16 bits by more than that. */
static bool is_overlong_shift(const struct pattern *p, uint64_t rcx) {
    if (p->vex || p->map != 1 || !p->operand16 || p->wide)
        return false;
    bool by_register = p->opcode == 0xa5 || p->opcode == 0xad;
    bool by_immediate = p->opcode == 0xa4 || p->opcode == 0xac;
    return (by_register && shift_count(p, rcx) > 16) ||
           (by_immediate && shift_count(p, p->bytes[immediate_at(p)]) > 16);
}

/* Loads of numbers that a double cannot hold, and arithmetic with those that it just can. */
static bool is_beyond_double(const struct pattern *p) {
    if (p->vex || p->map != 0 || !p->memory)
        return false;
    return (p->opcode == 0xdb && p->reg == 5) || (p->opcode == 0xdf && (p->reg == 4 || p->reg == 5)) ||
           p->opcode == 0xdc;
}

struct undefined pattern_undefined(const struct pattern *p, uint64_t rcx, bool zero_flag) {
    struct undefined u = {.flags = p->vex        ? undefined_flags_vex(p)
                                   : p->map == 0 ? undefined_flags_one_byte(p, rcx)
                                   : p->map == 1 ? undefined_flags_two_byte(p, rcx)
                                                 : 0};
    bool no_bit = !p->vex && p->map == 1 && (p->opcode & 0xfe) == 0xbc && p->prefix != 0xf3;
    u.general = u.memory = is_overlong_shift(p, rcx);
    bool exchange = !p->vex && p->map == 1 && p->opcode == 0xb1 && !p->wide;
    u.general |= exchange; /* the upper half of what CMPXCHG has not written, or has written back */
    u.general |= no_bit && zero_flag;                               /* BSF, BSR of 0 */
    u.vectors = p->vex && p->map == 2 && in(p->opcode, 0x90, 0x93); /* a gather that faults halfway */
    u.memory |= is_x87_image(p);
    u.x87 |= is_x87_image(p) || is_beyond_double(p);
    return u;
}
