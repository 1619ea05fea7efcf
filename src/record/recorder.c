/* See recorder.h. Words are in words.h. */
#include "record/recorder.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/host_clock.h"
#include "base/message.h"
#include "hw/join.h"
#include "record/conveyor.h"
#include "record/scribe.h"
#include "record/words.h"
#include "trace/strings.h"

/* Entries at a time. Fewer are copied to the conveyor more slowly: the C library's memcpy() fetches the lines
 * that it writes, from the other processor's caches, unless they are many. */
enum { JOINED_MOST = 1 << 13 };

struct recorder {
    struct vm_observer observer;
    struct trace_sink sink;
    join_function *join;
    uint32_t words[JOINED_MOST + JOIN_ROOM], frames[JOINED_MOST + JOIN_ROOM];
    struct conveyor conveyor;
    struct conveyor_block *block; /* that is being filled */
    struct refs_writer *writer;
    struct scribe *scribe;
    pthread_t thread;
    uint64_t warm_until;          /* of the host's monotonic clock, ns; 0: nothing is waited for */
    struct trace_strings strings; /* that were not yet used */
    struct map spaces;            /* by pid: the process's space + 1 */
    struct map copied;            /* by space: which it was copied from, + 1; until its process is made */
};

/* ---- the recorder's thread ---- */

static void *write_blocks(void *context) {
    struct recorder *r = context;
    const struct conveyor_block *block;
    while ((block = conveyor_take(&r->conveyor))) {
        scribe_write(r->scribe, block);
        conveyor_give_back(&r->conveyor);
    }
    return NULL;
}

/* Signals are for the machine's thread. */
static int start_thread(struct recorder *r) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int error = pthread_create(&r->thread, NULL, write_blocks, r);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return -error;
}

/* ---- words ---- */

/* Room for so many words. */
static uint64_t *put(struct recorder *r, uint32_t words) {
    if (unlikely(CONVEYOR_WORDS - r->block->used < words)) {
        conveyor_hand_over(&r->conveyor);
        r->block = conveyor_fill(&r->conveyor);
    }
    uint64_t *at = r->block->words + r->block->used;
    r->block->used += words;
    return at;
}

static void put_text(uint64_t *at, const char *text, size_t length) {
    at[0] = length;
    at[words_of_text(length) - 1] = 0;
    memcpy(at + 1, text, length);
}

static size_t text_length(const struct trace_text *text) {
    return text ? min_size(strnlen(text->bytes, text->length), WORDS_TEXT_MAX) : 0;
}

static void put_mark(struct recorder *r, const struct refs_mark *mark, size_t text_length) {
    uint64_t *at = put(r, WORDS_MARK_WORDS + words_of_text(text_length));
    at[0] = words_head(WORDS_MARK, mark->type, mark->space, mark->flags);
    at[1] = mark->instruction;
    at[2] = mark->a;
    at[3] = mark->b;
    at[4] = mark->c;
    at[5] = mark->d;
    put_text(at + WORDS_MARK_WORDS, mark->text, text_length);
}

/* ---- what the vm says ---- */

static void observe_appears(void *context, page_id_t id, const struct vm_place *place) {
    const unsigned kind = !page_id_is_object(id)                        ? 0
                          : place->object && object_file(place->object) ? REFS_PAGE_FILE
                                                                        : REFS_PAGE_SHARED;
    const unsigned flags =
        REFS_PAGE_KNOWN | kind | (place->stack ? REFS_PAGE_STACK : 0) | (place->heap ? REFS_PAGE_HEAP : 0);
    uint64_t *at = put(context, 4);
    at[0] = words_head(WORDS_APPEARS, flags, (uint16_t)place->space,
                       place->object ? object_number(place->object) : 0);
    at[1] = id.n;
    at[2] = place->index;
    at[3] = place->vpn.n;
}

static void observe_holds(void *context, pfn_t frame, page_id_t id) {
    uint64_t *at = put(context, 2);
    at[0] = words_head(WORDS_HOLDS, 0, 0, frame.n);
    at[1] = id.n;
}

static void end_warm_up(struct recorder *r, uint64_t instruction) {
    static const char name[] = "measured";
    const struct refs_mark mark = {.type = REFS_MARK_PHASE, .instruction = instruction, .text = name};
    if (host_nanoseconds(CLOCK_MONOTONIC_COARSE) < r->warm_until)
        return;
    r->warm_until = 0;
    put_mark(r, &mark, sizeof name - 1);
}

/* Joined on this thread: fewer words go from one processor's caches to another's, which costs more. And
 * beside the block, whose lines are still in the other's. The frames go along where the words do not say all
 * of them. */
