#include "engine/soft/watch.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/base.h"
#include "engine/soft/access.h"
#include "engine/soft/soft.h"

static bool watch_is(const struct watch *w, const struct page_table *table, uint64_t address) {
    return w->table == table && w->address == address;
}

/* Its place among the open ones; their count when it is not one. */
static size_t watch_find(const struct watches *watches, const struct page_table *table, uint64_t address) {
    size_t i = 0;
    while (i < watches->count && !watch_is(&watches->open[i], table, address))
        i++;
    return i;
}

static int watch_open(struct watches *watches, const struct page_table *table, uint64_t address) {
    if (array_reserve(&watches->open, &watches->capacity, watches->count + 1, sizeof *watches->open))
        return -ENOMEM;
    watches->open[watches->count++] = (struct watch){table, address};
    return 0;
}

/* Translations of the address, whatever the page holds: those that exist lack the call. */
static int watch_mark(struct engine *e, uint64_t address) {
    if (watch_is_marked(e, address))
        return 0;
    const int error = map_put(&e->watches.marked, address, 0);
    if (!error)
        code_forget_address(e, address);
    return error;
}

int watch_add(struct engine *e, const struct page_table *table, uint64_t address) {
    struct watches *watches = &e->watches;
    if (watch_find(watches, table, address) < watches->count)
        return 0;
    const int error = watch_mark(e, address);
    return error ? error : watch_open(watches, table, address);
}

void watch_remove_table(struct engine *e, const struct page_table *table) {
    struct watches *watches = &e->watches;
    size_t kept = 0;
    for (size_t i = 0; i < watches->count; i++)
        if (watches->open[i].table != table)
            watches->open[kept++] = watches->open[i];
    watches->count = kept;
}

void watch_free(struct engine *e) {
    free(e->watches.open);
    map_free(&e->watches.marked);
}

bool watch_is_marked(const struct engine *e, uint64_t address) {
    return map_count(&e->watches.marked) > 0 && map_get(&e->watches.marked, address, NULL);
}

void watch_reached(struct engine *e, uint64_t address) {
    struct watches *watches = &e->watches;
    const size_t i = watch_find(watches, e->table, address);
    if (likely(i == watches->count))
        return;
    watches->open[i] = watches->open[--watches->count];
    log_deliver(e);
    e->client.reached(e->client.context, e->table, address);
}

void watch_passed(struct area *area, uint64_t place) {
    struct engine *e = engine_of_area(area);
    e->instruction = place_offset(place);
    e->left = place_left(place);
    watch_reached(e, area->guest.guest_RIP + e->instruction);
    e->left = 0;
}
