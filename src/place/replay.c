/* See replay.h. A page's place is the mapping in which it was first touched, as the marks before it say. */
#include "place/replay.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/simulate.h"
#include "base/array.h"
#include "base/message.h"
#include "hw/types.h"
#include "place/counts.h"
#include "place/naming.h"
#include "place/ranges.h"
#include "place/texts.h"
#include "trace/event.h"

enum { LABEL = 4352 }; /* a path and a few words */

struct replay {
    struct refs_source *source;
    const struct replay_config *config;
    struct simulation *simulation;
    struct texts texts;
    struct counts counts;
    struct ranges *mappings; /* by space: pages of each mapping, and its label */
    size_t space_count;
    uint32_t *places; /* of each page that was seen: its number in `counts` */
    uint32_t page_count;
    size_t page_capacity;
    uint32_t referenced; /* the page whose reference is being simulated */
    int error;
};

static void note_error(struct replay *r, int error) {
    if (error && !r->error)
        r->error = error;
}

/* ---- places ---- */

static const char *object_label(const struct replay *r, uint32_t object) {
    const char *name = refs_object_name(r->source, object);
    return name && *name ? name : "[file]";
}

static struct key label_key(struct replay *r, const char *text) {
    uint32_t number = 0;
    note_error(r, texts_add(&r->texts, text, &number));
    return key_make(KEY_NAME, 0, number);
}

/* By mapping, permissions belong to it. */
static struct key permitted_label(struct replay *r, const struct refs_mark *mark, const char *name) {
    char text[LABEL];
    if (r->config->by == PLACE_BY_FILE)
        return label_key(r, name);
    snprintf(text, sizeof text, "%s %c%c%c%c", name, mark->flags & ACCESS_READ ? 'r' : '-',
             mark->flags & ACCESS_WRITE ? 'w' : '-', mark->flags & ACCESS_EXEC ? 'x' : '-',
             mark->flags & EVENT_MAP_SHARED ? 's' : 'p');
    return label_key(r, text);
}

static struct key mapping_label(struct replay *r, const struct refs_mark *mark) {
    if (mark->c)
        return permitted_label(r, mark, object_label(r, (uint32_t)mark->c));
    if (mark->flags & (EVENT_MAP_HEAP | EVENT_MAP_STACK))
        return label_key(r, mark->flags & EVENT_MAP_HEAP ? "[heap]" : "[stack]");
    return permitted_label(r, mark, "[anon]");
}

/* Of memory that the program gave a name. Heap and stack keep theirs. */
static struct key name_label(struct replay *r, const struct refs_mark *mark) {
    char text[LABEL];
    if (mark->flags & (EVENT_MAP_HEAP | EVENT_MAP_STACK))
        return mapping_label(r, mark);
    snprintf(text, sizeof text, mark->flags & EVENT_MAP_SHARED ? "[anon_shmem:%s]" : "[anon:%s]", mark->text);
    return permitted_label(r, mark, text);
}

static struct ranges *space_mappings(struct replay *r, uint16_t space) {
    if (array_reserve_filled(&r->mappings, &r->space_count, space + 1ULL, sizeof *r->mappings, 0)) {
        note_error(r, -ENOMEM);
        return NULL;
    }
    return &r->mappings[space];
}

static void take_mark(struct replay *r, const struct refs_mark *mark) {
    struct ranges *mappings = space_mappings(r, mark->space);
    if (!mappings)
        return;
    switch ((enum refs_mark_type)mark->type) {
    case REFS_MARK_MAP:
        note_error(r, ranges_add(mappings, mark->a, mark->a + mark->b, mapping_label(r, mark)));
        break;
    case REFS_MARK_UNMAP: note_error(r, ranges_cut(mappings, mark->a, mark->a + mark->b)); break;
    case REFS_MARK_NAME:
        note_error(r, ranges_add(mappings, mark->a, mark->a + mark->b, name_label(r, mark)));
        break;
    case REFS_MARK_CREATE:
    case REFS_MARK_EXEC:
    case REFS_MARK_EXIT:
    case REFS_MARK_PHASE:
    case REFS_MARK_TYPES: break;
    }
}

/* What the trace knows about the page itself: for those that were touched outside every mapping it tells. */
static struct key page_label(struct replay *r, const struct refs_page *page) {
    if (page->object)
        return label_key(r, object_label(r, page->object));
    return label_key(r, page->flags & REFS_PAGE_HEAP    ? "[heap]"
                        : page->flags & REFS_PAGE_STACK ? "[stack]"
                                                        : "[anon]");
}

static struct key page_key(struct replay *r, const struct refs_page *page) {
    if (!page->object && page->flags & (REFS_PAGE_HEAP | REFS_PAGE_STACK))
        return page_label(r, page);
    const struct ranges *mappings = page->space < r->space_count ? &r->mappings[page->space] : NULL;
    const struct range *mapping = mappings ? ranges_find(mappings, page->vpn) : NULL;
    return mapping ? mapping->key : page_label(r, page);
}

/* Pages appear one after the other, each at its first reference. */
static void take_page(struct replay *r, uint32_t number) {
    if (array_reserve(&r->places, &r->page_capacity, r->page_count + 1ULL, sizeof *r->places)) {
        note_error(r, -ENOMEM);
        return;
    }
    const struct refs_page *page = refs_page(r->source, number);
    note_error(r, counts_key(&r->counts, page_key(r, page), &r->places[r->page_count++]));
    note_error(r, simulation_add_pages(r->simulation, page, 1));
}

