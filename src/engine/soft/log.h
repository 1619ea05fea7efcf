/* The reference log: what translated code and the helpers write down of the accesses that programs make.
 *
 *     pages   [0]     [1]     …    [n - 1]    [n]          [n + k]
 *     rests   [0]     [1]     …    [n - 1]    [n]          [n + k]      LOG_ENTRIES behind
 *                                             ▲            where the block's next one goes
 *                 area.log_position ──────────┘            k: known where the block is translated
 *
 * Every access adds an entry, at a place that does not depend on what the accesses before it were; which
 * entries say nothing new is found out later, for many at a time (hw/join.h). Translated code moves the
 * position when it leaves the block, or calls what may leave it or look at the log; a TLB miss, which does
 * both, is told k and moves it for as long as it takes (access_miss). Has the log been delivered by then, the
 * position that the block goes on with lies k before the log's beginning: nothing is written below it.
 *
 * In the log, a page is the low half of the host page's number and a count what the counter of the chunk
 * stood at, which is what translated code has at hand (struct reference_log). A load across pages adds an
 * entry for the bounce buffer, a guarded access that is not made one for log_no_page(): these are no frames.
 *
 * The log is empty whenever the client is called, but for page_id() and references(), and when run() returns:
 * so whatever the client does to frames, it has seen every access to what they held.
 *
 * No access can find the log full. Translated code adds at most LOG_INSTRUCTION entries an instruction, as
 * often as the chunk has instructions, and as often again, for those that it begins and the slow path then
 * repeats. The helpers look: they deliver when LOG_HELPED entries are there. */
#ifndef ENGINE_SOFT_LOG_H
#define ENGINE_SOFT_LOG_H

#include "hw/types.h"

enum {
    LOG_CHUNK = 8192,     /* instructions of a chunk of traced code: its entries stay in the host's cache */
    LOG_INSTRUCTION = 24, /* the most that an instruction in a block adds, with the fetch of the block */
    LOG_HELPED = 8192,
    /* How far apart the halves of an entry are: not whole pages, so in other sets of the cache. */
    LOG_ENTRIES = 401 * 1024 + 512,
};

struct engine;

/* 0 or -ENOMEM. Nothing unless the client wants references. */
int log_create(struct engine *);
void log_destroy(struct engine *);

/* The low half of the number of a page that holds no frame. */
uint32_t log_no_page(const struct engine *);

/* An access (`access`: enum access bits) to the page at `host`. */
void log_add(struct engine *, const void *host, unsigned access);

/* Tells the client what is in the log and empties it. */
void log_deliver(struct engine *);

#endif
