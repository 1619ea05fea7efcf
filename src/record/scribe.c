/* See scribe.h.
 *
 *     references ──► page of each frame ──► joined by page ──► (reduce) ──► writer
 *
 * The last reference of a batch may be a run that goes on: it is the open one, and stays here. What becomes
 * of a page ends the run, as it does for the policy of the machine (vm/reference.h). A mark does not: it
 * waits until the run has ended, and has its place behind it.
 *
 * Most references stand behind another of their batch and are of known pages: they become words of the writer
 * at once. The others, and all of them where there is a reduction, are items. */
#include "record/scribe.h"

#include <emmintrin.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/map.h"
#include "hw/reference.h"
#include "hw/types.h"
#include "record/reduce.h"
#include "record/words.h"

enum { NO_PAGE = UINT32_MAX, FIRST_FRAMES = 1 << 12 };

struct mark {
    struct mark *next;
    struct refs_mark mark;
    char text[]; /* ends with 0 */
};

struct scribe {
    struct refs_writer *writer;
    struct reduce *reduce; /* NULL: not wanted */
    void (*failed)(void *context, int error);
    void *context;
    bool has_failed;

    uint32_t *frame_page; /* NO_PAGE where nothing is known; and once more behind them, for all others */
    uint32_t frames;
    struct map pages;   /* number by identity */
    struct map objects; /* number by the machine's number */
    uint64_t space;
    uint64_t now;        /* of the last reference */
    uint64_t references; /* whose runs have ended */

    struct refs_item open;           /* the run that may go on; NO_PAGE: there is none */
    struct mark *marks, **last_mark; /* that are not written */
    unsigned waiting;                /* the last so many of them: for the run's end */

    struct scribe_progress progress;
};

static void fail(struct scribe *s, int error) {
    if (!error || s->has_failed)
        return;
    s->has_failed = true;
    s->failed(s->context, error);
}

static void emit(void *context, const struct refs_item *item);

static int make_room(struct scribe *s, uint32_t frame) {
    if (frame < s->frames)
        return 0;
    uint32_t frames = max_u32(FIRST_FRAMES, 2 * s->frames);
    while (frames <= frame)
        frames *= 2;
    uint32_t *grown = reallocarray(s->frame_page, (size_t)frames + 1, sizeof *grown);
    if (!grown)
        return -ENOMEM;
    for (uint32_t i = s->frames; i <= frames; i++)
        grown[i] = NO_PAGE;
    s->frame_page = grown;
    s->frames = frames;
    return 0;
}

int scribe_create(struct refs_writer *writer, uint32_t reduce_to, void (*failed)(void *context, int error),
                  void *context, struct scribe **ret_scribe) {
    struct scribe *s = calloc(1, sizeof *s);
    if (!s)
        return -ENOMEM;
    s->writer = writer;
    s->failed = failed;
    s->context = context;
    s->open.page = NO_PAGE;
    s->last_mark = &s->marks;
    int error = make_room(s, 0);
    if (!error && reduce_to)
        error = reduce_create(reduce_to, emit, s, &s->reduce);
    if (error) {
        free(s->frame_page);
        free(s);
        return error;
    }
    *ret_scribe = s;
    return 0;
}

static void mark_drop_first(struct scribe *s) {
    struct mark *mark = s->marks;
    s->marks = mark->next;
    if (!s->marks)
        s->last_mark = &s->marks;
    free(mark);
}

void scribe_destroy(struct scribe *s) {
    if (!s)
        return;
    reduce_destroy(s->reduce);
    while (s->marks)
        mark_drop_first(s);
    map_free(&s->pages);
    map_free(&s->objects);
    free(s->frame_page);
    free(s);
}

const struct scribe_progress *scribe_progress(const struct scribe *s) {
    return &s->progress;
}

/* ---- items ---- */

/* The first of the marks that wait has its turn. */
static void write_mark(struct scribe *s) {
    fail(s, refs_writer_mark(s->writer, &s->marks->mark));
    mark_drop_first(s);
}

/* What the reduction leaves. */
static void emit(void *context, const struct refs_item *item) {
    struct scribe *s = context;
    if (item->kind == REFS_MARK)
        write_mark(s);
    else
        fail(s, refs_writer_add(s->writer, item, 1));
}

