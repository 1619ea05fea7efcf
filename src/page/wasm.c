/* What the page's script calls: the fold, the walker and the drawing, compiled to WebAssembly.
 *
 * One `struct page` a shown run. Events and states come in as bytes that the script has put into memory got
 * from page_allocate(); text goes out through page_text(): what the last page_put_…() wrote. Event numbers
 * are doubles, which JavaScript has, and exact below 2^53. No input, no output, nothing is imported.
 *
 * Functions that look at the run return 0 or -errno; -EAGAIN: page_put_wants() says what to fetch and add,
 * then the same call again. */
#include <errno.h>

#include "base/base.h"
#include "page/details.h"
#include "page/fields.h"
#include "page/history.h"
#include "page/rows.h"
#include "page/store.h"
#include "trace/schema.h"
#include "view/nav.h"

#define EXPORT(name) __attribute__((export_name(#name))) name

enum { PREPARE_EVERY = 4 * STORE_BLOCK }; /* events between two states that a replay keeps */

struct page {
    struct trace_header header;
    struct film *film; /* the walker's */
    struct film *list; /* for everything that looks at other places than the walker stands at */
    struct store *store;
    struct nav *nav;
    struct history *history;
    struct picture *picture; /* where the walker stands; NULL: not made yet */
    struct draw_options options;
    struct nav_filter filter;
    struct text text;
};

void *EXPORT(page_allocate)(size_t size) {
    return malloc(size);
}
void EXPORT(page_release)(void *memory) {
    free(memory);
}

/* ---- beginning and end ---- */

static void page_forget_picture(struct page *p) {
    picture_destroy(p->picture);
    p->picture = NULL;
}

void EXPORT(page_destroy)(struct page *p) {
    page_forget_picture(p);
    nav_destroy(p->nav);
    history_destroy(p->history);
    film_destroy(p->list);
    film_destroy(p->film);
    text_free(&p->text);
    free(p);
}

/* The store belongs to the films as soon as there is one. */
static int page_open(struct page *p, bool remote, bool live) {
    int error = store_create(remote, &p->store);
    if (error)
        return error;
    error = store_film(p->store, &p->header, &p->film);
    if (error) {
        store_destroy(p->store);
        return error;
    }
    error = store_film(p->store, &p->header, &p->list);
    if (!error)
        error = nav_create(p->film, live, &p->nav);
    return error ? error : history_create(&p->history);
}

/* `remote`: events are fetched as they are wanted; `live`: the machine is still there. NULL: no memory. */
struct page *EXPORT(page_create)(int remote, int live, double frames, double reserved, double swap_pages) {
    struct page *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->header = (struct trace_header){.thimble = "",
                                      .frames = (uint64_t)frames,
                                      .reserved = (uint64_t)reserved,
                                      .swap_pages = (uint64_t)swap_pages,
                                      .page_size = PAGE_SIZE,
                                      .page_table = "",
                                      .policy = "",
                                      .cpu = ""};
    p->options = (struct draw_options){.interactive = true};
    if (!page_open(p, remote, live))
        return p;
    page_destroy(p);
    return NULL;
}

/* ---- what the page has of the run ---- */

void EXPORT(page_set_length)(struct page *p, double events, int finished, int cut) {
    store_set_length(p->store, (uint64_t)events, finished, cut);
}

int EXPORT(page_add_events)(struct page *p, double first, const struct event *events, size_t count) {
    return store_add_events(p->store, (uint64_t)first, events, count);
}

int EXPORT(page_add_state)(struct page *p, double n, const void *bytes, size_t size) {
    return store_add_state(p->store, (uint64_t)n, bytes, size);
}

void EXPORT(page_add_answer)(struct page *p, double n) {
    store_add_answer(p->store, (uint64_t)n);
}

static const char *want_name(enum store_want_kind kind) {
    switch (kind) {
    case STORE_WANT_EVENTS: return "events";
    case STORE_WANT_STATE: return "state";
    case STORE_WANT_FIND: return "find";
    }
    return "";
}

/* [{"kind":"events","n":1,"count":4096} …], and forgets them unless they are searches. */
void EXPORT(page_put_wants)(struct page *p) {
    size_t count;
    const struct store_want *wants = store_wants(p->store, &count);
    text_clear(&p->text);
    text_put(&p->text, "[");
    for (size_t i = 0; i < count; i++) {
        element(&p->text);
        text_put(&p->text, "{");
        field_text(&p->text, "kind", want_name(wants[i].kind));
        field_number(&p->text, "n", wants[i].n);
        field_number(&p->text, "count", wants[i].count);
        field_bool(&p->text, "backwards", wants[i].backwards);
        field_text(&p->text, "goal", wants[i].goal);
        text_put(&p->text, "}");
    }
    text_put(&p->text, "]");
}

void EXPORT(page_clear_wants)(struct page *p) {
    store_clear_wants(p->store);
}

