/* The CPU state area: what rbp points at while translated code runs.
 *
 *   +-------------------+------------------------+-------------+---------------+----------------+
 *   | VexGuestAMD64State | ours, where the library | spill area  | fetch tokens  | indirect jumps |
 *   | (guest registers)  | would keep two shadows  | (library's) | (fetch TLB)   |                |
 *   +-------------------+------------------------+-------------+---------------+----------------+
 *
 * Translated code addresses all of it by constant offsets. A fetch token is the number of the code page
 * (codecache.h) that is present, executable and unchanged in that place of the fetch TLB, 0 for none. */
#ifndef ENGINE_SOFT_AREA_H
#define ENGINE_SOFT_AREA_H

#include <stddef.h>
#include <stdint.h>
#include <valgrind/libvex.h>
#include <valgrind/libvex_guest_amd64.h>

#include "engine/soft/offsets.h"

enum { FETCH_ENTRIES = 1024 };

struct jump {
    uint64_t pc; /* the guest's address; in a place that it does not belong to iff the entry is empty */
    const void *code;
};

struct area {
    VexGuestAMD64State guest;
    /* Ours. */
    uint64_t stack;
    void (*fetch_failed)(void);
    uint32_t *log_position; /* log.h. Traced code only */
    uint64_t scratch;       /* see quirk.c */
    uint8_t unused[2 * sizeof(VexGuestAMD64State) - 32];
    uint8_t spill[LibVEX_N_SPILL_BYTES];
    uint32_t fetch_token[FETCH_ENTRIES]; /* by page number modulo FETCH_ENTRIES */
    struct jump jumps[JUMP_ENTRIES];     /* by address modulo JUMP_ENTRIES */
    /* Where in the host's memory the pages are that fetch_token is for: the lower half of page numbers. */
    uint32_t fetch_host_page[FETCH_ENTRIES];
} __attribute__((aligned(64)));

_Static_assert(offsetof(VexGuestAMD64State, guest_RIP) == AREA_RIP, "dispatch.S");
_Static_assert(offsetof(VexGuestAMD64State, host_EvC_COUNTER) == AREA_COUNTER, "entry.c");
_Static_assert(offsetof(struct area, stack) == AREA_STACK, "dispatch.S");
_Static_assert(offsetof(struct area, fetch_failed) == AREA_FETCH_FAILED, "entry.c");
_Static_assert(offsetof(struct area, spill) == 3 * sizeof(VexGuestAMD64State),
               "libvex.h, guest state layout");
_Static_assert(offsetof(struct area, jumps) == AREA_JUMPS, "dispatch.S");
_Static_assert(sizeof(struct jump) == 1 << JUMP_SHIFT, "dispatch.S");

/* What comes back from translated code: one of EXIT_…, and its value. */
struct area_exit {
    uint64_t kind, value;
};

/* dispatch.S: runs translated code until it needs the dispatcher. */
struct area_exit area_enter(struct area *, const void *code);
/* Abandons the helper that calls it and the translated code that called the helper: area_enter() returns
 * {kind, value}. Only while translated code of this area is being run. */
_Noreturn void area_leave(struct area *, uint64_t kind, uint64_t value);

/* Where translated code jumps to; not to be called from C. */
void area_chain(void);
void area_indirect(void);
void area_assist(void);
void area_event(void);
void area_fetch_failed(void);
void area_miss(void);

#endif
