/* Source: Intel SDM vol. 2A, 2.1.1 and 2.2.1 (an unused prefix is ignored unless it belongs to the opcode),
 * and the opcode maps in appendix A of vol. 2D, read as for 64-bit mode; tests/guest/cpu/opcodes.c executes
 * all of them on the host. */
#include "engine/soft/encoding.h"

#include <string.h>

/* What has no effect on an opcode. */
enum {
    IGNORES_REPEAT = 1, /* f2 and f3 */
    IGNORES_66 = 2,
    IGNORES_W = 4,
    IGNORES_ALL = 7,
    IGNORES_66_BEFORE_REPEAT = 8, /* f2 and f3 choose the instruction, whatever 66 says */
};

struct ignorance {
    uint16_t first, last;
    uint8_t what;
};

/* The first range that an opcode is in counts. */
static const struct ignorance one_byte[] = {
    {0x00, 0x3f, IGNORES_REPEAT}, {0x50, 0x6b, IGNORES_REPEAT}, {0x6c, 0x6f, IGNORES_W},
    {0x70, 0x7f, IGNORES_ALL},    {0x80, 0x8f, IGNORES_REPEAT}, {0x91, 0x9a, IGNORES_REPEAT},
    {0x9b, 0x9b, IGNORES_ALL},    {0x9c, 0x9d, IGNORES_REPEAT}, {0x9e, 0x9f, IGNORES_ALL},
    {0xa0, 0xa3, IGNORES_REPEAT}, {0xa8, 0xa9, IGNORES_REPEAT}, {0xb0, 0xc1, IGNORES_REPEAT},
    {0xc2, 0xc3, IGNORES_ALL},    {0xc6, 0xc9, IGNORES_REPEAT}, {0xca, 0xcb, IGNORES_REPEAT},
    {0xcc, 0xcd, IGNORES_ALL},    {0xcf, 0xd6, IGNORES_REPEAT}, {0xd7, 0xd7, IGNORES_ALL},
    {0xd8, 0xdf, IGNORES_ALL},    {0xe0, 0xf4, IGNORES_ALL},    {0xf5, 0xf7, IGNORES_REPEAT},
    {0xf8, 0xfd, IGNORES_ALL},    {0xfe, 0xff, IGNORES_REPEAT},
};

static const struct ignorance two_byte[] = {
    {0x05, 0x0b, IGNORES_ALL},
    {0x0d, 0x0d, IGNORES_ALL},
    {0x10, 0x17, IGNORES_W | IGNORES_66_BEFORE_REPEAT},
    {0x18, 0x23, IGNORES_ALL},
    {0x28, 0x29, IGNORES_W},
    {0x2a, 0x2a, IGNORES_66_BEFORE_REPEAT},
    {0x2b, 0x2b, IGNORES_W},
    {0x2c, 0x2d, IGNORES_66_BEFORE_REPEAT},
    {0x2e, 0x2f, IGNORES_W},
    {0x30, 0x33, IGNORES_ALL},
    {0x40, 0x4f, IGNORES_REPEAT},
    {0x50, 0x6d, IGNORES_W | IGNORES_66_BEFORE_REPEAT},
    {0x6e, 0x6e, 0},
    {0x6f, 0x76, IGNORES_W | IGNORES_66_BEFORE_REPEAT},
    {0x77, 0x77, IGNORES_W},
    {0x7c, 0x7d, IGNORES_W | IGNORES_66_BEFORE_REPEAT},
    {0x7e, 0x7e, IGNORES_66_BEFORE_REPEAT},
    {0x7f, 0x7f, IGNORES_W | IGNORES_66_BEFORE_REPEAT},
    {0x80, 0x9f, IGNORES_ALL},
    {0xa0, 0xa1, IGNORES_REPEAT},
    {0xa2, 0xa2, IGNORES_ALL},
    {0xa3, 0xa5, IGNORES_REPEAT},
    {0xa8, 0xad, IGNORES_REPEAT},
    {0xaf, 0xb7, IGNORES_REPEAT},
    {0xba, 0xbb, IGNORES_REPEAT},
    {0xbe, 0xc1, IGNORES_REPEAT},
    {0xc2, 0xc2, IGNORES_W | IGNORES_66_BEFORE_REPEAT},
    {0xc4, 0xc6, IGNORES_W},
    {0xae, 0xae, 0},
    {0xc7, 0xc7, 0},
    {0xc8, 0xcf, IGNORES_REPEAT},
    {0xd0, 0xff, IGNORES_W | IGNORES_66_BEFORE_REPEAT},
};