static void put_references(struct recorder *r, const struct reference_log *log) {
    const struct joined joined = r->join(log, r->words, r->frames);
    const bool with_frames = joined.highest_frame > JOINED_FRAME;
    const uint32_t size = words_of_entries((uint32_t)joined.count);
    uint64_t *at = put(r, 2 + (with_frames ? 2 * size : size));
    at[0] = words_head(WORDS_REFERENCES, with_frames, 0, (uint32_t)joined.count);
    at[1] = log->start;
    memcpy(at + 2, r->words, joined.count * sizeof *r->words);
    if (with_frames)
        memcpy(at + 2 + size, r->frames, joined.count * sizeof *r->frames);
}

static void observe_references(void *context, const struct reference_log *log) {
    struct recorder *r = context;
    struct reference_log part = *log;
    if (unlikely(r->warm_until))
        end_warm_up(r, log->start);
    for (size_t i = 0; i < log->count; i += part.count) {
        part.pages = log->pages + i;
        part.rests = log->rests + i;
        part.count = min_size(log->count - i, JOINED_MOST);
        put_references(r, &part);
    }
}

static void observe_runs(void *context, uint32_t space) {
    *put(context, 1) = words_head(WORDS_RUNS, 0, (uint16_t)space, 0);
}

static void put_page(struct recorder *r, enum words_kind kind, unsigned flags, page_id_t id) {
    uint64_t *at = put(r, 2);
    at[0] = words_head(kind, flags, 0, 0);
    at[1] = id.n;
}

static void observe_dies(void *context, page_id_t id, enum policy_remove reason) {
    put_page(context, WORDS_DIES, reason, id);
}

static void observe_cleaned(void *context, page_id_t id) {
    put_page(context, WORDS_CLEANED, 0, id);
}

static void observe_cooled(void *context, page_id_t id) {
    put_page(context, WORDS_COOLED, 0, id);
}

static void observe_given_up(void *context, page_id_t id) {
    put_page(context, WORDS_GIVEN_UP, 0, id);
}

/* MAP says anew what is there, without a name; a name follows it. */
static void observe_renamed(void *context, const struct vm_range *range, uint64_t instruction) {
    struct recorder *r = context;
    struct refs_mark mark = {.instruction = instruction,
                             .type = REFS_MARK_MAP,
                             .flags = (uint8_t)range->flags,
                             .space = (uint16_t)range->space,
                             .a = range->start.n,
                             .b = range->pages,
                             .c = range->object ? object_number(range->object) : 0,
                             .d = range->object_page,
                             .text = ""};
    put_mark(r, &mark, 0);
    if (!range->name)
        return;
    mark.type = REFS_MARK_NAME;
    mark.text = range->name;
    put_mark(r, &mark, strlen(range->name));
}

/* ---- what the events say ---- */

static void put_plain_mark(struct recorder *r, const struct event *e, enum refs_mark_type type,
                           uint64_t space, const uint64_t args[4]) {
    const struct refs_mark mark = {.instruction = e->instruction,
                                   .type = (uint8_t)type,
                                   .flags = (uint8_t)e->flags,
                                   .space = (uint16_t)space,
                                   .a = args[0],
                                   .b = args[1],
                                   .c = args[2],
                                   .d = args[3],
                                   .text = ""};
    put_mark(r, &mark, 0);
}

/* Its number may have been another's: of that nothing is mapped any more. What is copied follows. */
static void space_created(struct recorder *r, const struct event *e) {
    const uint64_t all = USER_END >> PAGE_SHIFT;
    (void)map_put(&r->copied, e->args[0], e->args[2]);
    put_plain_mark(r, e, REFS_MARK_UNMAP, e->args[0], (const uint64_t[4]){0, all});
}

static void process_created(struct recorder *r, const struct event *e) {
    uint64_t from = 0;
    (void)map_remove(&r->copied, e->args[1], &from);
    (void)map_put(&r->spaces, e->pid, e->args[1] + 1);
    put_plain_mark(r, e, REFS_MARK_CREATE, e->args[1], (const uint64_t[4]){e->pid, e->args[0], from});
}

static void process_executes(struct recorder *r, const struct event *e) {
    const struct trace_text *path = strings_get(&r->strings, e->args[0]);
    const struct refs_mark mark = {.instruction = e->instruction,
                                   .type = REFS_MARK_EXEC,
                                   .space = (uint16_t)e->args[2],
                                   .a = e->pid,
                                   .text = path ? path->bytes : ""};
    (void)map_put(&r->spaces, e->pid, e->args[2] + 1);
    put_mark(r, &mark, text_length(path));
}

static void process_exits(struct recorder *r, const struct event *e) {
    uint64_t space = 1;
    (void)map_remove(&r->spaces, e->pid, &space);
    put_plain_mark(r, e, REFS_MARK_EXIT, space - 1, (const uint64_t[4]){e->pid, e->args[0]});
}

