#include "engine/soft/special.h"

#include <string.h>

#include "engine/soft/decode.h"
#include "engine/soft/x87.h"

enum {
    FLAG_CF = 1 << 0,
    FLAG_PF = 1 << 2,
    FLAG_AF = 1 << 4,
    FLAG_ZF = 1 << 6,
    FLAG_SF = 1 << 7,
    FLAG_OF = 1 << 11,
    FLAGS_ARITHMETIC = FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_OF,
    FLAG_TF = 1 << 8,
    FLAG_RF = 1 << 16,
    /* What POPF may change in user mode: the above, TF, DF, NT, AC, ID (Intel SDM vol. 2B, POPF). */
    FLAGS_POPPED = FLAGS_ARITHMETIC | FLAG_TF | 1 << 10 | 1 << 14 | 1 << 18 | 1 << 21,
    FLAGS_LOW = 0xffff,

    SELECTOR_CS = 0x33, /* Linux's, of 64-bit user mode */
    SELECTOR_SS = 0x2b,
    SEGMENT_CS = 1, /* numbers in instructions */
    SEGMENT_SS = 2,
    SEGMENT_FS = 4,
    SEGMENT_GS = 5,
};

/* Client requests of valgrind: four rotations of rdi, by 128 bits in all, that the library takes for more. */
static const uint8_t preamble[] = {0x48, 0xc1, 0xc7, 0x03, 0x48, 0xc1, 0xc7, 0x0d,
                                   0x48, 0xc1, 0xc7, 0x3d, 0x48, 0xc1, 0xc7, 0x33};

static bool is_preamble(const uint8_t *bytes, unsigned available) {
    return available >= sizeof preamble && memcmp(bytes, preamble, sizeof preamble) == 0;
}

static bool is_masked_store(const struct decoded *d) {
    return d->opcode == VEX_MASKMOV || (d->opcode == (TWO_BYTE | 0xf7) && d->operand16);
}

/* REP LODS: the library takes it for LODS. */
static bool is_repeated_load(const struct decoded *d) {
    return d->repeat && (d->opcode & ~1U) == 0xac;
}

static bool is_word_exchange(const struct decoded *d) {
    return d->operand16 && !(d->rex & REX_W) && d->opcode > 0x90 && d->opcode <= 0x97;
}

static bool is_selector_read(const struct decoded *d) {
    return d->opcode == 0x8c && d->length < d->available && d->bytes[d->length] >= 0xc0 &&
           d->bytes[d->length] < 0xf0;
}

bool special_wants(const uint8_t *bytes, unsigned available, unsigned length) {
    struct decoded d;
    if (length > INSTRUCTION_MAX || is_preamble(bytes, available))
        return true;
    if (!decode(bytes, available, &d))
        return false;
    return d.opcode == 0x9c || d.opcode == 0x9d || is_masked_store(&d) || is_repeated_load(&d) ||
           is_word_exchange(&d) || is_selector_read(&d);
}

static bool refuse(struct engine *e, enum trap_vector vector) {
    trap_exception(e, vector, 0);
    return false;
}

/* INT n: the error code names the gate that user mode may not use. */
static bool refuse_interrupt(struct engine *e, uint8_t number) {
    trap_exception(e, VECTOR_GP, (uint64_t)number << 3 | 2);
    return false;
}

/* ---- stack and flags ---- */

static bool finish(struct engine *e, const struct decoded *d, unsigned more) {
    e->area.guest.guest_RIP += d->length + more;
    return true;
}

static unsigned flags_bytes(const struct decoded *d) {
    return d->operand16 && !(d->rex & REX_W) ? 2 : 8;
}

static bool push_flags(struct engine *e, const struct decoded *d) {
    VexGuestAMD64State *g = &e->area.guest;
    unsigned bytes = flags_bytes(d);
    uint64_t flags = cpu_get_flags(g, e->trap_flag) & ~(uint64_t)FLAG_RF;
    if (!memory_write(e, g->guest_RSP - bytes, &flags, bytes))
        return false;
    g->guest_RSP -= bytes;
    return finish(e, d, 0);
}

