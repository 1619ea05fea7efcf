/* Segments as Linux has them for 64-bit programs: a code segment, a data segment, and one whose limit tells
 * the number of the processor. A register other than cs and ss is not kept: it reads as none, 0.
 *
 * What system registers programs may see is what Linux shows where the processor hides them (UMIP):
 * constants. Source: Intel SDM vol. 2 for each instruction; Linux 6.1 arch/x86/include/asm/segment.h,
 * kernel/umip.c. */
#include "engine/soft/segment.h"

#include <string.h>

#include "engine/soft/cpu.h"
#include "engine/soft/special.h"

enum {
    SELECTOR_SS = 0x2b,
    SELECTOR_CS = 0x33,
    SELECTOR_PRIVILEGE = 3, /* the low bits of a selector */
    /* Numbers of segment registers in instructions. */
    SEGMENT_CS = 1,
    SEGMENT_SS = 2,
    SEGMENT_FS = 4,
    SEGMENT_GS = 5,
    FLAG_ZF = 1 << 6,
    TABLE_BYTES = 10, /* what SGDT and SIDT store: a limit and an address */
};
#define SHOWN_CR0 0x80050033u
#define SHOWN_GDT 0xfffffffffffe0000u
#define SHOWN_IDT 0xffffffffffff0000u

/* The descriptors that user mode can see. */
static const struct descriptor {
    uint16_t selector; /* without privilege */
    uint32_t rights, limit;
    bool code, writable;
} descriptors[] = {
    {0x28, 0xcff300, UINT32_MAX, false, true},
    {0x30, 0xaffb00, UINT32_MAX, true, false},
    {0x78, 0x40f500, 0, false, false},
};

static const struct descriptor *find(uint16_t selector) {
    for (size_t i = 0; i < sizeof descriptors / sizeof *descriptors; i++)
        if (descriptors[i].selector == (selector & ~SELECTOR_PRIVILEGE))
            return &descriptors[i];
    return NULL;
}

static unsigned operand_bytes(const struct decoded *d) {
    return d->rex & REX_W ? 8 : d->operand16 ? 2 : 4;
}

/* Of what is 64 bits wide by itself. */
static unsigned stack_bytes(const struct decoded *d) {
    return d->operand16 && !(d->rex & REX_W) ? 2 : 8;
}

static bool refuse_selector(struct engine *e, uint16_t selector) {
    return special_raise(e, VECTOR_GP, selector & ~(unsigned)SELECTOR_PRIVILEGE);
}

/* Writes a register as an instruction of that operand size does. */
static void set_register(struct engine *e, unsigned number, uint64_t value, unsigned bytes) {
    uint64_t *to = general_register(e, number);
    *to = bytes == 2 ? (*to & ~0xffffULL) | (uint16_t)value : bytes == 4 ? (uint32_t)value : value;
}

static void set_zero_flag(struct engine *e, bool zero) {
    uint64_t flags = cpu_get_flags(&e->area.guest, e->trap_flag);
    bool trap_flag;
    cpu_set_flags(&e->area.guest, zero ? flags | FLAG_ZF : flags & ~(uint64_t)FLAG_ZF, &trap_flag);
}

/* ---- loading and reading selectors ---- */

static bool may_load(unsigned segment, uint16_t selector) {
    const struct descriptor *found = find(selector);
    if (segment == SEGMENT_SS)
        return selector == SELECTOR_SS;
    return selector <= SELECTOR_PRIVILEGE || found;
}

static bool load(struct engine *e, unsigned segment, uint16_t selector) {
    if (segment == SEGMENT_CS || segment > SEGMENT_GS)
        return special_raise(e, VECTOR_UD, 0);
    if (!may_load(segment, selector))
        return refuse_selector(e, selector);
    if (segment == SEGMENT_FS)
        e->area.guest.guest_FS_CONST = 0;
    if (segment == SEGMENT_GS)
        e->area.guest.guest_GS_CONST = 0;
    return true;
}

/* The 16-bit value of an operand. */
static bool read_word(struct engine *e, const struct operand *o, uint16_t *ret_value) {
    if (!o->in_register)
        return memory_read(e, o->address, ret_value, sizeof *ret_value);
    *ret_value = (uint16_t)*general_register(e, o->number);
    return true;
}

/* Into memory go 16 bits, whatever the operand size. */
static bool write_word(struct engine *e, const struct decoded *d, const struct operand *o, uint64_t value) {
    if (!o->in_register)
        return memory_store(e, o->address, &value, 2);
    set_register(e, o->number, value, operand_bytes(d));
    return true;
}

/* MOV from a segment register. */
static bool move_from(struct engine *e, const struct decoded *d, const struct operand *o) {
    if (o->field > SEGMENT_GS)
        return special_raise(e, VECTOR_UD, 0);
    uint16_t selector = o->field == SEGMENT_CS ? SELECTOR_CS : o->field == SEGMENT_SS ? SELECTOR_SS : 0;
    return write_word(e, d, o, selector) && special_finish(e, d, 0);
}

