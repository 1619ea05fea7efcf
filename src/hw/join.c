/* The same loop at three widths: an entry is compared with the one before it; the first of a page stays,
 * written behind what has stayed so far, and takes the kinds of those that follow. Whether an entry stays is
 * as good as random, so nothing jumps upon it.
 *
 * Entries are words here: frame in bits 0 … 31, count in 32 … 47, written in 48, fetched in 56. */
#include "hw/join.h"

#include <immintrin.h>
#include <string.h>

#include "base/base.h"

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
static uint64_t addend(const struct reference_log *log) {
    return (uint32_t)-log->base | (uint64_t)(uint16_t)(log->end + 1) << 32;
}

/* ---- one at a time ---- */

static bool always(void) {
    return true;
}

static size_t join_plain(const struct reference_log *log, struct reference *out) {
    const struct reference *entries = log->entries;
    const size_t n = log->count;
    struct reference *const first_out = out;
    uint64_t before = ~word_at(entries), first = 0;
    for (size_t i = 0; i < n; i++) {
        const uint64_t word = word_at(entries + i);
        const bool differs = ((word ^ before) & FRAME) != 0;
        const uint64_t right = ((word & ~COUNT & ~FRAME) | (uint32_t)((uint32_t)word - log->base) |
                                (uint64_t)(uint16_t)(log->end - (uint16_t)(word >> 32)) << 32);
        out += differs;
        first = differs ? right : first | (word & KINDS);
        memcpy(out - 1, &first, sizeof first);
        before = word;
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

__attribute__((target("avx2,popcnt"))) static size_t join_avx2(const struct reference_log *log,
                                                               struct reference *out) {
    const struct reference *entries = log->entries;
    const size_t n = log->count;
    enum { LAST_TO_FIRST = 0x93 };
    const __m256i kinds = _mm256_set1_epi64x((long long)KINDS), lanes = _mm256_setr_epi64x(0, 1, 2, 3);
    const __m256i inverted = _mm256_set1_epi64x((long long)COUNT);
    const __m256i added = _mm256_set1_epi64x((long long)addend(log));
    __m256i before = _mm256_set1_epi64x((long long)~word_at(entries));
    struct reference *const first_out = out;
    for (size_t i = 0; i < n; i += 4) {
        const __m256i are = _mm256_cmpgt_epi64(_mm256_set1_epi64x((long long)(n - i)), lanes);
        const __m256i words = _mm256_maskload_epi64((const long long *)(entries + i), are);
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
        /* The counts' addition carries into nothing, as each is 16 bits wide; the frames' is 32 bits wide. */
        const __m256i counts = _mm256_add_epi16(_mm256_xor_si256(words, inverted), added);
        const __m256i frames = _mm256_add_epi32(words, added);
        const __m256i right = _mm256_or_si256(_mm256_blend_epi32(counts, frames, 0x55), runs);
        const __m256i order = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)halves_of[stay]));
        _mm256_storeu_si256((__m256i *)out, _mm256_permutevar8x32_epi32(right, order));
        out += __builtin_popcount(stay);
        before = turned;
    }
    return (size_t)(out - first_out);
}

/* ---- eight at a time ---- */

static bool has_avx512(void) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("bmi2");
}

/* The entries of a vector that stay, before they are written: the next one may add to the kinds of the last.
 */
struct eights {
    __m512i frame, written, fetched, inverted, added; /* of each word */
    __m512i before;                                   /* the vector as it was */
    __m512i held;
    unsigned held_written, held_fetched; /* a bit for each: the kinds of those that went on with it */
    unsigned count;                      /* of those held; 0: at the beginning */
    struct reference *out;
};

/* A bit for each run: whether one of its entries behind the first has the kind. Bit 0 is the run's that goes
 * on from the vector before, the next one that of the first entry that stays, and so on. An addition finds
 * them: where entries do not stay there are ones, and any added to these carries into the bit behind, where
 * the next run begins, or the vector ends. */
__attribute__((target("bmi2"))) static inline unsigned kind_of_runs(unsigned kind, unsigned stay) {
    const unsigned others = stay ^ 0xff;
    return _pext_u32((kind & others) + others, stay | 0x100);
}

__attribute__((target("avx512f,avx512bw"))) static inline void eights_write(struct eights *e) {
    const __m512i some = _mm512_mask_or_epi64(e->held, (__mmask8)e->held_written, e->held, e->written);
    _mm512_storeu_si512(e->out, _mm512_mask_or_epi64(some, (__mmask8)e->held_fetched, some, e->fetched));
    e->out += e->count;
}

/* are: a bit for each word that there is. */
__attribute__((target("avx512f,avx512bw,popcnt,bmi2"), always_inline)) static inline void
eights_add(struct eights *e, __m512i words, unsigned are) {
    const __mmask8 mask = (__mmask8)are;
    const __m512i previous = _mm512_alignr_epi64(words, e->before, 7);
    const unsigned stay = _mm512_mask_test_epi64_mask(mask, _mm512_xor_si512(words, previous), e->frame);
    const unsigned written = kind_of_runs(_mm512_mask_test_epi64_mask(mask, words, e->written), stay);
    const unsigned fetched = kind_of_runs(_mm512_mask_test_epi64_mask(mask, words, e->fetched), stay);
    e->held_written |= (written & 1) << e->count >> 1;
    e->held_fetched |= (fetched & 1) << e->count >> 1;
    e->before = words;
    if (unlikely(!stay))
        return;
    eights_write(e);
    const __m512i counts = _mm512_add_epi16(_mm512_xor_si512(words, e->inverted), e->added);
    const __m512i right = _mm512_mask_add_epi32(counts, 0x5555, words, e->added);
    e->held = _mm512_maskz_compress_epi64((__mmask8)stay, right);
    e->held_written = written >> 1;
    e->held_fetched = fetched >> 1;
    e->count = (unsigned)__builtin_popcount(stay);
}

__attribute__((target("avx512f,avx512bw,popcnt,bmi2"))) static size_t
join_avx512(const struct reference_log *log, struct reference *out) {
    struct eights e = {.frame = _mm512_set1_epi64((long long)FRAME),
                       .written = _mm512_set1_epi64(1LL << 48),
                       .fetched = _mm512_set1_epi64(1LL << 56),
                       .inverted = _mm512_set1_epi64((long long)COUNT),
                       .added = _mm512_set1_epi64((long long)addend(log)),
                       .before = _mm512_set1_epi64((long long)~word_at(log->entries)),
                       .held = _mm512_setzero_si512(),
                       .out = out};
    const size_t whole = log->count & ~(size_t)7;
    for (size_t i = 0; i < whole; i += 8)
        eights_add(&e, _mm512_loadu_si512(log->entries + i), 0xff);
    const unsigned are = (1U << (log->count - whole)) - 1;
    if (are)
        eights_add(&e, _mm512_maskz_loadu_epi64((__mmask8)are, log->entries + whole), are);
    eights_write(&e);
    return (size_t)(e.out - out);
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
