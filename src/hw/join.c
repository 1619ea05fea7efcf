/* The same loop at three widths: an entry is compared with the one before it; the first of a page stays,
 * written behind what has stayed so far, and takes the kinds of those that follow. Whether an entry stays is
 * as good as random, so nothing jumps upon it. */
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
    const uint64_t kinds = (uint64_t)(LOG_WRITTEN | LOG_FETCHED) << 32;
    struct reference *const first_out = out;
    uint64_t first = 0; /* a reference as a word */
    uint32_t before = ~log->pages[0];
    for (size_t i = 0; i < log->count; i++) {
        const uint32_t page = log->pages[i], rest = log->rests[i];
        const uint64_t right = (uint64_t)((rest & ~(uint32_t)UINT16_MAX) | (uint16_t)(log->end - rest))
                                   << 32 |
                               (page - log->base);
        const bool stays = page != before;
        out += stays;
        first = stays ? right : first | (right & kinds);
        memcpy(out - 1, &first, sizeof first);
        before = page;
    }
    return (size_t)(out - first_out);
}

/* ---- vectors ---- */

/* A bit for each run: whether one of its entries behind the first has the kind. Bit 0 is the run's that goes
 * on from the vector before, the next one that of the first entry that stays, and so on. An addition finds
 * them: where entries do not stay there are ones, and any added to these carries into the bit behind, where
 * the next run begins, or the vector ends. all: a bit for each entry of a vector. */
__attribute__((target("bmi2"))) static inline unsigned kind_of_runs(unsigned kind, unsigned stay,
                                                                    unsigned all) {
    const unsigned others = stay ^ all;
    return _pext_u32((kind & others) + others, stay | (all + 1));
}

/* What of the entries of a vector that stay is not yet in memory: the next one may add to the kinds of the
 * last. */
struct held {
    unsigned written, fetched; /* a bit for each: the kinds of those that went on with it */
    unsigned count;            /* 0: at the beginning */
};

/* written, fetched: of kind_of_runs(). */
static inline void held_add(struct held *held, unsigned written, unsigned fetched) {
    held->written |= (written & 1) << held->count >> 1;
    held->fetched |= (fetched & 1) << held->count >> 1;
}

/* ---- eight at a time ---- */

/* On the processors that are left out, PEXT takes longer than all the rest. */
static bool has_avx2(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") && !__builtin_cpu_is("znver1") &&
           !__builtin_cpu_is("znver2");
}

struct eights {
    __m256i base, end, bits, turn;
    __m256i before;        /* the pages of the vector, turned by one */
    __m256i frames, rests; /* of those held */
    struct held held;
    struct reference *out;
};

/* `kind` where the lane's bit is set. */
__attribute__((target("avx2"))) static inline __m256i eights_kind(const struct eights *e, unsigned lanes,
                                                                  int kind) {
    const __m256i is = _mm256_cmpeq_epi32(_mm256_and_si256(_mm256_set1_epi32((int)lanes), e->bits), e->bits);
    return _mm256_and_si256(is, _mm256_set1_epi32(kind));
}

__attribute__((target("avx2"))) static inline void eights_write(struct eights *e) {
    const __m256i kinds = _mm256_or_si256(eights_kind(e, e->held.written, LOG_WRITTEN),
                                          eights_kind(e, e->held.fetched, LOG_FETCHED));
    const __m256i rests = _mm256_or_si256(e->rests, kinds);
    const __m256i low = _mm256_unpacklo_epi32(e->frames, rests);  /* 0 1, 4 5 */
    const __m256i high = _mm256_unpackhi_epi32(e->frames, rests); /* 2 3, 6 7 */
    _mm256_storeu_si256((__m256i *)e->out, _mm256_permute2x128_si256(low, high, 0x20));
    _mm256_storeu_si256((__m256i *)(e->out + 4), _mm256_permute2x128_si256(low, high, 0x31));
    e->out += e->held.count;
}

/* A bit for each lane that is negative. */
__attribute__((target("avx2"))) static inline unsigned eights_signs(__m256i v) {
    return (unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(v));
}

/* The numbers of the lanes whose bits are set. */
__attribute__((target("avx2,bmi2"))) static inline __m256i eights_order(unsigned lanes) {
    const uint64_t bytes = _pdep_u64(lanes, 0x0101010101010101) * 0xff;
    return _mm256_cvtepu8_epi32(_mm_cvtsi64_si128((long long)_pext_u64(0x0706050403020100, bytes)));
}

