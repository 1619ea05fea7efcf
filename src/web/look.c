/* GET: looking at the run. Every answer has a bound, whatever was asked for. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "web/parts.h"

enum {
    EVENTS_MAX = 65536,    /* in one answer: 4 MiB */
    BUCKETS_MAX = 8192,    /* of a timeline */
    OUTPUT_MAX = 64 * 1024 /* bytes of a terminal's output in one answer */
};

static enum MHD_Result answer_bad_parameter(struct request *r, const char *sentence) {
    return answer_sentence(r, MHD_HTTP_BAD_REQUEST, sentence);
}

/* ---- the run as a whole ---- */

static const char *state_name(const struct server *s) {
    static const char *const names[] = {
        [LIVE_RUNNING] = "running",
        [LIVE_PAUSED] = "paused",
        [LIVE_ENDED] = "ended",
    };
    return s->live ? names[live_state(s->live)] : "recorded";
}

void look_put_state(const struct server *s, struct text *t) {
    const char *state = state_name(s); /* before the count: an end that is told has all its events */
    text_put(t, "{\"events\":");
    text_number(t, film_events(s->film));
    text_put(t, ",\"state\":\"");
    text_put(t, state);
    text_put(t, "\"}");
}

enum MHD_Result look_info(struct request *r) {
    const struct server *s = r->server;
    struct text t = {0};
    text_put(&t, "{\"version\":\"" THIMBLE_VERSION "\",\"title\":");
    text_string(&t, s->title, strlen(s->title));
    text_put(&t, ",\"live\":");
    text_bool(&t, s->live != NULL);
    text_put(&t, ",\"state\":\"");
    text_put(&t, state_name(s));
    text_put(&t, "\",\"events\":");
    text_number(&t, film_events(s->film));
    text_put(&t, ",\"finished\":");
    text_bool(&t, film_is_finished(s->film));
    text_put(&t, ",\"cut\":");
    text_bool(&t, film_is_cut(s->film));
    text_put(&t, ",\"header\":");
    trace_header_put(&t, film_header(s->film));
    text_put(&t, "}");
    return answer_json(r, &t);
}

enum MHD_Result look_live(struct request *r) {
    return answer_response(r, MHD_HTTP_OK, "text/event-stream",
                           feed_response(r->server->feed, r->connection));
}

/* ---- events and states ---- */

/* As many as there are, up to `count`. */
static int read_events(struct film *film, uint64_t from, struct event *events, size_t count,
                       size_t *ret_count) {
    uint64_t last = film_events(film);
    size_t done = 0;
    while (done < count && from + done <= last) {
        size_t got = 0;
        int error = film_read(film, from + done, events + done, count - done, &got);
        if (error)
            return error;
        if (!got)
            break;
        done += got;
    }
    *ret_count = done;
    return 0;
}

enum MHD_Result look_events(struct request *r) {
    uint64_t from, count;
    if (!request_number(r, "from", 1, UINT64_MAX - EVENTS_MAX, &from) ||
        !request_number(r, "count", 1, EVENTS_MAX, &count))
        return answer_bad_parameter(r, "/events needs from=N (from 1 up) and count=C (1 to 65536).\n");
    uint64_t last = film_events(r->server->film);
    uint64_t there = from > last ? 0 : last - from + 1;
    if (count > there)
        count = there;
    struct event *events = calloc(count + !count, sizeof *events);
    if (!events)
        return answer_error(r, -ENOMEM);
    size_t got = 0;
    int error = read_events(r->server->film, from, events, count, &got);
    if (error) {
        free(events);
        return answer_error(r, error);
    }
    return answer_bytes(r, events, got * sizeof *events, NULL);
}

