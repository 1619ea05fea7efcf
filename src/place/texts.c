/* See texts.h. Found by a 64-bit hash (FNV-1a) and then compared. */
#include "place/texts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

void texts_free(struct texts *n) {
    for (uint32_t i = 0; i < n->count; i++)
        free(n->texts[i]);
    free(n->texts);
    free(n->next);
    map_free(&n->hashes);
    *n = (struct texts){0};
}

static uint64_t hash_of(const char *text) {
    uint64_t hash = 0xcbf29ce484222325;
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 0x100000001b3;
    return hash;
}

static int texts_grow(struct texts *n) {
    size_t texts = n->capacity, next = n->capacity;
    if (array_reserve(&n->texts, &texts, n->count + 1ULL, sizeof *n->texts) ||
        array_reserve(&n->next, &next, n->count + 1ULL, sizeof *n->next))
        return -ENOMEM;
    n->capacity = next;
    return 0;
}

int texts_add(struct texts *n, const char *text, uint32_t *ret_number) {
    const uint64_t hash = hash_of(text);
    uint64_t first = 0;
    (void)map_get(&n->hashes, hash, &first);
    for (uint64_t at = first; at; at = n->next[at - 1]) {
        if (strcmp(n->texts[at - 1], text))
            continue;
        *ret_number = (uint32_t)at - 1;
        return 0;
    }
    if (texts_grow(n) || map_put(&n->hashes, hash, n->count + 1))
        return -ENOMEM;
    char *copy = strdup(text);
    if (!copy) {
        (void)(first ? map_put(&n->hashes, hash, first) : (int)map_remove(&n->hashes, hash, NULL));
        return -ENOMEM;
    }
    n->texts[n->count] = copy;
    n->next[n->count] = (uint32_t)first;
    *ret_number = n->count++;
    return 0;
}

const char *texts_get(const struct texts *n, uint32_t number) {
    return n->texts[number];
}
