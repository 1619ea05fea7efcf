/* An access to an address that cannot be one is #GP, or #SS if it was through the stack segment: by the stack
 * pointer, or by an operand whose base is rsp or rbp (Intel SDM vol. 1, 3.3.7.1 and table 3-5). Which of them
 * is found out when the exception has happened, from the instruction. */
#include "engine/soft/decode.h"
#include "engine/soft/special.h"

#include <string.h>

enum { RSP = 4, RBP = 5 };

/* Instructions that access the stack beside their operand, if they have one. */
static bool uses_stack(const struct decoded *d) {
    int field = decode_field(d);
    switch (d->opcode) {
    case 0x68:
    case 0x6a:
    case 0x8f:
    case 0x9c:
    case 0x9d:
    case 0xc2:
    case 0xc3:
    case 0xc8:
    case 0xc9:
    case 0xca:
    case 0xcb:
    case 0xcf:
    case 0xe8:
    case TWO_BYTE | 0xa0:
    case TWO_BYTE | 0xa1:
    case TWO_BYTE | 0xa8:
    case TWO_BYTE | 0xa9: return true;
    case 0xff: return field == 2 || field == 3 || field == 6;
    }
    return d->opcode >= 0x50 && d->opcode <= 0x5f;
}

static bool has_operand(const struct decoded *d) {
    switch (d->opcode) {
    case 0x8f:
    case 0xff: return decode_is_memory(d);
    case 0xa0:
    case 0xa1:
    case 0xa2:
    case 0xa3:
    case 0xa4:
    case 0xa5:
    case 0xa6:
    case 0xa7:
    case 0xaa:
    case 0xab:
    case 0xac:
    case 0xad:
    case 0xae:
    case 0xaf:
    case 0xd7: return false;
    }
    return !uses_stack(d) && decode_is_memory(d);
}

/* Whether the operand is in the stack segment. */
static bool is_on_stack(const struct decoded *d) {
    uint8_t modrm = d->bytes[d->length], mod = modrm >> 6, rm = modrm & 7;
    if (d->segment || d->rex & REX_B)
        return false;
    if (rm != RSP)
        return rm == RBP && mod != 0;
    uint8_t base = d->length + 1 < d->available ? d->bytes[d->length + 1] & 7 : 0;
    return base == RSP || (base == RBP && mod != 0);
}

/* Whether the address is that of the operand, up to its size. */
static bool is_operand_at(const struct engine *e, const struct decoded *d, uint64_t address) {
    struct decoded copy = *d;
    struct operand o;
    return decode_operand(e, &copy, &o) && address - o.address < BOUNCE_BYTES;
}

void fault_choose_segment(struct engine *e) {
    const struct trap trap = e->trap;
    uint64_t pc = e->area.guest.guest_RIP;
    uint8_t bytes[INSTRUCTION_MAX];
    struct decoded d;
    unsigned available = PAGE_SIZE - (pc & PAGE_MASK) < sizeof bytes
                             ? (unsigned)(PAGE_SIZE - (pc & PAGE_MASK))
                             : (unsigned)sizeof bytes;
    bool there = fetch_page(e, pc);
    e->trap = trap;
    e->trap.address = 0;
    if (!there)
        return;
    memcpy(bytes, fetch_bytes(e, vpn_of(pc)) + (pc & PAGE_MASK), available);
    if (!decode(bytes, available, &d))
        return;
    bool operand = has_operand(&d) && (!uses_stack(&d) || is_operand_at(e, &d, trap.address));
    if (operand ? is_on_stack(&d) : uses_stack(&d))
        e->trap.vector = VECTOR_SS;
}
