/* Source: Intel SDM vol. 2A, CMPPS (table 3-1, the predicates) and vol. 1, 14.2 …; vol. 2B, 4.1 (string
 * comparisons). That a comparison of a signalling NaN is invalid is noted nowhere: no exception is. */
#include "engine/soft/vector.h"

#include <string.h>

#include "engine/soft/cpu.h"
#include "engine/soft/special.h"

enum {
    XMM_BYTES = 16,
    YMM_BYTES = 32,
    /* How two numbers compare; a predicate is a set of these. */
    LESS = 1,
    EQUAL = 2,
    GREATER = 4,
    UNORDERED = 8,
    FLAG_CF = 1 << 0,
    FLAG_ZF = 1 << 6,
    FLAG_SF = 1 << 7,
    FLAG_OF = 1 << 11,
    FLAGS_ARITHMETIC = 0x8d5,
};

static bool is_comparison(const struct decoded *d) {
    return (d->opcode & ~(unsigned)VEX) == (TWO_BYTE | 0xc2);
}

static bool is_string(const struct decoded *d) {
    unsigned opcode = d->opcode & ~(unsigned)VEX;
    uint8_t prefix = d->opcode & VEX ? d->vex_prefix : d->operand16 ? 0x66 : 0;
    return opcode >= (MAP_3A | 0x60) && opcode <= (MAP_3A | 0x63) && prefix == 0x66 && !d->repeat &&
           !d->vex_256 && d->vex_register == 0;
}

bool vector_wants(const struct decoded *d) {
    bool mixed = d->opcode & VEX && (d->operand16 || d->repeat || d->has_rex);
    return !d->lock && !mixed && (is_comparison(d) || is_string(d));
}

bool vector_overrides(const struct decoded *d) {
    unsigned bytes = decode_operand_bytes(d);
    if (d->opcode != (VEX | TWO_BYTE | 0xc2) || !bytes || d->length + bytes >= d->available)
        return false;
    /* EQ_UQ and NEQ_OQ, which the library takes for the other way round about NaNs */
    return (d->bytes[d->length + bytes] & 11) == 8;
}

bool vector_is_complete(const struct engine *e, const struct decoded *d) {
    struct decoded copy = *d;
    struct operand o;
    return decode_operand(e, &copy, &o) && copy.length < copy.available;
}

/* The second operand's value. */
static bool read_operand(struct engine *e, const struct decoded *d, const struct operand *o, unsigned bytes,
                         bool aligned, uint8_t *to) {
    uint64_t address = o->address + o->relative; /* the immediate is behind it */
    if (o->in_register) {
        memcpy(to, vector_register(e, o->number), bytes);
        return true;
    }
    if (aligned && address % XMM_BYTES)
        return special_raise(e, VECTOR_GP, 0);
    return memory_read(e, address, to, bytes);
}

/* ---- CMPPS, CMPPD, CMPSS, CMPSD ---- */

/* The first 16 predicates; the others differ from them by whether a quiet NaN is invalid. */
static const uint8_t predicates[16] = {
    EQUAL,
    LESS,
    LESS | EQUAL,
    UNORDERED,
    LESS | GREATER | UNORDERED,
    EQUAL | GREATER | UNORDERED,
    GREATER | UNORDERED,
    LESS | EQUAL | GREATER,
    EQUAL | UNORDERED,
    LESS | UNORDERED,
    LESS | EQUAL | UNORDERED,
    0,
    LESS | GREATER,
    EQUAL | GREATER,
    GREATER,
    LESS | EQUAL | GREATER | UNORDERED,
};

static unsigned relation(double a, double b) {
    return a < b ? LESS : a == b ? EQUAL : a > b ? GREATER : UNORDERED;
}

static unsigned relation_of_lanes(const uint8_t *a, const uint8_t *b, unsigned lane) {
    if (lane == sizeof(double)) {
        double x, y;
        memcpy(&x, a, sizeof x);
        memcpy(&y, b, sizeof y);
        return relation(x, y);
    }
    float x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return relation((double)x, (double)y);
}

static bool compare(struct engine *e, struct decoded *d, const struct operand *o, uint8_t immediate) {
    bool vex = d->opcode & VEX;
    uint8_t prefix = vex ? d->vex_prefix : d->repeat ? d->repeat : d->operand16 ? 0x66 : 0;
    bool scalar = prefix >= 0xf2;
    unsigned lane = prefix == 0x66 || prefix == 0xf2 ? 8 : 4;
    unsigned whole = !scalar && d->vex_256 ? YMM_BYTES : XMM_BYTES, bytes = scalar ? lane : whole;
    unsigned number = o->field | (d->rex & REX_R ? 8 : 0);
    uint8_t b[YMM_BYTES], result[YMM_BYTES] = {0};
    if (!read_operand(e, d, o, bytes, !vex && !scalar, b))
        return false;
    const uint8_t *a = vector_register(e, vex ? d->vex_register : number);
    memcpy(result, a, whole);
    for (unsigned i = 0; i < bytes; i += lane) {
        bool is = predicates[immediate & (vex ? 15 : 7)] & relation_of_lanes(a + i, b + i, lane);
        memset(result + i, is ? 0xff : 0, lane);
    }
    memcpy(vector_register(e, number), result, vex ? YMM_BYTES : XMM_BYTES);
    return special_finish(e, d, 1);
}

/* ---- PCMPESTRI, PCMPESTRM, PCMPISTRI, PCMPISTRM ---- */

