/* See reduce.h.
 *
 * Items wait in a list, in order, while it is open whether the reference at its head stays. Of each page one
 * reference at most is open, its last; `since` is when the last one before it was that stays. Pages are in a
 * list by their last reference, of which the first edge is the one behind the k newest: if that one's last
 * reference is younger than `since`, k pages and the page itself were referenced after it, and never again
 * will it be less. A page that died keeps its place in the list; it counts as one in between, so that less is
 * dropped than might be.
 *
 * The list is LRU's stack, too: a page behind the edge of the n newest is a miss with n frames. These are
 * counted for k / 2, k / 4 … 1 frames, of which what stays would say nothing. Pages that died make it too
 * many, never too few: in an LRU stack with holes (analysis/lru_stack.c) there lie above a page only pages
 * that were referenced after it and holes that such pages left (a hole never moves up), each at most once;
 * here all of these lie above it. */
#include "record/reduce.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"

enum { NONE = UINT32_MAX };

struct waiting {
    struct waiting *next, *previous;
    struct refs_item item;
    bool open;
};

struct page {
    uint32_t newer, older; /* by the last reference; NONE at the ends */
    bool listed;
    uint8_t flags;        /* of references that were dropped since the last that stays */
    uint64_t last, since; /* times; since 0: the next reference is the first of a row */
    struct waiting *open; /* NULL: none */
};

struct edge {
    uint32_t frames, page; /* the one behind so many newest; NONE: there are no more than these */
    uint64_t misses;
};

struct reduce {
    void (*emit)(void *context, const struct refs_item *);
    void *context;
    struct page *pages;
    size_t page_capacity;
    uint32_t newest, oldest;            /* NONE: the list is empty */
    struct edge edges[REFS_HALVES + 1]; /* of k, k / 2, k / 4 … 1 */
    uint32_t edge_count, listed;
    uint64_t time; /* references */
    uint64_t dropped;
    struct waiting head;  /* of a ring: head.next is the first */
    struct waiting *free; /* by next */
};

int reduce_create(uint32_t frames, void (*emit)(void *context, const struct refs_item *), void *context,
                  struct reduce **ret_reduce) {
    struct reduce *r = calloc(1, sizeof *r);
    if (!r)
        return -ENOMEM;
    *r = (struct reduce){.emit = emit, .context = context, .newest = NONE, .oldest = NONE};
    for (; frames > 0; frames /= 2)
        r->edges[r->edge_count++] = (struct edge){.frames = frames, .page = NONE};
    r->head.next = r->head.previous = &r->head;
    *ret_reduce = r;
    return 0;
}

void reduce_destroy(struct reduce *r) {
    if (!r)
        return;
    reduce_end(r);
    while (r->free) {
        struct waiting *w = r->free;
        r->free = w->next;
        free(w);
    }
    free(r->pages);
    free(r);
}

/* ---- what waits ---- */

static struct waiting *wait_add(struct reduce *r, const struct refs_item *item, bool open) {
    struct waiting *w = r->free;
    if (w)
        r->free = w->next;
    else
        w = malloc(sizeof *w);
    if (!w)
        return NULL;
    *w = (struct waiting){.next = &r->head, .previous = r->head.previous, .item = *item, .open = open};
    w->previous->next = w;
    r->head.previous = w;
    return w;
}

static void wait_remove(struct reduce *r, struct waiting *w) {
    w->next->previous = w->previous;
    w->previous->next = w->next;
    w->next = r->free;
    r->free = w;
}

/* The page's open reference stays. */
static void keep(struct page *p) {
    p->open->item.flags |= p->flags;
    p->open->open = false;
    p->open = NULL;
    p->flags = 0;
    p->since = p->last;
}

/* Whether k other pages were referenced since the page's last reference that stays. */
static bool is_far(const struct reduce *r, const struct page *p) {
    const uint32_t edge = r->edges[0].page;
    return edge != NONE && r->pages[edge].last > p->since;
}

