#include "engine/soft/special.h"

#include <string.h>

#include "engine/soft/bits.h"
#include "engine/soft/cpu.h"
#include "engine/soft/encoding.h"
#include "engine/soft/segment.h"
#include "engine/soft/vector.h"
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
};

/* Client requests of valgrind: four rotations of rdi, by 128 bits in all, that the library takes for more. */
static const uint8_t preamble[] = {0x48, 0xc1, 0xc7, 0x03, 0x48, 0xc1, 0xc7, 0x0d,
                                   0x48, 0xc1, 0xc7, 0x3d, 0x48, 0xc1, 0xc7, 0x33};

static bool is_preamble(const uint8_t *bytes, unsigned available) {
    return available >= sizeof preamble && memcmp(bytes, preamble, sizeof preamble) == 0;
}

static bool is_masked_store(const struct decoded *d) {
    if (d->opcode == (VEX | TWO_BYTE | 0xf7))
        return d->vex_prefix == 0x66 && !d->vex_256 && d->vex_register == 0;
    return d->opcode == (TWO_BYTE | 0xf7) && d->operand16 && !d->repeat;
}

/* REP LODS: the library takes it for LODS. */
static bool is_repeated_load(const struct decoded *d) {
    return d->repeat && (d->opcode & ~1U) == 0xac;
}

static bool is_word_exchange(const struct decoded *d) {
    return d->operand16 && !(d->rex & REX_W) && d->opcode >= 0x90 && d->opcode <= 0x97 &&
           (d->opcode > 0x90 || d->rex & REX_B);
}

/* MOVS and LODS with the source in fs or gs, which the library refuses. */
static bool is_segment_string(const struct decoded *d) {
    return d->segment && ((d->opcode & ~1U) == 0xa4 || (d->opcode & ~1U) == 0xac);
}

/* Prefetches, and NOPs with an operand. */
static bool is_hint(const struct decoded *d) {
    return (d->opcode >= (TWO_BYTE | 0x18) && d->opcode <= (TWO_BYTE | 0x1f)) ||
           (d->opcode == (TWO_BYTE | 0x0d) && decode_is_memory(d));
}

/* MOVSXD without REX.W, MOVZX and MOVSX of words to words: moves. */
static bool is_plain_move(const struct decoded *d) {
    return !(d->rex & REX_W) && (d->opcode == 0x63 || (d->operand16 && (d->opcode | 8) == (TWO_BYTE | 0xbf)));
}

/* LDMXCSR and STMXCSR, of which the library keeps only how to round; CLFLUSH, which it lets address what does
 * not exist. */
static bool is_cache_or_control(const struct decoded *d) {
    int field = decode_field(d);
    uint8_t prefix = d->opcode & VEX ? d->vex_prefix : d->operand16 ? 0x66 : d->repeat;
    if ((d->opcode & ~(unsigned)VEX) != (TWO_BYTE | 0xae) || prefix || !decode_is_memory(d) || d->lock)
        return false;
    bool control = field == 2 || field == 3;
    return d->opcode & VEX ? control && !d->vex_256 && d->vex_register == 0 : control || field == 7;
}

bool special_wants(const uint8_t *bytes, unsigned available) {
    struct decoded d;
    if (is_preamble(bytes, available))
        return true;
    if (!decode(bytes, available, &d))
        return false;
    return d.opcode == 0x9c || d.opcode == 0x9d || is_masked_store(&d) || is_repeated_load(&d) ||
           is_word_exchange(&d) || segment_overrides(&d) || encoding_is_undefined(&d) || bits_wants(&d) ||
           d.opcode == 0xc8 || is_segment_string(&d) || is_cache_or_control(&d) || x87_overrides(&d) ||
           (vector_wants(&d) && vector_overrides(&d));
}

bool special_is_misread(const uint8_t *bytes, unsigned available) {
    struct decoded d;
    return decode(bytes, available, &d) && encoding_is_misread(&d);
}

bool special_raise(struct engine *e, enum trap_vector vector, uint64_t error) {
    trap_exception(e, vector, error);
    return false;
}

