/* The same loop at three widths: an entry is compared with the one before it; the first of a page stays,
 * written behind what has stayed so far, and takes the kinds of those that follow. Whether an entry stays is
 * as good as random, so nothing jumps upon it. */
#include "hw/join.h"

#include <immintrin.h>
#include <string.h>

#include "base/base.h"

#define JOINED_WRITTEN (1U << JOINED_WRITTEN_SHIFT)
#define JOINED_FETCHED (1U << JOINED_FETCHED_SHIFT)
_Static_assert(JOINED_FRAME == UINT16_MAX && JOINED_SINCE_SHIFT == 16, "an entry's count shifted by a half");

/* ---- one at a time ---- */

static bool always(void) {
    return true;
}

static uint32_t word_of(const struct reference_log *log, size_t i) {
    const struct reference r = log_reference(log, i);
    return (r.frame & JOINED_FRAME) | (uint32_t)(r.instruction - log->start) << JOINED_SINCE_SHIFT |
           (uint32_t)r.written << JOINED_WRITTEN_SHIFT | (uint32_t)r.fetched << JOINED_FETCHED_SHIFT;
}

static struct joined join_plain(const struct reference_log *log, uint32_t *words, uint32_t *frames) {
    const uint32_t *const first_word = words;
    uint32_t first = 0, before = ~log->pages[0], highest = 0;
    for (size_t i = 0; i < log->count; i++) {
        const uint32_t page = log->pages[i], word = word_of(log, i);
        const bool stays = page != before;
        words += stays;
        frames += stays;
        first = stays ? word : first | (word & (JOINED_WRITTEN | JOINED_FETCHED));
        words[-1] = first;
        frames[-1] = page - log->base;
        highest = max_u32(highest, page - log->base);
        before = page;
    }
    return (struct joined){(size_t)(words - first_word), highest};
}

/* ---- vectors ---- */

/* What of the entries of a vector that stay is not yet in memory: the next one may add to the kinds of the
 * last. */
struct held {
    unsigned written, fetched; /* a bit for each: their kinds */
    unsigned count;            /* 0: at the beginning */
};

/* A bit for each run: whether one of its entries behind the first has the kind. Bit 0 is the run's that goes
 * on from the vector before, the next one that of the first entry that stays, and so on. An addition finds
 * them: where entries do not stay there are ones, and any added to these carries into the bit behind, where
 * the next run begins, or the vector ends. all: a bit for each entry of a vector. */
__attribute__((target("bmi2"))) static inline unsigned kind_of_runs(unsigned kind, unsigned stay,
                                                                    unsigned all) {
    const unsigned others = stay ^ all;
    return _pext_u32((kind & others) + others, stay | (all + 1));
}

/* The kind of what stays: of the first entries, and of those that went on with them. */
__attribute__((target("bmi2"))) static inline unsigned kind_of_stay(unsigned kind, unsigned of_runs,
                                                                    unsigned stay) {
    return _pext_u32(kind, stay) | of_runs >> 1;
}

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
    __m256i words, frames; /* of those held; words without their kinds */
    __m256i highest;
    struct held held;
    uint32_t *out_words, *out_frames;
};

/* `kind` where the lane's bit is set. */
__attribute__((target("avx2"))) static inline __m256i eights_kind(const struct eights *e, unsigned lanes,
                                                                  unsigned kind) {
    const __m256i is = _mm256_cmpeq_epi32(_mm256_and_si256(_mm256_set1_epi32((int)lanes), e->bits), e->bits);
    return _mm256_and_si256(is, _mm256_set1_epi32((int)kind));
}

__attribute__((target("avx2"))) static inline void eights_write(struct eights *e) {
    const __m256i kinds = _mm256_or_si256(eights_kind(e, e->held.written, JOINED_WRITTEN),
                                          eights_kind(e, e->held.fetched, JOINED_FETCHED));
    _mm256_storeu_si256((__m256i *)e->out_words, _mm256_or_si256(e->words, kinds));
    _mm256_storeu_si256((__m256i *)e->out_frames, e->frames);
    e->out_words += e->held.count;
    e->out_frames += e->held.count;
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
    const unsigned write = eights_signs(_mm256_slli_epi32(rests, SIGN - WRITTEN)) & are;
    const unsigned fetch = eights_signs(_mm256_slli_epi32(rests, SIGN - FETCHED)) & are;
    const unsigned written = kind_of_runs(write, stay, ALL), fetched = kind_of_runs(fetch, stay, ALL);
    held_add(&e->held, written, fetched);
    e->before = turned;
    if (unlikely(!stay))
        return;
    eights_write(e);
    const __m256i order = eights_order(stay);
    const __m256i frames = _mm256_sub_epi32(pages, e->base);
    const __m256i since = _mm256_slli_epi32(_mm256_sub_epi32(e->end, rests), JOINED_SINCE_SHIFT);
    e->words = _mm256_permutevar8x32_epi32(_mm256_blend_epi16(since, frames, 0x55), order);
    e->frames = _mm256_permutevar8x32_epi32(frames, order); /* the first again, where none is left */
    e->highest = _mm256_max_epu32(e->highest, e->frames);
    e->held = (struct held){kind_of_stay(write, written, stay), kind_of_stay(fetch, fetched, stay),
                            (unsigned)__builtin_popcount(stay)};
}

