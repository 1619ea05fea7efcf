/* The self-contained replay: the page with everything inside that it would fetch.
 *
 *   page.html up to <!-- served
 *   <style> page.css, the modules as data: addresses of an import map, what the run is (JSON)
 *   page.html from <!-- /served --> to </body>
 *   page.wasm and the events, REPLAY_PART at a time: a zlib stream each, in base64
 *   the rest of page.html
 *
 * Nothing that the run brings along stands there as text but the JSON, in which '<'
 * is written as an escape. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/base.h"
#include "page/assets.h"
#include "page/fields.h"

enum {
    REPLAY_PART = 1 << 16, /* events packed together: 4 MiB */
    READ_EVENTS = 512,
    BUFFER = 1 << 16
};

/* Writes through a buffer; after an error it writes nothing more and remembers it. */
struct output {
    int fd, error;
    size_t length;
    unsigned char carry[3]; /* of base64: what makes no group of three yet */
    size_t carried;
    unsigned char bytes[BUFFER];
};

static void output_flush(struct output *o) {
    for (size_t done = 0; done < o->length && !o->error;) {
        ssize_t written = write(o->fd, o->bytes + done, o->length - done);
        if (written > 0)
            done += (size_t)written;
        else if (written == 0 || errno != EINTR)
            o->error = written ? -errno : -EIO;
    }
    o->length = 0;
}

static void output_bytes(struct output *o, const void *bytes, size_t length) {
    const unsigned char *from = bytes;
    while (length && !o->error) {
        size_t part = min_size(length, BUFFER - o->length);
        memcpy(o->bytes + o->length, from, part);
        o->length += part;
        from += part;
        length -= part;
        if (o->length == BUFFER)
            output_flush(o);
    }
}

static void output_string(struct output *o, const char *string) {
    output_bytes(o, string, strlen(string));
}

/* ---- base64 (RFC 4648) ---- */

static void base64_group(struct output *o) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *c = o->carry;
    char group[4] = {digits[c[0] >> 2], digits[(c[0] & 3) << 4 | c[1] >> 4],
                     digits[(c[1] & 15) << 2 | c[2] >> 6], digits[c[2] & 63]};
    for (size_t i = o->carried + 1; i < sizeof group; i++)
        group[i] = '=';
    output_bytes(o, group, sizeof group);
    o->carried = 0;
    memset(o->carry, 0, sizeof o->carry);
}

static void base64_bytes(struct output *o, const unsigned char *bytes, size_t length) {
    for (size_t i = 0; i < length; i++) {
        o->carry[o->carried++] = bytes[i];
        if (o->carried == sizeof o->carry)
            base64_group(o);
    }
}

static void base64_end(struct output *o) {
    if (o->carried)
        base64_group(o);
}

/* ---- packing ---- */

/* Packs these bytes and puts out what comes; `last`: nothing follows. 0, or the error of the output. */
static int pack(struct output *o, z_stream *z, const void *bytes, size_t length, bool last) {
    unsigned char packed[4096];
    z->next_in = (unsigned char *)bytes;
    z->avail_in = (unsigned)length;
    do {
        z->next_out = packed;
        z->avail_out = sizeof packed;
        deflate(z, last ? Z_FINISH : Z_NO_FLUSH);
        base64_bytes(o, packed, sizeof packed - z->avail_out);
    } while (!z->avail_out);
    return o->error;
}

static void part_begin(struct output *o, const char *kind) {
    output_string(o, "<script type=\"application/octet-stream\" data-kind=\"");
    output_string(o, kind);
    output_string(o, "\">");
}

static void part_end(struct output *o) {
    base64_end(o);
    output_string(o, "</script>\n");
}

static int put_packed(struct output *o, const char *kind, const void *bytes, size_t length) {
    z_stream z = {0};
    if (deflateInit(&z, Z_BEST_COMPRESSION) != Z_OK)
        return -ENOMEM;
    part_begin(o, kind);
    int error = pack(o, &z, bytes, length, true);
    part_end(o);
    deflateEnd(&z);
    return error;
}

/* Events first … first + count - 1 as one part. */
static int put_part(struct output *o, struct film *film, uint64_t first, size_t count) {
    struct event events[READ_EVENTS];
    z_stream z = {0};
    if (deflateInit(&z, Z_BEST_COMPRESSION) != Z_OK)
        return -ENOMEM;
    part_begin(o, "events");
    int error = 0;
    for (size_t done = 0, got; done < count && !error; done += got) {
        error = film_read(film, first + done, events, min_size(READ_EVENTS, count - done), &got);
        if (!error)
            error = pack(o, &z, events, got * sizeof *events, done + got == count);
    }
    part_end(o);
    deflateEnd(&z);
    return error;
}