/* MOV to a segment register. */
static bool move_to(struct engine *e, const struct decoded *d, const struct operand *o) {
    uint16_t selector;
    if (o->field == SEGMENT_CS || o->field > SEGMENT_GS)
        return special_raise(e, VECTOR_UD, 0);
    return read_word(e, o, &selector) && load(e, o->field, selector) && special_finish(e, d, 0);
}

/* PUSH and POP of fs and gs. */
static bool push(struct engine *e, const struct decoded *d) {
    VexGuestAMD64State *g = &e->area.guest;
    uint64_t none = 0;
    unsigned bytes = stack_bytes(d);
    if (!memory_store(e, g->guest_RSP - bytes, &none, bytes))
        return false;
    g->guest_RSP -= bytes;
    return special_finish(e, d, 0);
}

static bool pop(struct engine *e, const struct decoded *d) {
    VexGuestAMD64State *g = &e->area.guest;
    uint64_t selector = 0;
    unsigned bytes = stack_bytes(d);
    if (!memory_read(e, g->guest_RSP, &selector, bytes) ||
        !load(e, d->opcode & 8 ? SEGMENT_GS : SEGMENT_FS, (uint16_t)selector))
        return false;
    g->guest_RSP += bytes;
    return special_finish(e, d, 0);
}

/* LSS, LFS, LGS: an offset, then a selector. */
static bool load_far(struct engine *e, const struct decoded *d, const struct operand *o) {
    unsigned bytes = operand_bytes(d), segment = d->opcode & 7;
    uint64_t offset = 0;
    uint16_t selector;
    if (o->in_register)
        return special_raise(e, VECTOR_UD, 0);
    if (!memory_read(e, o->address, &offset, bytes) ||
        !memory_read(e, o->address + bytes, &selector, sizeof selector) || !load(e, segment, selector))
        return false;
    set_register(e, o->field | (d->rex & REX_R ? 8 : 0), offset, bytes);
    return special_finish(e, d, 0);
}

/* ---- asking for descriptors ---- */

/* LAR, LSL */
static bool inspect(struct engine *e, const struct decoded *d, const struct operand *o) {
    uint16_t selector;
    if (!read_word(e, o, &selector))
        return false;
    const struct descriptor *found = find(selector);
    if (found)
        set_register(e, o->field | (d->rex & REX_R ? 8 : 0), d->opcode & 1 ? found->limit : found->rights,
                     operand_bytes(d));
    set_zero_flag(e, found);
    return special_finish(e, d, 0);
}

/* 0F 00: SLDT, STR, LLDT, LTR, VERR, VERW */
static bool verify(struct engine *e, const struct decoded *d, const struct operand *o) {
    uint16_t selector;
    switch (o->field) {
    case 0: return write_word(e, d, o, 0) && special_finish(e, d, 0);
    case 1: return write_word(e, d, o, 0x40) && special_finish(e, d, 0);
    case 2:
    case 3: return special_raise(e, VECTOR_GP, 0);
    case 4:
    case 5:
        if (!read_word(e, o, &selector))
            return false;
        const struct descriptor *found = find(selector);
        set_zero_flag(e, found && (o->field == 4 || found->writable));
        return special_finish(e, d, 0);
    }
    return special_raise(e, VECTOR_UD, 0);
}

static bool store_table(struct engine *e, const struct decoded *d, const struct operand *o, uint64_t base) {
    uint8_t image[TABLE_BYTES] = {0};
    memcpy(image + 2, &base, sizeof base);
    return memory_store(e, o->address, image, sizeof image) && special_finish(e, d, 0);
}

/* 0F 01, as far as the library lacks it: SGDT, SIDT, LGDT, LIDT, SMSW, LMSW, INVLPG, and those without
 * operand that are not for user mode: XSETBV, SWAPGS. */
static bool system_group(struct engine *e, const struct decoded *d, const struct operand *o) {
    uint8_t modrm = d->bytes[d->length - 1];
    if (o->field == 4)
        return write_word(e, d, o, o->in_register ? SHOWN_CR0 : (uint16_t)SHOWN_CR0) &&
               special_finish(e, d, 0);
    if (o->field == 6 || (!o->in_register && o->field != 5 && o->field > 1) ||
        (o->in_register && (modrm == 0xd1 || modrm == 0xf8)))
        return special_raise(e, VECTOR_GP, 0);
    if (o->in_register || o->field > 1)
        return special_raise(e, VECTOR_UD, 0);
    return store_table(e, d, o, o->field ? SHOWN_IDT : SHOWN_GDT);
}

/* ---- far returns, which can only stay in 64-bit user mode ---- */

/* The values on the stack, from the top on. */
static bool read_stack(struct engine *e, uint64_t *values, unsigned n, unsigned bytes) {
    for (unsigned i = 0; i < n; i++) {
        values[i] = 0;
        if (!memory_read(e, e->area.guest.guest_RSP + i * bytes, &values[i], bytes))
            return false;
    }
    return true;
}

