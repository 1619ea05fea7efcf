/* See hash.h. */
#include "refs/hash.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/base.h"
#include "hw/types.h"

enum { HASH_WORDS = 512 };

struct refs_hash {
    XXH3_state_t *state;
};

struct refs_hash *refs_hash_create(void) {
    struct refs_hash *h = malloc(sizeof *h);
    if (!h)
        return NULL;
    h->state = XXH3_createState();
    if (!h->state) {
        free(h);
        return NULL;
    }
    refs_hash_reset(h);
    return h;
}

void refs_hash_destroy(struct refs_hash *h) {
    if (!h)
        return;
    XXH3_freeState(h->state);
    free(h);
}

void refs_hash_reset(struct refs_hash *h) {
    XXH3_128bits_reset(h->state);
}

/* Nothing but references: quick. */
static size_t words_of_references(uint64_t *words, const struct refs_item *items, size_t count) {
    const uint64_t counts = htole64(UINT32_MAX | (uint64_t)ACCESS_WRITE << 56);
    uint64_t others = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t what; /* little-endian as in memory: page, space, kind, flags */
        memcpy(&what, &items[i].page, sizeof what);
        words[i] = what & counts;
        others |= what & htole64(0xffULL << 48);
    }
    return others ? 0 : count;
}

static size_t words_of_items(uint64_t *words, const struct refs_item *items, size_t count) {
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        const struct refs_item *item = &items[i];
        const uint8_t flags =
            item->kind == REFS_REFERENCE ? (uint8_t)(item->flags & ACCESS_WRITE) : item->flags;
        words[used] = htole64(item->page | (uint64_t)item->kind << 48 | (uint64_t)flags << 56);
        used += item->kind != REFS_MARK;
    }
    return used;
}

void refs_hash_add(struct refs_hash *h, const struct refs_item *items, size_t count) {
    uint64_t words[HASH_WORDS];
    while (count) {
        const size_t part = min_size(count, HASH_WORDS);
        size_t used = words_of_references(words, items, part);
        if (!used)
            used = words_of_items(words, items, part);
        XXH3_128bits_update(h->state, words, used * sizeof *words);
        items += part;
        count -= part;
    }
}

void refs_hash_get(const struct refs_hash *h, uint8_t ret_hash[16]) {
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(h->state));
    memcpy(ret_hash, canonical.digest, 16);
}