bool special_finish(struct engine *e, const struct decoded *d, unsigned more) {
    e->area.guest.guest_RIP += d->length + more;
    return true;
}

/* INT n: the error code names the gate that user mode may not use. */
static bool refuse_interrupt(struct engine *e, uint8_t number) {
    return special_raise(e, VECTOR_GP, (uint64_t)number << 3 | 2);
}

/* ---- stack and flags ---- */

static unsigned flags_bytes(const struct decoded *d) {
    return d->operand16 && !(d->rex & REX_W) ? 2 : 8;
}

static bool push_flags(struct engine *e, const struct decoded *d) {
    VexGuestAMD64State *g = &e->area.guest;
    unsigned bytes = flags_bytes(d);
    uint64_t flags = cpu_get_flags(g, e->trap_flag) & ~(uint64_t)FLAG_RF;
    if (!memory_store(e, g->guest_RSP - bytes, &flags, bytes))
        return false;
    g->guest_RSP -= bytes;
    return special_finish(e, d, 0);
}

void special_set_flags(struct engine *e, uint64_t flags, unsigned bytes) {
    uint64_t mask = bytes == 2 ? FLAGS_POPPED & FLAGS_LOW : FLAGS_POPPED;
    uint64_t before = cpu_get_flags(&e->area.guest, e->trap_flag);
    cpu_set_flags(&e->area.guest, (before & ~mask) | (flags & mask), &e->trap_flag);
}

static bool pop_flags(struct engine *e, const struct decoded *d) {
    VexGuestAMD64State *g = &e->area.guest;
    unsigned bytes = flags_bytes(d);
    uint64_t popped = 0;
    if (!memory_read(e, g->guest_RSP, &popped, bytes))
        return false;
    special_set_flags(e, popped, bytes);
    g->guest_RSP += bytes;
    return special_finish(e, d, 0);
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
        return special_finish(e, d, 0);
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
    return special_finish(e, d, 0);
}

/* LODS, or one iteration of REP LODS. */
static bool load_string(struct engine *e, const struct decoded *d) {
    VexGuestAMD64State *g = &e->area.guest;
    uint64_t count = decode_effective(d, g->guest_RCX), value = 0, mask = UINT64_MAX;
    unsigned bytes = operand_bytes(d);
    if (d->repeat && count == 0)
        return special_finish(e, d, 0);
    if (!memory_read(e, decode_effective(d, g->guest_RSI) + decode_segment_base(e, d), &value, bytes))
        return false;
    if (bytes < 4)
        mask = (1ULL << 8 * bytes) - 1;
    g->guest_RAX = (g->guest_RAX & ~mask) | value;
    g->guest_RSI = step(d, g->guest_RSI, g->guest_DFLAG * bytes);
    if (!d->repeat)
        return special_finish(e, d, 0);
    g->guest_RCX = step(d, g->guest_RCX, UINT64_MAX);
    return true;
}

/* MOVS, or one iteration of REP MOVS. */
static bool move_string(struct engine *e, const struct decoded *d) {
    VexGuestAMD64State *g = &e->area.guest;
    unsigned bytes = operand_bytes(d);
    uint64_t value = 0;
    if (d->repeat && decode_effective(d, g->guest_RCX) == 0)
        return special_finish(e, d, 0);
    if (!memory_read(e, decode_effective(d, g->guest_RSI) + decode_segment_base(e, d), &value, bytes) ||
        !memory_store(e, decode_effective(d, g->guest_RDI), &value, bytes))
        return false;
    g->guest_RSI = step(d, g->guest_RSI, g->guest_DFLAG * bytes);
    g->guest_RDI = step(d, g->guest_RDI, g->guest_DFLAG * bytes);
    if (!d->repeat)
        return special_finish(e, d, 0);
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
    return special_finish(e, d, 0);
}

/* ---- registers ---- */

/* XCHG of ax and another 16-bit register, of which the library clears the rest. */
static bool exchange_words(struct engine *e, const struct decoded *d) {
    uint64_t *a = general_register(e, 0), *b = general_register(e, (d->opcode & 7) | (d->rex & 1) << 3);
    uint64_t difference = (*a ^ *b) & 0xffff;
    *a ^= difference;
    *b ^= difference;
    return special_finish(e, d, 0);
}

