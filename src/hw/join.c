/* The same loop at three widths: an entry is compared with the one before it; the first of a page stays,
 * written behind what has stayed so far, and takes the kinds of those that follow. Whether an entry stays is
 * as good as random, so nothing jumps upon it.
 *
 */
#include "hw/join.h"

#include <immintrin.h>
#include <string.h>

#include "base/base.h"

_Static_assert(offsetof(struct reference, count) == 4 && offsetof(struct reference, written) == 6 &&
                   offsetof(struct reference, fetched) == 7 && LOG_WRITTEN == 1 << 16 &&
                   LOG_FETCHED == 1 << 24,
               "the kinds stay where they are");

/* ---- one at a time ---- */

static bool always(void) {
    return true;
}

static size_t join_plain(const struct reference_log *log, struct reference *out) {
    const uint32_t *pages = log->pages;
    struct reference *const first_out = out;
    for (size_t i = 0; i < log->count; i++) {
        const struct reference r = log_reference(log, i);
        if (!i || pages[i] != pages[i - 1]) {
            *out++ = r;
        } else {
            out[-1].written |= r.written;
            out[-1].fetched |= r.fetched;
        }
    }
    return (size_t)(out - first_out);
}

/* The first entry of a vector goes on with the page of the last one that stayed, and is of these kinds. */
static void add_kinds(struct reference *last, bool written, bool fetched) {
    last->written |= written;
    last->fetched |= fetched;
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

/* What the entries behind have, where they are `same` as the one before them: over one, then over two. */
__attribute__((target("avx2"))) static inline __m256i kinds_of_runs(__m256i kinds, __m256i same) {
    enum { BY_ONE = 0x39, BY_TWO = 0x4e, FROM_ONE = 0x90 };
    const __m256i zero = _mm256_setzero_si256();
    const __m256i same_two = _mm256_and_si256(same, _mm256_permute4x64_epi64(same, FROM_ONE));
    const __m256i next = _mm256_permute4x64_epi64(_mm256_and_si256(kinds, same), BY_ONE);
    kinds = _mm256_or_si256(kinds, _mm256_blend_epi32(next, zero, 0xc0));
    const __m256i after_next = _mm256_permute4x64_epi64(_mm256_and_si256(kinds, same_two), BY_TWO);
    return _mm256_or_si256(kinds, _mm256_blend_epi32(after_next, zero, 0xf0));
}

/* The entries as words: page in bits 0 … 31, count in 32 … 47, written in 48, fetched in 56. */
__attribute__((target("avx2"))) static inline __m256i words_of(const struct reference_log *log, size_t i,
                                                               __m128i are) {
    const __m128i pages = _mm_maskload_epi32((const int *)(log->pages + i), are);
    const __m128i rests = _mm_maskload_epi32((const int *)(log->rests + i), are);
    return _mm256_or_si256(_mm256_cvtepu32_epi64(pages), _mm256_slli_epi64(_mm256_cvtepu32_epi64(rests), 32));
}

__attribute__((target("avx2,popcnt"))) static size_t join_avx2(const struct reference_log *log,
                                                               struct reference *out) {
    const size_t n = log->count;
    enum { LAST_TO_FIRST = 0x93 };
    const __m128i lanes = _mm_setr_epi32(0, 1, 2, 3);
    const __m256i kinds = _mm256_set1_epi64x((long long)((uint64_t)(LOG_WRITTEN | LOG_FETCHED) << 32));
    const __m256i base = _mm256_set1_epi64x(log->base), end = _mm256_set1_epi64x((long long)log->end << 32);
    __m256i before = _mm256_set1_epi32((int)~log->pages[0]);
    struct reference *const first_out = out;
    for (size_t i = 0; i < n; i += 4) {
        const __m128i there = _mm_cmpgt_epi32(_mm_set1_epi32((int)min_size(n - i, 4)), lanes);
        const __m256i are = _mm256_cvtepi32_epi64(there), words = words_of(log, i, there);
        const __m256i turned = _mm256_permute4x64_epi64(words, LAST_TO_FIRST);
        const __m256i previous = _mm256_blend_epi32(turned, before, 3);
        const __m256i equal = _mm256_cmpeq_epi32(words, previous);
        const __m256i same = _mm256_and_si256(_mm256_shuffle_epi32(equal, 0xa0), are);
        const __m256i runs = kinds_of_runs(_mm256_and_si256(words, kinds), same);
        const __m256i goes_on = _mm256_andnot_si256(previous, _mm256_and_si256(runs, same));
        const uint64_t carried = (uint64_t)_mm_cvtsi128_si64(_mm256_castsi256_si128(goes_on));
        if (unlikely(carried))
            add_kinds(out - 1, carried >> 48 & 1, carried >> 56 & 1);
        const unsigned stay =
            (unsigned)_mm256_movemask_pd(_mm256_castsi256_pd(_mm256_andnot_si256(same, are)));
        const __m256i frames = _mm256_sub_epi32(words, base), counts = _mm256_sub_epi16(end, words);
        const __m256i right = _mm256_or_si256(_mm256_blend_epi16(frames, counts, 0x44), runs);
        const __m256i order = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)halves_of[stay]));
        _mm256_storeu_si256((__m256i *)out, _mm256_permutevar8x32_epi32(right, order));
        out += __builtin_popcount(stay);
        before = turned;
    }
    return (size_t)(out - first_out);
}

