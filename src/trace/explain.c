/* See explain.h. */
#include "trace/explain.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "trace/block.h"
#include "trace/schema.h"

/* A header's block is smaller than this, packed and unpacked; what claims more is not looked into. */
enum { HEADER_LIMIT = 1 << 22 };

/* ---- which version ---- */

struct versions {
    bool known;       /* the file begins as a trace does */
    bool other_order; /* of the bytes in a number */
    uint32_t layout;  /* of the file's blocks: BLOCK_VERSION is ours */
    uint64_t meaning; /* of its header and events: TRACE_VERSION is ours; 0: cannot be had */
};

/* The version of the header in the block where the file stands now; 0: cannot be had. */
static uint64_t read_meaning(FILE *file) {
    struct block_head head;
    uint64_t version = 0;
    if (!fread(&head, sizeof head, 1, file) || head.packed > HEADER_LIMIT || head.size > HEADER_LIMIT)
        return 0;
    char *packed = malloc(head.packed + 1), *json = malloc(head.size + 1);
    if (packed && json && fread(packed, 1, head.packed, file) == head.packed) {
        size_t size = ZSTD_decompress(json, head.size, packed, head.packed);
        if (!ZSTD_isError(size))
            version = trace_header_version(json, size);
    }
    free(packed);
    free(json);
    return version;
}

static struct versions read_versions(const char *path) {
    struct versions v = {0};
    struct block_opening opening, ours = block_opening();
    FILE *file = fopen(path, "rbe");
    if (!file)
        return v;
    if (fread(&opening, sizeof opening, 1, file) && !memcmp(opening.magic, ours.magic, sizeof ours.magic)) {
        v.known = true;
        v.other_order = opening.byte_order != ours.byte_order;
        v.layout = opening.version;
        if (!v.other_order && v.layout == ours.version)
            v.meaning = read_meaning(file);
    }
    fclose(file);
    return v;
}

static void put_versions(struct text *t, uint64_t theirs, uint64_t ours) {
    text_put(t, "it is a trace of format ");
    text_number(t, theirs);
    text_put(t, ", and this Thimble reads format ");
    text_number(t, ours);
    text_put(t, theirs > ours ? ": use the newer Thimble that recorded it"
                              : ": record it again, or use the Thimble that recorded it");
}

static void put_version_problem(struct text *t, const char *path) {
    struct versions v = read_versions(path);
    if (v.other_order)
        text_put(t, "it is a trace from a machine with another byte order");
    else if (v.known && v.layout != BLOCK_VERSION)
        put_versions(t, v.layout, BLOCK_VERSION);
    else if (v.meaning && v.meaning != TRACE_VERSION)
        put_versions(t, v.meaning, TRACE_VERSION);
    else
        text_put(t, "it is a trace of another version");
}

/* ---- sentences ---- */

void explain_refusal(struct text *t, const char *path, int error) {
    text_put(t, path);
    text_put(t, ": ");
    switch (error) {
    case -ENODATA: text_put(t, "the file is empty"); break;
    case -ENOTSUP:
        text_put(
            t, "this is a trace in JSON lines, which cannot be wound to and fro: record it with a name that "
               "does not end in .jsonl or .jsonl.zst");
        break;
    case -ESPIPE:
        text_put(t, "not a file but a stream, which cannot be wound to and fro: save it first");
        break;
    case -EPROTO: put_version_problem(t, path); break;
    case -EBADMSG:
        text_put(t, read_versions(path).known ? "the trace is damaged, or was cut before its first event"
                                              : "not a trace: run a program with --trace FILE to record one");
        break;
    default: text_put(t, strerror(-error));
    }
}

bool explain_cut(struct text *t, const struct film *film) {
    if (!film_is_cut(film))
        return false;
    uint64_t events = film_events(film);
    text_put(t, "the trace is cut: it ");
    if (events) {
        text_put(t, "ends after event ");
        text_number(t, events);
    } else {
        text_put(t, "has no events");
    }
    text_put(t, ", and what happened then is not known");
    return true;
}

bool explain_complaint(struct text *t, struct film *film) {
    struct event e;
    uint64_t n, complaints;
    const char *why;
    if (film_complaint(film, &n, &why, &complaints) || film_event(film, n, &e))
        return false;
    const struct event_schema *schema = event_schema_of(&e);
    text_put(t, "event ");
    text_number(t, n);
    text_put(t, " (");
    text_put(t, schema ? schema->name : "of an unknown kind");
    text_put(t, ", PID ");
    text_number(t, e.pid);
    text_put(t, ") does not follow from the events before it: ");
    text_put(t, why);
    if (complaints > 1) {
        text_put(t, " (and ");
        text_number(t, complaints - 1);
        text_put(t, " more after it)");
    }
    return true;
}
