#include "engine/soft/special.h"

#include <string.h>

enum {
    REX_W = 8,
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

    TWO_BYTE = 0x0f00, /* opcodes behind 0f */
    VEX_MASKMOV = 0x10000 | TWO_BYTE | 0xf7,
};

/* Prefixes and opcode. */
struct decoded {
    const uint8_t *bytes;
    unsigned available;
    unsigned opcode;
    unsigned length; /* up to and with the opcode */
    uint8_t rex;
    bool operand16, address32;
    uint8_t repeat;  /* the prefix f2 or f3, else 0 */
    uint8_t segment; /* the prefix 64 or 65, else 0 */
};

/* Client requests of valgrind: four rotations of rdi, by 128 bits in all, that the library takes for more. */
static const uint8_t preamble[] = {0x48, 0xc1, 0xc7, 0x03, 0x48, 0xc1, 0xc7, 0x0d,
                                   0x48, 0xc1, 0xc7, 0x3d, 0x48, 0xc1, 0xc7, 0x33};

static bool take_prefix(struct decoded *d, uint8_t c) {
    switch (c) {
    case 0x66: d->operand16 = true; return true;
    case 0x67: d->address32 = true; return true;
    case 0xf2:
    case 0xf3: d->repeat = c; return true;
    case 0x64:
    case 0x65: d->segment = c; return true;
    case 0x26:
    case 0x2e:
    case 0x36:
    case 0x3e:
    case 0xf0: return true;
    }
    return false;
}

/* False when the bytes that are there end before the opcode does. */
static bool decode(const uint8_t *bytes, unsigned available, struct decoded *ret) {
    *ret = (struct decoded){.bytes = bytes, .available = available};
    unsigned i = 0;
    while (i < available && i < INSTRUCTION_MAX && take_prefix(ret, bytes[i]))
        i++;
    if (i < available && (bytes[i] & 0xf0) == 0x40)
        ret->rex = bytes[i++];
    if (i >= available)
        return false;
    ret->opcode = bytes[i++];
    if (ret->opcode == 0x0f) {
        if (i >= available)
            return false;
        ret->opcode = TWO_BYTE | bytes[i++];
    } else if (ret->opcode == 0xc5 && i + 1 < available && bytes[i + 1] == 0xf7) { /* VEX, two bytes */
        ret->rex = bytes[i] & 0x80 ? 0 : 4;
        ret->opcode = VEX_MASKMOV;
        i += 2;
    }
    ret->length = i;
    return true;
}

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

static uint64_t segment_base(const struct engine *e, const struct decoded *d) {
    return d->segment == 0x64   ? e->area.guest.guest_FS_CONST
           : d->segment == 0x65 ? e->area.guest.guest_GS_CONST
                                : 0;
}

static uint64_t effective(const struct decoded *d, uint64_t address) {
    return d->address32 ? (uint32_t)address : address;
}

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
    return effective(d, address + by);
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
    if (d->repeat && effective(d, g->guest_RCX) == 0)
        return finish(e, d, 0);
    if (!memory_read(e, effective(d, g->guest_RSI) + segment_base(e, d), &a, bytes) ||
        !memory_read(e, effective(d, g->guest_RDI), &b, bytes))
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
    uint64_t count = effective(d, g->guest_RCX), value = 0, mask = UINT64_MAX;
    unsigned bytes = operand_bytes(d);
    if (count == 0)
        return finish(e, d, 0);
    if (!memory_read(e, effective(d, g->guest_RSI) + segment_base(e, d), &value, bytes))
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
    uint64_t address = effective(d, g->guest_RBX + (uint8_t)g->guest_RAX) + segment_base(e, d);
    if (!memory_read(e, address, &byte, 1))
        return false;
    g->guest_RAX = (g->guest_RAX & ~0xffULL) | byte;
    return finish(e, d, 0);
}

/* ---- registers ---- */

static uint64_t *general(struct engine *e, unsigned number) {
    return (uint64_t *)((uint8_t *)&e->area.guest + offsetof(VexGuestAMD64State, guest_RAX)) + number;
}

/* XCHG of ax and another 16-bit register, of which the library clears the rest. */
static bool exchange_words(struct engine *e, const struct decoded *d) {
    uint64_t *a = general(e, 0), *b = general(e, (d->opcode & 7) | (d->rex & 1) << 3);
    uint64_t difference = (*a ^ *b) & 0xffff;
    *a ^= difference;
    *b ^= difference;
    return finish(e, d, 0);
}

/* MOV of a segment register, of which the library knows only zeros, to a general register. */
static bool read_selector(struct engine *e, const struct decoded *d) {
    uint8_t modrm = d->bytes[d->length];
    uint64_t selector = (modrm >> 3 & 7) == 1 ? SELECTOR_CS : (modrm >> 3 & 7) == 2 ? SELECTOR_SS : 0;
    uint64_t *to = general(e, (modrm & 7) | (d->rex & 1) << 3);
    *to = d->operand16 && !(d->rex & REX_W) ? (*to & ~0xffffULL) | selector : selector;
    return finish(e, d, 1);
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
    uint64_t address = effective(d, e->area.guest.guest_RDI) + segment_base(e, d);
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

/* Opcodes of one byte, and those of two that are privileged. */
static bool is_complete(const struct decoded *d) {
    switch (d->opcode) {
    case 0x9c:
    case 0x9d:
    case 0xa6:
    case 0xa7:
    case 0xd7:
    case 0xf1: return true;
    }
    if (d->opcode == 0xcd)
        return d->length < d->available;
    return is_privileged(d) || is_repeated_load(d) || is_word_exchange(d) || is_selector_read(d) ||
           (is_masked_store(d) && d->length < d->available);
}

bool special_is_complete(const uint8_t *bytes, unsigned available) {
    struct decoded d;
    return is_preamble(bytes, available) || (decode(bytes, available, &d) && is_complete(&d));
}

bool special_execute(struct engine *e, const uint8_t *bytes, unsigned available) {
    struct decoded d;
    if (is_preamble(bytes, available))
        return skip_preamble(e);
    if (!decode(bytes, available, &d) || !is_complete(&d))
        return refuse(e, VECTOR_UD);
    if (d.opcode == 0xcd && d.length < available)
        return refuse_interrupt(e, bytes[d.length]);
    if (is_privileged(&d))
        return refuse(e, VECTOR_GP);
    switch (d.opcode) {
    case 0x9c: return push_flags(e, &d);
    case 0x9d: return pop_flags(e, &d);
    case 0xa6:
    case 0xa7: return compare_strings(e, &d);
    case 0xac:
    case 0xad: return load_string(e, &d);
    case 0xd7: return look_up_byte(e, &d);
    case 0x8c: return read_selector(e, &d);
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