/* Keeps a state of a whole run now and then, so that every step of it is near one. How far it has come: call
 * it again with that, until it is the end. -errno when it fails. */
double EXPORT(page_prepare)(struct page *p, double from) {
    uint64_t n = (uint64_t)from + PREPARE_EVERY;
    if (n > film_events(p->list))
        return (double)film_events(p->list);
    const struct fold *fold;
    void *bytes;
    size_t size;
    int error = film_state(p->list, n, &fold);
    if (!error)
        error = fold_save(fold, &bytes, &size);
    if (error)
        return error;
    error = store_add_state(p->store, n, bytes, size);
    free(bytes);
    return error ? error : (double)n;
}

/* ---- walking: each returns enum nav_result ---- */

static enum nav_result page_moved(struct page *p, enum nav_result result) {
    page_forget_picture(p);
    return result;
}

int EXPORT(page_key)(struct page *p, int key) {
    return page_moved(p, nav_key(p->nav, key));
}
/* NULL: no answer. */
int EXPORT(page_answer)(struct page *p, const char *line) {
    return page_moved(p, nav_answer(p->nav, line));
}
int EXPORT(page_go)(struct page *p, double n) {
    return page_moved(p, nav_go(p->nav, (uint64_t)n));
}
int EXPORT(page_arrived)(struct page *p) {
    return page_moved(p, nav_arrived(p->nav));
}
/* To where a recorded run becomes interesting: main, or the program's entry, or else the first step. */
int EXPORT(page_begin)(struct page *p) {
    static const enum event_reached places[] = {EVENT_REACHED_MAIN, EVENT_REACHED_ENTRY};
    for (size_t i = 0; i < ARRAY_LENGTH(places); i++) {
        const struct goal goal = {.kind = GOAL_REACHED, .reached = (uint16_t)places[i]};
        uint64_t n;
        int error = film_find(p->film, 0, false, &goal, &n);
        if (error == -EAGAIN)
            return NAV_FETCH;
        if (!error)
            return page_moved(p, nav_go(p->nav, n));
    }
    return page_moved(p, nav_key(p->nav, NAV_HOME));
}
void EXPORT(page_set_filter)(struct page *p, unsigned pid, unsigned kind, double object) {
    p->filter = (struct nav_filter){.pid = pid, .kind = (uint16_t)kind, .object = (uint64_t)object};
    nav_set_filter(p->nav, &p->filter);
}
void EXPORT(page_set_options)(struct page *p, unsigned palette, int projector) {
    p->options.palette = palette < PALETTES ? palette : PALETTE_OKABE_ITO;
    p->options.projector = projector;
}

/* ---- looking ---- */

static struct picture *page_picture(struct page *p) {
    if (!p->picture)
        p->picture = nav_picture(p->nav, &(struct picture_options){0});
    return p->picture;
}

/* Why there is no picture: something has to be fetched, or memory is out. */
static int page_no_picture(const struct page *p) {
    size_t wants;
    store_wants(p->store, &wants);
    return wants ? -EAGAIN : -ENOMEM;
}

const char *EXPORT(page_text)(const struct page *p) {
    return p->text.bytes;
}
size_t EXPORT(page_text_length)(const struct page *p) {
    return p->text.failed ? 0 : p->text.length;
}

enum drawing { DRAW_SVG, DRAW_SLIDE, DRAW_TEXT, DRAW_JSON };

/* enum drawing; a slide is an SVG without what hovering needs. */
int EXPORT(page_put_drawing)(struct page *p, int drawing) {
    const struct picture *picture = page_picture(p);
    if (!picture)
        return page_no_picture(p);
    struct draw_options options = p->options;
    options.interactive = drawing == DRAW_SVG;
    text_clear(&p->text);
    if (drawing == DRAW_TEXT)
        draw_text(picture, &options, &p->text);
    else if (drawing == DRAW_JSON)
        draw_json(picture, &options, &p->text);
    else
        draw_svg(picture, &options, &p->text);
    return p->text.failed ? -ENOMEM : 0;
}

static void put_event_of_step(struct page *p, uint64_t n) {
    struct event event;
    if (!n || film_event(p->film, n, &event))
        return;
    const struct event_schema *schema = event_schema(event.kind);
    field_number(&p->text, "pid", event.pid);
    field_text(&p->text, "kind", schema ? schema->name : "?");
    field_number(&p->text, "instruction", event.instruction);
}

static void put_goal(struct page *p) {
    char goal[160] = "";
    const struct goal *wanted = nav_goal(p->nav);
    if (wanted)
        goal_print(wanted, goal, sizeof goal);
    field_text(&p->text, "goal", goal);
}

static void put_complaints(struct page *p) {
    const struct fold *fold;
    if (film_state(p->film, nav_position(p->nav), &fold) || !fold->complaints)
        return;
    field_number(&p->text, "complaints", fold->complaints);
    field_number(&p->text, "first_complaint", fold->first_complaint);
}

