/* The soft engine: what its modules share.
 *
 *   soft.c         engine_ops: life, runs, what is to be forgotten
 *   dispatch.c     finds or translates blocks, connects them, turns their exits into traps; dispatch.S
 *   fetch.c        the fetch TLB and code pages; codecache.c keeps the blocks
 *   watch.c        places whose execution the client wants to know of
 *   access.c       TLB misses and all other ways to guest memory; tlb.c
 *   log.c          the log of references
 *   single.c       the slow path: one instruction as a block of its own, taken back if it faults
 *   special.c      instructions that the library lacks or gets wrong, executed here; decode.c, x87.c,
 *                  bits.c, segment.c, vector.c
 *   encoding.c     encodings about which the processor and the library disagree
 *   fault.c        which exception an impossible address is
 *   translate.c    drives the library, whose intermediate code is rewritten
 *                    instrument.c  instruction by instruction:
 *                    order.c       register writes behind accesses
 *                    expand.c      accesses through the TLB; thunk.c, divide.c, helper.c, quirk.c
 *                    trace.c       what traced code logs
 *                  entry.c writes the beginning of a block
 *   cpu.c, cpuid.c registers, and what programs are told about the processor
 *
 * Registers are exact: whenever a helper is called from translated code, the area holds the guest's registers
 * as they were before the instruction that is being executed (rip: before the block, see access.h), or, on
 * the slow path, `snapshot` does. */
#ifndef ENGINE_SOFT_SOFT_H
#define ENGINE_SOFT_SOFT_H

#include <stdatomic.h>

#include "engine/soft/area.h"
#include "engine/soft/codecache.h"
#include "engine/soft/log.h"
#include "engine/soft/tlb.h"
#include "engine/soft/watch.h"
#include "hw/engine.h"

enum {
    BOUNCE_BYTES = 512,           /* the largest access of one helper call, and room to align it */
    BOUNCE_ALIGNMENT = 64,        /* what an address in the bounce buffer keeps of the guest's */
    CHUNK_INSTRUCTIONS = 1 << 16, /* between two looks at `kicked`; of traced code LOG_CHUNK */
    BLOCK_INSTRUCTIONS = 50,      /* the most in a block */
    INSTRUCTION_MAX = 15,         /* bytes */
};

struct cpu {
    VexGuestAMD64State guest;
    bool trap_flag; /* the library has no such bit */
};

/* One place of the fetch TLB; valid iff area.fetch_token of the same index is not 0. */
struct fetch_entry {
    struct code_page *page;
    pfn_t frame;
};

struct engine {
    struct area area; /* first: translated code's rbp is the engine's address */
    struct physmem *mem;
    struct engine_client client;
    enum cpu_level level;
    struct tlb tlb;
    struct codecache cache;
    struct fetch_entry fetch[FETCH_ENTRIES];
    struct watches watches;

    /* What runs. */
    struct page_table *table; /* whose translations the TLBs hold; NULL for none */
    struct cpu *loaded;       /* whose registers the area holds; NULL for none */
    bool trap_flag;           /* of `loaded` */
    bool running;             /* `table` is in use, and will be when the client returns */
    struct trap trap;         /* why the run ends */

    /* Instructions: the counter in the area counts down from `chunk`. */
    uint32_t chunk;
    uint64_t remaining;              /* of the run's budget, at the start of the chunk */
    struct engine_counters counters; /* instructions: up to the start of the chunk */
    atomic_bool kicked;              /* also by other threads and signal handlers */
    uint32_t flushes;     /* of the code cache: addresses in it from before the last one are void */
    unsigned left;        /* while a helper makes an access: see instructions_now() */
    uint32_t *log;        /* NULL: the client wants no references */
    unsigned instruction; /* offset from rip of the instruction that has called a helper, unless `alone` */
    bool alone;           /* the slow path executes one: `snapshot` holds the registers before it */

    /* The slow path: one instruction is being executed alone. */
    VexGuestAMD64State snapshot; /* the registers before it */
    uint8_t bounce[BOUNCE_BYTES] __attribute__((aligned(BOUNCE_ALIGNMENT)));
    struct {
        uint64_t address;
        uint8_t *data;   /* in the bounce buffer */
        unsigned length; /* bytes that the instruction stored there and that are not in guest memory yet */
    } pending;
};

static inline struct engine *engine_of_area(struct area *area) {
    return (struct engine *)area;
}

/* ---- counting ---- */