static const struct ignorance map_38[] = {
    {MAP_38 | 0x00, MAP_38 | 0x7f, IGNORES_W},
    {MAP_38 | 0xc8, MAP_38 | 0xef, IGNORES_W},
};

static const struct ignorance map_3a[] = {
    {MAP_3A | 0x08, MAP_3A | 0x15, IGNORES_W},
    {MAP_3A | 0x17, MAP_3A | 0x21, IGNORES_W},
    {MAP_3A | 0x40, MAP_3A | 0x5f, IGNORES_W},
    {MAP_3A | 0x62, MAP_3A | 0xff, IGNORES_W},
};

static unsigned look_up(const struct ignorance *table, size_t n, unsigned opcode) {
    for (size_t i = 0; i < n; i++)
        if (opcode >= table[i].first && opcode <= table[i].last)
            return table[i].what;
    return 0;
}

#define LOOK_UP(table, opcode) look_up(table, sizeof(table) / sizeof *(table), opcode)

/* Operations on bytes alone. */
static bool is_byte_operation(unsigned opcode) {
    switch (opcode) {
    case 0x80:
    case 0x84:
    case 0x86:
    case 0x88:
    case 0x8a:
    case 0xa0:
    case 0xa2:
    case 0xa4:
    case 0xa6:
    case 0xa8:
    case 0xaa:
    case 0xac:
    case 0xae:
    case 0xc0:
    case 0xc6:
    case 0xd0:
    case 0xd2:
    case 0xf6:
    case 0xfe:
    case TWO_BYTE | 0xb0:
    case TWO_BYTE | 0xc0: return true;
    }
    return opcode < 0x40 ? (opcode & 7) == 0 || (opcode & 7) == 2 || (opcode & 7) == 4
                         : opcode >= 0xb0 && opcode <= 0xb7;
}

/* FLDENV, FNSTENV, FRSTOR, FNSAVE: images of two sizes. */
static bool is_x87_image(const struct decoded *d) {
    int field = decode_field(d);
    return decode_is_memory(d) && ((d->opcode == 0xd9 && (field == 4 || field == 6)) ||
                                   (d->opcode == 0xdd && (field == 4 || field == 6)));
}

/* 90 is NOP, or PAUSE, for rax only. */
static bool is_exchange(const struct decoded *d) {
    return d->opcode == 0x90 && d->rex & REX_B;
}

/* FXSAVE, FXRSTOR, XSAVE, XRSTOR: W chooses what is in the image. */
static bool is_wide_image(const struct decoded *d) {
    int field = decode_field(d);
    return decode_is_memory(d) && (field == 0 || field == 1 || field == 4 || field == 5);
}

/* CVTPI2PS and relatives, of which those with f2 or f3 are of a register, 32 or 64 bits. */
static bool is_mmx_conversion(unsigned opcode) {
    return opcode == (TWO_BYTE | 0x2a) || opcode == (TWO_BYTE | 0x2c) || opcode == (TWO_BYTE | 0x2d);
}

