/* The feed: Server-Sent Events (HTML standard, section 9.2), one response a browser.
 *
 *     told ── nothing new ──► suspended ── feed_changed(), heart beat ──► being told ──► told
 *
 * The lock is held while a reader is suspended or resumed, never while the state is described: describing may
 * wait for a lock that is held by the one who calls feed_changed(). What changes meanwhile is seen by the
 * generation, which a reader notes before it looks. */
#include "web/feed.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <time.h>

enum {
    BEAT_SECONDS = 10, /* between signs of life: a browser that is gone is noticed by them */
    BLOCK = 1024,      /* bytes that a reader may be given at once */
};

struct reader {
    LIST_ENTRY(reader) link;
    struct feed *feed;
    struct MHD_Connection *connection;
    bool suspended, beat; /* under the feed's lock */
    struct text told;     /* the last description that was sent */
    struct text line;     /* what is being sent; from `sent` on it is still to be sent */
    size_t sent;
};

struct feed {
    void (*describe)(void *context, struct text *);
    void *context;
    pthread_t heart;
    pthread_mutex_t lock; /* of all that follows */
    pthread_cond_t ended;
    bool ending;
    uint64_t generation;
    LIST_HEAD(, reader) readers;
};

/* ---- waking up ---- */

static void wake_all(struct feed *f, bool beat) {
    struct reader *reader;
    LIST_FOREACH(reader, &f->readers, link) {
        reader->beat |= beat;
        if (reader->suspended)
            MHD_resume_connection(reader->connection);
        reader->suspended = false;
    }
}

void feed_changed(struct feed *f) {
    pthread_mutex_lock(&f->lock);
    f->generation++;
    wake_all(f, false);
    pthread_mutex_unlock(&f->lock);
}

static void *heart_run(void *context) {
    struct feed *f = context;
    struct timespec next;
    clock_gettime(CLOCK_MONOTONIC, &next);
    pthread_mutex_lock(&f->lock);
    while (!f->ending) {
        next.tv_sec += BEAT_SECONDS;
        while (!f->ending && pthread_cond_timedwait(&f->ended, &f->lock, &next) != ETIMEDOUT)
            ;
        wake_all(f, true);
    }
    pthread_mutex_unlock(&f->lock);
    return NULL;
}

/* ---- telling ---- */

/* What is to be sent next, if anything, into reader->line. */
static void reader_look(struct reader *reader, bool beat) {
    struct feed *f = reader->feed;
    struct text now = {0};
    text_clear(&reader->line);
    reader->sent = 0;
    f->describe(f->context, &now);
    bool same = now.length == reader->told.length && !memcmp(now.bytes, reader->told.bytes, now.length);
    if (now.failed || same) {
        text_free(&now);
        if (beat)
            text_put(&reader->line, ": still here\n\n");
        return;
    }
    text_put(&reader->line, "data: ");
    text_bytes(&reader->line, now.bytes, now.length);
    text_put(&reader->line, "\n\n");
    text_free(&reader->told);
    reader->told = now;
}

/* The next line, or a suspended reader. False: the feed ends. */
static bool reader_next(struct reader *reader) {
    struct feed *f = reader->feed;
    bool suspended = false;
    pthread_mutex_lock(&f->lock);
    while (!f->ending && !suspended) {
        uint64_t generation = f->generation;
        bool beat = reader->beat;
        reader->beat = false;
        pthread_mutex_unlock(&f->lock);
        reader_look(reader, beat);
        pthread_mutex_lock(&f->lock);
        if (reader->line.length)
            break;
        suspended = generation == f->generation && !reader->beat && !f->ending;
        if (suspended)
            MHD_suspend_connection(reader->connection);
        reader->suspended = suspended;
    }
    bool ending = f->ending;
    pthread_mutex_unlock(&f->lock);
    return !ending;
}

static ssize_t reader_read(void *context, uint64_t position, char *bytes, size_t size) {
    struct reader *reader = context;
    if (reader->sent == reader->line.length && !reader_next(reader))
        return MHD_CONTENT_READER_END_OF_STREAM;
    size_t length = reader->line.length - reader->sent;
    if (length > size)
        length = size;
    if (length)
        memcpy(bytes, reader->line.bytes + reader->sent, length);
    reader->sent += length;
    return (ssize_t)length;
}

static void reader_destroy(void *context) {
    struct reader *reader = context;
    pthread_mutex_lock(&reader->feed->lock);
    LIST_REMOVE(reader, link);
    pthread_mutex_unlock(&reader->feed->lock);
    text_free(&reader->told);
    text_free(&reader->line);
    free(reader);
}

struct MHD_Response *feed_response(struct feed *f, struct MHD_Connection *connection) {
    struct reader *reader = calloc(1, sizeof *reader);
    if (!reader)
        return NULL;
    reader->feed = f;
    reader->connection = connection;
    struct MHD_Response *response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, reader_read, reader, reader_destroy);
    if (!response) {
        free(reader);
        return NULL;
    }
    pthread_mutex_lock(&f->lock);
    LIST_INSERT_HEAD(&f->readers, reader, link);
    pthread_mutex_unlock(&f->lock);
    return response;
}

/* ---- life ---- */

int feed_create(void (*describe)(void *context, struct text *), void *context, struct feed **ret_feed) {
    struct feed *f = calloc(1, sizeof *f);
    if (!f)
        return -ENOMEM;
    f->describe = describe;
    f->context = context;
    LIST_INIT(&f->readers);
    pthread_mutex_init(&f->lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&f->ended, &attributes);
    pthread_condattr_destroy(&attributes);
    int error = pthread_create(&f->heart, NULL, heart_run, f);
    if (error) {
        free(f);
        return -error;
    }
    *ret_feed = f;
    return 0;
}

void feed_end(struct feed *f) {
    pthread_mutex_lock(&f->lock);
    f->ending = true;
    wake_all(f, false);
    pthread_cond_signal(&f->ended);
    pthread_mutex_unlock(&f->lock);
    pthread_join(f->heart, NULL);
}

void feed_destroy(struct feed *f) {
    if (!f)
        return;
    pthread_cond_destroy(&f->ended);
    pthread_mutex_destroy(&f->lock);
    free(f);
}