/* are: a bit for each entry that there is. */
__attribute__((target("avx2,popcnt,bmi2"), always_inline)) static inline void
eights_add(struct eights *e, __m256i pages, __m256i rests, unsigned are) {
    enum { ALL = 0xff, SIGN = 31, WRITTEN = 16, FETCHED = 24 };
    const __m256i turned = _mm256_permutevar8x32_epi32(pages, e->turn);
    const __m256i previous = _mm256_blend_epi32(turned, e->before, 1);
    const unsigned stay = ~eights_signs(_mm256_cmpeq_epi32(pages, previous)) & are;
    const unsigned written =
        kind_of_runs(eights_signs(_mm256_slli_epi32(rests, SIGN - WRITTEN)) & are, stay, ALL);
    const unsigned fetched =
        kind_of_runs(eights_signs(_mm256_slli_epi32(rests, SIGN - FETCHED)) & are, stay, ALL);
    held_add(&e->held, written, fetched);
    e->before = turned;
    if (unlikely(!stay))
        return;
    eights_write(e);
    const __m256i order = eights_order(stay);
    const __m256i right = _mm256_blend_epi16(rests, _mm256_sub_epi16(e->end, rests), 0x55);
    e->frames = _mm256_permutevar8x32_epi32(_mm256_sub_epi32(pages, e->base), order);
    e->rests = _mm256_permutevar8x32_epi32(right, order);
    e->held = (struct held){written >> 1, fetched >> 1, (unsigned)__builtin_popcount(stay)};
}

__attribute__((target("avx2,popcnt,bmi2"))) static size_t join_avx2(const struct reference_log *log,
                                                                    struct reference *out) {
    struct eights e = {.base = _mm256_set1_epi32((int)log->base),
                       .end = _mm256_set1_epi32(log->end),
                       .bits = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128),
                       .turn = _mm256_setr_epi32(7, 0, 1, 2, 3, 4, 5, 6),
                       .before = _mm256_set1_epi32((int)~log->pages[0]),
                       .frames = _mm256_setzero_si256(),
                       .rests = _mm256_setzero_si256(),
                       .out = out};
    const size_t whole = log->count & ~(size_t)7;
    for (size_t i = 0; i < whole; i += 8)
        eights_add(&e, _mm256_loadu_si256((const __m256i *)(log->pages + i)),
                   _mm256_loadu_si256((const __m256i *)(log->rests + i)), 0xff);
    const unsigned are = (1U << (log->count - whole)) - 1;
    if (are) {
        const __m256i is = _mm256_cmpeq_epi32(_mm256_and_si256(_mm256_set1_epi32((int)are), e.bits), e.bits);
        eights_add(&e, _mm256_maskload_epi32((const int *)(log->pages + whole), is),
                   _mm256_maskload_epi32((const int *)(log->rests + whole), is), are);
    }
    eights_write(&e);
    return (size_t)(e.out - out);
}

/* ---- sixteen at a time ---- */

static bool has_avx512(void) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("bmi2");
}

struct sixteens {
    __m512i base, end, first_half, second_half; /* the halves: how frames and rests become references */
    __m512i before;                             /* the pages of the vector */
    __m512i frames, rests;                      /* of those held */
    struct held held;
    struct reference *out;
};

__attribute__((target("avx512f,avx512bw"))) static inline void sixteens_write(struct sixteens *s) {
    const __m512i some =
        _mm512_mask_or_epi32(s->rests, (__mmask16)s->held.written, s->rests, _mm512_set1_epi32(LOG_WRITTEN));
    const __m512i rests =
        _mm512_mask_or_epi32(some, (__mmask16)s->held.fetched, some, _mm512_set1_epi32(LOG_FETCHED));
    _mm512_storeu_si512(s->out, _mm512_permutex2var_epi32(s->frames, s->first_half, rests));
    _mm512_storeu_si512(s->out + 8, _mm512_permutex2var_epi32(s->frames, s->second_half, rests));
    s->out += s->held.count;
}

/* are: a bit for each entry that there is. */
__attribute__((target("avx512f,avx512bw,popcnt,bmi2"), always_inline)) static inline void
sixteens_add(struct sixteens *s, __m512i pages, __m512i rests, unsigned are) {
    enum { ALL = 0xffff };
    const __mmask16 mask = (__mmask16)are;
    const __m512i previous = _mm512_alignr_epi32(pages, s->before, 15);
    /* Not by a masked comparison: GCC 12 makes wrong code of one under both sanitizers at -O1. */
    const unsigned stay = ~(unsigned)_mm512_cmpeq_epi32_mask(pages, previous) & are;
    const unsigned written =
        kind_of_runs(_mm512_mask_test_epi32_mask(mask, rests, _mm512_set1_epi32(LOG_WRITTEN)), stay, ALL);
    const unsigned fetched =
        kind_of_runs(_mm512_mask_test_epi32_mask(mask, rests, _mm512_set1_epi32(LOG_FETCHED)), stay, ALL);
    held_add(&s->held, written, fetched);
    s->before = pages;
    if (unlikely(!stay))
        return;
    sixteens_write(s);
    s->frames = _mm512_maskz_compress_epi32((__mmask16)stay, _mm512_sub_epi32(pages, s->base));
    s->rests =
        _mm512_maskz_compress_epi32((__mmask16)stay, _mm512_mask_sub_epi16(rests, 0x55555555, s->end, rests));
    s->held = (struct held){written >> 1, fetched >> 1, (unsigned)__builtin_popcount(stay)};
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