static void object_made(struct recorder *r, const struct event *e) {
    const struct trace_text *path = strings_get(&r->strings, e->args[2]);
    const size_t length = text_length(path);
    uint64_t *at = put(r, 1 + words_of_text(length));
    at[0] = words_head(WORDS_OBJECT, 0, 0, (uint32_t)e->args[0]);
    put_text(at + 1, path ? path->bytes : "", length);
}

static void receive(struct trace_sink *sink, const struct event *e) {
    struct recorder *r = (struct recorder *)((char *)sink - offsetof(struct recorder, sink));
    if (e->kind == EVENT_STRING || e->kind == EVENT_STRING_DATA) {
        (void)strings_receive(&r->strings, e); /* a name that does not fit in memory is empty */
        return;
    }
    if (e->kind == EVENT_PROCESS_CREATE)
        process_created(r, e);
    else if (e->kind == EVENT_PROCESS_EXEC)
        process_executes(r, e);
    else if (e->kind == EVENT_PROCESS_EXIT)
        process_exits(r, e);
    else if (e->kind == EVENT_SPACE_CREATE)
        space_created(r, e);
    else if (e->kind == EVENT_MAP)
        put_plain_mark(r, e, REFS_MARK_MAP, e->args[0], e->args + 1);
    else if (e->kind == EVENT_UNMAP)
        put_plain_mark(r, e, REFS_MARK_UNMAP, e->args[0], (const uint64_t[4]){e->args[1], e->args[2]});
    else if (e->kind == EVENT_OBJECT)
        object_made(r, e);
    strings_free(&r->strings); /* a string stands right before the event that names it */
}

/* ---- life ---- */

static void destroy(struct recorder *r) {
    strings_free(&r->strings);
    map_free(&r->spaces);
    map_free(&r->copied);
    scribe_destroy(r->scribe);
    if (r->conveyor.blocks)
        conveyor_destroy(&r->conveyor);
    free(r);
}

int recorder_create(const struct recorder_config *config, struct recorder **ret_recorder,
                    char **ret_message) {
    struct recorder *r = calloc(1, sizeof *r);
    if (!r)
        return message_fail(-ENOMEM, ret_message, "%s: out of memory", config->path);
    int error = refs_writer_create(config->path, &config->header, &r->writer, ret_message);
    if (error) {
        destroy(r);
        return error;
    }
    error = conveyor_create(&r->conveyor);
    if (!error)
        error =
            scribe_create(r->writer, config->header.reduced_to, config->failed, config->context, &r->scribe);
    if (!error)
        error = start_thread(r);
    if (error) {
        (void)refs_writer_finish(r->writer, 0, 0, false, NULL);
        destroy(r);
        return message_fail(error, ret_message, "%s: references cannot be recorded: %s", config->path,
                            strerror(-error));
    }
    r->block = conveyor_fill(&r->conveyor);
    r->warm_until = config->warm_up ? host_nanoseconds(CLOCK_MONOTONIC_COARSE) + config->warm_up : 0;
    r->sink.receive = receive;
    r->join = join_choose();
    r->observer = (struct vm_observer){
        .context = r,
        .appears = observe_appears,
        .holds = observe_holds,
        .references = observe_references,
        .runs = observe_runs,
        .dies = observe_dies,
        .cleaned = observe_cleaned,
        .cooled = observe_cooled,
        .given_up = observe_given_up,
        .renamed = observe_renamed,
    };
    *ret_recorder = r;
    return 0;
}

const struct vm_observer *recorder_observer(struct recorder *r) {
    return &r->observer;
}

struct trace_sink *recorder_sink(struct recorder *r) {
    return &r->sink;
}

void recorder_get_progress(const struct recorder *r, struct recorder_progress *ret_progress) {
    const struct scribe_progress *p = scribe_progress(r->scribe);
    *ret_progress = (struct recorder_progress){
        .references = atomic_load_explicit(&p->references, memory_order_relaxed),
        .pages = atomic_load_explicit(&p->pages, memory_order_relaxed),
        .instruction = atomic_load_explicit(&p->instruction, memory_order_relaxed),
    };
}

int recorder_flush(struct recorder *r) {
    conveyor_hand_over(&r->conveyor);
    conveyor_wait(&r->conveyor); /* the writer is this thread's meanwhile */
    const int error = refs_writer_flush(r->writer);
    r->block = conveyor_fill(&r->conveyor);
    return error;
}

int recorder_finish(struct recorder *r, uint64_t instructions, bool whole, const char *const *conditions,
                    struct recorder_progress *ret_progress) {
    conveyor_hand_over(&r->conveyor);
    conveyor_end(&r->conveyor);
    pthread_join(r->thread, NULL);
    const uint64_t dropped = scribe_end(r->scribe);
    if (ret_progress)
        recorder_get_progress(r, ret_progress);
    const int error = refs_writer_finish(r->writer, instructions, dropped, whole, conditions);
    destroy(r);
    return error;
}
