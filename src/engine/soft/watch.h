/* Places that are watched: the client is told when one is about to be executed for the first time.
 *
 * A translation of a watched instruction begins with a call of watch_passed(); nothing else about blocks
 * changes, so that execution is the same with and without. Translations are shared by page tables, watches
 * belong to one: the call looks whether a watch of the running table is open. An address stays `marked` for
 * good, so that the next process that runs the same program finds its translations as they must be. */
#ifndef ENGINE_SOFT_WATCH_H
#define ENGINE_SOFT_WATCH_H

#include "base/map.h"
#include "hw/pagetable.h"

struct area;
struct engine;

/* One that has not been reached. */
struct watch {
    const struct page_table *table;
    uint64_t address;
};

struct watches {
    struct watch *open;
    size_t count, capacity;
    struct map marked; /* addresses whose translations call watch_passed() */
};

/* 0 or -ENOMEM. A place that is watched already is not watched twice. */
int watch_add(struct engine *, const struct page_table *, uint64_t address);
void watch_remove_table(struct engine *, const struct page_table *);
void watch_free(struct engine *);

/* Whether translations of the instruction there must call watch_passed(). */
bool watch_is_marked(const struct engine *, uint64_t address);
/* The instruction is about to be executed in the running table. */
void watch_reached(struct engine *, uint64_t address);
/* The same, called by translated code at `place` (access.h). */
void watch_passed(struct area *, uint64_t place);

#endif
