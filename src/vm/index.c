/* See index.h. */
#include "vm/index.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/alloc.h"

enum { CHUNK_SHIFT = 6, CHUNK_PAGES = 1 << CHUNK_SHIFT };

struct index_chunk {
    RB_ENTRY(index_chunk) node;
    uint64_t number; /* page >> CHUNK_SHIFT */
    struct index_entry entries[CHUNK_PAGES];
};

static int chunk_compare(const struct index_chunk *a, const struct index_chunk *b) {
    return a->number < b->number ? -1 : a->number > b->number;
}

RB_PROTOTYPE(index_tree, index_chunk, node, chunk_compare)
RB_GENERATE(index_tree, index_chunk, node, chunk_compare)

static struct index_chunk *chunk_find(struct page_index *index, uint64_t page) {
    const uint64_t number = page >> CHUNK_SHIFT;
    if (index->recent && index->recent->number == number)
        return index->recent;
    struct index_chunk *chunk = RB_ROOT(&index->chunks);
    while (chunk && chunk->number != number)
        chunk = number < chunk->number ? RB_LEFT(chunk, node) : RB_RIGHT(chunk, node);
    if (chunk)
        index->recent = chunk;
    return chunk;
}

struct index_entry index_get(struct page_index *index, uint64_t page) {
    const struct index_chunk *chunk = chunk_find(index, page);
    return chunk ? chunk->entries[page & (CHUNK_PAGES - 1)] : (struct index_entry){INDEX_NONE};
}

int index_reserve(struct page_index *index, struct inject *inject, uint64_t page) {
    if (chunk_find(index, page))
        return 0;
    struct index_chunk *chunk = inject_calloc(inject, 1, sizeof *chunk);
    if (!chunk)
        return -ENOMEM;
    chunk->number = page >> CHUNK_SHIFT;
    RB_INSERT(index_tree, &index->chunks, chunk);
    index->recent = chunk;
    return 0;
}

void index_set(struct page_index *index, uint64_t page, struct index_entry entry) {
    struct index_chunk *chunk = chunk_find(index, page);
    assert(chunk);
    struct index_entry *place = &chunk->entries[page & (CHUNK_PAGES - 1)];
    index->resident -= index_kind(*place) == INDEX_FRAME;
    *place = entry;
    index->resident += index_kind(*place) == INDEX_FRAME;
}

/* The chunk of the page, or the next one after it. */
static struct index_chunk *chunk_at_or_after(struct page_index *index, uint64_t page) {
    const uint64_t number = page >> CHUNK_SHIFT;
    struct index_chunk *found = NULL, *chunk = RB_ROOT(&index->chunks);
    while (chunk) {
        if (chunk->number == number)
            return chunk;
        if (number < chunk->number)
            found = chunk;
        chunk = number < chunk->number ? RB_LEFT(chunk, node) : RB_RIGHT(chunk, node);
    }
    return found;
}

bool index_next(struct page_index *index, uint64_t *page, uint64_t end, struct index_entry *ret_entry) {
    uint64_t at = *page;
    for (struct index_chunk *chunk = chunk_at_or_after(index, at); chunk;
         chunk = RB_NEXT(index_tree, &index->chunks, chunk)) {
        const uint64_t first = chunk->number << CHUNK_SHIFT;
        for (at = at > first ? at : first; at < first + CHUNK_PAGES; at++) {
            if (at >= end)
                return false;
            const struct index_entry entry = chunk->entries[at - first];
            if (index_kind(entry) == INDEX_NONE)
                continue;
            *page = at;
            *ret_entry = entry;
            return true;
        }
    }
    return false;
}

void index_clear(struct page_index *index, uint64_t page) {
    struct index_chunk *next;
    for (struct index_chunk *chunk = chunk_at_or_after(index, page); chunk; chunk = next) {
        next = RB_NEXT(index_tree, &index->chunks, chunk);
        const uint64_t first = chunk->number << CHUNK_SHIFT;
        for (uint64_t at = page > first ? page : first; at < first + CHUNK_PAGES; at++) {
            assert(index_kind(chunk->entries[at - first]) != INDEX_FRAME);
            chunk->entries[at - first] = (struct index_entry){INDEX_NONE};
        }
        if (first < page)
            continue;
        RB_REMOVE(index_tree, &index->chunks, chunk);
        if (index->recent == chunk)
            index->recent = NULL;
        free(chunk);
    }
}
