/* A make-believe machine that does nothing but serve faults, fast: for long traces. One process touches pages
 * at random, more than there are frames; victims are taken in turn. Its events follow from each other. */
#ifndef TESTS_TRACE_CYCLE_H
#define TESTS_TRACE_CYCLE_H

#include "base/rng.h"
#include "hw/pte.h"
#include "trace/event.h"
#include "trace/header.h"
#include "trace/sink.h"

enum { CYCLE_FRAMES = 512, CYCLE_RESERVED = 3, CYCLE_PAGES = 2048 };

struct cycle {
    struct trace trace;
    struct rng rng;
    uint64_t instructions;
    uint64_t faults;
    uint32_t hand;                  /* the frame that goes next */
    uint32_t page_in[CYCLE_FRAMES]; /* the page in a frame + 1; 0: none */
    pte_t entries[CYCLE_PAGES];     /* page n's; its slot is n, its identity n + 1 */
};

void cycle_start(struct cycle *, uint64_t seed, struct trace_sink *);
/* Until at least so many events were emitted. */
void cycle_run(struct cycle *, uint64_t events);
void cycle_stop(struct cycle *);
const struct trace_header *cycle_header(void);

#endif