static bool pop_flags(struct engine *e, const struct decoded *d) {
    VexGuestAMD64State *g = &e->area.guest;
    unsigned bytes = flags_bytes(d);
    uint64_t popped = 0, mask = bytes == 2 ? FLAGS_POPPED & FLAGS_LOW : FLAGS_POPPED;
    if (!memory_read(e, g->guest_RSP, &popped, bytes))
        return false;
    uint64_t flags = cpu_get_flags(g, e->trap_flag);
    cpu_set_flags(g, (flags & ~mask) | (popped & mask), &e->trap_flag);
    g->guest_RSP += bytes;
    return finish(e, d, 0);
}

static bool skip_preamble(struct engine *e) {
    VexGuestAMD64State *g = &e->area.guest;
    LibVEX_GuestAMD64_put_rflag_c(g->guest_RDI & 1, g);
    g->guest_RIP += sizeof preamble;
    return true;
}

/* ---- strings ---- */

/* Flags of a - b (Intel SDM vol. 1, 3.4.3.1). */
static uint64_t flags_of_difference(uint64_t a, uint64_t b, unsigned bytes) {
    unsigned bits = bytes * 8;
    uint64_t mask = UINT64_MAX >> (64 - bits), sign = 1ULL << (bits - 1), r = (a - b) & mask;
    return (a < b ? FLAG_CF : 0) | (__builtin_parity((unsigned)r & 0xff) ? 0 : FLAG_PF) |
           ((a ^ b ^ r) & 0x10 ? FLAG_AF : 0) | (r == 0 ? FLAG_ZF : 0) | (r & sign ? FLAG_SF : 0) |
           ((a ^ b) & (a ^ r) & sign ? FLAG_OF : 0);
}

static unsigned operand_bytes(const struct decoded *d) {
    return !(d->opcode & 1) ? 1 : d->rex & REX_W ? 8 : d->operand16 ? 2 : 4;
}

static uint64_t step(const struct decoded *d, uint64_t address, uint64_t by) {
    return decode_effective(d, address + by);
}

/* Whether a repeated comparison goes on: REPE (f3) while equal, REPNE (f2) while not. */
static bool comparison_goes_on(const struct decoded *d, uint64_t flags) {
    return (d->repeat == 0xf3) == ((flags & FLAG_ZF) != 0);
}

/* CMPS, or one iteration of REPNE CMPS. */
static bool compare_strings(struct engine *e, const struct decoded *d) {
    VexGuestAMD64State *g = &e->area.guest;
    unsigned bytes = operand_bytes(d);
    uint64_t a = 0, b = 0;
    if (d->repeat && decode_effective(d, g->guest_RCX) == 0)
        return finish(e, d, 0);
    if (!memory_read(e, decode_effective(d, g->guest_RSI) + decode_segment_base(e, d), &a, bytes) ||
        !memory_read(e, decode_effective(d, g->guest_RDI), &b, bytes))
        return false;
    uint64_t flags = cpu_get_flags(g, e->trap_flag) & ~(uint64_t)FLAGS_ARITHMETIC;
    flags |= flags_of_difference(a, b, bytes);
    cpu_set_flags(g, flags, &e->trap_flag);
    g->guest_RSI = step(d, g->guest_RSI, g->guest_DFLAG * bytes);
    g->guest_RDI = step(d, g->guest_RDI, g->guest_DFLAG * bytes);
    if (d->repeat)
        g->guest_RCX = step(d, g->guest_RCX, UINT64_MAX);
    if (d->repeat && comparison_goes_on(d, flags))
        return true;
    return finish(e, d, 0);
}