static void item_write(struct scribe *s, const struct refs_item *item) {
    if (s->reduce)
        fail(s, reduce_add(s->reduce, item));
    else
        fail(s, refs_writer_add(s->writer, item, 1));
}

/* The open run has ended, and the marks that waited for that have their turn. */
static void open_end(struct scribe *s) {
    if (s->open.page != NO_PAGE) {
        item_write(s, &s->open);
        s->open.page = NO_PAGE;
        s->references++;
    }
    for (; s->waiting; s->waiting--) {
        if (s->reduce)
            fail(s, reduce_add(s->reduce, &(struct refs_item){.kind = REFS_MARK}));
        else
            write_mark(s);
    }
}

static void add_control(struct scribe *s, enum refs_kind kind, uint8_t flags, uint32_t page) {
    open_end(s);
    item_write(s, &(struct refs_item){.instruction = s->now,
                                      .page = page,
                                      .space = (uint16_t)s->space,
                                      .kind = (uint8_t)kind,
                                      .flags = flags});
}

/* ---- references, one by one ---- */

/* Entries of the log as words. */
enum { ENTRY_COUNT = 32, ENTRY_WRITTEN = 48, ENTRY_FETCHED = 56 };
_Static_assert(offsetof(struct reference, frame) == 0 && offsetof(struct reference, count) == 4 &&
                   offsetof(struct reference, written) == 6 && offsetof(struct reference, fetched) == 7,
               "where the fields are");
_Static_assert(ACCESS_READ == 1 && ACCESS_WRITE == 2 && ACCESS_EXEC == 4, "the shifts below");

/* enum access bits of an entry: an access that is neither a store nor a fetch is a load. */
static inline uint8_t access_of(uint64_t entry) {
    const unsigned kind =
        (entry >> (ENTRY_WRITTEN - 1) & ACCESS_WRITE) | (entry >> (ENTRY_FETCHED - 2) & ACCESS_EXEC);
    return (uint8_t)(kind | !kind);
}

/* The count whose low bits an entry has. */
static inline uint64_t instruction_at(uint16_t count, uint64_t start) {
    return start + (uint16_t)(count - start);
}

static inline uint64_t instruction_of(uint64_t entry, uint64_t start) {
    return instruction_at((uint16_t)(entry >> ENTRY_COUNT), start);
}

static inline uint32_t page_of(const uint32_t *frame_page, uint32_t frames, uint64_t entry) {
    return frame_page[min_u32((uint32_t)entry, frames)];
}

static struct refs_item item_of(const struct scribe *s, uint64_t entry, uint64_t start) {
    return (struct refs_item){.instruction = instruction_of(entry, start),
                              .page = page_of(s->frame_page, s->frames, entry),
                              .space = (uint16_t)s->space,
                              .kind = REFS_REFERENCE,
                              .flags = access_of(entry)};
}

/* The open run goes on with it, or ends; true: it begins another. */
static bool add_one(struct scribe *s, uint64_t entry, uint64_t start) {
    const struct refs_item item = item_of(s, entry, start);
    if (item.page == NO_PAGE)
        return false;
    if (item.page == s->open.page) {
        if (item.flags != ACCESS_READ)
            s->open.flags = (uint8_t)((s->open.flags & ~ACCESS_READ) | item.flags);
        return false;
    }
    open_end(s);
    s->open = item;
    return true;
}

/* ---- many of them ---- */

enum { TOGETHER = 4, WORD_FLAGS = 56, WORD_STEP = ENTRY_COUNT /* it is the difference of two counts */ };

static inline __m128i two_entries(const uint64_t *at) {
    return _mm_loadu_si128((const __m128i *)at);
}

static inline __m128i two_pages(const uint32_t *frame_page, uint32_t frames, const uint64_t *entries) {
    return _mm_unpacklo_epi64(_mm_cvtsi32_si128((int)page_of(frame_page, frames, entries[0])),
                              _mm_cvtsi32_si128((int)page_of(frame_page, frames, entries[1])));
}