/* Where the walker stands and what it has to say. */
int EXPORT(page_put_status)(struct page *p) {
    const struct picture *picture = page_picture(p);
    if (!picture)
        return page_no_picture(p);
    struct text *t = &p->text, advice = {0};
    unsigned right, asked;
    const char *question = nav_question(p->nav);
    nav_score(p->nav, &right, &asked);
    text_clear(t);
    text_put(t, "{");
    field_number(t, "position", nav_position(p->nav));
    field_number(t, "events", film_events(p->film));
    field_bool(t, "finished", film_is_finished(p->film));
    field_bool(t, "cut", film_is_cut(p->film));
    field_text(t, "narration", picture->narration);
    field_text(t, "message", nav_message(p->nav));
    field_text(t, "question", question ? question : "");
    field_bool(t, "real_numbers", nav_real_numbers(p->nav));
    field_number(t, "right", right);
    field_number(t, "asked", asked);
    put_goal(p);
    put_event_of_step(p, nav_position(p->nav));
    put_complaints(p);
    if (nav_put_advice(p->nav, &advice))
        field_bytes(t, "advice", advice.bytes, advice.length);
    text_free(&advice);
    text_put(t, "}");
    return t->failed ? -ENOMEM : 0;
}

/* The state where the walker stands. */
static int page_state(struct page *p, const struct fold **ret_fold) {
    return film_state(p->film, nav_position(p->nav), ret_fold);
}

/* `token`: see page/details.h. */
int EXPORT(page_put_details)(struct page *p, const char *token) {
    const struct fold *fold;
    int error = page_state(p, &fold);
    if (error)
        return error;
    text_clear(&p->text);
    details_put_json(fold, token, &p->text);
    return p->text.failed ? -ENOMEM : 0;
}

/* What the programs wrote up to here, the end of it. */
int EXPORT(page_put_output)(struct page *p) {
    const struct fold *fold;
    int error = page_state(p, &fold);
    if (error)
        return error;
    size_t length;
    const char *bytes = fold_output(fold, &length);
    text_clear(&p->text);
    text_bytes(&p->text, bytes, length);
    return p->text.failed ? -ENOMEM : 0;
}

/* The list of events: see page/rows.h. Goes by the filter that is set. */
int EXPORT(page_put_rows)(struct page *p, double from, int backwards, size_t count) {
    const struct nav_filter *f = &p->filter;
    struct goal what = {
        .kind = f->kind ? GOAL_KIND : GOAL_STEP, .event = f->kind, .pid = f->pid, .object = f->object};
    text_clear(&p->text);
    int error = rows_put_json(p->list, (uint64_t)from, backwards, count, &what, &p->text);
    return !error && p->text.failed ? -ENOMEM : error;
}

int EXPORT(page_put_history)(struct page *p) {
    int error = history_update(p->history, p->list);
    if (error)
        return error;
    text_clear(&p->text);
    history_put_json(p->history, &p->text);
    return p->text.failed ? -ENOMEM : 0;
}

static void put_string_of(struct text *t, const char *name, const struct fold *fold, uint64_t number) {
    const struct trace_text *string = fold_string(fold, number);
    field_bytes(t, name, string ? string->bytes : "", string ? string->length : 0);
}

static void put_choices_of_state(struct text *t, const struct fold *fold) {
    field_name(t, "processes");
    text_put(t, "[");
    for (size_t i = 0; i < fold->processes.count; i++) {
        const struct fold_process *process = fold->processes.entries[i].value;
        element(t);
        text_put(t, "{");
        field_number(t, "pid", process->pid);
        put_string_of(t, "path", fold, process->path);
        text_put(t, "}");
    }
    text_put(t, "]");
    field_name(t, "objects");
    text_put(t, "[");
    for (size_t i = 0; i < fold->objects.count; i++) {
        const struct fold_object *object = fold->objects.entries[i].value;
        element(t);
        text_put(t, "{");
        field_number(t, "object", object->number);
        put_string_of(t, "path", fold, object->path);
        text_put(t, "}");
    }
    text_put(t, "]");
}

/* What can be filtered by: the processes and files of the state here, and the kinds of events. */
int EXPORT(page_put_choices)(struct page *p) {
    const struct fold *fold;
    int error = page_state(p, &fold);
    if (error)
        return error;
    struct text *t = &p->text;
    text_clear(t);
    text_put(t, "{");
    put_choices_of_state(t, fold);
    field_name(t, "kinds");
    text_put(t, "[");
    for (unsigned kind = 1; kind < EVENT_KINDS; kind++) {
        if (!event_is_step(&(struct event){.kind = (uint16_t)kind}))
            continue;
        element(t);
        text_put(t, "{");
        field_number(t, "kind", kind);
        field_text(t, "name", event_schema(kind)->name);
        text_put(t, "}");
    }
    text_put(t, "]}");
    return t->failed ? -ENOMEM : 0;
}

void EXPORT(page_put_help)(struct page *p) {
    text_clear(&p->text);
    nav_put_help(&p->text);
}
