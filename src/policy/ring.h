/* A ring of frames: a circular doubly linked list threaded through an array, 8 bytes a frame. FIFO, CLOCK and
 * LRU are all orders of one such list.
 *
 *      head ─► oldest ⇄ … ⇄ newest ─► head          (frame f is link f + 1, the head link frames + 1)
 *
 * A frame that is not in the ring has next == RING_OUT, which is 0: the host gives the array out zeroed, so
 * that frames which are never used cost nothing. */
#ifndef POLICY_RING_H
#define POLICY_RING_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "hw/types.h"

#define RING_OUT 0

struct ring_links {
    uint32_t next, previous; /* numbers of links */
};

struct ring {
    struct ring_links *links; /* frames + 2 of them */
    uint32_t frames;
    uint32_t head;  /* the number of its link: frames + 1 */
    uint32_t count; /* frames in the ring */
};

/* 0 or -ENOMEM. */
static inline int ring_init(struct ring *ring, uint32_t frames) {
    const uint32_t head = frames + 1;
    struct ring_links *links = calloc((size_t)head + 1, sizeof *links);
    if (!links)
        return -ENOMEM;
    links[head] = (struct ring_links){head, head};
    *ring = (struct ring){.links = links, .frames = frames, .head = head};
    return 0;
}

static inline void ring_free(struct ring *ring) {
    free(ring->links);
}

/* Bytes of host memory behind it. */
static inline size_t ring_bytes(const struct ring *ring) {
    return ((size_t)ring->head + 1) * sizeof *ring->links;
}

static inline uint32_t ring_number(pfn_t f) {
    return f.n + 1;
}

static inline pfn_t ring_frame(uint32_t number) {
    return (pfn_t){number - 1};
}

static inline bool ring_has(const struct ring *ring, pfn_t f) {
    return f.n < ring->frames && ring->links[ring_number(f)].next != RING_OUT;
}

/* The frame that has been in the ring longest since it was last put at its end, or PFN_NONE. */
static inline pfn_t ring_oldest(const struct ring *ring) {
    return ring->count ? ring_frame(ring->links[ring->head].next) : PFN_NONE;
}

/* Puts a frame that is not in the ring at its end. */
static inline void ring_append(struct ring *ring, pfn_t f) {
    struct ring_links *links = ring->links;
    const uint32_t number = ring_number(f), head = ring->head, newest = links[head].previous;
    links[number] = (struct ring_links){.next = head, .previous = newest};
    links[newest].next = number;
    links[head].previous = number;
    ring->count++;
}

static inline void ring_remove(struct ring *ring, pfn_t f) {
    struct ring_links *links = ring->links, *at = &links[ring_number(f)];
    /* One by one, as they may just have been written: read together, the processor would wait for that. */
    const uint32_t next = at->next, previous = at->previous;
    links[previous].next = next;
    links[next].previous = previous;
    *at = (struct ring_links){RING_OUT, RING_OUT};
    ring->count--;
}

static inline void ring_move_to_end(struct ring *ring, pfn_t f) {
    if (ring->links[ring_number(f)].next == ring->head)
        return;
    ring_remove(ring, f);
    ring_append(ring, f);
}

/* The frame behind one of the ring; behind the newest, the oldest. */
static inline pfn_t ring_after(const struct ring *ring, pfn_t f) {
    const uint32_t next = ring->links[ring_number(f)].next;
    return ring_frame(next != ring->head ? next : ring->links[ring->head].next);
}

/* Makes a frame of the ring the oldest: those before it go to the end, in order. */
static inline void ring_begin_at(struct ring *ring, pfn_t f) {
    struct ring_links *links = ring->links, *head = &links[ring->head];
    const uint32_t number = ring_number(f);
    if (head->next == number)
        return;
    links[head->previous].next = head->next;
    links[head->next].previous = head->previous;
    *head = (struct ring_links){.next = number, .previous = links[number].previous};
    links[head->previous].next = ring->head;
    links[number].previous = ring->head;
}

/* Verifies the links and the count. NULL, or what is wrong. */
static inline const char *ring_check(const struct ring *ring) {
    uint32_t count = 0, at = ring->head;
    do {
        const uint32_t next = ring->links[at].next;
        if (next == RING_OUT || next > ring->head || ring->links[next].previous != at)
            return "policy: the ring of frames is broken";
        at = next;
    } while (at != ring->head && ++count < ring->head);
    if (count != ring->count)
        return "policy: the count of frames in the ring is wrong";
    for (uint32_t i = 1; i < ring->head; i++)
        count -= ring->links[i].next != RING_OUT;
    return count == 0 ? NULL : "policy: a frame is linked but not in the ring";
}

#endif