/* A word's flags: access_of(). */
static inline __m128i two_accesses(__m128i entries) {
    const __m128i written = _mm_and_si128(_mm_slli_epi64(entries, WORD_FLAGS + 1 - ENTRY_WRITTEN),
                                          _mm_set1_epi64x((long long)ACCESS_WRITE << WORD_FLAGS));
    const __m128i fetched = _mm_and_si128(_mm_slli_epi64(entries, WORD_FLAGS + 2 - ENTRY_FETCHED),
                                          _mm_set1_epi64x((long long)ACCESS_EXEC << WORD_FLAGS));
    const __m128i kind = _mm_or_si128(written, fetched);
    const __m128i neither = _mm_cmpeq_epi32(kind, _mm_setzero_si128());
    return _mm_or_si128(kind, _mm_and_si128(neither, _mm_set1_epi64x((long long)ACCESS_READ << WORD_FLAGS)));
}

/* Words that are being made of entries of the log, one of each, behind the open run's, which has no step. */
struct pass {
    const uint32_t *frame_page;
    uint32_t frames;
    const uint64_t *entries;
    uint64_t *words;
    size_t taken;
};

/* TOGETHER entries at once, when their pages are known and not those of the entries before them, and the
 * steps narrow. The others are rare: the log was joined. */
static inline bool pass_next(struct pass *p) {
    const __m128i ones = _mm_set1_epi32(-1), step_only = _mm_set1_epi64x(0xffffLL << WORD_STEP);
    const uint64_t *entries = p->entries + p->taken;
    uint64_t *words = p->words + 1 + p->taken;
    __m128i before = _mm_set1_epi64x((long long)(uint32_t)words[-1]), wrong = _mm_setzero_si128();
    for (size_t k = 0; k < TOGETHER; k += 2) {
        const __m128i two = two_entries(entries + k),
                      pages = two_pages(p->frame_page, p->frames, entries + k);
        const __m128i step = _mm_and_si128(_mm_sub_epi16(two, two_entries(entries + k - 1)), step_only);
        const __m128i word = _mm_or_si128(_mm_or_si128(pages, step), two_accesses(two));
        before = _mm_unpacklo_epi64(_mm_srli_si128(before, 8), pages); /* of each the one before */
        const __m128i same = _mm_or_si128(_mm_cmpeq_epi32(pages, before), _mm_cmpeq_epi32(pages, ones));
        wrong = _mm_or_si128(wrong, _mm_slli_epi64(same, 32)); /* the upper halves are always the same */
        wrong = _mm_or_si128(wrong, _mm_cmpeq_epi16(step, ones));
        before = pages;
        _mm_storeu_si128((__m128i *)(words + k), word);
    }
    return !_mm_movemask_epi8(wrong);
}

/* The open run began with entries[-1]. How many of the entries were taken; the last of the words that they
 * become is the open run then. Most of the recorder's time is spent here and in the writer. */
static size_t add_many(struct scribe *s, const uint64_t *entries, size_t count, uint64_t start) {
    size_t room;
    struct pass p = {.frame_page = s->frame_page, .frames = s->frames, .entries = entries};
    p.words = refs_writer_room(s->writer, &room) - 1; /* where the open run will stand */
    p.words[0] = s->open.page | (uint64_t)s->open.flags << WORD_FLAGS;
    while (p.taken + TOGETHER <= min_size(count, room) && pass_next(&p))
        p.taken += TOGETHER;
    if (!p.taken)
        return 0;
    const uint64_t last = p.words[p.taken], instruction = instruction_of(entries[p.taken - 1], start);
    const uint64_t step = (uint16_t)(last >> WORD_STEP);
    fail(s, refs_writer_filled(s->writer, &s->open, p.taken - 1, instruction - step));
    s->open.instruction = instruction;
    s->open.page = (uint32_t)last;
    s->open.flags = (uint8_t)(last >> WORD_FLAGS);
    s->references += p.taken;
    return p.taken;
}

static void add_references(struct scribe *s, const uint64_t *entries, size_t count, uint64_t start) {
    for (size_t i = 0; i < count;) {
        const bool begins = add_one(s, entries[i++], start);
        if (begins && !s->reduce)
            i += add_many(s, entries + i, count - i, start);
    }
    s->now = max_u64(s->now, instruction_of(entries[count - 1], start));
}

/* ---- pages and frames ---- */

static void page_appears(struct scribe *s, const uint64_t *words) {
    uint64_t object = 0;
    uint32_t page;
    (void)map_get(&s->objects, words_what(words[0]), &object);
    const struct refs_page description = {
        .name = words[1],
        .index = words[2],
        .vpn = words[3],
        .object = (uint32_t)object,
        .space = words_space(words[0]),
        .flags = words_flags(words[0]),
    };
    fail(s, refs_writer_page(s->writer, &description, &page));
    fail(s, map_put(&s->pages, words[1], page));
    atomic_fetch_add_explicit(&s->progress.pages, 1, memory_order_relaxed);
}