static int put_events(struct output *o, struct film *film) {
    uint64_t events = film_events(film);
    int error = 0;
    for (uint64_t first = 1; first <= events && !error; first += REPLAY_PART)
        error = put_part(o, film, first, (size_t)min_u64(REPLAY_PART, events - first + 1));
    return error;
}

/* ---- what a server would tell ---- */

/* JSON inside a script element: '<' occurs in its strings only, and could end the element. */
static void output_json(struct output *o, const struct text *t) {
    for (size_t i = 0; i < t->length; i++) {
        if (t->bytes[i] == '<')
            output_string(o, "\\u003c");
        else
            output_bytes(o, &t->bytes[i], 1);
    }
}

static int put_info(struct output *o, struct film *film, const char *title, uint64_t start) {
    struct text t = {0};
    text_put(&t, "{");
    field_text(&t, "title", title);
    field_number(&t, "events", film_events(film));
    field_bool(&t, "cut", film_is_cut(film));
    field_number(&t, "start", start);
    field_name(&t, "header");
    trace_header_put(&t, film_header(film));
    text_put(&t, "}");
    output_string(o, "<script id=\"replay-info\" type=\"application/json\">");
    output_json(o, &t);
    output_string(o, "</script>\n");
    int error = t.failed ? -ENOMEM : 0;
    text_free(&t);
    return error;
}

static bool asset_is(const struct page_asset *asset, const char *type) {
    return !strncmp(asset->type, type, strlen(type));
}

static void put_style(struct output *o) {
    const struct page_asset *asset;
    for (size_t i = 0; (asset = page_asset_at(i)); i++) {
        if (!asset_is(asset, "text/css"))
            continue;
        output_string(o, "<style>\n");
        output_bytes(o, asset->bytes, asset->size);
        output_string(o, "</style>\n");
    }
}

/* Modules know each other as page/NAME; here these names stand for the modules themselves. */
static void put_modules(struct output *o) {
    const struct page_asset *asset;
    bool first = true;
    output_string(o, "<script type=\"importmap\" nonce=\"page\">{\"imports\": {");
    for (size_t i = 0; (asset = page_asset_at(i)); i++) {
        if (!asset_is(asset, "text/javascript"))
            continue;
        output_string(o, first ? "\n\"page" : ",\n\"page");
        output_string(o, asset->path);
        output_string(o, "\": \"data:text/javascript;base64,");
        base64_bytes(o, asset->bytes, asset->size);
        base64_end(o);
        output_string(o, "\"");
        first = false;
    }
    output_string(o,
                  "}}</script>\n<script type=\"module\" nonce=\"page\">import \"page/page.js\";</script>\n");
}

/* ---- the document ---- */

/* The parts of page.html: up to `served`, from behind it to `body_end`, the rest. */
struct document {
    const char *begin, *served, *rest, *body_end, *end;
};

static const char *find(const char *from, const char *end, const char *what) {
    return memmem(from, (size_t)(end - from), what, strlen(what));
}

static int document_parse(struct document *d) {
    const struct page_asset *page = page_asset_find("/");
    if (!page)
        return -ENOENT;
    d->begin = (const char *)page->bytes;
    d->end = d->begin + page->size;
    d->served = find(d->begin, d->end, "<!-- served");
    d->rest = find(d->begin, d->end, "<!-- /served -->");
    d->body_end = find(d->begin, d->end, "</body>");
    return d->served && d->rest && d->body_end ? 0 : -EINVAL;
}

static int put_document(struct output *o, struct film *film, const char *title, uint64_t start) {
    struct document d;
    const struct page_asset *wasm = page_asset_find("/page.wasm");
    int error = wasm ? document_parse(&d) : -ENOENT;
    if (error)
        return error;
    output_bytes(o, d.begin, (size_t)(d.served - d.begin));
    put_style(o);
    put_modules(o);
    error = put_info(o, film, title, start);
    output_bytes(o, d.rest, (size_t)(d.body_end - d.rest));
    if (!error)
        error = put_packed(o, "wasm", wasm->bytes, wasm->size);
    if (!error)
        error = put_events(o, film);
    output_bytes(o, d.body_end, (size_t)(d.end - d.body_end));
    output_flush(o);
    return error ? error : o->error;
}

int page_write_replay(struct film *film, const char *title, uint64_t start, int fd) {
    struct output *o = calloc(1, sizeof *o);
    if (!o)
        return -ENOMEM;
    o->fd = fd;
    int error = put_document(o, film, title, start);
    free(o);
    return error;
}