/* ---- sixteen at a time ---- */

static bool has_avx512(void) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("bmi2");
}

/* The entries of a vector that stay, before they are written: the next one may add to the kinds of the last.
 */
struct sixteens {
    __m512i base, end, first_half, second_half; /* the halves: how frames and rests become references */
    __m512i before;                             /* the pages of the vector */
    __m512i frames, rests;                      /* of those held */
    unsigned held_written, held_fetched;        /* a bit for each: the kinds of those that went on with it */
    unsigned count;                             /* of those held; 0: at the beginning */
    struct reference *out;
};

/* A bit for each run: whether one of its entries behind the first has the kind. Bit 0 is the run's that goes
 * on from the vector before, the next one that of the first entry that stays, and so on. An addition finds
 * them: where entries do not stay there are ones, and any added to these carries into the bit behind, where
 * the next run begins, or the vector ends. */
__attribute__((target("bmi2"))) static inline unsigned kind_of_runs(unsigned kind, unsigned stay) {
    const unsigned others = stay ^ 0xffff;
    return _pext_u32((kind & others) + others, stay | 0x10000);
}

__attribute__((target("avx512f,avx512bw"))) static inline void sixteens_write(struct sixteens *s) {
    const __m512i some =
        _mm512_mask_or_epi32(s->rests, (__mmask16)s->held_written, s->rests, _mm512_set1_epi32(LOG_WRITTEN));
    const __m512i rests =
        _mm512_mask_or_epi32(some, (__mmask16)s->held_fetched, some, _mm512_set1_epi32(LOG_FETCHED));
    _mm512_storeu_si512(s->out, _mm512_permutex2var_epi32(s->frames, s->first_half, rests));
    _mm512_storeu_si512(s->out + 8, _mm512_permutex2var_epi32(s->frames, s->second_half, rests));
    s->out += s->count;
}

/* are: a bit for each entry that there is. */
__attribute__((target("avx512f,avx512bw,popcnt,bmi2"), always_inline)) static inline void
sixteens_add(struct sixteens *s, __m512i pages, __m512i rests, unsigned are) {
    const __mmask16 mask = (__mmask16)are;
    const __m512i previous = _mm512_alignr_epi32(pages, s->before, 15);
    const unsigned stay = _mm512_mask_cmpneq_epi32_mask(mask, pages, previous);
    const unsigned written =
        kind_of_runs(_mm512_mask_test_epi32_mask(mask, rests, _mm512_set1_epi32(LOG_WRITTEN)), stay);
    const unsigned fetched =
        kind_of_runs(_mm512_mask_test_epi32_mask(mask, rests, _mm512_set1_epi32(LOG_FETCHED)), stay);
    s->held_written |= (written & 1) << s->count >> 1;
    s->held_fetched |= (fetched & 1) << s->count >> 1;
    s->before = pages;
    if (unlikely(!stay))
        return;
    sixteens_write(s);
    s->frames = _mm512_maskz_compress_epi32((__mmask16)stay, _mm512_sub_epi32(pages, s->base));
    s->rests =
        _mm512_maskz_compress_epi32((__mmask16)stay, _mm512_mask_sub_epi16(rests, 0x55555555, s->end, rests));
    s->held_written = written >> 1;
    s->held_fetched = fetched >> 1;
    s->count = (unsigned)__builtin_popcount(stay);
}

__attribute__((target("avx512f,avx512bw,popcnt,bmi2"))) static size_t
join_avx512(const struct reference_log *log, struct reference *out) {
    struct sixteens s = {
        .base = _mm512_set1_epi32((int)log->base),
        .end = _mm512_set1_epi32(log->end),
        .first_half = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23),
        .second_half = _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31),
        .before = _mm512_set1_epi32((int)~log->pages[0]),
        .frames = _mm512_setzero_si512(),
        .rests = _mm512_setzero_si512(),
        .out = out};
    const size_t whole = log->count & ~(size_t)15;
    for (size_t i = 0; i < whole; i += 16)
        sixteens_add(&s, _mm512_loadu_si512(log->pages + i), _mm512_loadu_si512(log->rests + i), 0xffff);
    const unsigned are = (1U << (log->count - whole)) - 1;
    if (are)
        sixteens_add(&s, _mm512_maskz_loadu_epi32((__mmask16)are, log->pages + whole),
                     _mm512_maskz_loadu_epi32((__mmask16)are, log->rests + whole), are);
    sixteens_write(&s);
    return (size_t)(s.out - out);
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