/* RET of another segment. */
static bool return_far(struct engine *e, const struct decoded *d) {
    VexGuestAMD64State *g = &e->area.guest;
    unsigned bytes = operand_bytes(d);
    uint64_t values[2];
    uint16_t release = 0;
    if (d->opcode == 0xca)
        memcpy(&release, d->bytes + d->length, sizeof release);
    if (!read_stack(e, values, 2, bytes))
        return false;
    if ((uint16_t)values[1] != SELECTOR_CS)
        return refuse_selector(e, (uint16_t)values[1]);
    g->guest_RSP += 2 * bytes + release;
    g->guest_RIP = values[0];
    return true;
}

/* IRET: rip, cs, flags, rsp, ss. */
static bool return_from_interrupt(struct engine *e, const struct decoded *d) {
    VexGuestAMD64State *g = &e->area.guest;
    uint64_t values[5];
    unsigned bytes = operand_bytes(d);
    if (!read_stack(e, values, 5, bytes))
        return false;
    if ((uint16_t)values[1] != SELECTOR_CS)
        return refuse_selector(e, (uint16_t)values[1]);
    if ((uint16_t)values[4] != SELECTOR_SS)
        return refuse_selector(e, (uint16_t)values[4]);
    special_set_flags(e, values[2], bytes);
    g->guest_RIP = values[0];
    g->guest_RSP = values[3];
    return true;
}

/* JMP and CALL to a far address in memory. */
static bool jump_far(struct engine *e, const struct decoded *d, const struct operand *o) {
    VexGuestAMD64State *g = &e->area.guest;
    unsigned bytes = operand_bytes(d);
    uint64_t rip = 0, back[2] = {g->guest_RIP + d->length, SELECTOR_CS};
    uint16_t selector;
    if (!memory_read(e, o->address, &rip, bytes) ||
        !memory_read(e, o->address + bytes, &selector, sizeof selector))
        return false;
    if (selector != SELECTOR_CS)
        return refuse_selector(e, selector);
    for (unsigned i = 0; o->field == 3 && i < 2; i++) {
        if (!memory_store(e, g->guest_RSP - (2 - i) * bytes, &back[i], bytes))
            return false;
    }
    if (o->field == 3)
        g->guest_RSP -= 2 * bytes;
    g->guest_RIP = rip;
    return true;
}

static bool is_far_jump(const struct decoded *d) {
    int field = decode_field(d);
    return d->opcode == 0xff && (field == 3 || field == 5) && decode_is_memory(d);
}

/* ---- which of them ---- */

static bool has_operand(unsigned opcode) {
    switch (opcode) {
    case 0x8c:
    case 0x8e:
    case TWO_BYTE | 0x00:
    case TWO_BYTE | 0x01:
    case TWO_BYTE | 0x02:
    case TWO_BYTE | 0x03:
    case TWO_BYTE | 0xb2:
    case TWO_BYTE | 0xb4:
    case TWO_BYTE | 0xb5: return true;
    }
    return false;
}

bool segment_wants(const struct decoded *d) {
    switch (d->opcode) {
    case 0xca:
    case 0xcb:
    case 0xcf:
    case TWO_BYTE | 0xa0:
    case TWO_BYTE | 0xa1:
    case TWO_BYTE | 0xa8:
    case TWO_BYTE | 0xa9: return true;
    }
    return has_operand(d->opcode) || is_far_jump(d);
}

bool segment_overrides(const struct decoded *d) {
    int field = decode_field(d);
    return d->opcode == 0x8c || d->opcode == 0xcf ||
           (d->opcode == (TWO_BYTE | 0x01) && decode_is_memory(d) && field < 2);
}

bool segment_is_complete(const struct engine *e, const struct decoded *d) {
    struct decoded copy = *d;
    struct operand o;
    return has_operand(d->opcode) || is_far_jump(d) ? decode_operand(e, &copy, &o)

                                                    : d->length + (d->opcode == 0xca ? 2 : 0) <= d->available;
}

bool segment_execute(struct engine *e, struct decoded *d) {
    struct operand o;
    if ((has_operand(d->opcode) || is_far_jump(d)) && !decode_operand(e, d, &o))
        return special_raise(e, VECTOR_UD, 0);
    switch (d->opcode) {
    case 0x8c: return move_from(e, d, &o);
    case 0x8e: return move_to(e, d, &o);
    case 0xca:
    case 0xcb: return return_far(e, d);
    case 0xcf: return return_from_interrupt(e, d);
    case 0xff: return jump_far(e, d, &o);
    case TWO_BYTE | 0x00: return verify(e, d, &o);
    case TWO_BYTE | 0x01: return system_group(e, d, &o);
    case TWO_BYTE | 0x02:
    case TWO_BYTE | 0x03: return inspect(e, d, &o);
    case TWO_BYTE | 0xa0:
    case TWO_BYTE | 0xa8: return push(e, d);
    case TWO_BYTE | 0xa1:
    case TWO_BYTE | 0xa9: return pop(e, d);
    }
    return load_far(e, d, &o);
}
