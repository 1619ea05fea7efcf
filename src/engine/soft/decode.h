/* Decoding as far as special.c and x87.c need it: prefixes, opcode, and one operand in memory or a register
 * (Intel SDM vol. 2A, chapter 2). */
#ifndef ENGINE_SOFT_DECODE_H
#define ENGINE_SOFT_DECODE_H

#include "engine/soft/soft.h"

enum {
    REX_B = 1,
    REX_X = 2,
    REX_R = 4,
    REX_W = 8,
    TWO_BYTE = 0x0f00, /* opcodes behind 0f */
    VEX_MASKMOV = 0x10000 | TWO_BYTE | 0xf7,
};

struct decoded {
    const uint8_t *bytes;
    unsigned available;
    unsigned opcode;
    unsigned length; /* up to and with the opcode; after decode_operand(), with the operand */
    uint8_t rex;
    bool operand16, address32;
    uint8_t repeat;  /* the prefix f2 or f3, else 0 */
    uint8_t segment; /* the prefix 64 or 65, else 0 */
};

/* The operand that a ModRM byte describes. */
struct operand {
    unsigned field; /* the other one, or part of the opcode: 0 … 7, without REX.R */
    bool in_register;
    unsigned number;  /* of the register */
    uint64_t address; /* of the memory */
};

/* False when the bytes that are there end before the opcode does. */
bool decode(const uint8_t *bytes, unsigned available, struct decoded *ret);

/* The operand of an instruction without an immediate, with the registers as they are. False when its bytes
 * are not all there. */
bool decode_operand(const struct engine *, struct decoded *, struct operand *ret);

/* The value of the ModRM byte's middle field, or -1 when the byte is not there; and whether it names memory.
 */
int decode_field(const struct decoded *);
bool decode_is_memory(const struct decoded *);

/* An address as the address-size prefix cuts it; the segment's base. */
uint64_t decode_effective(const struct decoded *, uint64_t address);
uint64_t decode_segment_base(const struct engine *, const struct decoded *);

/* A general register. */
static inline uint64_t *general_register(struct engine *e, unsigned number) {
    uint8_t *first = (uint8_t *)&e->area.guest + offsetof(VexGuestAMD64State, guest_RAX);
    return (uint64_t *)(void *)first + number;
}

#endif
