/* A film of a run that goes on: the appending thread writes a native trace into a temporary file that has no
 * name; whoever looks reads it.
 *
 *   writer ── whole blocks ──► file ◄── reader
 *     └────── the last events, not yet a block ──► copied under the lock
 *
 * `lock` guards the writer and what follows from it; `looking` guards the reader, and is taken first. The
 * appending thread takes only `lock`, which nobody holds longer than it takes to copy a block or to pack one:
 * it never waits for a search or for the disk's reading. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "base/host_file.h"
#include "trace/film-source.h"
#include "trace/reader.h"
#include "trace/writer.h"

struct film_growing {
    pthread_mutex_t lock;
    struct trace_writer *writer;
    bool finished;
    int error; /* that ended it, 0: none */

    pthread_mutex_t looking;
    struct trace_reader *reader;
    size_t places_known; /* to the reader, of the writer's */

    int descriptor; /* of the file; -1: none */
};

/* ---- looking ---- */

/* The last event's number; the caller holds the lock. */
static uint64_t last_event(const struct film_growing *g) {
    uint64_t first;
    size_t count;
    trace_writer_pending(g->writer, &first, &count);
    return first + count - 1;
}

static uint64_t growing_events(void *context) {
    struct film_growing *g = context;
    pthread_mutex_lock(&g->lock);
    uint64_t events = last_event(g);
    pthread_mutex_unlock(&g->lock);
    return events;
}

static bool growing_is_finished(void *context) {
    struct film_growing *g = context;
    pthread_mutex_lock(&g->lock);
    bool finished = g->finished;
    pthread_mutex_unlock(&g->lock);
    return finished;
}

static bool growing_is_cut(void *context) {
    struct film_growing *g = context;
    pthread_mutex_lock(&g->lock);
    bool cut = g->error != 0;
    pthread_mutex_unlock(&g->lock);
    return cut;
}

/* Copies events that are not in the file yet; how many. */
static size_t read_pending(struct film_growing *g, uint64_t n, struct event *events, size_t count) {
    uint64_t first;
    size_t pending;
    pthread_mutex_lock(&g->lock);
    const struct event *from = trace_writer_pending(g->writer, &first, &pending);
    count = n < first ? 0 : (size_t)min_u64(count, pending - min_u64(n - first, pending));
    if (count)
        memcpy(events, from + (n - first), count * sizeof *events);
    pthread_mutex_unlock(&g->lock);
    return count;
}

/* Tells the reader of the blocks that were written meanwhile. The caller holds `looking`. */
static int follow_writer(struct film_growing *g) {
    size_t count;
    uint64_t size;
    pthread_mutex_lock(&g->lock);
    const struct block_place *places = trace_writer_places(g->writer, &count, &size);
    int error = trace_reader_extend(g->reader, size, places + g->places_known, count - g->places_known);
    pthread_mutex_unlock(&g->lock);
    if (!error)
        g->places_known = count;
    return error;
}

static int growing_read(void *context, uint64_t n, struct event *events, size_t count, size_t *ret_count) {
    struct film_growing *g = context;
    *ret_count = read_pending(g, n, events, count);
    if (*ret_count)
        return 0;
    pthread_mutex_lock(&g->looking);
    int error = follow_writer(g);
    if (!error)
        error = trace_reader_read(g->reader, n, events, count, ret_count);
    pthread_mutex_unlock(&g->looking);
    return error;
}

static int growing_state(void *context, uint64_t n, uint64_t after, struct fold **ret_fold) {
    struct film_growing *g = context;
    pthread_mutex_lock(&g->looking);
    int error = follow_writer(g);
    if (!error)
        error = trace_reader_checkpoint(g->reader, n, after, ret_fold);
    pthread_mutex_unlock(&g->looking);
    return error;
}

static void growing_destroy(void *context) {
    struct film_growing *g = context;
    trace_writer_destroy(g->writer);
    trace_reader_destroy(g->reader);
    if (g->descriptor >= 0)
        close(g->descriptor);
    pthread_mutex_destroy(&g->lock);
    pthread_mutex_destroy(&g->looking);
    free(g);
}

static const struct film_source_ops growing_ops = {
    .events = growing_events,
    .is_finished = growing_is_finished,
    .is_cut = growing_is_cut,
    .read = growing_read,
    .state = growing_state,
    .destroy = growing_destroy,
};

/* ---- the file ---- */

static int read_file(void *context, uint64_t offset, void *bytes, size_t length) {
    const struct film_growing *g = context;
    return trace_read_descriptor(g->descriptor, offset, bytes, length);
}

/* The writer puts the header into the file, the reader takes it from there: that is its copy. */
static int open_both_ends(struct film_growing *g, const struct trace_header *header) {
    struct trace_output output = {.write = output_to_descriptor, .context = &g->descriptor};
    g->descriptor = host_file_unnamed(host_temporary_folder());
    if (g->descriptor < 0)
        return g->descriptor;
    int error = trace_writer_create(header, &output, NULL, &g->writer);
    if (error)
        return error;
    struct trace_source source = {.read = read_file, .context = g};
    trace_writer_places(g->writer, &g->places_known, &source.size);
    return trace_reader_create(&source, &g->reader);
}

int film_create(const struct trace_header *header, struct film **ret_film) {
    struct film_growing *g = calloc(1, sizeof *g);
    if (!g)
        return -ENOMEM;
    g->descriptor = -1;
    pthread_mutex_init(&g->lock, NULL);
    pthread_mutex_init(&g->looking, NULL);
    int error = open_both_ends(g, header);
    if (!error)
        error = film_create_from(&growing_ops, g, trace_reader_header(g->reader), ret_film);
    if (error)
        growing_destroy(g);
    return error;
}

/* ---- growing ---- */

int film_append(struct film *f, const struct event *events, size_t count) {
    struct film_growing *g = film_source_context(f, &growing_ops);
    struct trace_sink *sink = trace_writer_sink(g->writer);
    pthread_mutex_lock(&g->lock);
    for (size_t i = 0; i < count && !g->error; i++) {
        sink->receive(sink, &events[i]);
        g->error = trace_writer_error(g->writer);
    }
    int error = g->error;
    pthread_mutex_unlock(&g->lock);
    return error;
}

void film_finish(struct film *f) {
    struct film_growing *g = film_source_context(f, &growing_ops);
    pthread_mutex_lock(&g->lock);
    g->finished = true;
    pthread_mutex_unlock(&g->lock);
}
