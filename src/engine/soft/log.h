/* The reference log: what translated code and the helpers write down of the accesses that programs make.
 *
 *     entries  [0]      [1]       [2]     …     [n]          [n + 1]
 *              not one  frame …   frame …       frame …      where the next one goes
 *                                               ▲
 *                          area.log_position ───┘   area.log_open: the host page of entry n
 *
 * An access to another page than entry n's begins entry n + 1; any other one adds its kind to entry n. What
 * is behind entry n is junk: translated code writes there in advance, and decides afterwards whether it
 * counts.
 *
 * In the log, `frame` is the low half of the host page's number and `count` what the counter of the chunk
 * stood at, which is what translated code has at hand; they are put right when the log is delivered. A load
 * across pages adds an entry for the bounce buffer, which is no frame.
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
};

struct engine;

/* 0 or -ENOMEM. Nothing unless the client wants references. */
int log_create(struct engine *);
void log_destroy(struct engine *);

/* An access (`access`: enum access bits) to the page at `host`. */
void log_add(struct engine *, const void *host, unsigned access);

/* Tells the client what is in the log and empties it. */
void log_deliver(struct engine *);

#endif