static void wait_emit(struct reduce *r) {
    for (struct waiting *w = r->head.next; w != &r->head; w = r->head.next) {
        if (w->open && !is_far(r, &r->pages[w->item.page]))
            return;
        if (w->open)
            keep(&r->pages[w->item.page]);
        r->emit(r->context, &w->item);
        wait_remove(r, w);
    }
}

/* ---- pages by their last reference ---- */

static void list_remove(struct reduce *r, uint32_t page) {
    struct page *p = &r->pages[page];
    *(p->newer == NONE ? &r->newest : &r->pages[p->newer].older) = p->older;
    *(p->older == NONE ? &r->oldest : &r->pages[p->older].newer) = p->newer;
}

static void list_prepend(struct reduce *r, uint32_t page) {
    struct page *p = &r->pages[page];
    p->newer = NONE;
    p->older = r->newest;
    *(r->newest == NONE ? &r->oldest : &r->pages[r->newest].newer) = page;
    r->newest = page;
}

/* The page will be the newest: where it is behind an edge, that moves up, and it is a miss. One that is
 * before an edge is before those of all larger memories. */
static void edges_move(struct reduce *r, const struct page *p) {
    for (struct edge *e = r->edges + r->edge_count; e-- > r->edges;) {
        if (p->listed && (e->page == NONE || p->last > r->pages[e->page].last))
            return;
        e->misses++;
        if (e->page != NONE)
            e->page = r->pages[e->page].newer;
    }
}

/* There is one page more. */
static void edges_begin(struct reduce *r) {
    r->listed++;
    for (struct edge *e = r->edges; e < r->edges + r->edge_count; e++)
        if (e->page == NONE && r->listed > e->frames)
            e->page = r->oldest;
}

/* The page is referenced: it becomes the newest. Edges stay where they are in the list. */
static void list_touch(struct reduce *r, uint32_t page) {
    struct page *p = &r->pages[page];
    const bool listed = p->listed;
    edges_move(r, p);
    if (p->listed)
        list_remove(r, page);
    list_prepend(r, page);
    p->listed = true;
    p->last = ++r->time;
    if (!listed)
        edges_begin(r);
}

/* ---- items ---- */

static int add_reference(struct reduce *r, const struct refs_item *item) {
    struct page *p = &r->pages[item->page];
    if (p->open && is_far(r, p)) {
        keep(p);
    } else if (p->open) {
        p->flags |= p->open->item.flags;
        wait_remove(r, p->open);
        p->open = NULL;
        r->dropped++;
    }
    list_touch(r, item->page);
    const bool first = !p->since;
    struct waiting *w = wait_add(r, item, !first);
    if (!w)
        return -ENOMEM;
    if (first)
        p->since = p->last;
    else
        p->open = w;
    return 0;
}

/* What becomes of a page ends its row: what follows is not what was before. */
static void end_row(struct page *p) {
    if (p->open)
        keep(p);
    p->since = 0;
}

int reduce_add(struct reduce *r, const struct refs_item *item) {
    if (item->kind != REFS_MARK &&
        array_reserve_filled(&r->pages, &r->page_capacity, item->page + 1ULL, sizeof *r->pages, 0))
        return -ENOMEM;
    int error;
    if (item->kind == REFS_REFERENCE) {
        error = add_reference(r, item);
    } else {
        if (item->kind != REFS_MARK)
            end_row(&r->pages[item->page]);
        error = wait_add(r, item, false) ? 0 : -ENOMEM;
    }
    wait_emit(r);
    return error;
}

void reduce_end(struct reduce *r) {
    for (struct waiting *w = r->head.next; w != &r->head; w = w->next)
        if (w->open)
            keep(&r->pages[w->item.page]);
    wait_emit(r);
}

uint64_t reduce_dropped(const struct reduce *r) {
    return r->dropped;
}

uint32_t reduce_halves(const struct reduce *r, uint64_t ret_misses[REFS_HALVES]) {
    for (uint32_t i = 1; i < r->edge_count; i++)
        ret_misses[i - 1] = r->edges[i].misses;
    return r->edge_count - 1;
}
