/* The same loop at three widths: an entry is compared with the one before it, and what stays is written
 * behind what has stayed so far. There is no jump but the loop's: whether an entry stays is as good as
 * random.
 *
 * Entries are words here: frame in bits 0 … 31, count in 32 … 47, written in 48, fetched in 56. */
#include "engine/soft/join.h"

#include <immintrin.h>
#include <string.h>

#define FRAME 0x00000000ffffffffULL
#define COUNT 0x0000ffff00000000ULL
#define KINDS 0x0101000000000000ULL

_Static_assert(sizeof(struct reference) == 8 && offsetof(struct reference, count) == 4 &&
                   offsetof(struct reference, written) == 6 && offsetof(struct reference, fetched) == 7,
               "an entry is a word as above");

static uint64_t word_at(const struct reference *entry) {
    uint64_t word;
    memcpy(&word, entry, sizeof word);
    return word;
}

/* Adding this to the frame and to the inverted count, of 32 and 16 bits, puts them right:
 * end - count = end + 1 + ~count. */
static uint64_t addend(uint32_t base, uint16_t end) {
    return (uint32_t)-base | (uint64_t)(uint16_t)(end + 1) << 32;
}

/* ---- one at a time ---- */

static bool always(void) {
    return true;
}

static size_t join_plain(struct reference *entries, size_t n, uint32_t base, uint16_t end) {
    struct reference *out = entries;
    uint64_t before = ~word_at(entries);
    for (size_t i = 0; i < n; i++) {
        const uint64_t word = word_at(entries + i);
        const uint64_t news = ((word ^ before) & FRAME) | (word & ~before & KINDS);
        *out = (struct reference){.frame = (uint32_t)word - base,
                                  .count = (uint16_t)(end - (uint16_t)(word >> 32)),
                                  .written = word >> 48 & 1,
                                  .fetched = word >> 56 & 1};
        out += news != 0;
        before = word;
    }
    return (size_t)(out - entries);
}

/* ---- four at a time ---- */

static bool has_avx2(void) {
    return __builtin_cpu_supports("avx2");
}

/* The halves of the words that stay, by a bit for each word. */
static const uint8_t halves_of[16][8] = {
    {0},
    {0, 1},
    {2, 3},
    {0, 1, 2, 3},
    {4, 5},
    {0, 1, 4, 5},
    {2, 3, 4, 5},
    {0, 1, 2, 3, 4, 5},
    {6, 7},
    {0, 1, 6, 7},
    {2, 3, 6, 7},
    {0, 1, 2, 3, 6, 7},
    {4, 5, 6, 7},
    {0, 1, 4, 5, 6, 7},
    {2, 3, 4, 5, 6, 7},
    {0, 1, 2, 3, 4, 5, 6, 7},
};

__attribute__((target("avx2,popcnt"))) static size_t join_avx2(struct reference *entries, size_t n,
                                                               uint32_t base, uint16_t end) {
    enum { LAST_TO_FIRST = 0x93 };
    const __m256i frame = _mm256_set1_epi64x((long long)FRAME), kinds = _mm256_set1_epi64x((long long)KINDS);
    const __m256i inverted = _mm256_set1_epi64x((long long)COUNT);
    const __m256i added = _mm256_set1_epi64x((long long)addend(base, end));
    __m256i before = _mm256_set1_epi64x((long long)~word_at(entries));
    struct reference *out = entries;
    for (size_t i = 0; i < n; i += 4) {
        const __m256i words = _mm256_loadu_si256((const __m256i *)(entries + i));
        const __m256i turned = _mm256_permute4x64_epi64(words, LAST_TO_FIRST);
        const __m256i previous = _mm256_blend_epi32(turned, before, 3);
        const __m256i news = _mm256_or_si256(_mm256_and_si256(_mm256_xor_si256(words, previous), frame),
                                             _mm256_and_si256(_mm256_andnot_si256(previous, words), kinds));
        const __m256i nothing = _mm256_cmpeq_epi64(news, _mm256_setzero_si256());
        unsigned stay = ~(unsigned)_mm256_movemask_pd(_mm256_castsi256_pd(nothing)) & 15;
        if (n - i < 4)
            stay &= (1U << (n - i)) - 1;
        /* The counts' addition carries into nothing, as each is 16 bits wide; the frames' is 32 bits wide. */
        const __m256i counts = _mm256_add_epi16(_mm256_xor_si256(words, inverted), added);
        const __m256i frames = _mm256_add_epi32(words, added);
        const __m256i right = _mm256_blend_epi32(counts, frames, 0x55);
        const __m256i order = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)halves_of[stay]));
        _mm256_storeu_si256((__m256i *)out, _mm256_permutevar8x32_epi32(right, order));
        out += __builtin_popcount(stay);
        before = turned;
    }
    return (size_t)(out - entries);
}

/* ---- eight at a time ---- */

static bool has_avx512(void) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw");
}

__attribute__((target("avx512f,avx512bw,popcnt"))) static size_t
join_avx512(struct reference *entries, size_t n, uint32_t base, uint16_t end) {
    const __m512i frame = _mm512_set1_epi64((long long)FRAME), kinds = _mm512_set1_epi64((long long)KINDS);
    const __m512i inverted = _mm512_set1_epi64((long long)COUNT);
    const __m512i added = _mm512_set1_epi64((long long)addend(base, end));
    __m512i before = _mm512_set1_epi64((long long)~word_at(entries));
    struct reference *out = entries;
    for (size_t i = 0; i < n; i += 8) {
        const __m512i words = _mm512_loadu_si512(entries + i);
        const __m512i previous = _mm512_alignr_epi64(words, before, 7);
        const __m512i news = _mm512_or_si512(_mm512_and_si512(_mm512_xor_si512(words, previous), frame),
                                             _mm512_and_si512(_mm512_andnot_si512(previous, words), kinds));
        __mmask8 stay = _mm512_test_epi64_mask(news, news);
        if (n - i < 8)
            stay &= (__mmask8)((1U << (n - i)) - 1);
        const __m512i counts = _mm512_add_epi16(_mm512_xor_si512(words, inverted), added);
        const __m512i right = _mm512_mask_add_epi32(counts, 0x5555, words, added);
        _mm512_storeu_si512(out, _mm512_maskz_compress_epi64(stay, right));
        out += __builtin_popcount(stay);
        before = words;
    }
    return (size_t)(out - entries);
}

const struct join_variant join_variants[] = {
    {"avx512", has_avx512, join_avx512},
    {"avx2", has_avx2, join_avx2},
    {"plain", always, join_plain},
    {NULL, NULL, NULL},
};

join_function *join_choose(void) {
    const struct join_variant *v = join_variants;
    while (!v->is_supported())
        v++;
    return v->join;
}
