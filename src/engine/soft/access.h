/* What translated code calls on its way to memory.
 *
 * Each is told where in its block it is called from, in one word, its place; and the access:
 *
 *   31 30 29                18 17         12 11   9 8         0
 *   +----+--------------------+-------------+------+-----------+
 *   | 0  | offset in block    | left        |access| bytes     |
 *   +----+--------------------+-------------+------+-----------+
 *          \_____________ place ____________/
 *
 * The offset is that of the instruction; rip in the area is still that of the block's first one. `left` is
 * the number of the block's instructions that will not have been executed if this one faults. */
#ifndef ENGINE_SOFT_ACCESS_H
#define ENGINE_SOFT_ACCESS_H

#include "engine/soft/area.h"

enum { PLACE_OFFSET = 6, ACCESS_INFO_KIND = 9, ACCESS_INFO_PLACE = 12 };

static inline unsigned place_make(unsigned left, unsigned offset) {
    return left | offset << PLACE_OFFSET;
}
static inline unsigned place_left(uint64_t place) {
    return place & 63;
}
static inline unsigned place_offset(uint64_t place) {
    return (unsigned)(place >> PLACE_OFFSET);
}
static inline unsigned access_info(unsigned bytes, unsigned kind, unsigned place) {
    return bytes | kind << ACCESS_INFO_KIND | place << ACCESS_INFO_PLACE;
}
static inline unsigned access_bytes(uint64_t info) {
    return info & 511;
}
static inline unsigned access_kind(uint64_t info) {
    return info >> ACCESS_INFO_KIND & 7;
}
static inline unsigned access_place(uint64_t info) {
    return (unsigned)(info >> ACCESS_INFO_PLACE);
}

/* Abandons the block before the instruction at `place`: area_enter() returns `kind` and the instructions
 * left, and rip is that of the instruction. */
_Noreturn void access_leave(struct area *, uint64_t kind, unsigned place);

/* TLB miss of a normal block, which has added `logged` entries that log_position does not count yet:
 * afterwards the TLB entry's addend leads to the bytes. */
void access_miss(struct area *, uint64_t address, uint64_t info, uint64_t logged);
/* Any access of a single instruction: returns the host address of the bytes. */
uint64_t access_single(struct area *, uint64_t address, uint64_t info);
/* Raise an exception before the instruction. */
void access_protection(struct area *, uint64_t place); /* #GP */
void access_undefined(struct area *, uint64_t place);  /* #UD */

#endif