static unsigned ignored(const struct decoded *d) {
    unsigned what = 0;
    switch (d->opcode & ~0xffu) {
    case 0: what = LOOK_UP(one_byte, d->opcode); break;
    case TWO_BYTE: what = LOOK_UP(two_byte, d->opcode & 0xff); break;
    case MAP_38: what = LOOK_UP(map_38, d->opcode); break;
    case MAP_3A: what = LOOK_UP(map_3a, d->opcode); break;
    }
    if (is_byte_operation(d->opcode))
        what |= IGNORES_66 | IGNORES_W;
    if ((d->opcode == 0x90 || (d->opcode & ~1u) == (TWO_BYTE | 0xbc)) && d->repeat == 0xf2)
        what |= IGNORES_REPEAT;
    if (is_exchange(d))
        what |= IGNORES_REPEAT;
    if (d->opcode == 0x90 && d->repeat && !is_exchange(d)) /* PAUSE */
        what |= IGNORES_66;
    if (d->opcode == (TWO_BYTE | 0xae) && !is_wide_image(d))
        what |= IGNORES_W;
    if (is_mmx_conversion(d->opcode) && !d->repeat)
        what |= IGNORES_W;
    if (d->opcode == (MAP_38 | 0xf0) && d->repeat == 0xf2) /* CRC32 of a byte */
        what |= IGNORES_66;
    if (d->opcode == (TWO_BYTE | 0xc7) && decode_field(d) == 1) /* CMPXCHG8B */
        what |= IGNORES_66 | IGNORES_REPEAT;
    if (is_x87_image(d))
        what &= ~(unsigned)IGNORES_66;
    if (what & IGNORES_66_BEFORE_REPEAT && d->repeat)
        what |= IGNORES_66;
    return what;
}

/* MOVS, STOS and LODS are repeated by either prefix. */
static uint8_t repeat_of(const struct decoded *d) {
    bool either = d->opcode >= 0xa4 && d->opcode <= 0xad && (d->opcode < 0xa6 || d->opcode >= 0xaa);
    return d->repeat && either ? 0xf3 : d->repeat;
}

/* STOS and SCAS are in ES whatever the prefix. */
static bool ignores_segment(const struct decoded *d) {
    return d->opcode == 0xaa || d->opcode == 0xab || d->opcode == 0xae || d->opcode == 0xaf;
}

/* MOVQ and MOVDQU to a register in the encoding of a store, which the library knows for memory only. */
static bool is_reversed_move(const struct decoded *d) {
    if (d->opcode == (TWO_BYTE | 0xd6))
        return d->operand16 && !d->repeat && decode_field(d) >= 0 && !decode_is_memory(d);
    bool moves = d->opcode == (TWO_BYTE | 0x11) || (d->opcode == (TWO_BYTE | 0x7f) && d->repeat == 0xf3);
    return moves && decode_field(d) >= 0 && !decode_is_memory(d);
}

static uint8_t swapped_rex(uint8_t rex) {
    return (uint8_t)((rex & ~(REX_R | REX_B)) | (rex & REX_R ? REX_B : 0) | (rex & REX_B ? REX_R : 0));
}

/* The prefixes that are left, in an order that the library takes. */
static unsigned write_prefixes(const struct decoded *d, uint8_t out[INSTRUCTION_MAX]) {
    unsigned what = ignored(d), n = 0;
    uint8_t rex = d->rex & (what & IGNORES_W ? ~REX_W : 0xff);
    if (d->opcode == (TWO_BYTE | 0xae)) /* a group: the field is part of the opcode */
        rex &= (uint8_t)~REX_R;
    if (d->lock)
        out[n++] = 0xf0;
    if (d->segment && !ignores_segment(d))
        out[n++] = d->segment;
    if (d->address32)
        out[n++] = 0x67;
    if (is_reversed_move(d))
        rex = swapped_rex(rex);
    if (is_reversed_move(d) && d->opcode != (TWO_BYTE | 0x11)) {
        out[n++] = 0xf3;
    } else {
        if (d->operand16 && !(what & IGNORES_66))
            out[n++] = 0x66;
        if (d->repeat && !(what & IGNORES_REPEAT))
            out[n++] = repeat_of(d);
    }
    if (d->has_rex)
        out[n++] = 0x40 | rex;
    return n;
}

/* ---- other names of the same ---- */