static bool move_plain(struct engine *e, struct decoded *d) {
    struct operand o;
    unsigned bytes = d->operand16 ? 2 : 4;
    uint32_t value = 0;
    if (!decode_operand(e, d, &o))
        return special_raise(e, VECTOR_UD, 0);
    if (o.in_register)
        value = (uint32_t)*general_register(e, o.number);
    else if (!memory_read(e, o.address, &value, bytes))
        return false;
    uint64_t *to = general_register(e, o.field | (d->rex & REX_R ? 8 : 0));
    *to = bytes == 2 ? (*to & ~0xffffULL) | (uint16_t)value : value;
    return special_finish(e, d, 0);
}

/* LEA of 16 bits. */
static bool is_narrow_address(const struct decoded *d) {
    return d->opcode == 0x8d && d->operand16 && decode_is_memory(d);
}

static bool load_address(struct engine *e, struct decoded *d) {
    struct operand o;
    if (!decode_operand(e, d, &o))
        return special_raise(e, VECTOR_UD, 0);
    uint64_t *to = general_register(e, o.field | (d->rex & REX_R ? 8 : 0));
    *to = (*to & ~0xffffULL) | (uint16_t)o.offset;
    return special_finish(e, d, 0);
}

/* POP of a register in the encoding of one of memory, and of 16 bits in memory. */
static bool is_pop(const struct decoded *d) {
    return d->opcode == 0x8f && decode_field(d) == 0 && (!decode_is_memory(d) || d->operand16);
}

/* An address is computed with the stack pointer as it is afterwards. */
static bool pop_operand(struct engine *e, struct decoded *d) {
    VexGuestAMD64State *g = &e->area.guest;
    unsigned bytes = flags_bytes(d);
    uint64_t value = 0;
    struct operand o;
    if (!memory_read(e, g->guest_RSP, &value, bytes))
        return false;
    g->guest_RSP += bytes;
    if (!decode_operand(e, d, &o))
        return special_raise(e, VECTOR_UD, 0);
    if (!o.in_register)
        return memory_store(e, o.address, &value, bytes) && special_finish(e, d, 0);
    uint64_t *to = general_register(e, o.number);
    *to = bytes == 2 ? (*to & ~0xffffULL) | value : value;
    return special_finish(e, d, 0);
}

static bool use_control(struct engine *e, struct decoded *d) {
    struct operand o;
    uint32_t mxcsr = 0;
    if (!decode_operand(e, d, &o))
        return special_raise(e, VECTOR_UD, 0);
    if (o.field == 3) {
        mxcsr = cpu_get_mxcsr(&e->area.guest);
        return memory_store(e, o.address, &mxcsr, sizeof mxcsr) && special_finish(e, d, 0);
    }
    if (!memory_read(e, o.address, &mxcsr, o.field == 7 ? 1 : sizeof mxcsr))
        return false;
    if (o.field == 7)
        return special_finish(e, d, 0);
    if (mxcsr >> 16)
        return special_raise(e, VECTOR_GP, 0);
    cpu_set_mxcsr(&e->area.guest, mxcsr);
    return special_finish(e, d, 0);
}

/* VMOVQ between registers in the encoding of a store. */
static bool is_quad_move(const struct decoded *d) {
    return d->opcode == (VEX | TWO_BYTE | 0xd6) && d->vex_prefix == 0x66 && !d->vex_256 &&
           d->vex_register == 0 && decode_field(d) >= 0 && !decode_is_memory(d);
}

static bool move_quad(struct engine *e, struct decoded *d) {
    struct operand o;
    uint64_t value;
    if (!decode_operand(e, d, &o))
        return special_raise(e, VECTOR_UD, 0);
    memcpy(&value, vector_register(e, o.field | (d->rex & REX_R ? 8 : 0)), sizeof value);
    uint8_t *to = vector_register(e, o.number);
    memset(to, 0, sizeof e->area.guest.guest_YMM0);
    memcpy(to, &value, sizeof value);
    return special_finish(e, d, 0);
}

