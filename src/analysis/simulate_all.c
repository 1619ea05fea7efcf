/* simulate_all(): see simulate.h. */
#include "analysis/simulate.h"

#include <errno.h>
#include <stdlib.h>

#include "analysis/broadcast.h"

static int simulation_hear(void *state, const struct broadcast_batch *batch) {
    const int error = simulation_add_pages(state, batch->pages, batch->page_count);
    return error ? error : simulation_feed(state, batch->items, batch->count);
}

int simulate_all(struct refs_source *source, struct simulation *const *simulations, size_t count,
                 unsigned threads) {
    struct broadcast_listener *listeners = calloc(count + 1, sizeof *listeners);
    if (!listeners)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        listeners[i] = (struct broadcast_listener){simulations[i], simulation_hear};
    const int error = broadcast_run(source, listeners, count, threads);
    free(listeners);
    return error;
}
