/* See phases.h. */
#include "analysis/phases.h"

#include <errno.h>
#include <stdlib.h>

#include "analysis/broadcast.h"
#include "base/array.h"

enum { PHASES_MAX = 1000000 };

struct recorder {
    struct simulation *simulation;
    uint64_t interval, end;          /* of the interval that is being counted */
    uint64_t last;                   /* instruction that was seen last */
    struct simulation_result before; /* what was counted up to its start */
    struct phase *phases;
    size_t count, capacity;
};

/* Ends the interval. */
static int close_phase(struct recorder *r) {
    if (r->count == PHASES_MAX)
        return -E2BIG;
    if (array_reserve(&r->phases, &r->capacity, r->count + 1, sizeof *r->phases))
        return -ENOMEM;
    struct simulation_result now;
    simulation_get_result(r->simulation, &now);
    struct phase *phase = &r->phases[r->count++];
    *phase = (struct phase){.start = r->end - r->interval, .instructions = r->interval};
    phase->counted = (struct simulation_result){
        .references = now.references - r->before.references,
        .misses = now.misses - r->before.misses,
        .cold = now.cold - r->before.cold,
        .cold_anonymous = now.cold_anonymous - r->before.cold_anonymous,
        .evictions = now.evictions - r->before.evictions,
        .to_swap = now.to_swap - r->before.to_swap,
        .to_file = now.to_file - r->before.to_file,
    };
    r->before = now;
    r->end += r->interval;
    return 0;
}

/* How many of the items are in the interval. */
static size_t items_within(const struct recorder *r, const struct refs_item *items, size_t count) {
    size_t i = 0;
    while (i < count && items[i].instruction < r->end)
        i++;
    return i;
}

static int hear(void *state, const struct broadcast_batch *batch) {
    struct recorder *r = state;
    int error = simulation_add_pages(r->simulation, batch->pages, batch->page_count);
    for (size_t done = 0; !error && done < batch->count;) {
        const size_t within = items_within(r, batch->items + done, batch->count - done);
        error = simulation_feed(r->simulation, batch->items + done, within);
        done += within;
        if (!error && done < batch->count)
            error = close_phase(r);
    }
    if (batch->count > 0)
        r->last = batch->items[batch->count - 1].instruction;
    return error;
}

int phases_compute(struct refs_source *source, const struct simulation_config *config, uint64_t interval,
                   struct phase **ret_phases, size_t *ret_count) {
    struct recorder r = {.interval = interval, .end = interval};
    int error = refs_rewind(source);
    if (!error)
        error = simulation_create(config, &r.simulation);
    if (error)
        return error;
    error = broadcast_run(source, &(struct broadcast_listener){&r, hear}, 1, 1, NULL);
    if (!error)
        error = close_phase(&r);
    simulation_destroy(r.simulation);
    if (error) {
        free(r.phases);
        return error;
    }
    r.phases[r.count - 1].instructions = r.last - r.phases[r.count - 1].start + 1;
    *ret_phases = r.phases;
    *ret_count = r.count;
    return 0;
}
