/* See scribe.h.
 *
 *     references ──► page of each frame ──► joined by page ──► (reduce) ──► writer
 *
 * The last item of a batch may be a run that goes on: it is the open one. What becomes of a page ends the
 * run, as it does for the policy of the machine (vm/reference.h). A mark does not: it waits until the run has
 * ended, and has its place behind it. */
#include "record/scribe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/map.h"
#include "hw/reference.h"
#include "hw/types.h"
#include "record/reduce.h"
#include "record/words.h"

enum { NO_PAGE = UINT32_MAX, BATCH = 1 << 10, FIRST_FRAMES = 1 << 12 };

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

    uint32_t *frame_page; /* NO_PAGE where nothing is known */
    uint32_t frames;
    struct map pages;   /* number by identity */
    struct map objects; /* number by the machine's number */
    uint64_t space;
    uint64_t now; /* of the last reference */

    struct refs_item items[BATCH + 1];
    size_t count;
    uint32_t open;                   /* page of the last item, when its run may go on; else NO_PAGE */
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

int scribe_create(struct refs_writer *writer, uint32_t reduce_to, void (*failed)(void *context, int error),
                  void *context, struct scribe **ret_scribe) {
    struct scribe *s = calloc(1, sizeof *s);
    if (!s)
        return -ENOMEM;
    s->writer = writer;
    s->failed = failed;
    s->context = context;
    s->open = NO_PAGE;
    s->last_mark = &s->marks;
    const int error = reduce_to ? reduce_create(reduce_to, emit, s, &s->reduce) : 0;
    if (error) {
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

/* Items whose runs have ended go on their way. */
static void items_write(struct scribe *s, const struct refs_item *items, size_t count) {
    atomic_fetch_add_explicit(&s->progress.references, count, memory_order_relaxed);
    if (!s->reduce) {
        fail(s, refs_writer_add(s->writer, items, count));
        return;
    }
    for (size_t i = 0; i < count; i++)
        fail(s, reduce_add(s->reduce, &items[i]));
}

/* All of them but the open one, which comes to the front. */
static void items_flush(struct scribe *s) {
    const bool open = s->open != NO_PAGE;
    const size_t whole = s->count - open;
    items_write(s, s->items, whole);
    if (open)
        s->items[0] = s->items[whole];
    s->count = open;
    atomic_store_explicit(&s->progress.instruction, s->now, memory_order_relaxed);
}

/* The marks that waited for the end of the run. */
static void marks_write(struct scribe *s) {
    s->open = NO_PAGE;
    items_flush(s);
    for (; s->waiting; s->waiting--) {
        if (s->reduce)
            fail(s, reduce_add(s->reduce, &(struct refs_item){.kind = REFS_MARK}));
        else
            write_mark(s);
    }
}

static void add_control(struct scribe *s, enum refs_kind kind, uint8_t flags, uint32_t page) {
    s->open = NO_PAGE;
    if (s->waiting)
        marks_write(s);
    if (s->count == BATCH)
        items_flush(s);
    s->items[s->count++] = (struct refs_item){.instruction = s->now,
                                              .page = page,
                                              .space = (uint16_t)s->space,
                                              .kind = (uint8_t)kind,
                                              .flags = flags};
}

/* ---- references ---- */

/* enum access bits of an entry: an access that is neither a store nor a fetch is a load. */
static inline uint8_t access_of(uint64_t word) {
    const unsigned kind = (word >> 47 & ACCESS_WRITE) | (word >> 54 & ACCESS_EXEC);
    return (uint8_t)(kind | !kind);
}
_Static_assert(offsetof(struct reference, written) == 6 && ACCESS_WRITE == 2 && ACCESS_READ == 1 &&
                   offsetof(struct reference, fetched) == 7 && ACCESS_EXEC == 4,
               "bits 48 and 56 of the word");

static inline void run_goes_on(struct refs_item *item, uint8_t access) {
    if (access != ACCESS_READ)
        item->flags = (uint8_t)((item->flags & ~ACCESS_READ) | access);
}

/* As many as there is room for: how many that were. Most of the recorder's time is spent here and in the
 * writer. */
static size_t add_some(struct scribe *s, const uint64_t *words, size_t count, uint64_t start) {
    const uint32_t *frame_page = s->frame_page, frames = s->frames;
    const uint16_t space = (uint16_t)s->space;
    struct refs_item *item = s->items + s->count, *const end = s->items + BATCH;
    uint32_t open = s->open;
    size_t i = 0;
    for (; i < count && item < end; i++) {
        const uint64_t word = words[i];
        const uint32_t frame = (uint32_t)word;
        if (unlikely(frame >= frames))
            continue;
        const uint32_t page = frame_page[frame];
        if (unlikely(page == NO_PAGE))
            continue;
        if (page == open) {
            run_goes_on(item - 1, access_of(word));
            continue;
        }
        *item++ = (struct refs_item){.instruction = start + (uint16_t)((word >> 32) - start),
                                     .page = page,
                                     .space = space,
                                     .kind = REFS_REFERENCE,
                                     .flags = access_of(word)};
        open = page;
    }
    s->count = (size_t)(item - s->items);
    s->open = open;
    return i;
}

/* The first of them that is for another page than the open run's; `count` when there is none. */
static size_t end_open_run(struct scribe *s, const uint64_t *words, size_t count) {
    size_t i = 0;
    for (; i < count; i++) {
        const uint32_t frame = (uint32_t)words[i];
        const uint32_t page = frame < s->frames ? s->frame_page[frame] : NO_PAGE;
        if (page != NO_PAGE && page != s->open)
            break;
        if (page != NO_PAGE)
            run_goes_on(&s->items[s->count - 1], access_of(words[i]));
    }
    return i;
}

static void add_references(struct scribe *s, const uint64_t *words, size_t count, uint64_t start) {
    size_t i = 0;
    if (unlikely(s->waiting)) {
        i = s->open != NO_PAGE ? end_open_run(s, words, count) : 0;
        if (i < count)
            marks_write(s);
    }
    while (i < count) {
        if (s->count == BATCH)
            items_flush(s);
        i += add_some(s, words + i, count - i, start);
    }
    s->now = max_u64(s->now, start + (uint16_t)((words[count - 1] >> 32) - start));
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

static int make_room(struct scribe *s, uint32_t frame) {
    if (frame < s->frames)
        return 0;
    uint32_t frames = max_u32(FIRST_FRAMES, 2 * s->frames);
    while (frames <= frame)
        frames *= 2;
    uint32_t *grown = reallocarray(s->frame_page, frames, sizeof *grown);
    if (!grown)
        return -ENOMEM;
    for (uint32_t i = s->frames; i < frames; i++)
        grown[i] = NO_PAGE;
    s->frame_page = grown;
    s->frames = frames;
    return 0;
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

void scribe_write(struct scribe *s, const struct conveyor_block *block) {
    for (size_t i = 0; i < block->used;)
        i += take(s, block->words + i);
}

uint64_t scribe_end(struct scribe *s) {
    marks_write(s);
    if (!s->reduce)
        return 0;
    reduce_end(s->reduce);
    return reduce_dropped(s->reduce);
}
