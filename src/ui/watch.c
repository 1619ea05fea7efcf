/* What `step` and `web` have in common. */
#include "ui/watch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trace/text.h"
#include "ui/recording.h"

void watch_take_signals(bool screen, sigset_t *ret_signals) {
    static const int taken[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGCONT, SIGWINCH};
    enum { ENDING = 4 }; /* so many of them end it */
    sigemptyset(ret_signals);
    for (size_t i = 0; i < (screen ? sizeof taken / sizeof *taken : ENDING); i++)
        sigaddset(ret_signals, taken[i]);
    pthread_sigmask(SIG_BLOCK, ret_signals, NULL);
}

void watch_get_beginning(const struct options *o, struct goal *ret_goal) {
    static const struct goal program_begins = {.kind = GOAL_KIND, .event = EVENT_PROCESS_EXEC};
    *ret_goal = o->has_until ? o->until : program_begins;
}

/* Where to begin. False: there is no such event. */
static bool find_begin(const struct options *o, struct film *film, uint64_t *ret_begin) {
    struct goal beginning;
    watch_get_beginning(o, &beginning);
    int error = film_find(film, 0, false, &beginning, ret_begin);
    if (error == -ENOENT && !o->has_until) { /* it was cut before a program began */
        *ret_begin = film_events(film);
        error = 0;
    }
    if (error == -ENOENT)
        fprintf(
            stderr,
            "thimble: %s: the run that was recorded never came to what --until names: leave it out to see "
            "where it came to\n",
            o->recording);
    else if (error)
        fprintf(stderr, "thimble: %s cannot be read: %s\n", o->recording, strerror(-error));
    return !error;
}

struct film *watch_open(const struct options *o, uint64_t *ret_begin) {
    struct film *film = recording_open(o->recording);
    if (film && !find_begin(o, film, ret_begin)) {
        film_destroy(film);
        film = NULL;
    }
    return film;
}

struct live *watch_create(struct session *s, bool run_on, void (*changed)(void *context), void *context) {
    struct trace_header header;
    struct goal beginning;
    session_get_header(s, &header);
    watch_get_beginning(&s->options, &beginning);
    const struct live_config config = {
        .header = &header,
        .paused = true,
        .run_to = run_on ? &beginning : NULL,
        .terminal = true,
        .changed = changed,
        .context = context,
    };
    struct live *live;
    int error = live_create(s->machine, &config, &live);
    if (!error)
        return live;
    fprintf(stderr, "thimble: the run cannot be watched: %s\n", strerror(-error));
    return NULL;
}

char *watch_title(const struct options *o, const struct trace_header *header) {
    struct text t = {0};
    if (o->title)
        return strdup(o->title);
    if (o->recording) {
        text_put(&t, o->recording);
        text_put(&t, ": ");
    }
    for (int i = 0; i < header->argument_count; i++) {
        text_put(&t, i ? " " : "");
        text_put(&t, header->arguments[i]);
    }
    text_bytes(&t, "", 1);
    if (t.failed) {
        text_free(&t);
        return NULL;
    }
    return t.bytes;
}