static void frame_holds(struct scribe *s, uint32_t frame, uint64_t identity) {
    uint64_t page = NO_PAGE;
    const int error = make_room(s, frame);
    (void)map_get(&s->pages, identity, &page);
    if (!error)
        s->frame_page[frame] = (uint32_t)page;
    fail(s, error);
}

/* What becomes of a page that was referenced; of others nobody wants to know. */
static void page_changes(struct scribe *s, enum refs_kind kind, uint8_t flags, uint64_t identity) {
    uint64_t page;
    if (!map_get(&s->pages, identity, &page))
        return;
    add_control(s, kind, flags, (uint32_t)page);
    if (kind == REFS_DIES)
        map_remove(&s->pages, identity, NULL);
}

/* ---- places ---- */

static const char *text_at(const uint64_t *words) {
    return (const char *)(words + 1);
}

static void add_object(struct scribe *s, const uint64_t *words) {
    uint32_t number;
    const int error = refs_writer_object(s->writer, text_at(words + 1), &number);
    fail(s, error);
    if (!error)
        fail(s, map_put(&s->objects, words_what(words[0]), number));
}

static void add_mark(struct scribe *s, const uint64_t *words) {
    const uint64_t length = words[WORDS_MARK_WORDS];
    struct mark *m = malloc(sizeof *m + length + 1);
    if (!m) {
        fail(s, -ENOMEM);
        return;
    }
    memcpy(m->text, text_at(words + WORDS_MARK_WORDS), length + 1);
    m->next = NULL;
    m->mark = (struct refs_mark){
        .instruction = words[1],
        .a = words[2],
        .b = words[3],
        .c = words[4],
        .d = words[5],
        .text = m->text,
        .space = words_space(words[0]),
        .type = words_flags(words[0]),
        .flags = (uint8_t)words_what(words[0]),
    };
    if (m->mark.type == REFS_MARK_MAP) /* c is an object of the machine's */
        (void)(map_get(&s->objects, m->mark.c, &m->mark.c) || (m->mark.c = 0));
    *s->last_mark = m;
    s->last_mark = &m->next;
    s->waiting++;
}

/* ---- blocks ---- */

/* How many words it was. */
static uint32_t take(struct scribe *s, const uint64_t *words) {
    const uint64_t head = words[0];
    switch (words_kind(head)) {
    case WORDS_REFERENCES:
        add_references(s, words + 2, words_what(head), words[1]);
        return 2 + words_what(head);
    case WORDS_APPEARS: page_appears(s, words); return 4;
    case WORDS_HOLDS: frame_holds(s, words_what(head), words[1]); return 2;
    case WORDS_RUNS: s->space = words_space(head); return 1;
    case WORDS_DIES: page_changes(s, REFS_DIES, words_flags(head), words[1]); return 2;
    case WORDS_CLEANED: page_changes(s, REFS_CLEANED, 0, words[1]); return 2;
    case WORDS_COOLED: page_changes(s, REFS_COOLED, 0, words[1]); return 2;
    case WORDS_GIVEN_UP: page_changes(s, REFS_GIVEN_UP, 0, words[1]); return 2;
    case WORDS_OBJECT: add_object(s, words); return 1 + words_of_text(words[1]);
    case WORDS_MARK: add_mark(s, words); return WORDS_MARK_WORDS + words_of_text(words[WORDS_MARK_WORDS]);
    }
    return 1;
}

static void publish(struct scribe *s) {
    atomic_store_explicit(&s->progress.references, s->references, memory_order_relaxed);
    atomic_store_explicit(&s->progress.instruction, s->now, memory_order_relaxed);
}

void scribe_write(struct scribe *s, const struct conveyor_block *block) {
    for (size_t i = 0; i < block->used;)
        i += take(s, block->words + i);
    publish(s);
}

uint64_t scribe_end(struct scribe *s) {
    open_end(s);
    publish(s);
    if (!s->reduce)
        return 0;
    uint64_t halves[REFS_HALVES];
    reduce_end(s->reduce);
    refs_writer_halves(s->writer, halves, reduce_halves(s->reduce, halves));
    return reduce_dropped(s->reduce);
}