/* One iteration of REP LODS, like those that the library makes of other repeated instructions. */
static bool load_string(struct engine *e, const struct decoded *d) {
    VexGuestAMD64State *g = &e->area.guest;
    uint64_t count = decode_effective(d, g->guest_RCX), value = 0, mask = UINT64_MAX;
    unsigned bytes = operand_bytes(d);
    if (count == 0)
        return finish(e, d, 0);
    if (!memory_read(e, decode_effective(d, g->guest_RSI) + decode_segment_base(e, d), &value, bytes))
        return false;
    if (bytes < 4)
        mask = (1ULL << 8 * bytes) - 1;
    g->guest_RAX = (g->guest_RAX & ~mask) | value;
    g->guest_RSI = step(d, g->guest_RSI, g->guest_DFLAG * bytes);
    g->guest_RCX = step(d, g->guest_RCX, UINT64_MAX);
    return true;
}

/* XLAT: al = [rbx + al] */
static bool look_up_byte(struct engine *e, const struct decoded *d) {
    VexGuestAMD64State *g = &e->area.guest;
    uint8_t byte;
    uint64_t address = decode_effective(d, g->guest_RBX + (uint8_t)g->guest_RAX) + decode_segment_base(e, d);
    if (!memory_read(e, address, &byte, 1))
        return false;
    g->guest_RAX = (g->guest_RAX & ~0xffULL) | byte;
    return finish(e, d, 0);
}

/* ---- registers ---- */

/* XCHG of ax and another 16-bit register, of which the library clears the rest. */
static bool exchange_words(struct engine *e, const struct decoded *d) {
    uint64_t *a = general_register(e, 0), *b = general_register(e, (d->opcode & 7) | (d->rex & 1) << 3);
    uint64_t difference = (*a ^ *b) & 0xffff;
    *a ^= difference;
    *b ^= difference;
    return finish(e, d, 0);
}

/* MOV of a segment register, of which the library knows only zeros, to a general register. */
static bool read_selector(struct engine *e, const struct decoded *d) {
    uint8_t modrm = d->bytes[d->length];
    uint64_t selector = (modrm >> 3 & 7) == 1 ? SELECTOR_CS : (modrm >> 3 & 7) == 2 ? SELECTOR_SS : 0;
    uint64_t *to = general_register(e, (modrm & 7) | (d->rex & 1) << 3);
    *to = d->operand16 && !(d->rex & REX_W) ? (*to & ~0xffffULL) | selector : selector;
    return finish(e, d, 1);
}

/* A selector that user mode may load: none (not as its stack), or that of its data. */
static bool load_selector(struct engine *e, unsigned segment, uint16_t selector) {
    bool none = selector <= 3 && segment != SEGMENT_SS;
    if (segment == SEGMENT_CS || segment > SEGMENT_GS)
        return refuse(e, VECTOR_UD);
    if (!none && selector != SELECTOR_SS) {
        trap_exception(e, VECTOR_GP, selector & ~3U);
        return false;
    }
    if (segment == SEGMENT_FS)
        e->area.guest.guest_FS_CONST = 0;
    if (segment == SEGMENT_GS)
        e->area.guest.guest_GS_CONST = 0;
    return true;
}

/* MOV to a segment register. */
static bool write_selector(struct engine *e, struct decoded *d) {
    struct operand o;
    uint16_t selector;
    if (!decode_operand(e, d, &o))
        return refuse(e, VECTOR_UD);
    if (o.in_register)
        selector = (uint16_t)*general_register(e, o.number);
    else if (!memory_read(e, o.address, &selector, sizeof selector))
        return false;
    return load_selector(e, o.field, selector) && finish(e, d, 0);
}

/* PUSH and POP of fs and gs, of which no selector is kept. */
static bool push_selector(struct engine *e, const struct decoded *d) {
    VexGuestAMD64State *g = &e->area.guest;
    uint64_t none = 0;
    unsigned bytes = flags_bytes(d);
    if (!memory_write(e, g->guest_RSP - bytes, &none, bytes))
        return false;
    g->guest_RSP -= bytes;
    return finish(e, d, 0);
}

