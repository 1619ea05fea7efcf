/* A row of page numbers, for models of policies: an array in which everything is moved by copying, oldest
 * first. */
#ifndef TESTS_POLICY_QUEUE_H
#define TESTS_POLICY_QUEUE_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { QUEUE_SIZE = 4096 };

struct queue {
    uint64_t page[QUEUE_SIZE];
    int count;
};

/* The place of the page, or -1. */
static inline int queue_find(const struct queue *q, uint64_t page) {
    for (int i = 0; i < q->count; i++)
        if (q->page[i] == page)
            return i;
    return -1;
}

static inline bool queue_has(const struct queue *q, uint64_t page) {
    return queue_find(q, page) >= 0;
}

static inline void queue_put_at(struct queue *q, int at, uint64_t page) {
    assert_true(q->count < QUEUE_SIZE && at >= 0 && at <= q->count);
    memmove(&q->page[at + 1], &q->page[at], (size_t)(q->count - at) * sizeof q->page[0]);
    q->page[at] = page;
    q->count++;
}

static inline void queue_put(struct queue *q, uint64_t page) {
    queue_put_at(q, q->count, page);
}

static inline uint64_t queue_take_at(struct queue *q, int at) {
    assert_true(at >= 0 && at < q->count);
    const uint64_t page = q->page[at];
    q->count--;
    memmove(&q->page[at], &q->page[at + 1], (size_t)(q->count - at) * sizeof q->page[0]);
    return page;
}

/* Whether it was there. */
static inline bool queue_drop(struct queue *q, uint64_t page) {
    const int at = queue_find(q, page);
    if (at >= 0)
        (void)queue_take_at(q, at);
    return at >= 0;
}

#endif
