/* See cycle.h. */
#include "cycle.h"

#include <string.h>

#define VPN_BASE 0x400ULL

static void emit(struct cycle *c, enum event_kind kind, unsigned flags, uint64_t a, uint64_t b, uint64_t d,
                 uint64_t e, uint64_t f) {
    c->instructions += rng_below(&c->rng, 50);
    trace_emit(&c->trace, kind, flags, a, b, d, e, f);
}

static void set_entry(struct cycle *c, uint32_t page, pte_t new) {
    emit(c, EVENT_PTE, 0, 1, VPN_BASE + page, c->entries[page].v, new.v, 0);
    c->entries[page] = new;
}

static void evict(struct cycle *c, uint32_t frame) {
    uint32_t page = c->page_in[frame] - 1;
    emit(c, EVENT_VICTIM, EVENT_VICTIM_TO_SWAP, frame, page + 1, 0, 0, 0);
    emit(c, EVENT_SLOT, 1, page, page + 1, 0, 0, 0);
    emit(c, EVENT_SWAP_OUT, 0, frame, page, page + 1, 0, 0);
    set_entry(c, page, pte_make_swapped((slot_t){page}, 3, 0));
    emit(c, EVENT_FRAME, EVENT_FRAME_FREE, frame, 0, 0, 0, 0);
}

static void fill(struct cycle *c, uint32_t frame, uint32_t page) {
    bool swapped = pte_is_swapped(c->entries[page]);
    if (swapped)
        emit(c, EVENT_SWAP_IN, 0, frame, page, page + 1, 0, 0);
    else
        emit(c, EVENT_ZERO_FILL, 0, frame, page + 1, 0, 0, 0);
    emit(c, EVENT_FRAME, EVENT_FRAME_ANONYMOUS, frame, page + 1, 0, 0, 0);
    set_entry(c, page, pte_make_present((pfn_t){frame}, 3, 0));
    if (swapped)
        emit(c, EVENT_SLOT, 0, page, page + 1, 0, 0, 0);
    c->page_in[frame] = page + 1;
}

static void touch(struct cycle *c, uint32_t page) {
    uint64_t address = (VPN_BASE + page) * PAGE_SIZE;
    bool swapped = pte_is_swapped(c->entries[page]);
    if (pte_is_present(c->entries[page]))
        return;
    c->faults++;
    emit(c, EVENT_FAULT, ACCESS_WRITE, 1, address, c->entries[page].v, 0, 0);
    if (c->page_in[c->hand])
        evict(c, c->hand);
    fill(c, c->hand, page);
    emit(c, EVENT_FAULT_DONE, swapped ? EVENT_FAULT_SWAP_IN : EVENT_FAULT_ZERO_FILL, 1, address,
         c->entries[page].v, swapped, 1);
    if (++c->hand == CYCLE_FRAMES)
        c->hand = CYCLE_RESERVED;
}

void cycle_start(struct cycle *c, uint64_t seed, struct trace_sink *sink) {
    memset(c, 0, sizeof *c);
    c->rng.state = seed;
    c->trace.instruction = &c->instructions;
    c->hand = CYCLE_RESERVED;
    trace_add_sink(&c->trace, sink);
    uint64_t format = trace_string(&c->trace, "array", 5), policy = trace_string(&c->trace, "fifo", 4);
    emit(c, EVENT_MACHINE_START, 0, CYCLE_FRAMES, CYCLE_RESERVED, CYCLE_PAGES, format, policy);
    c->trace.pid = 1;
    emit(c, EVENT_SPACE_CREATE, 0, 1, 1, 0, 0, 0);
    emit(c, EVENT_PROCESS_CREATE, 0, 0, 1, 0, 0, 0);
    emit(c, EVENT_MAP, 3, 1, VPN_BASE, CYCLE_PAGES, 0, 0);
    emit(c, EVENT_SWITCH, 0, 1, 0, 0, 0, 0);
    emit(c, EVENT_REACHED, EVENT_REACHED_MAIN, VPN_BASE * PAGE_SIZE, 1, 0, 0, 0);
}

void cycle_run(struct cycle *c, uint64_t events) {
    while (c->trace.sequence < events)
        touch(c, (uint32_t)rng_below(&c->rng, CYCLE_PAGES));
}

void cycle_stop(struct cycle *c) {
    emit(c, EVENT_MACHINE_STOP, 0, 0, 0, 0, 0, 0);
    while (c->trace.sinks)
        trace_remove_sink(&c->trace, c->trace.sinks);
}

const struct trace_header *cycle_header(void) {
    static const struct trace_header header = {
        .thimble = "test",
        .frames = CYCLE_FRAMES,
        .reserved = CYCLE_RESERVED,
        .swap_pages = CYCLE_PAGES,
        .page_size = PAGE_SIZE,
        .page_table = "array",
        .policy = "fifo",
        .cpu = "none",
    };
    return &header;
}
