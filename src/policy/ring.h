/* A ring of frames: a circular doubly linked list threaded through arrays indexed by frame number, 8 bytes a
 * frame. FIFO, CLOCK and LRU are all orders of one such list.
 *
 *      head ─► oldest ⇄ … ⇄ newest ─► head          (the head is entry `frames` of the arrays)
 *
 * A frame that is not in the ring has next == RING_OUT. */
#ifndef POLICY_RING_H
#define POLICY_RING_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "hw/types.h"

#define RING_OUT UINT32_MAX

struct ring_links {
    uint32_t next, previous;
};

struct ring {
    struct ring_links *links; /* frames + 1 of them */
    uint32_t frames;          /* also the number of the head */
    uint32_t count;           /* frames in the ring */
};

/* 0 or -ENOMEM. */
static inline int ring_init(struct ring *ring, uint32_t frames) {
    struct ring_links *links = malloc(((size_t)frames + 1) * sizeof *links);
    if (!links)
        return -ENOMEM;
    for (uint32_t i = 0; i < frames; i++)
        links[i] = (struct ring_links){RING_OUT, RING_OUT};
    links[frames] = (struct ring_links){frames, frames};
    *ring = (struct ring){.links = links, .frames = frames};
    return 0;
}

static inline void ring_free(struct ring *ring) {
    free(ring->links);
}

/* Bytes of host memory behind it. */
static inline size_t ring_bytes(const struct ring *ring) {
    return ((size_t)ring->frames + 1) * sizeof *ring->links;
}

static inline bool ring_has(const struct ring *ring, pfn_t f) {
    return f.n < ring->frames && ring->links[f.n].next != RING_OUT;
}

/* The frame that has been in the ring longest since it was last put at its end, or PFN_NONE. */
static inline pfn_t ring_oldest(const struct ring *ring) {
    return ring->count ? (pfn_t){ring->links[ring->frames].next} : PFN_NONE;
}

/* Puts a frame that is not in the ring at its end. */
static inline void ring_append(struct ring *ring, pfn_t f) {
    struct ring_links *links = ring->links;
    const uint32_t head = ring->frames, newest = links[head].previous;
    links[f.n] = (struct ring_links){.next = head, .previous = newest};
    links[newest].next = f.n;
    links[head].previous = f.n;
    ring->count++;
}

static inline void ring_remove(struct ring *ring, pfn_t f) {
    struct ring_links *links = ring->links, of = links[f.n];
    links[of.previous].next = of.next;
    links[of.next].previous = of.previous;
    links[f.n] = (struct ring_links){RING_OUT, RING_OUT};
    ring->count--;
}

static inline void ring_move_to_end(struct ring *ring, pfn_t f) {
    if (ring->links[f.n].next == ring->frames)
        return;
    ring_remove(ring, f);
    ring_append(ring, f);
}

/* The frame behind one of the ring; behind the newest, the oldest. */
static inline pfn_t ring_after(const struct ring *ring, pfn_t f) {
    const uint32_t next = ring->links[f.n].next;
    return (pfn_t){next != ring->frames ? next : ring->links[ring->frames].next};
}

/* Makes a frame of the ring the oldest: those before it go to the end, in order. */
static inline void ring_begin_at(struct ring *ring, pfn_t f) {
    struct ring_links *links = ring->links, *head = &links[ring->frames];
    if (head->next == f.n)
        return;
    links[head->previous].next = head->next;
    links[head->next].previous = head->previous;
    *head = (struct ring_links){.next = f.n, .previous = links[f.n].previous};
    links[head->previous].next = ring->frames;
    links[f.n].previous = ring->frames;
}

/* Verifies the links and the count. NULL, or what is wrong. */
static inline const char *ring_check(const struct ring *ring) {
    uint32_t count = 0, at = ring->frames;
    do {
        const uint32_t next = ring->links[at].next;
        if (next > ring->frames || ring->links[next].previous != at)
            return "policy: the ring of frames is broken";
        at = next;
    } while (at != ring->frames && ++count <= ring->frames);
    if (count != ring->count)
        return "policy: the count of frames in the ring is wrong";
    for (uint32_t i = 0; i < ring->frames; i++)
        count -= ring->links[i].next != RING_OUT;
    return count == 0 ? NULL : "policy: a frame is linked but not in the ring";
}

#endif