struct string {
    int32_t element[XMM_BYTES];
    unsigned length; /* of it, elements */
};

static void string_take(struct string *s, const uint8_t *bytes, uint8_t immediate) {
    for (unsigned i = 0; i < XMM_BYTES; i++) {
        uint16_t word = 0;
        if (immediate & 1)
            memcpy(&word, bytes + i % 8 * 2, sizeof word);
        s->element[i] = immediate & 1 ? (immediate & 2 ? (int16_t)word : word)
                                      : (immediate & 2 ? (int8_t)bytes[i] : bytes[i]);
    }
}

static unsigned implicit_length(const struct string *s, unsigned n) {
    unsigned length = 0;
    while (length < n && s->element[length])
        length++;
    return length;
}

static unsigned explicit_length(uint64_t value, bool wide, unsigned n) {
    int64_t length = wide ? (int64_t)value : (int32_t)value;
    if (length < -(int64_t)n || length > (int64_t)n)
        return n;
    return (unsigned)(length < 0 ? -length : length);
}

/* Whether element i of the first string and j of the second one agree, for an aggregation. */
static bool agree(const struct string *a, unsigned i, const struct string *b, unsigned j, unsigned how) {
    bool in_a = i < a->length, in_b = j < b->length;
    bool is = how == 1 ? (i & 1 ? a->element[i] >= b->element[j] : a->element[i] <= b->element[j])
                       : a->element[i] == b->element[j];
    switch (how) {
    case 2: return in_a && in_b ? is : in_a == in_b;
    case 3: return !in_a || (in_b && is);
    }
    return in_a && in_b && is;
}

/* A bit for each element of the second string (table 4-1 of vol. 2B). */
static unsigned aggregate(const struct string *a, const struct string *b, unsigned n, unsigned how) {
    unsigned result = 0;
    for (unsigned j = 0; j < n; j++) {
        bool is = how >= 2;
        if (how == 0)
            for (unsigned i = 0; i < n; i++)
                is |= agree(a, i, b, j, 0);
        else if (how == 1)
            for (unsigned i = 0; i < n; i += 2)
                is |= agree(a, i, b, j, 1) && agree(a, i + 1, b, j, 1);
        else if (how == 2)
            is = agree(a, j, b, j, 2);
        else
            for (unsigned i = 0; i + j < n; i++)
                is &= agree(a, i, b, i + j, 3);
        result |= (unsigned)is << j;
    }
    return result;
}

static unsigned apply_polarity(unsigned bits, uint8_t immediate, const struct string *b, unsigned n) {
    switch (immediate >> 4 & 3) {
    case 1: return ~bits & ((1U << n) - 1);
    case 3: return bits ^ ((1U << b->length) - 1);
    }
    return bits;
}

static void give_index(struct engine *e, unsigned bits, unsigned n, uint8_t immediate) {
    unsigned last = bits ? 31 - (unsigned)__builtin_clz(bits) : n;
    unsigned first = bits ? (unsigned)__builtin_ctz(bits) : n;
    *general_register(e, 1) = immediate & 0x40 ? last : first;
}

static void give_mask(struct engine *e, unsigned bits, unsigned n, uint8_t immediate, bool vex) {
    uint8_t mask[YMM_BYTES] = {0};
    memcpy(mask, &bits, 2);
    if (immediate & 0x40)
        for (unsigned i = 0; i < XMM_BYTES; i++)
            mask[i] = bits >> i * n / XMM_BYTES & 1 ? 0xff : 0;
    memcpy(vector_register(e, 0), mask, vex ? YMM_BYTES : XMM_BYTES);
}

static bool compare_strings(struct engine *e, struct decoded *d, const struct operand *o, uint8_t immediate) {
    bool explicit = !(d->opcode & 2), wide = d->rex & REX_W;
    unsigned n = immediate & 1 ? 8 : 16;
    uint8_t bytes[XMM_BYTES];
    struct string a, b;
    if (!read_operand(e, d, o, XMM_BYTES, false, bytes))
        return false;
    string_take(&a, vector_register(e, o->field | (d->rex & REX_R ? 8 : 0)), immediate);
    string_take(&b, bytes, immediate);
    a.length = explicit ? explicit_length(*general_register(e, 0), wide, n) : implicit_length(&a, n);
    b.length = explicit ? explicit_length(*general_register(e, 2), wide, n) : implicit_length(&b, n);
    unsigned bits = apply_polarity(aggregate(&a, &b, n, immediate >> 2 & 3), immediate, &b, n);
    bool trap_flag;
    uint64_t flags = cpu_get_flags(&e->area.guest, e->trap_flag) & ~(uint64_t)FLAGS_ARITHMETIC;
    flags |= (uint64_t)(bits ? FLAG_CF : 0) | (b.length < n ? FLAG_ZF : 0) | (a.length < n ? FLAG_SF : 0) |
             (bits & 1 ? FLAG_OF : 0);
    cpu_set_flags(&e->area.guest, flags, &trap_flag);
    if (d->opcode & 1)
        give_index(e, bits, n, immediate);
    else
        give_mask(e, bits, n, immediate, d->opcode & VEX);
    return special_finish(e, d, 1);
}

bool vector_execute(struct engine *e, struct decoded *d) {
    struct operand o;
    if (!decode_operand(e, d, &o))
        return special_raise(e, VECTOR_UD, 0);
    uint8_t immediate = d->bytes[d->length];
    return is_comparison(d) ? compare(e, d, &o, immediate) : compare_strings(e, d, &o, immediate);
}
