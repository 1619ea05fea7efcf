#include "engine/soft/log.h"

#include <errno.h>
#include <sys/mman.h>

#include "base/base.h"
#include "engine/soft/soft.h"

enum { LOG_BYTES = 2 * LOG_ENTRIES * sizeof(uint32_t) };
_Static_assert(LOG_ENTRIES >= LOG_HELPED + 2 * (LOG_CHUNK + BLOCK_INSTRUCTIONS) * LOG_INSTRUCTION, "log.h");
_Static_assert(LOG_CHUNK + 2 * BLOCK_INSTRUCTIONS <= LOG_SPAN, "hw/reference.h");

static uint32_t host_page(const void *host) {
    return (uint32_t)((uint64_t)host >> PAGE_SHIFT);
}

uint32_t log_no_page(const struct engine *e) {
    return host_page(e->mem->base) - 1;
}

int log_create(struct engine *e) {
    if (!e->client.references)
        return 0;
    void *memory =
        mmap(NULL, LOG_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        return -ENOMEM;
    e->log = e->area.log_position = memory;
    return 0;
}

void log_destroy(struct engine *e) {
    if (e->log)
        munmap(e->log, LOG_BYTES);
}

void log_add(struct engine *e, const void *host, unsigned access) {
    if (likely(!e->log))
        return;
    if (e->area.log_position - e->log >= LOG_HELPED)
        log_deliver(e);
    e->area.log_position[LOG_ENTRIES] = log_rest(counter_get(e) + e->left, access);
    *e->area.log_position++ = host_page(host);
}

void log_deliver(struct engine *e) {
    if (likely(!e->log) || e->area.log_position == e->log)
        return;
    const struct reference_log log = {.pages = e->log,
                                      .rests = e->log + LOG_ENTRIES,
                                      .count = (size_t)(e->area.log_position - e->log),
                                      .base = host_page(e->mem->base),
                                      .end = (uint16_t)(e->counters.instructions + e->chunk),
                                      .start = e->counters.instructions};
    e->area.log_position = e->log;
    e->client.references(e->client.context, &log);
}