static bool pop_selector(struct engine *e, const struct decoded *d) {
    VexGuestAMD64State *g = &e->area.guest;
    uint64_t selector = 0;
    unsigned bytes = flags_bytes(d);
    if (!memory_read(e, g->guest_RSP, &selector, bytes) ||
        !load_selector(e, d->opcode & 8 ? SEGMENT_GS : SEGMENT_FS, (uint16_t)selector))
        return false;
    g->guest_RSP += bytes;
    return finish(e, d, 0);
}

/* Far RET, which can only stay in 64-bit user mode. */
static bool return_far(struct engine *e, const struct decoded *d) {
    VexGuestAMD64State *g = &e->area.guest;
    unsigned bytes = d->rex & REX_W ? 8 : d->operand16 ? 2 : 4;
    uint64_t rip = 0, selector = 0, release = 0;
    if (d->opcode == 0xca)
        memcpy(&release, d->bytes + d->length, 2);
    if (!memory_read(e, g->guest_RSP, &rip, bytes) || !memory_read(e, g->guest_RSP + bytes, &selector, bytes))
        return false;
    if ((uint16_t)selector != SELECTOR_CS) {
        trap_exception(e, VECTOR_GP, selector & 0xfffc);
        return false;
    }
    g->guest_RSP += 2 * bytes + release;
    g->guest_RIP = rip;
    return true;
}

/* ENTER with a display of outer frames (Intel SDM vol. 2A, ENTER). */
static bool enter_nested(struct engine *e, const struct decoded *d) {
    VexGuestAMD64State *g = &e->area.guest;
    uint16_t locals;
    unsigned level = d->bytes[d->length + 2] & 31;
    uint64_t sp = g->guest_RSP - 8, frame = sp, outer = g->guest_RBP;
    memcpy(&locals, d->bytes + d->length, sizeof locals);
    if (!memory_write(e, sp, &outer, 8))
        return false;
    for (unsigned i = 1; i < level; i++) {
        uint64_t pointer;
        if (!memory_read(e, g->guest_RBP - 8 * i, &pointer, 8) || !memory_write(e, sp -= 8, &pointer, 8))
            return false;
    }
    if (level > 0 && !memory_write(e, sp -= 8, &frame, 8))
        return false;
    g->guest_RBP = frame;
    g->guest_RSP = sp - locals;
    return finish(e, d, 3);
}

/* ---- masked stores ---- */

static uint8_t *vector(struct engine *e, unsigned number) {
    return (uint8_t *)&e->area.guest.guest_YMM0 + number * sizeof e->area.guest.guest_YMM0;
}

/* MASKMOVDQU: stores the bytes of one register that another selects; faults as if it stored them all. */
static bool store_masked(struct engine *e, const struct decoded *d) {
    uint8_t modrm = d->bytes[d->length];
    if (modrm < 0xc0)
        return refuse(e, VECTOR_UD);
    uint8_t *data = vector(e, (modrm >> 3 & 7) | (d->rex & 4) << 1);
    const uint8_t *mask = vector(e, (modrm & 7) | (d->rex & 1) << 3);
    uint64_t address = decode_effective(d, e->area.guest.guest_RDI) + decode_segment_base(e, d);
    if (!memory_prepare(e, address, 16))
        return false;
    for (unsigned i = 0; i < 16; i++)
        if (mask[i] & 0x80)
            e->pending.data[i] = data[i];
    if (!memory_commit(e))
        return false;
    return finish(e, d, 1);
}

/* ---- the rest ---- */

