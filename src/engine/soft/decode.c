#include "engine/soft/decode.h"

#include <string.h>

static bool take_prefix(struct decoded *d, uint8_t c) {
    switch (c) {
    case 0x66: d->operand16 = true; return true;
    case 0x67: d->address32 = true; return true;
    case 0xf0: d->lock = true; return true;
    case 0xf2:
    case 0xf3: d->repeat = c; return true;
    case 0x64:
    case 0x65: d->segment = c; return true;
    case 0x26:
    case 0x2e:
    case 0x36:
    case 0x3e: return true;
    }
    return false;
}

/* REX counts only right before the opcode. */
static unsigned take_prefixes(struct decoded *d) {
    unsigned i = 0;
    for (; i < d->available && i < INSTRUCTION_MAX; i++) {
        uint8_t c = d->bytes[i];
        bool rex = (c & 0xf0) == 0x40;
        if (!rex && !take_prefix(d, c))
            break;
        d->rex = rex ? c & 15 : 0;
        d->has_rex = rex;
    }
    return i;
}

/* The opcode behind 0f, at i. */
static bool take_escaped(struct decoded *d, unsigned i) {
    if (i >= d->available)
        return false;
    unsigned map = d->bytes[i] == 0x38 ? MAP_38 : d->bytes[i] == 0x3a ? MAP_3A : TWO_BYTE;
    i += map != TWO_BYTE;
    if (i >= d->available)
        return false;
    d->opcode = map | d->bytes[i];
    d->length = i + 1;
    return true;
}

/* The VEX prefix at i, and the opcode. */
static bool take_vex(struct decoded *d, unsigned i) {
    static const unsigned maps[] = {0, TWO_BYTE, MAP_38, MAP_3A};
    static const uint8_t prefixes[] = {0, 0x66, 0xf3, 0xf2};
    bool two = d->bytes[i] == 0xc5;
    if (i + (two ? 2 : 3) >= d->available)
        return false;
    uint8_t first = d->bytes[i + 1], last = two ? first : d->bytes[i + 2];
    unsigned map = two ? 1 : first & 31;
    d->rex = (uint8_t)((first & 0x80 ? 0 : REX_R) | (two || first & 0x40 ? 0 : REX_X) |
                       (two || first & 0x20 ? 0 : REX_B) | (!two && last & 0x80 ? REX_W : 0));
    d->vex_prefix = prefixes[last & 3];
    d->vex_register = ~last >> 3 & 15;
    d->vex_256 = last & 4;
    d->opcode = VEX | (map < 4 ? maps[map] : 0) | d->bytes[i + (two ? 2 : 3)];
    d->length = i + (two ? 3 : 4);
    return true;
}

bool decode(const uint8_t *bytes, unsigned available, struct decoded *ret) {
    *ret = (struct decoded){.bytes = bytes, .available = available};
    unsigned i = ret->prefixes = take_prefixes(ret);
    if (i >= available)
        return false;
    if (bytes[i] == 0xc4 || bytes[i] == 0xc5)
        return take_vex(ret, i);
    if (bytes[i] == 0x0f)
        return take_escaped(ret, i + 1);
    ret->opcode = bytes[i];
    ret->length = i + 1;
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

unsigned decode_operand_bytes(const struct decoded *d) {
    if (d->length + 1 >= d->available)
        return d->length < d->available && d->bytes[d->length] >= 0xc0;
    uint8_t modrm = d->bytes[d->length], sib = d->bytes[d->length + 1];
    unsigned mod = modrm >> 6, rm = modrm & 7;
    bool has_sib = mod != 3 && rm == 4;
    bool wide = mod == 2 || (mod == 0 && (rm == 5 || (has_sib && (sib & 7) == 5)));
    unsigned bytes = 1 + has_sib + (mod == 1 ? 1 : wide ? 4 : 0);
    return d->length + bytes <= d->available ? bytes : 0;
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
    bool relative = ret->relative = mod == 0 && rm == 5;
    unsigned bytes = mod == 1 ? 1 : mod == 2 || relative || displacement ? 4 : 0;
    if (i + bytes > d->available)
        return false;
    int32_t distance = 0;
    memcpy(&distance, d->bytes + i, bytes);
    if (bytes == 1)
        distance = (int8_t)distance;
    d->length = i + bytes;
    ret->address += (uint64_t)(int64_t)distance + (relative ? e->area.guest.guest_RIP + d->length : 0);
    ret->offset = decode_effective(d, ret->address);
    ret->address = ret->offset + decode_segment_base(e, d);
    return true;
}