/* Second encodings of x87 instructions on registers, with the first byte and the field in the second. */
static const struct {
    uint8_t first, field, same_first, same_field;
} x87_aliases[] = {
    {0xd9, 3, 0xdd, 3}, /* FSTP */
    {0xdc, 2, 0xd8, 2}, /* FCOM */
    {0xdc, 3, 0xd8, 3}, /* FCOMP */
    {0xdd, 1, 0xd9, 1}, /* FXCH */
    {0xde, 2, 0xd8, 3}, /* FCOMP */
    {0xdf, 1, 0xd9, 1}, /* FXCH */
    {0xdf, 2, 0xdd, 3}, /* FSTP */
    {0xdf, 3, 0xdd, 3},
};

static void rename_x87(uint8_t *opcode) {
    uint8_t *modrm = opcode + 1;
    if (*modrm < 0xc0)
        return;
    for (size_t i = 0; i < sizeof x87_aliases / sizeof *x87_aliases; i++)
        if (*opcode == x87_aliases[i].first && (*modrm >> 3 & 7) == x87_aliases[i].field) {
            *opcode = x87_aliases[i].same_first;
            *modrm = (uint8_t)((*modrm & 0xc7) | x87_aliases[i].same_field << 3);
            return;
        }
}

/* Instructions with a VEX prefix that have no use for its W. */
static bool ignores_vex_w(unsigned opcode) {
    static const struct ignorance ranges[] = {
        {TWO_BYTE | 0x10, TWO_BYTE | 0x29, 1}, {TWO_BYTE | 0x2e, TWO_BYTE | 0x6d, 1},
        {TWO_BYTE | 0x6f, TWO_BYTE | 0x7d, 1}, {TWO_BYTE | 0x7f, TWO_BYTE | 0xff, 1},
        {MAP_38 | 0x00, MAP_38 | 0x0b, 1},     {MAP_38 | 0x17, MAP_38 | 0x17, 1},
        {MAP_38 | 0x1c, MAP_38 | 0x1e, 1},     {MAP_38 | 0x20, MAP_38 | 0x2b, 1},
        {MAP_38 | 0x30, MAP_38 | 0x35, 1},     {MAP_38 | 0x37, MAP_38 | 0x41, 1},
        {MAP_38 | 0xdb, MAP_38 | 0xdf, 1},     {MAP_3A | 0x08, MAP_3A | 0x15, 1},
        {MAP_3A | 0x17, MAP_3A | 0x17, 1},     {MAP_3A | 0x20, MAP_3A | 0x21, 1},
        {MAP_3A | 0x40, MAP_3A | 0x44, 1},     {MAP_3A | 0x60, MAP_3A | 0x63, 1},
        {MAP_3A | 0xdf, MAP_3A | 0xdf, 1},
    };
    return LOOK_UP(ranges, opcode & 0xffff);
}

static void reverse_move(const struct decoded *d, uint8_t *opcode) {
    uint8_t modrm = opcode[1];
    opcode[0] = d->opcode == (TWO_BYTE | 0xd6) ? 0x7e : d->opcode == (TWO_BYTE | 0x11) ? 0x10 : 0x6f;
    opcode[1] = (uint8_t)(0xc0 | (modrm & 7) << 3 | (modrm >> 3 & 7));
}

/* ROUNDPS, ROUNDPD, ROUNDSS, ROUNDSD look at four bits of their immediate. */
static void trim_rounding(const struct decoded *d, uint8_t *opcode) {
    unsigned length = decode_operand_bytes(d);
    unsigned map_opcode = d->opcode & ~(unsigned)VEX;
    if (map_opcode >= (MAP_3A | 0x08) && map_opcode <= (MAP_3A | 0x0b) && length &&
        d->length + length < d->available)
        opcode[1 + length] &= 15;
}

