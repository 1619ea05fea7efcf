/* See hash.h. */
#include "refs/hash.h"

#include <emmintrin.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/base.h"
#include "hw/types.h"

enum { HASH_ITEMS = 1024, HASH_CONTROL = 0x7fffffff, HASH_WRITE_SHIFT = 31, HASH_CONTROL_WORDS = 3 };
_Static_assert(HASH_CONTROL == REFS_PAGES_MAX, "no page's number");

/* Where kind and flags are in a word. */
enum { KIND_SHIFT = 48, FLAGS_SHIFT = 56 };

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

static inline uint32_t number_of_reference(uint64_t word) {
    return (uint32_t)word | (uint32_t)(word >> FLAGS_SHIFT & ACCESS_WRITE) << (HASH_WRITE_SHIFT - 1);
}
_Static_assert(ACCESS_WRITE == 2, "the shift above");

/* Those of four words, as long as they are references. */
static inline __m128i numbers_of_four(__m128i a, __m128i b, __m128i *others) {
    const __m128 x = _mm_castsi128_ps(a), y = _mm_castsi128_ps(b);
    const __m128i page = _mm_castps_si128(_mm_shuffle_ps(x, y, _MM_SHUFFLE(2, 0, 2, 0)));
    const __m128i high = _mm_castps_si128(_mm_shuffle_ps(x, y, _MM_SHUFFLE(3, 1, 3, 1)));
    const __m128i write = _mm_and_si128(_mm_slli_epi32(high, HASH_WRITE_SHIFT - (FLAGS_SHIFT - 32 + 1)),
                                        _mm_set1_epi32(INT32_MIN));
    *others = _mm_or_si128(*others, high);
    return _mm_or_si128(page, write);
}

/* Nothing but references: quick. 0: there is something else. */
static size_t numbers_of_references(uint32_t *numbers, const uint64_t *words, size_t count) {
    __m128i others = _mm_setzero_si128();
    uint64_t other = 0;
    size_t i = 0;
    for (; i + 4 <= count; i += 4) {
        const __m128i a = _mm_loadu_si128((const __m128i *)(words + i));
        const __m128i b = _mm_loadu_si128((const __m128i *)(words + i + 2));
        _mm_storeu_si128((__m128i *)(numbers + i), numbers_of_four(a, b, &others));
    }
    for (; i < count; i++) {
        numbers[i] = number_of_reference(words[i]);
        other |= words[i] >> KIND_SHIFT & 0xff;
    }
    others = _mm_and_si128(others, _mm_set1_epi32(0xff << (KIND_SHIFT - 32)));
    other |= (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(others, _mm_setzero_si128())) ^ 0xffffu;
    return other ? 0 : count;
}

static size_t numbers_of_words(uint32_t *numbers, const uint64_t *words, size_t count) {
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        const uint32_t kind = words[i] >> KIND_SHIFT & 0xff;
        if (kind == REFS_REFERENCE) {
            numbers[used++] = number_of_reference(words[i]);
        } else if (kind != REFS_MARK) {
            numbers[used++] = HASH_CONTROL;
            numbers[used++] = kind | (uint32_t)(words[i] >> FLAGS_SHIFT) << 8;
            numbers[used++] = (uint32_t)words[i];
        }
    }
    return used;
}

void refs_hash_words(struct refs_hash *h, const uint64_t *words, size_t count) {
    uint32_t numbers[HASH_CONTROL_WORDS * HASH_ITEMS];
    while (count) {
        const size_t part = min_size(count, HASH_ITEMS);
        size_t used = numbers_of_references(numbers, words, part);
        if (!used)
            used = numbers_of_words(numbers, words, part);
        XXH3_128bits_update(h->state, numbers, used * sizeof *numbers);
        words += part;
        count -= part;
    }
}

void refs_hash_add(struct refs_hash *h, const struct refs_item *items, size_t count) {
    uint64_t words[HASH_ITEMS];
    while (count) {
        const size_t part = min_size(count, HASH_ITEMS);
        for (size_t i = 0; i < part; i++)
            memcpy(&words[i], &items[i].page, sizeof words[i]);
        refs_hash_words(h, words, part);
        items += part;
        count -= part;
    }
}

void refs_hash_get(const struct refs_hash *h, uint8_t ret_hash[16]) {
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(h->state));
    memcpy(ret_hash, canonical.digest, 16);
}