static bool is_privileged(const struct decoded *d) {
    switch (d->opcode) {
    case 0x6c: /* INS, OUTS */
    case 0x6d:
    case 0x6e:
    case 0x6f:
    case 0xcd: /* INT n */
    case 0xe4: /* IN, OUT */
    case 0xe5:
    case 0xe6:
    case 0xe7:
    case 0xec:
    case 0xed:
    case 0xee:
    case 0xef:
    case 0xf4:            /* HLT */
    case 0xfa:            /* CLI */
    case 0xfb:            /* STI */
    case TWO_BYTE | 0x06: /* CLTS */
    case TWO_BYTE | 0x08: /* INVD */
    case TWO_BYTE | 0x09: /* WBINVD */
    case TWO_BYTE | 0x20: /* MOV from and to control and debug registers */
    case TWO_BYTE | 0x21:
    case TWO_BYTE | 0x22:
    case TWO_BYTE | 0x23:
    case TWO_BYTE | 0x30: /* WRMSR */
    case TWO_BYTE | 0x32: /* RDMSR */
    case TWO_BYTE | 0x33: /* RDPMC */ return true;
    }
    return false;
}

/* Whether the instruction is known here, and all of it is there. */
static bool is_complete(const struct engine *e, const struct decoded *d) {
    switch (d->opcode) {
    case 0x9c:
    case 0x9d:
    case 0xa6:
    case 0xa7:
    case 0xd7:
    case 0xf1:
    case 0xcb:
    case TWO_BYTE | 0xa0:
    case TWO_BYTE | 0xa1:
    case TWO_BYTE | 0xa8:
    case TWO_BYTE | 0xa9: return true;
    case 0xcd: return d->length < d->available;
    case 0xc8: return d->length + 3 <= d->available;
    case 0xca: return d->length + 2 <= d->available;
    }
    struct decoded copy = *d;
    struct operand operand;
    if (d->opcode == 0x8e || x87_wants(d))
        return decode_operand(e, &copy, &operand);
    return is_privileged(d) || is_repeated_load(d) || is_word_exchange(d) || is_selector_read(d) ||
           (is_masked_store(d) && d->length < d->available);
}

bool special_is_complete(const struct engine *e, const uint8_t *bytes, unsigned available) {
    struct decoded d;
    return is_preamble(bytes, available) || (decode(bytes, available, &d) && is_complete(e, &d));
}

bool special_execute(struct engine *e, const uint8_t *bytes, unsigned available) {
    struct decoded d;
    if (is_preamble(bytes, available))
        return skip_preamble(e);
    if (!decode(bytes, available, &d) || !is_complete(e, &d))
        return refuse(e, VECTOR_UD);
    if (d.opcode == 0xcd)
        return refuse_interrupt(e, bytes[d.length]);
    if (is_privileged(&d))
        return refuse(e, VECTOR_GP);
    if (x87_wants(&d))
        return x87_execute(e, &d) && finish(e, &d, 0);
    switch (d.opcode) {
    case 0x9c: return push_flags(e, &d);
    case 0x9d: return pop_flags(e, &d);
    case 0xa6:
    case 0xa7: return compare_strings(e, &d);
    case 0xac:
    case 0xad: return load_string(e, &d);
    case 0xd7: return look_up_byte(e, &d);
    case 0x8c: return read_selector(e, &d);
    case 0x8e: return write_selector(e, &d);
    case 0xc8: return enter_nested(e, &d);
    case 0xca:
    case 0xcb: return return_far(e, &d);
    case TWO_BYTE | 0xa0:
    case TWO_BYTE | 0xa8: return push_selector(e, &d);
    case TWO_BYTE | 0xa1:
    case TWO_BYTE | 0xa9: return pop_selector(e, &d);
    case 0x91:
    case 0x92:
    case 0x93:
    case 0x94:
    case 0x95:
    case 0x96:
    case 0x97: return exchange_words(e, &d);
    case 0xf1: /* INT1: a trap */ finish(e, &d, 0); return refuse(e, VECTOR_DB);
    }
    return store_masked(e, &d);
}
