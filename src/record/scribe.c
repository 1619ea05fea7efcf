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
#include "hw/join.h"
#include "hw/types.h"
#include "record/reduce.h"
#include "record/words.h"

enum { NO_PAGE = UINT32_MAX, FIRST_FRAMES = JOINED_FRAME + 1 /* so words need not be compared */ };

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

/* Entries of the log, joined. */
struct batch {
    const uint32_t *words;
    const uint32_t *frames; /* NULL: the words say them */
    size_t count;
    uint64_t start;
};
_Static_assert(ACCESS_READ == 1 && ACCESS_WRITE == 2 && ACCESS_EXEC == 4 &&
                   JOINED_FETCHED_SHIFT == JOINED_WRITTEN_SHIFT + 1,
               "the kinds of a word are enum access bits, shifted");

/* enum access bits of a word: an access that is neither a store nor a fetch is a load. */
static inline uint8_t access_of(uint32_t word) {
    const unsigned kind = word >> (JOINED_WRITTEN_SHIFT - 1) & (ACCESS_WRITE | ACCESS_EXEC);
    return (uint8_t)(kind | !kind);
}

static inline uint64_t instruction_of(const struct batch *b, size_t i) {
    return b->start + (b->words[i] >> JOINED_SINCE_SHIFT & JOINED_SINCE);
}

/* with_frames: whether the batch has them. From `frames` on nothing is known. */
static inline uint32_t frame_at(const struct batch *b, size_t i, bool with_frames, uint32_t frames) {
    return with_frames ? min_u32(b->frames[i], frames) : b->words[i] & JOINED_FRAME;
}

static struct refs_item item_of(const struct scribe *s, const struct batch *b, size_t i) {
    return (struct refs_item){.instruction = instruction_of(b, i),
                              .page = s->frame_page[frame_at(b, i, b->frames != NULL, s->frames)],
                              .space = (uint16_t)s->space,
                              .kind = REFS_REFERENCE,
                              .flags = access_of(b->words[i])};
}