/* Rewrites opcode and operand to the encoding that the library takes; `opcode` is the last byte of it. */
static void rename_same(const struct decoded *d, uint8_t *opcode) {
    uint8_t *modrm = opcode + 1;
    int field = decode_field(d);
    trim_rounding(d, opcode);
    if (d->opcode & VEX) {
        bool quad = d->opcode == (VEX | TWO_BYTE | 0x7e) && d->vex_prefix == 0xf3; /* VMOVQ */
        if (d->length - d->prefixes == 4 && (quad || ignores_vex_w(d->opcode)))
            opcode[-1] &= 0x7f;
        if ((d->opcode & ~1u) == (VEX | MAP_3A | 0x0a)) /* ROUNDSS, ROUNDSD: of any length */
            opcode[-1] &= (uint8_t)~4;
        return;
    }
    if (field < 0)
        return;
    if (is_reversed_move(d))
        reverse_move(d, opcode);
    if (d->opcode >= 0xd8 && d->opcode <= 0xdf)
        rename_x87(opcode);
    if ((d->opcode & ~1u) == 0xf6 && field == 1) /* TEST */
        *modrm &= 0xc7;
    if ((d->opcode == 0xc0 || d->opcode == 0xc1 || (d->opcode & ~3u) == 0xd0) && field == 6) /* SHL */
        *modrm = (uint8_t)((*modrm & 0xc7) | 4 << 3);
}

bool encoding_simplify(const uint8_t *bytes, unsigned available, uint8_t *out, unsigned *ret_removed) {
    struct decoded d;
    uint8_t prefixes[INSTRUCTION_MAX];
    if (!decode(bytes, available, &d))
        return false;
    if (d.opcode & VEX && (d.operand16 || d.repeat || d.lock || d.has_rex)) /* undefined */
        return false;
    unsigned n = write_prefixes(&d, prefixes), removed = d.prefixes - n;
    memcpy(out, bytes, available);
    memcpy(out + removed, prefixes, n);
    rename_same(&d, out + d.length - 1);
    *ret_removed = removed;
    return removed || memcmp(out, bytes, available) != 0;
}

bool encoding_is_misread(const struct decoded *d) {
    bool loop = d->opcode >= 0xe0 && d->opcode <= 0xe3; /* LOOP, JRCXZ */
    bool chosen = d->operand16 && ignored(d) & IGNORES_66_BEFORE_REPEAT;
    return d->repeat && (loop || chosen || is_exchange(d));
}

/* Instructions with a VEX prefix whose W must be 0. */
static bool is_narrow_only(unsigned opcode) {
    static const struct ignorance ranges[] = {
        {MAP_38 | 0x0c, MAP_38 | 0x0f, 1}, {MAP_38 | 0x13, MAP_38 | 0x13, 1},
        {MAP_38 | 0x16, MAP_38 | 0x16, 1}, {MAP_38 | 0x18, MAP_38 | 0x1a, 1},
        {MAP_38 | 0x36, MAP_38 | 0x36, 1}, {MAP_38 | 0x58, MAP_38 | 0x5a, 1},
        {MAP_38 | 0x78, MAP_38 | 0x79, 1}, {MAP_3A | 0x02, MAP_3A | 0x06, 1},
        {MAP_3A | 0x18, MAP_3A | 0x1d, 1}, {MAP_3A | 0x38, MAP_3A | 0x39, 1},
        {MAP_3A | 0x46, MAP_3A | 0x46, 1}, {MAP_3A | 0x4a, MAP_3A | 0x4c, 1},
    };
    return LOOK_UP(ranges, opcode & 0xffff);
}

/* What this CPU does not announce, but the library knows. */
static bool is_not_announced(const struct decoded *d) {
    unsigned low = d->opcode & 0xff;
    bool transaction =
        (d->opcode == 0xc6 || d->opcode == 0xc7) && decode_field(d) == 7 && !decode_is_memory(d);
    bool fma4 =
        (d->opcode & ~0xffu) == (VEX | MAP_3A) && ((low >= 0x5c && low <= 0x5f) || (low & 0xe8) == 0x68);
    bool adx = d->opcode == (MAP_38 | 0xf6);
    return transaction || fma4 || adx || d->opcode == (TWO_BYTE | 0x0e); /* FEMMS */
}

bool encoding_is_undefined(const struct decoded *d) {
    if (is_not_announced(d))
        return true;
    if (d->opcode & VEX)
        return d->rex & REX_W && is_narrow_only(d->opcode);
    return d->opcode == (TWO_BYTE | 0x77) && (d->operand16 || d->repeat); /* EMMS */
}
