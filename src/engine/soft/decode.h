/* Decoding as far as the instructions that the library does not execute need it: prefixes, opcode, and one
 * operand in memory or a register (Intel SDM vol. 2A, chapter 2). */
#ifndef ENGINE_SOFT_DECODE_H
#define ENGINE_SOFT_DECODE_H

#include "engine/soft/soft.h"

enum {
    REX_B = 1,
    REX_X = 2,
    REX_R = 4,
    REX_W = 8,
    TWO_BYTE = 0x0f00, /* opcodes behind 0f */
    MAP_38 = 0x3800,   /* behind 0f 38 */
    MAP_3A = 0x3a00,   /* behind 0f 3a */
    VEX = 0x10000,     /* with a VEX prefix */
};

struct decoded {
    const uint8_t *bytes;
    unsigned available;
    unsigned opcode;
    unsigned length;   /* up to and with the opcode; after decode_operand(), with the operand */
    unsigned prefixes; /* bytes before what decides about the opcode's map, REX included */
    uint8_t rex;       /* with a VEX prefix, what REX would be */
    bool has_rex, operand16, address32, lock;
    uint8_t repeat;  /* the prefix f2 or f3, the last of them, else 0 */
    uint8_t segment; /* the prefix 64 or 65, the last of them, else 0 */
    /* Of a VEX prefix. */
    uint8_t vex_prefix; /* 66, f2 or f3, which it stands for, else 0 */
    uint8_t vex_register;
    bool vex_256;
};

/* The operand that a ModRM byte describes. */
struct operand {
    unsigned field;             /* the other one, or part of the opcode: 0 … 7, without REX.R */
    bool in_register, relative; /* relative: to rip, as if no immediate followed */
    unsigned number;            /* of the register */
    uint64_t offset;            /* of the memory, in its segment */
    uint64_t address;           /* of the memory */
};

/* False when the bytes that are there end before the opcode does. */
bool decode(const uint8_t *bytes, unsigned available, struct decoded *ret);

/* The operand of an instruction without an immediate, with the registers as they are. False when its bytes
 * are not all there. */
bool decode_operand(const struct engine *, struct decoded *, struct operand *ret);

/* How many bytes describe it: ModRM, SIB, displacement. 0 when they are not all there. */
unsigned decode_operand_bytes(const struct decoded *);

/* The value of the ModRM byte's middle field, or -1 when the byte is not there; and
 * whether it names memory. */
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

/* A vector register, of which the first 16 bytes are the narrow one. */
static inline uint8_t *vector_register(struct engine *e, unsigned number) {
    return (uint8_t *)&e->area.guest.guest_YMM0 + number * sizeof e->area.guest.guest_YMM0;
}

#endif
