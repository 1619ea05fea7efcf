/* What translated code calls on its way to memory.
 *
 * Each takes the area, the guest's address, and the access in one word:
 *
 *   63        48 47       32 31     19 18  16 15       0
 *   +-----------+-----------+---------+------+----------+
 *   |     0     |   left    |    0    |access|  bytes   |
 *   +-----------+-----------+---------+------+----------+
 *
 * `left` is the number of the block's instructions that will not have been executed if this one faults. */
#ifndef ENGINE_SOFT_ACCESS_H
#define ENGINE_SOFT_ACCESS_H

#include "engine/soft/area.h"

enum { ACCESS_INFO_ACCESS = 16, ACCESS_INFO_LEFT = 32 };

static inline uint64_t access_info(unsigned bytes, unsigned access, unsigned left) {
    return bytes | (uint64_t)access << ACCESS_INFO_ACCESS | (uint64_t)left << ACCESS_INFO_LEFT;
}
static inline unsigned access_bytes(uint64_t info) {
    return (uint16_t)info;
}
static inline unsigned access_kind(uint64_t info) {
    return info >> ACCESS_INFO_ACCESS & 7;
}
static inline unsigned access_left(uint64_t info) {
    return (uint16_t)(info >> ACCESS_INFO_LEFT);
}

/* TLB miss of a normal block: afterwards the TLB entry's addend leads to the bytes. */
void access_miss(struct area *, uint64_t address, uint64_t info);
/* Any access of a single instruction: returns the host address of the bytes. */
uint64_t access_single(struct area *, uint64_t address, uint64_t info);
/* Traced code: the page of an access, found at `host`, or of a block's entry, differs from the last one. */
void access_reference(struct area *, uint64_t address, uint64_t host);
void access_fetched(struct area *, uint64_t vpn);
/* Raise an exception before the instruction. */
void access_protection(struct area *, uint64_t left); /* #GP */
void access_undefined(struct area *, uint64_t left);  /* #UD */

#endif