enum MHD_Result look_state(struct request *r) {
    uint64_t n;
    const struct fold *fold;
    void *bytes;
    size_t size;
    if (!request_number(r, "n", 0, UINT64_MAX, &n))
        return answer_bad_parameter(r, "/state needs n=N, the number of an event, or 0.\n");
    int error = film_state(r->server->film, n, &fold);
    if (!error)
        error = fold_save(fold, &bytes, &size);
    return error ? answer_error(r, error) : answer_bytes(r, bytes, size, NULL);
}

/* ---- looking for something ---- */

static enum MHD_Result answer_bad_goal(struct request *r, const char *wrong) {
    char sentence[256];
    snprintf(sentence, sizeof sentence, "The goal cannot be looked for: %s.\n", wrong);
    return answer_bad_parameter(r, sentence);
}

enum MHD_Result look_find(struct request *r) {
    uint64_t from, backwards, n;
    struct goal goal;
    const char *text = request_parameter(r, "goal");
    if (!text || !request_number(r, "from", 0, UINT64_MAX, &from) ||
        !request_number(r, "backwards", 0, 1, &backwards))
        return answer_bad_parameter(r, "/find needs goal=G, from=N and backwards=0 or 1.\n");
    const char *wrong = goal_parse(text, &goal, NULL);
    if (wrong)
        return answer_bad_goal(r, wrong);
    int error = film_find(r->server->film, from, backwards, &goal, &n);
    if (error && error != -ENOENT)
        return answer_error(r, error);
    struct text t = {0};
    text_put(&t, "{\"n\":");
    if (error)
        text_put(&t, "null");
    else
        text_number(&t, n);
    text_put(&t, "}");
    return answer_json(r, &t);
}

static void put_timeline(struct text *t, uint64_t events, const uint32_t (*counts)[FILM_TIMELINE_KINDS],
                         size_t buckets) {
    text_put(t, "{\"events\":");
    text_number(t, events);
    text_put(t, ",\"counts\":[");
    for (size_t i = 0; i < buckets; i++) {
        text_put(t, i ? ",[" : "[");
        for (size_t kind = 0; kind < FILM_TIMELINE_KINDS; kind++) {
            text_put(t, kind ? "," : "");
            text_number(t, counts[i][kind]);
        }
        text_put(t, "]");
    }
    text_put(t, "]}");
}

/* {"events": the number of events that are shown, "counts": [[by kind of fault, …], one a bucket]} */
enum MHD_Result look_timeline(struct request *r) {
    uint64_t buckets;
    if (!request_number(r, "buckets", 1, BUCKETS_MAX, &buckets))
        return answer_bad_parameter(r, "/timeline needs buckets=B (1 to 8192).\n");
    uint32_t(*counts)[FILM_TIMELINE_KINDS] = calloc(buckets, sizeof *counts);
    if (!counts)
        return answer_error(r, -ENOMEM);
    uint64_t events = film_events(r->server->film);
    int error = film_timeline(r->server->film, buckets, counts);
    struct text t = {0};
    if (!error)
        put_timeline(&t, events, (const uint32_t(*)[FILM_TIMELINE_KINDS])counts, buckets);
    free(counts);
    return error ? answer_error(r, error) : answer_json(r, &t);
}

enum MHD_Result look_history(struct request *r) {
    struct text t = {0};
    int error = history_update(r->server->history, r->server->film);
    if (error)
        return answer_error(r, error);
    history_put_json(r->server->history, &t);
    return answer_json(r, &t);
}

/* ---- the programs' terminal ---- */

enum MHD_Result look_output(struct request *r) {
    uint64_t from, offset = 0;
    if (!request_number(r, "from", 0, UINT64_MAX, &from))
        return answer_bad_parameter(r, "/output needs from=N, a number of bytes.\n");
    char *bytes = malloc(OUTPUT_MAX);
    if (!bytes)
        return answer_error(r, -ENOMEM);
    size_t length = 0;
    if (r->server->live)
        length = live_output(r->server->live, from, bytes, OUTPUT_MAX, &offset);
    return answer_bytes(r, bytes, length, &offset);
}