/* The counter of the area is what is left of the chunk. A block whose instructions it covers subtracts them
 * and goes on; else the dispatcher decides: any block may run while something is left, so that a budget is
 * passed by less than one block, and at the same instruction whatever the translated code came from. */
static inline uint32_t counter_get(const struct engine *e) {
    return e->area.guest.host_EvC_COUNTER;
}
static inline void counter_set(struct engine *e, uint32_t chunk) {
    e->chunk = e->area.guest.host_EvC_COUNTER = chunk;
}
/* Instructions that were counted by the block's entry but not executed. */
static inline void instructions_uncount(struct engine *e, uint64_t n) {
    e->area.guest.host_EvC_COUNTER += (uint32_t)n;
}
/* Executed in all up to now, if `left` instructions of the current block are not. */
static inline uint64_t instructions_now(const struct engine *e, uint64_t left) {
    return e->counters.instructions + e->chunk - counter_get(e) - left;
}

/* ---- memory as the guest sees it ---- */

/* Translates an access within one page (`access`: enum access bits), asking the client to resolve a fault; it
 * is a reference. False: engine.trap says why not. Otherwise the host address is good until the next
 * translation. */
bool memory_translate(struct engine *, uint64_t address, unsigned access, uint8_t **ret_host);
/* The frame that a host address of guest memory is in. */
static inline pfn_t frame_at(const struct engine *e, const uint8_t *host) {
    return (pfn_t){(uint32_t)((uint64_t)(host - e->mem->base) >> PAGE_SHIFT)};
}
/* Copies out of guest memory, page by page; false as above. */
bool memory_read(struct engine *, uint64_t address, void *to, unsigned length);
/* Copies into guest memory, page by page, and drops translations of what it overwrites. */
bool memory_write(struct engine *, uint64_t address, void *from, unsigned length);
/* For a store that cannot be done in place, or not yet: copies the old content to the bounce buffer, having
 * checked that all of it can be stored to; memory_commit() will store what is there then. */
bool memory_prepare(struct engine *, uint64_t address, unsigned length);
/* Stores all of it or nothing, as an instruction does. */
bool memory_store(struct engine *, uint64_t address, const void *from, unsigned length);
/* Stores what the last single instruction left in the bounce buffer. */
bool memory_commit(struct engine *);

/* Sets engine.trap. */
void trap_exception(struct engine *, enum trap_vector, uint64_t error_code);

/* fault.c: engine.trap is #GP at an address that cannot be one; decides between #GP and #SS. */
void fault_choose_segment(struct engine *);

/* ---- code ---- */

/* Flushes the code cache unless there is room for a few code pages and blocks, more than one step of the
 * dispatcher makes. */
void code_make_room(struct engine *);
/* The code page of an address to be executed: present, executable, in the fetch TLB; it is a reference. NULL:
 * engine.trap says why not. */
struct code_page *fetch_page(struct engine *, uint64_t address);
/* The bytes of a page that fetch_page() has just returned. */
const uint8_t *fetch_bytes(const struct engine *, vpn_t vpn);
void fetch_forget(struct engine *, vpn_t vpn);
void fetch_flush(struct engine *);
/* Verifies that every entry agrees with the running page table. NULL, or what is wrong. */
const char *fetch_check(const struct engine *);
/* Empties the table of indirect jumps. */
void jumps_clear(struct engine *);
/* Bytes of the content were or will be overwritten: drops translations of them. */
void code_written(struct engine *, page_id_t, unsigned offset, unsigned length);
/* Drops translations of the byte at this address, whatever the page's content. */
void code_forget_address(struct engine *, uint64_t address);
/* Whether any of these bytes is translated. */
bool code_overlaps(const struct engine *, page_id_t, unsigned offset, unsigned length);

/* ---- execution ---- */

/* Runs until engine.trap is set. */
void dispatch_run(struct engine *);
/* What translated code asked for by a VEX_TRC_ code. False: engine.trap is set. */
bool dispatch_assist(struct engine *, uint64_t reason);
/* Executes the instruction at rip alone. False: engine.trap is set. */
bool single_run(struct engine *);

/* ---- cpu.c ---- */

void cpu_load(struct engine *, struct cpu *);
uint64_t cpu_get_flags(const VexGuestAMD64State *, bool trap_flag);
void cpu_set_flags(VexGuestAMD64State *, uint64_t flags, bool *ret_trap_flag);

#endif
