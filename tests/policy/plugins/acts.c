/* FIFO as a plug-in, which misbehaves as its parameter `act` says, at its hundredth call of the function that
 * the act belongs to. */
#include <assert.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "thimble/policy.h"

#ifndef VERSION
#define VERSION THIMBLE_POLICY_VERSION
#endif
#ifndef NO_VICTIM
#define NO_VICTIM 0
#endif
#ifndef NAME
#define NAME "acts"
#endif

enum act {
    GOOD,
    NO_FRAME,
    FRAME_TOO_LARGE,
    FRAME_FREE,
    NULL_WRITE,
    LOOP,
    ABORT,
    ASSERTION,
    DIVISION,
    OVERFLOW_OF_STACK,
    EXIT,
    EXIT_NOW,
    LEAK,
    LEAK_OF_HOST,
    NULL_STATE,
    CRASH_IN_CREATE,
    CRASH_IN_DESTROY,
    UNKNOWN_PARAMETER,
    BIT_OF_FREE_FRAME,
    FOREIGN_FREE,
    CRASH_IN_INSERT,
    CRASH_IN_REMOVE,
    LOOP_IN_LIBRARY,
    SAYS,
};

struct fifo {
    const struct thimble_host *host;
    enum act act;
    unsigned calls;
    uint64_t time, *entered;
    char *copy;
};

static void misbehave(struct fifo *fifo);

static void *fifo_create(const struct thimble_host *host) {
    const enum act act = (enum act)host->parameter(host, "act");
    if (act == NULL_STATE)
        return NULL;
    struct fifo *fifo = host->alloc(host, 1, sizeof *fifo);
    if (!fifo)
        return NULL;
    *fifo = (struct fifo){.host = host, .act = act, .copy = strdup(NAME)};
    fifo->entered = calloc(host->frames, sizeof *fifo->entered);
    if (act == CRASH_IN_CREATE)
        misbehave(fifo);
    if (act == LEAK_OF_HOST)
        host->alloc(host, 3, 100);
    if (act == SAYS)
        host->log(host, "%u frames, share %g", host->frames, host->parameter(host, "share"));
    return fifo;
}

static void fifo_destroy(void *state) {
    struct fifo *fifo = state;
    if (fifo->act == CRASH_IN_DESTROY)
        misbehave(fifo);
    free(fifo->copy);
    if (fifo->act != LEAK)
        free(fifo->entered);
    fifo->host->free(fifo->host, fifo);
}

static void fifo_insert(void *state, uint32_t frame, uint64_t page) {
    struct fifo *fifo = state;
    fifo->entered[frame] = ++fifo->time;
    if (fifo->act == CRASH_IN_INSERT && ++fifo->calls == 100)
        misbehave(fifo);
}

static void fifo_remove(void *state, uint32_t frame, uint64_t page, uint32_t reason) {
    struct fifo *fifo = state;
    fifo->entered[frame] = 0;
    if (fifo->act == CRASH_IN_REMOVE && ++fifo->calls == 100)
        misbehave(fifo);
}

static uint32_t fifo_oldest(const struct fifo *fifo) {
    uint32_t oldest = THIMBLE_NO_FRAME;
    for (uint32_t f = 0; f < fifo->host->frames; f++)
        if (fifo->entered[f] && (oldest == THIMBLE_NO_FRAME || fifo->entered[f] < fifo->entered[oldest]))
            oldest = f;
    return oldest;
}

static uint32_t fifo_free(const struct fifo *fifo) {
    uint32_t f = 0;
    while (fifo->entered[f])
        f++;
    return f;
}

static unsigned overflow(unsigned n) {
    volatile char much[4096];
    much[n % sizeof much] = 1;
    return n == UINT32_MAX ? 0 : overflow(n + 1) + (unsigned)much[0];
}

static int compare(const void *a, const void *b) {
    return 0;
}

static void misbehave(struct fifo *fifo) {
    volatile unsigned zero = 0;
    volatile bool forever = true;
    unsigned *volatile nowhere = NULL;
    char text[8000] = {0};
    switch (fifo->act) {
    case NULL_WRITE:
    case CRASH_IN_CREATE:
    case CRASH_IN_DESTROY:
    case CRASH_IN_INSERT:
    case CRASH_IN_REMOVE: *nowhere = 1; return;
    case LOOP:
        while (forever) {
        }
        return;
    case LOOP_IN_LIBRARY:
        while (forever)
            qsort(text, sizeof text, 1, compare);
        return;
    case ABORT: abort();
    case ASSERTION: assert(zero == 1); return;
    case DIVISION: zero = 1000 / zero; return;
    case OVERFLOW_OF_STACK: overflow(0); return;
    case EXIT: exit(3);
    case EXIT_NOW: _exit(3);
    case UNKNOWN_PARAMETER: fifo->host->parameter(fifo->host, "beta"); return;
    case BIT_OF_FREE_FRAME: fifo->host->test_and_clear_referenced(fifo->host, fifo->host->frames + 5); return;
    case FOREIGN_FREE: fifo->host->free(fifo->host, fifo->entered); return;
    case GOOD:
    case NO_FRAME:
    case FRAME_TOO_LARGE:
    case FRAME_FREE:
    case LEAK:
    case LEAK_OF_HOST:
    case NULL_STATE:
    case SAYS: return;
    }
}

static uint32_t fifo_victim(void *state) {
    struct fifo *fifo = state;
    if (fifo->act == CRASH_IN_INSERT || fifo->act == CRASH_IN_REMOVE || ++fifo->calls != 100)
        return fifo_oldest(fifo);
    if (fifo->act == NO_FRAME)
        return THIMBLE_NO_FRAME;
    if (fifo->act == FRAME_TOO_LARGE)
        return fifo->host->frames;
    if (fifo->act == FRAME_FREE)
        return fifo_free(fifo);
    if (fifo->act != CRASH_IN_DESTROY)
        misbehave(fifo);
    return fifo_oldest(fifo);
}

static const struct thimble_parameter parameters[] = {
    {.name = "act", .description = "what it does wrong", .minimum = 0, .maximum = 99, .whole = 1},
    {.name = "share", .description = "of nothing", .initial = 0.5, .minimum = 0, .maximum = 1},
    {0},
};

#ifndef NO_SYMBOL
const struct thimble_policy thimble_policy = {
    .version = VERSION,
    .size = sizeof thimble_policy,
    .name = NAME,
    .description = "first in, first out, with acts",
    .needs = THIMBLE_NEEDS_REFERENCED_BITS,
    .parameters = parameters,
    .create = fifo_create,
    .destroy = fifo_destroy,
    .insert = fifo_insert,
    .remove = fifo_remove,
    .victim = NO_VICTIM ? NULL : fifo_victim,
};
#else
uint32_t (*not_thimble_policy)(void *) = fifo_victim;
const void *others[] = {(void *)fifo_create, (void *)fifo_destroy, (void *)fifo_insert, (void *)fifo_remove,
                        parameters};
#endif