static bool do_nothing(struct engine *e, struct decoded *d) {
    struct operand o;
    return decode_operand(e, d, &o) ? special_finish(e, d, 0) : special_raise(e, VECTOR_UD, 0);
}

/* ---- frames ---- */

/* Bytes that ENTER and LEAVE push and pop. */
static unsigned frame_bytes(const struct decoded *d) {
    return d->operand16 && !(d->rex & REX_W) ? 2 : 8;
}

static void set_frame_pointer(struct engine *e, uint64_t value, unsigned bytes) {
    VexGuestAMD64State *g = &e->area.guest;
    g->guest_RBP = bytes == 2 ? (g->guest_RBP & ~0xffffULL) | (uint16_t)value : value;
}

/* ENTER (Intel SDM vol. 2A, ENTER); at the end the processor checks that the new stack can be stored to. */
static bool enter(struct engine *e, const struct decoded *d) {
    VexGuestAMD64State *g = &e->area.guest;
    uint16_t locals;
    unsigned level = d->bytes[d->length + 2] & 31, bytes = frame_bytes(d);
    uint64_t sp = g->guest_RSP - bytes, frame = sp, outer = g->guest_RBP;
    uint8_t *host;
    memcpy(&locals, d->bytes + d->length, sizeof locals);
    if (!memory_store(e, sp, &outer, bytes))
        return false;
    for (unsigned i = 1; i < level; i++) {
        uint64_t pointer;
        if (!memory_read(e, g->guest_RBP - bytes * i, &pointer, bytes) ||
            !memory_store(e, sp -= bytes, &pointer, bytes))
            return false;
    }
    if (level > 0 && !memory_store(e, sp -= bytes, &frame, bytes))
        return false;
    if (!memory_translate(e, sp - locals, ACCESS_WRITE, &host))
        return false;
    set_frame_pointer(e, frame, bytes);
    g->guest_RSP = sp - locals;
    return special_finish(e, d, 3);
}

/* LEAVE with a prefix. */
static bool leave(struct engine *e, const struct decoded *d) {
    VexGuestAMD64State *g = &e->area.guest;
    unsigned bytes = frame_bytes(d);
    uint64_t outer = 0;
    if (!memory_read(e, g->guest_RBP, &outer, bytes))
        return false;
    g->guest_RSP = g->guest_RBP + bytes;
    set_frame_pointer(e, outer, bytes);
    return special_finish(e, d, 0);
}

/* ---- masked stores ---- */

/* MASKMOVDQU: stores the bytes of one register that another selects; faults as if it stored them all. */
static bool store_masked(struct engine *e, const struct decoded *d) {
    uint8_t modrm = d->bytes[d->length];
    if (modrm < 0xc0)
        return special_raise(e, VECTOR_UD, 0);
    uint8_t *data = vector_register(e, (modrm >> 3 & 7) | (d->rex & 4) << 1);
    const uint8_t *mask = vector_register(e, (modrm & 7) | (d->rex & 1) << 3);
    uint64_t address = decode_effective(d, e->area.guest.guest_RDI) + decode_segment_base(e, d);
    if (!memory_prepare(e, address, 16))
        return false;
    for (unsigned i = 0; i < 16; i++)
        if (mask[i] & 0x80)
            e->pending.data[i] = data[i];
    if (!memory_commit(e))
        return false;
    return special_finish(e, d, 1);
}

/* ---- the rest ---- */

/* Whether there is such a control or debug register. */
static bool is_system_register(const struct decoded *d) {
    int number = decode_field(d);
    if (number < 0 || d->rex & REX_R)
        return number == 0 && !(d->opcode & 1); /* CR8 */
    return d->opcode & 1 || number == 0 || (number >= 2 && number <= 4);
}

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
    case TWO_BYTE | 0x07: /* SYSRET */
    case TWO_BYTE | 0x08: /* INVD */
    case TWO_BYTE | 0x09: /* WBINVD */
    case TWO_BYTE | 0x30: /* WRMSR */
    case TWO_BYTE | 0x32: /* RDMSR */
    case TWO_BYTE | 0x33: /* RDPMC */ return true;
    case TWO_BYTE | 0x20: /* MOV from and to control and debug registers */
    case TWO_BYTE | 0x21:
    case TWO_BYTE | 0x22:
    case TWO_BYTE | 0x23: return is_system_register(d);
    }
    return false;
}

