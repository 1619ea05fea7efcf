/* See sample.h. The pages of the sample have a stack of their own (lru_stack.h), and stand in a heap by their
 * hashes, the largest on top: that is the first to go. Pages that died stay in the heap until they are on top
 * or the threshold falls below them. */
#include "analysis/sample.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "analysis/lru_stack.h"
#include "base/array.h"
#include "base/base.h"

enum { HASH_BITS = 32 };

enum sampled { SAMPLED_NEVER, SAMPLED_SEEN, SAMPLED_THERE };

struct sample {
    struct lru_stack *stack;
    uint8_t *states; /* enum sampled, by page */
    uint32_t page_count;
    size_t page_capacity;
    uint64_t threshold;        /* of hashes, at most 2^HASH_BITS */
    uint32_t pages_max, pages; /* in the sample */
    uint64_t *heap;            /* hash in the upper half, page in the lower */
    size_t heap_count, heap_capacity;
    const uint32_t *sizes;
    double *hits; /* estimated, by the first size that has them; then by none */
    size_t size_count;
    double counted; /* references, estimated */
    uint64_t references, cold;
};

int sample_create(double rate, uint32_t pages, const uint32_t *sizes, size_t count,
                  struct sample **ret_sample) {
    struct sample *s = calloc(1, sizeof *s);
    if (!s)
        return -ENOMEM;
    s->threshold = max_u64(1, (uint64_t)llround(rate * (double)(1ULL << HASH_BITS)));
    s->pages_max = max_u32(1, pages);
    s->sizes = sizes;
    s->size_count = count;
    s->hits = calloc(count + 1, sizeof *s->hits);
    if (!s->hits || lru_stack_create(false, &s->stack) < 0) {
        sample_destroy(s);
        return -ENOMEM;
    }
    *ret_sample = s;
    return 0;
}

void sample_destroy(struct sample *s) {
    if (!s)
        return;
    lru_stack_destroy(s->stack);
    free(s->states);
    free(s->heap);
    free(s->hits);
    free(s);
}

int sample_add_pages(struct sample *s, const struct refs_page *pages, size_t count) {
    const size_t all = s->page_count + count;
    const int error = lru_stack_add_pages(s->stack, pages, count);
    if (error)
        return error;
    if (array_reserve(&s->states, &s->page_capacity, all, sizeof *s->states))
        return -ENOMEM;
    for (size_t i = s->page_count; i < all; i++)
        s->states[i] = SAMPLED_NEVER;
    s->page_count = (uint32_t)all;
    return 0;
}

/* splitmix64's mixing of the bits. */
static uint32_t page_hash(uint32_t page) {
    uint64_t z = (page + 1ULL) * 0x9e3779b97f4a7c15ULL;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
    return (uint32_t)((z ^ z >> 31) >> 32);
}

/* ---- the heap ---- */

static int heap_push(struct sample *s, uint64_t entry) {
    if (array_reserve(&s->heap, &s->heap_capacity, s->heap_count + 1, sizeof *s->heap))
        return -ENOMEM;
    size_t at = s->heap_count++;
    for (; at > 0 && s->heap[(at - 1) / 2] < entry; at = (at - 1) / 2)
        s->heap[at] = s->heap[(at - 1) / 2];
    s->heap[at] = entry;
    return 0;
}

static uint64_t heap_pop(struct sample *s) {
    const uint64_t top = s->heap[0], last = s->heap[--s->heap_count];
    size_t at = 0;
    for (size_t child; (child = 2 * at + 1) < s->heap_count; at = child) {
        child += child + 1 < s->heap_count && s->heap[child + 1] > s->heap[child];
        if (s->heap[child] <= last)
            break;
        s->heap[at] = s->heap[child];
    }
    s->heap[at] = last;
    return top;
}

/* The page with the largest hash goes, and every one with the same hash. */
static void sample_lower(struct sample *s) {
    s->threshold = s->heap[0] >> 32;
    while (s->heap_count > 0 && s->heap[0] >> 32 >= s->threshold) {
        const uint32_t page = (uint32_t)heap_pop(s);
        if (s->states[page] != SAMPLED_THERE)
            continue;
        lru_stack_forget(s->stack, page);
        s->states[page] = SAMPLED_SEEN;
        s->pages--;
    }
}

/* ---- items ---- */

static void depth_count(struct sample *s, uint32_t depth) {
    const double rate = sample_rate(s), whole = depth / rate;
    size_t low = 0, high = s->size_count;
    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (s->sizes[middle] < whole)
            low = middle + 1;
        else
            high = middle;
    }
    s->hits[low] += 1 / rate;
}

static int page_reference(struct sample *s, const struct refs_item *item) {
    uint8_t *state = &s->states[item->page];
    const uint32_t hash = page_hash(item->page);
    s->references++;
    s->cold += *state == SAMPLED_NEVER;
    if (*state == SAMPLED_NEVER)
        *state = SAMPLED_SEEN;
    if (hash >= s->threshold)
        return 0;
    uint32_t depth;
    int error = lru_stack_step(s->stack, item, &depth);
    if (error)
        return error;
    s->counted += 1 / sample_rate(s);
    if (depth > 0)
        depth_count(s, depth);
    if (*state == SAMPLED_THERE)
        return 0;
    *state = SAMPLED_THERE;
    s->pages++;
    error = heap_push(s, (uint64_t)hash << 32 | item->page);
    while (!error && s->pages > s->pages_max)
        sample_lower(s);
    return error;
}

static int page_die(struct sample *s, const struct refs_item *item) {
    if (s->states[item->page] != SAMPLED_THERE)
        return 0;
    s->states[item->page] = SAMPLED_SEEN;
    s->pages--;
    return lru_stack_feed(s->stack, item, 1);
}

int sample_feed(struct sample *s, const struct refs_item *items, size_t count) {
    int error = 0;
    for (size_t i = 0; i < count && !error; i++) {
        if (items[i].kind != REFS_REFERENCE && items[i].kind != REFS_DIES)
            continue;
        if (items[i].page >= s->page_count)
            return -EBADMSG;
        error = items[i].kind == REFS_DIES ? page_die(s, &items[i]) : page_reference(s, &items[i]);
    }
    return error;
}

/* ---- what came out ---- */

double sample_rate(const struct sample *s) {
    return (double)s->threshold / (double)(1ULL << HASH_BITS);
}

uint64_t sample_cold(const struct sample *s) {
    return s->cold;
}

/* References that the sample lacks, or has too many of, are taken for those to the
 * most popular pages: hits. */
void sample_curve(const struct sample *s, uint64_t *ret_faults) {
    double hits = (double)s->references - s->counted;
    for (size_t i = 0; i < s->size_count; i++) {
        hits += s->hits[i];
        const double misses = fmax((double)s->references - hits, (double)s->cold);
        ret_faults[i] = (uint64_t)llround(fmin(misses, (double)s->references));
    }
}
