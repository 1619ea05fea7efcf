#include "engine/soft/decode.h"

#include <string.h>

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

bool decode(const uint8_t *bytes, unsigned available, struct decoded *ret) {
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
        ret->rex = bytes[i] & 0x80 ? 0 : REX_R;
        ret->opcode = VEX_MASKMOV;
        i += 2;
    }
    ret->length = i;
    return true;
}

int decode_field(const struct decoded *d) {
    return d->length < d->available ? d->bytes[d->length] >> 3 & 7 : -1;
}

bool decode_is_memory(const struct decoded *d) {
    return d->length < d->available && d->bytes[d->length] < 0xc0;
}

uint64_t decode_effective(const struct decoded *d, uint64_t address) {
    return d->address32 ? (uint32_t)address : address;
}

uint64_t decode_segment_base(const struct engine *e, const struct decoded *d) {
    return d->segment == 0x64   ? e->area.guest.guest_FS_CONST
           : d->segment == 0x65 ? e->area.guest.guest_GS_CONST
                                : 0;
}

static uint64_t value_of(const struct engine *e, unsigned number) {
    uint64_t value;
    memcpy(&value, (const uint8_t *)&e->area.guest.guest_RAX + number * sizeof value, sizeof value);
    return value;
}

/* Base and index of a SIB byte; *ret_displacement: a displacement takes the place of the base. */
static uint64_t scaled(const struct engine *e, const struct decoded *d, uint8_t sib, unsigned mod,
                       bool *ret_displacement) {
    unsigned base = sib & 7, index = (sib >> 3 & 7) | (d->rex & REX_X ? 8 : 0);
    uint64_t address = index == 4 ? 0 : value_of(e, index) << (sib >> 6);
    *ret_displacement = base == 5 && mod == 0;
    return *ret_displacement ? address : address + value_of(e, base | (d->rex & REX_B ? 8 : 0));
}

bool decode_operand(const struct engine *e, struct decoded *d, struct operand *ret) {
    unsigned i = d->length;
    if (i >= d->available)
        return false;
    uint8_t modrm = d->bytes[i++];
    unsigned mod = modrm >> 6, rm = modrm & 7;
    bool displacement = false;
    *ret = (struct operand){
        .field = modrm >> 3 & 7, .in_register = mod == 3, .number = rm | (d->rex & REX_B ? 8 : 0)};
    if (!ret->in_register && rm == 4) {
        if (i >= d->available)
            return false;
        ret->address = scaled(e, d, d->bytes[i++], mod, &displacement);
    } else if (!ret->in_register && !(rm == 5 && mod == 0)) {
        ret->address = value_of(e, ret->number);
    }
    bool relative = mod == 0 && rm == 5;
    unsigned bytes = mod == 1 ? 1 : mod == 2 || relative || displacement ? 4 : 0;
    if (i + bytes > d->available)
        return false;
    int32_t distance = 0;
    memcpy(&distance, d->bytes + i, bytes);
    if (bytes == 1)
        distance = (int8_t)distance;
    d->length = i + bytes;
    ret->address += (uint64_t)(int64_t)distance + (relative ? e->area.guest.guest_RIP + d->length : 0);
    ret->address = decode_effective(d, ret->address) + decode_segment_base(e, d);
    return true;
}