/* Whether the instruction is known here, and all of it is there. */
static bool is_complete(const struct engine *e, const struct decoded *d) {
    struct decoded copy = *d;
    struct operand operand;
    if (d->prefixes >= INSTRUCTION_MAX || encoding_is_undefined(d))
        return true;
    if (d->lock)
        return false;
    if (segment_wants(d))
        return segment_is_complete(e, d);
    switch (d->opcode) {
    case 0x9c:
    case 0x9d:
    case 0xa6:
    case 0xa7:
    case 0xc9:
    case 0xd7:
    case 0xf1: return true;
    case 0xcd: return d->length < d->available;
    case 0xc8: return d->length + 3 <= d->available;
    }
    if (vector_wants(d))
        return vector_is_complete(e, d);
    if (x87_wants(d) || is_plain_move(d) || is_hint(d) || bits_wants(d) || is_narrow_address(d) ||
        is_pop(d) || is_cache_or_control(d) || is_quad_move(d))
        return decode_operand(e, &copy, &operand);
    return is_privileged(d) || is_repeated_load(d) || is_segment_string(d) || is_word_exchange(d) ||
           (is_masked_store(d) && d->length < d->available);
}

bool special_is_complete(const struct engine *e, const uint8_t *bytes, unsigned available) {
    struct decoded d;
    bool decoded = decode(bytes, available, &d);
    return is_preamble(bytes, available) || d.prefixes >= INSTRUCTION_MAX || (decoded && is_complete(e, &d));
}

bool special_execute(struct engine *e, const uint8_t *bytes, unsigned available) {
    struct decoded d;
    if (is_preamble(bytes, available))
        return skip_preamble(e);
    bool decoded = decode(bytes, available, &d);
    if (d.prefixes >= INSTRUCTION_MAX)
        return special_raise(e, VECTOR_GP, 0);
    if (!decoded || !is_complete(e, &d) || encoding_is_undefined(&d) ||
        (d.opcode & VEX && e->level == CPU_LEVEL_V2))
        return special_raise(e, VECTOR_UD, 0);
    if (d.opcode == 0xcd)
        return refuse_interrupt(e, bytes[d.length]);
    if (is_privileged(&d))
        return special_raise(e, VECTOR_GP, 0);
    if (segment_wants(&d))
        return segment_execute(e, &d);
    if (x87_wants(&d))
        return x87_execute(e, &d) && special_finish(e, &d, 0);
    if (is_word_exchange(&d))
        return exchange_words(e, &d);
    if (is_plain_move(&d))
        return move_plain(e, &d);
    if (is_hint(&d))
        return do_nothing(e, &d);
    if (is_narrow_address(&d))
        return load_address(e, &d);
    if (is_pop(&d))
        return pop_operand(e, &d);
    if (is_cache_or_control(&d))
        return use_control(e, &d);
    if (is_quad_move(&d))
        return move_quad(e, &d);
    if (bits_wants(&d))
        return bits_execute(e, &d);
    if (vector_wants(&d))
        return vector_execute(e, &d);
    switch (d.opcode) {
    case 0x9c: return push_flags(e, &d);
    case 0x9d: return pop_flags(e, &d);
    case 0xa4:
    case 0xa5: return move_string(e, &d);
    case 0xa6:
    case 0xa7: return compare_strings(e, &d);
    case 0xac:
    case 0xad: return load_string(e, &d);
    case 0xd7: return look_up_byte(e, &d);
    case 0xc8: return enter(e, &d);
    case 0xc9: return leave(e, &d);
    case 0xf1: /* INT1: a trap */ special_finish(e, &d, 0); return special_raise(e, VECTOR_DB, 0);
    }
    return store_masked(e, &d);
}