/* The open run goes on with it, or ends; true: it begins another. */
static bool add_one(struct scribe *s, const struct batch *b, size_t i) {
    const struct refs_item item = item_of(s, b, i);
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

enum { TOGETHER = 4, WORD_FLAGS = 56, WORD_STEP = 32 };

/* Items' words that are being made of entries, one of each, behind the open run's, which has no step. */
struct pass {
    const struct batch *batch;
    const uint32_t *frame_page;
    uint32_t frames;
    size_t at;       /* of the batch: the next entry */
    uint64_t *items; /* where its item goes */
    __m128i before;  /* the first lane: the page of the entry before */
};

static inline int page_at(const struct pass *p, size_t i, bool with_frames) {
    return (int)p->frame_page[frame_at(p->batch, i, with_frames, p->frames)];
}

/* The upper halves of items' words: step and flags. */
static inline __m128i four_rests(const uint32_t *words) {
    enum { TO_FLAGS = JOINED_WRITTEN_SHIFT - (WORD_FLAGS - WORD_STEP) - 1 };
    const __m128i kinds = _mm_set1_epi32((ACCESS_WRITE | ACCESS_EXEC) << (WORD_FLAGS - WORD_STEP));
    const __m128i reads = _mm_set1_epi32(ACCESS_READ << (WORD_FLAGS - WORD_STEP));
    const __m128i counts = _mm_set1_epi32(JOINED_SINCE << JOINED_SINCE_SHIFT);
    const __m128i these = _mm_loadu_si128((const __m128i *)words);
    const __m128i those = _mm_loadu_si128((const __m128i *)(words - 1));
    const __m128i step = _mm_srli_epi32(
        _mm_sub_epi32(_mm_and_si128(these, counts), _mm_and_si128(those, counts)), JOINED_SINCE_SHIFT);
    const __m128i kind = _mm_and_si128(_mm_srli_epi32(these, TO_FLAGS), kinds);
    const __m128i neither = _mm_cmpeq_epi32(kind, _mm_setzero_si128());
    return _mm_or_si128(_mm_or_si128(step, kind), _mm_and_si128(neither, reads));
}

/* TOGETHER entries at once, when their pages are known and not those of the entries before them. The others
 * are rare: the log was joined. */
__attribute__((always_inline)) static inline bool pass_next(struct pass *p, bool with_frames) {
    const __m128i pages =
        _mm_setr_epi32(page_at(p, p->at, with_frames), page_at(p, p->at + 1, with_frames),
                       page_at(p, p->at + 2, with_frames), page_at(p, p->at + 3, with_frames));
    const __m128i before = _mm_or_si128(_mm_slli_si128(pages, 4), p->before);
    const __m128i rests = four_rests(p->batch->words + p->at);
    _mm_storeu_si128((__m128i *)p->items, _mm_unpacklo_epi32(pages, rests));
    _mm_storeu_si128((__m128i *)(p->items + 2), _mm_unpackhi_epi32(pages, rests));
    if (_mm_movemask_epi8(_mm_or_si128(_mm_cmpeq_epi32(pages, before),
                                       _mm_cmpeq_epi32(pages, _mm_set1_epi32((int)NO_PAGE)))))
        return false;
    p->before = _mm_srli_si128(pages, 12);
    p->at += TOGETHER;
    p->items += TOGETHER;
    return true;
}

static void pass_all(struct pass *p, size_t end) {
    if (p->batch->frames)
        while (p->at + TOGETHER <= end && pass_next(p, true))
            ;
    else
        while (p->at + TOGETHER <= end && pass_next(p, false))
            ;
}

/* The open run began with the entry before. How many entries were taken; the last of the words that they
 * become is the open run then. Most of the recorder's time is spent here and in the writer. */
static size_t add_many(struct scribe *s, const struct batch *b, size_t first) {
    size_t room;
    uint64_t *items = refs_writer_room(s->writer, &room); /* behind the place of the open run */
    struct pass p = {.batch = b,
                     .frame_page = s->frame_page,
                     .frames = s->frames,
                     .at = first,
                     .items = items,
                     .before = _mm_cvtsi32_si128((int)s->open.page)};
    pass_all(&p, first + min_size(b->count - first, room));
    const size_t taken = p.at - first;
    if (!taken)
        return 0;
    const uint64_t last = items[taken - 1], instruction = instruction_of(b, p.at - 1);
    const uint64_t step = (uint16_t)(last >> WORD_STEP);
    fail(s, refs_writer_filled(s->writer, &s->open, taken - 1, instruction - step));
    s->open.instruction = instruction;
    s->open.page = (uint32_t)last;
    s->open.flags = (uint8_t)(last >> WORD_FLAGS);
    s->references += taken;
    return taken;
}

static void add_references(struct scribe *s, const struct batch *b) {
    for (size_t i = 0; i < b->count;) {
        const bool begins = add_one(s, b, i++);
        if (begins && !s->reduce)
            i += add_many(s, b, i);
    }
    s->now = max_u64(s->now, instruction_of(b, b->count - 1));
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
static uint32_t take_references(struct scribe *s, const uint64_t *words) {
    const uint32_t count = words_what(words[0]), size = words_of_entries(count);
    const bool with_frames = words_flags(words[0]);
    const struct batch batch = {.words = (const uint32_t *)(words + 2),
                                .frames = with_frames ? (const uint32_t *)(words + 2 + size) : NULL,
                                .count = count,
                                .start = words[1]};
    add_references(s, &batch);
    return 2 + (with_frames ? 2 * size : size);
}

/* The same of any kind. */
static uint32_t take(struct scribe *s, const uint64_t *words) {
    const uint64_t head = words[0];
    switch (words_kind(head)) {
    case WORDS_REFERENCES: return take_references(s, words);
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
