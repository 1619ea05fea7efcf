/* simulate_all(): see simulate.h. */
#include "analysis/simulate.h"

#include <errno.h>
#include <stdlib.h>

#include "analysis/broadcast.h"
#include "base/base.h"

static int simulation_hear(void *state, const struct broadcast_batch *batch) {
    const size_t before = min_size(batch->counting_from, batch->count);
    int error = simulation_add_pages(state, batch->pages, batch->page_count);
    if (!error)
        error = simulation_feed(state, batch->items, before);
    if (batch->counting_from != WARM_UP_NOT_HERE)
        simulation_restart(state);
    return error ? error : simulation_feed(state, batch->items + before, batch->count - before);
}

int simulate_all(struct refs_source *source, struct simulation *const *simulations, size_t count,
                 unsigned threads, struct warm_up_scan *warm_up) {
    struct broadcast_listener *listeners = calloc(count + 1, sizeof *listeners);
    if (!listeners)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        listeners[i] = (struct broadcast_listener){simulations[i], simulation_hear};
    const int error = broadcast_run(source, listeners, count, threads, warm_up);
    free(listeners);
    return error;
}
