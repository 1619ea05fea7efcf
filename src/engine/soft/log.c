#include "engine/soft/log.h"

#include <errno.h>
#include <stddef.h>
#include <sys/mman.h>

#include "base/base.h"
#include "engine/soft/soft.h"

enum { LOG_ENTRIES = 2 + LOG_HELPED + 2 * (LOG_CHUNK + BLOCK_INSTRUCTIONS) * LOG_INSTRUCTION };
_Static_assert(LOG_CHUNK + 2 * BLOCK_INSTRUCTIONS <= 32768, "engine.h: counts have 16 bits");

static uint32_t host_page(const void *host) {
    return (uint32_t)((uint64_t)host >> PAGE_SHIFT);
}

/* The page of no frame that precedes them all. */
static void empty(struct engine *e) {
    e->area.log_position = e->log;
    e->area.log_open = host_page(e->mem->base) - 1;
}

int log_create(struct engine *e) {
    if (!e->client.references)
        return 0;
    void *memory = mmap(NULL, LOG_ENTRIES * sizeof *e->log, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        return -ENOMEM;
    e->log = memory;
    empty(e);
    return 0;
}

void log_destroy(struct engine *e) {
    if (e->log)
        munmap(e->log, LOG_ENTRIES * sizeof *e->log);
}

void log_add(struct engine *e, const void *host, unsigned access) {
    if (likely(!e->log))
        return;
    struct reference *open = e->area.log_position;
    if (host_page(host) != e->area.log_open) {
        if (open - e->log >= LOG_HELPED) {
            log_deliver(e);
            open = e->area.log_position;
        }
        *++open = (struct reference){.frame = host_page(host), .count = (uint16_t)(counter_get(e) + e->left)};
        e->area.log_position = open;
        e->area.log_open = host_page(host);
    }
    if (access & ACCESS_WRITE)
        open->written = 1;
    if (access & ACCESS_EXEC)
        open->fetched = 1;
}

/* Two entries as the vector units see them. */
typedef uint32_t words __attribute__((vector_size(16), may_alias));
typedef uint16_t halves __attribute__((vector_size(16)));

/* Frames and counts of `n` entries from 1 on, and of one behind them or before them: this is all that traced code
 * pays for a reference besides writing it, so it is done for two at a time.
 *
 *     frame -= base       count = end - count = end + 1 + ~count        of 16 bits each: written, fetched */
static void put_right(struct engine *e, size_t n) {
    const uint32_t base = host_page(e->mem->base);
    const uint16_t end = (uint16_t)(e->counters.instructions + e->chunk + 1);
    const words frames = {base, 0, base, 0};
    const halves inverted = {0, 0, 0xffff, 0, 0, 0, 0xffff, 0}, ends = {0, 0, end, 0, 0, 0, end, 0};
    words *pairs = (words *)e->log;
    for (size_t i = 0; i <= n / 2; i++)
        pairs[i] = (words)(((halves)(pairs[i] - frames) ^ inverted) + ends);
}
_Static_assert(sizeof(struct reference) * 2 == sizeof(words) && offsetof(struct reference, count) == 4, "");

void log_deliver(struct engine *e) {
    if (likely(!e->log) || e->area.log_position == e->log)
        return;
    const size_t n = (size_t)(e->area.log_position - e->log);
    put_right(e, n);
    empty(e);
    e->client.references(e->client.context, e->log + 1, n, e->counters.instructions);
}
