/* A film of a native trace file: trace/reader.h behind a lock. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "trace/film-source.h"
#include "trace/reader.h"

struct film_file {
    struct trace_reader *reader;
    pthread_mutex_t lock; /* the reader unpacks one block at a time */
};

static uint64_t file_events(void *context) {
    const struct film_file *file = context;
    return trace_reader_events(file->reader);
}

static bool file_is_finished(void *context) {
    return true;
}

static bool file_is_cut(void *context) {
    const struct film_file *file = context;
    return !trace_reader_is_complete(file->reader);
}

static int file_read(void *context, uint64_t n, struct event *events, size_t count, size_t *ret_count) {
    struct film_file *file = context;
    pthread_mutex_lock(&file->lock);
    int error = trace_reader_read(file->reader, n, events, count, ret_count);
    pthread_mutex_unlock(&file->lock);
    return error;
}

static int file_state(void *context, uint64_t n, uint64_t after, struct fold **ret_fold) {
    struct film_file *file = context;
    pthread_mutex_lock(&file->lock);
    int error = trace_reader_checkpoint(file->reader, n, after, ret_fold);
    pthread_mutex_unlock(&file->lock);
    return error;
}

static void file_destroy(void *context) {
    struct film_file *file = context;
    trace_reader_destroy(file->reader);
    pthread_mutex_destroy(&file->lock);
    free(file);
}

static const struct film_source_ops file_ops = {
    .events = file_events,
    .is_finished = file_is_finished,
    .is_cut = file_is_cut,
    .read = file_read,
    .state = file_state,
    .destroy = file_destroy,
};

int film_open(const char *path, struct film **ret_film) {
    struct trace_reader *reader;
    int error = trace_reader_open(path, &reader);
    if (error)
        return error;
    struct film_file *file = calloc(1, sizeof *file);
    if (!file) {
        trace_reader_destroy(reader);
        return -ENOMEM;
    }
    file->reader = reader;
    pthread_mutex_init(&file->lock, NULL);
    error = film_create_from(&file_ops, file, trace_reader_header(reader), ret_film);
    if (error)
        file_destroy(file);
    return error;
}