__attribute__((target("avx2"))) static uint32_t eights_highest(const struct eights *e) {
    uint32_t lanes[8], highest = 0;
    _mm256_storeu_si256((__m256i *)lanes, e->highest);
    for (unsigned i = 0; i < 8; i++)
        highest = max_u32(highest, lanes[i]);
    return highest;
}

__attribute__((target("avx2,popcnt,bmi2"))) static struct joined
join_avx2(const struct reference_log *log, uint32_t *words, uint32_t *frames) {
    struct eights e = {.base = _mm256_set1_epi32((int)log->base),
                       .end = _mm256_set1_epi32((int)(log->end - log->start)),
                       .bits = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128),
                       .turn = _mm256_setr_epi32(7, 0, 1, 2, 3, 4, 5, 6),
                       .before = _mm256_set1_epi32((int)~log->pages[0]),
                       .words = _mm256_setzero_si256(),
                       .frames = _mm256_setzero_si256(),
                       .highest = _mm256_setzero_si256(),
                       .out_words = words,
                       .out_frames = frames};
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
    return (struct joined){(size_t)(e.out_words - words), eights_highest(&e)};
}

/* ---- sixteen at a time ---- */

static bool has_avx512(void) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("bmi2");
}

struct sixteens {
    __m512i base, end;
    __m512i before;        /* the pages of the vector */
    __m512i words, frames; /* of those held; words without their kinds */
    __m512i highest;
    struct held held;
    uint32_t *out_words, *out_frames;
};

__attribute__((target("avx512f"))) static inline void sixteens_write(struct sixteens *s) {
    const __m512i some = _mm512_mask_or_epi32(s->words, (__mmask16)s->held.written, s->words,
                                              _mm512_set1_epi32((int)JOINED_WRITTEN));
    const __m512i words =
        _mm512_mask_or_epi32(some, (__mmask16)s->held.fetched, some, _mm512_set1_epi32((int)JOINED_FETCHED));
    _mm512_storeu_si512(s->out_words, words);
    _mm512_storeu_si512(s->out_frames, s->frames);
    s->out_words += s->held.count;
    s->out_frames += s->held.count;
}

/* are: a bit for each entry that there is. */
__attribute__((target("avx512f,avx512bw,popcnt,bmi2"), always_inline)) static inline void
sixteens_add(struct sixteens *s, __m512i pages, __m512i rests, unsigned are) {
    enum { ALL = 0xffff };
    const __mmask16 mask = (__mmask16)are;
    const __m512i previous = _mm512_alignr_epi32(pages, s->before, 15);
    /* Not by a masked comparison: GCC 12 makes wrong code of one under both sanitizers at -O1. */
    const unsigned stay = ~(unsigned)_mm512_cmpeq_epi32_mask(pages, previous) & are;
    const unsigned write = _mm512_mask_test_epi32_mask(mask, rests, _mm512_set1_epi32(LOG_WRITTEN));
    const unsigned fetch = _mm512_mask_test_epi32_mask(mask, rests, _mm512_set1_epi32(LOG_FETCHED));
    const unsigned written = kind_of_runs(write, stay, ALL), fetched = kind_of_runs(fetch, stay, ALL);
    held_add(&s->held, written, fetched);
    s->before = pages;
    if (unlikely(!stay))
        return;
    sixteens_write(s);
    const __m512i frames = _mm512_sub_epi32(pages, s->base);
    const __m512i since = _mm512_slli_epi32(_mm512_sub_epi32(s->end, rests), JOINED_SINCE_SHIFT);
    s->words = _mm512_maskz_compress_epi32((__mmask16)stay, _mm512_mask_mov_epi16(since, 0x55555555, frames));
    s->frames = _mm512_maskz_compress_epi32((__mmask16)stay, frames);
    s->highest = _mm512_max_epu32(s->highest, s->frames);
    s->held = (struct held){kind_of_stay(write, written, stay), kind_of_stay(fetch, fetched, stay),
                            (unsigned)__builtin_popcount(stay)};
}

__attribute__((target("avx512f,avx512bw,popcnt,bmi2"))) static struct joined
join_avx512(const struct reference_log *log, uint32_t *words, uint32_t *frames) {
    struct sixteens s = {.base = _mm512_set1_epi32((int)log->base),
                         .end = _mm512_set1_epi32((int)(log->end - log->start)),
                         .before = _mm512_set1_epi32((int)~log->pages[0]),
                         .words = _mm512_setzero_si512(),
                         .frames = _mm512_setzero_si512(),
                         .highest = _mm512_setzero_si512(),
                         .out_words = words,
                         .out_frames = frames};
    const size_t whole = log->count & ~(size_t)15;
    for (size_t i = 0; i < whole; i += 16)
        sixteens_add(&s, _mm512_loadu_si512(log->pages + i), _mm512_loadu_si512(log->rests + i), 0xffff);
    const unsigned are = (1U << (log->count - whole)) - 1;
    if (are)
        sixteens_add(&s, _mm512_maskz_loadu_epi32((__mmask16)are, log->pages + whole),
                     _mm512_maskz_loadu_epi32((__mmask16)are, log->rests + whole), are);
    sixteens_write(&s);
    return (struct joined){(size_t)(s.out_words - words), _mm512_reduce_max_epu32(s.highest)};
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
