/* Source: Intel SDM vol. 2A, BT. The unit that is accessed on memory is the operand's size. */
#include "engine/soft/bits.h"

#include <string.h>

#include "engine/soft/cpu.h"
#include "engine/soft/special.h"

enum { RSP = 4, FLAG_CF = 1 << 0, FLAG_OF = 1 << 11 };

static bool is_bit_test(unsigned opcode) {
    return (opcode & ~0x18u) == (TWO_BYTE | 0xa3);
}

static bool is_rotation(const struct decoded *d) {
    return (d->opcode & ~1u) == 0xd2 && (decode_field(d) == 2 || decode_field(d) == 3);
}

bool bits_wants(const struct decoded *d) {
    if (is_rotation(d))
        return !d->lock;
    if (!is_bit_test(d->opcode) || d->length >= d->available)
        return false;
    uint8_t modrm = d->bytes[d->length];
    bool on_stack_pointer = modrm >= 0xc0 && (modrm & 7) == RSP && !(d->rex & REX_B);
    return (modrm < 0xc0 && !d->lock) || (on_stack_pointer && !d->lock);
}

static uint64_t changed(unsigned opcode, uint64_t value, uint64_t bit) {
    switch (opcode & 0x18) {
    case 0x08: return value | bit;
    case 0x10: return value & ~bit;
    case 0x18: return value ^ bit;
    }
    return value;
}

static void set_carry(struct engine *e, bool carry) {
    uint64_t flags = cpu_get_flags(&e->area.guest, e->trap_flag);
    bool trap_flag;
    cpu_set_flags(&e->area.guest, (flags & ~1ULL) | carry, &trap_flag);
}

static bool on_memory(struct engine *e, const struct decoded *d, uint64_t address, int64_t number,
                      unsigned bytes) {
    unsigned bits = bytes * 8;
    uint64_t unit = decode_effective(d, address + (uint64_t)(number >> (bytes == 8   ? 6
                                                                        : bytes == 4 ? 5
                                                                                     : 4)) *
                                                      bytes) +
                    decode_segment_base(e, d);
    uint64_t value = 0, bit = 1ULL << ((uint64_t)number % bits);
    bool stores = d->opcode & 0x18;
    if (stores ? !memory_prepare(e, unit, bytes) : !memory_read(e, unit, &value, bytes))
        return false;
    if (stores)
        memcpy(&value, e->pending.data, bytes);
    uint64_t result = changed(d->opcode & 0x18, value, bit);
    if (stores)
        memcpy(e->pending.data, &result, bytes);
    if (stores && !memory_commit(e))
        return false;
    set_carry(e, value & bit);
    return special_finish(e, d, 0);
}

/* `value` and above it the carry, rotated by one. */
static uint64_t rotate_once(uint64_t value, unsigned bits, bool left, bool *carry) {
    bool out = value >> (left ? bits - 1 : 0) & 1;
    uint64_t rotated = left ? value << 1 | *carry : value >> 1 | (uint64_t)*carry << (bits - 1);
    *carry = out;
    return rotated & (UINT64_MAX >> (64 - bits));
}

/* RCL and RCR by cl. The overflow flag is defined for a rotation by one. */
static bool rotate(struct engine *e, struct decoded *d, const struct operand *o) {
    unsigned bytes = !(d->opcode & 1) ? 1 : d->rex & REX_W ? 8 : d->operand16 ? 2 : 4, bits = bytes * 8;
    unsigned count = (unsigned)*general_register(e, 1) & (bits == 64 ? 63 : 31);
    bool high = bytes == 1 && o->in_register && !d->has_rex && o->number >= 4, trap_flag;
    uint8_t *place = (uint8_t *)general_register(e, high ? o->number - 4 : o->number) + high;
    uint64_t flags = cpu_get_flags(&e->area.guest, e->trap_flag), value = 0;
    bool carry = flags & FLAG_CF, left = o->field == 2;
    if (!o->in_register) {
        if (!memory_prepare(e, o->address, bytes))
            return false;
        place = e->pending.data;
    }
    memcpy(&value, place, bytes);
    for (unsigned i = 0; i < count; i++)
        value = rotate_once(value, bits, left, &carry);
    memcpy(place, &value, o->in_register && bytes == 4 ? 8 : bytes);
    if (!o->in_register && !memory_commit(e))
        return false;
    if (count) {
        bool top = value >> (bits - 1) & 1, overflow = left ? carry != top : top != (value >> (bits - 2) & 1);
        flags = (flags & ~(uint64_t)(FLAG_CF | FLAG_OF)) | carry | (uint64_t)overflow << 11;
        cpu_set_flags(&e->area.guest, flags, &trap_flag);
    }
    return special_finish(e, d, 0);
}

bool bits_execute(struct engine *e, struct decoded *d) {
    struct operand o;
    bool rotation = is_rotation(d);
    unsigned bytes = d->rex & REX_W ? 8 : d->operand16 ? 2 : 4, bits = bytes * 8;
    if (!decode_operand(e, d, &o))
        return special_raise(e, VECTOR_UD, 0);
    if (rotation)
        return rotate(e, d, &o);
    int64_t number = (int64_t)*general_register(e, o.field | (d->rex & REX_R ? 8 : 0));
    number = bytes == 8 ? number : bytes == 4 ? (int32_t)number : (int16_t)number;
    if (!o.in_register)
        return on_memory(e, d, o.offset, number, bytes);
    uint64_t *value = general_register(e, o.number), bit = 1ULL << ((uint64_t)number % bits);
    set_carry(e, *value & bit);
    uint64_t result = changed(d->opcode, *value, bit);
    *value = bytes == 2 ? (*value & ~0xffffULL) | (uint16_t)result : bytes == 4 ? (uint32_t)result : result;
    return special_finish(e, d, 0);
}