/* ---- what the simulation says ---- */

static bool page_is_file(const struct replay *r, uint32_t page) {
    return refs_page(r->source, page)->flags & REFS_PAGE_FILE;
}

static void page_evicted(void *context, uint32_t page, bool written, bool lost) {
    struct replay *r = context;
    struct place_counts *counts = &r->counts.of[r->places[page]];
    counts->swap_out += written && !page_is_file(r, page);
    counts->file_out += written && page_is_file(r, page);
    note_error(r, lost ? counts_page_filled(&r->counts, page, r->places[page])
                       : counts_page_evicted(&r->counts, page, r->places[page], r->places[r->referenced]));
}

static void page_missed(void *context, uint32_t page) {
    struct replay *r = context;
    struct place_counts *counts = &r->counts.of[r->places[page]];
    uint64_t value = 0;
    const bool refault = map_get(&r->counts.pages, page, &value) && (uint32_t)value != 0;
    counts->misses++;
    counts->refaults += refault;
    counts->file_in += page_is_file(r, page);
    counts->swap_in += refault && !page_is_file(r, page);
    if (refault)
        note_error(r, counts_page_back(&r->counts, page, r->places[page]));
    note_error(r, counts_page_filled(&r->counts, page, r->places[page]));
}

/* ---- the whole ---- */

static int take_item(struct replay *r, const struct refs_item *item) {
    if (item->kind == REFS_MARK) {
        take_mark(r, refs_mark(r->source, item->page));
        return r->error;
    }
    if (item->page == r->page_count)
        take_page(r, item->page);
    r->referenced = item->page;
    if (r->error)
        return r->error;
    const int error = simulation_feed(r->simulation, item, 1);
    return error ? error : r->error;
}

static int replay_read(struct replay *r, char **ret_message) {
    struct warm_up_scan warm_up = {.wanted = r->config->warm_up};
    const struct refs_item *items;
    long count = 0;
    int error = 0;
    while (!error && (count = refs_next(r->source, &items)) > 0) {
        const size_t counting_from = warm_up_find(&warm_up, r->source, items, (size_t)count);
        for (long i = 0; !error && i < count; i++) {
            if ((size_t)i == counting_from)
                counts_restart(&r->counts);
            error = take_item(r, &items[i]);
        }
    }
    if (count < 0)
        return message_fail((int)count, ret_message, "%s", refs_message(r->source));
    if (!error)
        return warm_up_check(&warm_up, ret_message);
    const char *why = simulation_message(r->simulation);
    return message_fail(error, ret_message, "%s", why ? why : strerror(-error));
}

static int replay_report(struct replay *r, struct place_report *ret_report) {
    const struct naming naming = {.names = &r->texts};
    struct place_report report = {.by = r->config->by, .table_count = 1};
    report.tables[0].name = r->config->by == PLACE_BY_FILE ? "file" : "mapping";
    report.tables[0].title = r->config->by == PLACE_BY_FILE
                                 ? "what was touched: files"
                                 : "what was touched: mappings, where first touched";
    const int error = naming_table(&naming, &r->counts, &report.tables[0]);
    for (size_t i = 0; i < report.tables[0].row_count; i++)
        place_counts_add(&report.totals, &report.tables[0].rows[i].counts);
    if (error)
        place_report_free(&report);
    else
        *ret_report = report;
    return error;
}

/* Whether there is anything to say about where pages are. */
static int replay_check(struct refs_source *source, const struct replay_config *config, char **ret_message) {
    if (config->by != PLACE_BY_MAPPING && config->by != PLACE_BY_FILE)
        return message_fail(
            -ENOTSUP, ret_message,
            "a trace of references has no instructions and no calls: by mapping or by file it can "
            "be asked; for the rest let thimble where run the program");
    if (refs_source_format(source) != REFS_FORMAT_THIMBLE)
        return message_fail(
            -ENOTSUP, ret_message,
            "a trace in the format %s knows the numbers of pages, not what they are: places need "
            "one of thimble record",
            refs_format_name(refs_source_format(source)));
    return 0;
}

int place_replay(struct refs_source *source, const struct replay_config *config,
                 struct place_report *ret_report, char **ret_message) {
    struct replay r = {.source = source, .config = config};
    const struct simulation_config simulation = {
        .policy = config->policy,
        .parameters = config->parameters,
        .frames = config->frames,
        .seed = config->seed,
        .no_swap = config->no_swap,
        .evicted = page_evicted,
        .missed = page_missed,
        .context = &r,
    };
    *ret_message = NULL;
    int error = replay_check(source, config, ret_message);
    if (!error)
        error = simulation_create(&simulation, &r.simulation);
    if (!error)
        error = replay_read(&r, ret_message);
    if (!error)
        error = replay_report(&r, ret_report);
    if (r.simulation)
        simulation_destroy(r.simulation);
    for (size_t i = 0; i < r.space_count; i++)
        ranges_clear(&r.mappings[i]);
    free(r.mappings);
    free(r.places);
    counts_free(&r.counts);
    texts_free(&r.texts);
    return error;
}
