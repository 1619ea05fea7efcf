/* See header.h. Members are written by hand for their order and parsed by jansson. */
#include "trace/header.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

/* ---- writing ---- */

static void put_member(struct text *t, const char *name) {
    text_put(t, ",\"");
    text_put(t, name);
    text_put(t, "\":");
}

static void put_number(struct text *t, const char *name, uint64_t n) {
    put_member(t, name);
    if (n <= INT64_MAX)
        text_number(t, n);
    else
        text_hex(t, n); /* beyond what JSON readers keep exactly */
}

static void put_string(struct text *t, const char *name, const char *string) {
    put_member(t, name);
    text_string(t, string, strlen(string));
}

/* The arguments, NUL-terminated one behind the other. */
static void join_arguments(struct text *joined, const struct trace_header *h) {
    for (int i = 0; i < h->argument_count; i++)
        text_bytes(joined, h->arguments[i], strlen(h->arguments[i]) + 1);
}

static void put_command(struct text *t, const struct trace_header *h) {
    struct text joined = {.inject = t->inject};
    join_arguments(&joined, h);
    put_member(t, "command");
    if (!text_strings(t, joined.bytes, joined.length)) {
        put_member(t, "command_hex");
        text_hex_bytes(t, joined.bytes, joined.length);
    }
    t->failed = t->failed || joined.failed;
    text_free(&joined);
}

void trace_header_put(struct text *t, const struct trace_header *h) {
    text_put(t, "{\"thimble_trace\":");
    text_number(t, TRACE_VERSION);
    put_string(t, "thimble", h->thimble);
    put_number(t, "frames", h->frames);
    put_number(t, "reserved", h->reserved);
    put_number(t, "swap_pages", h->swap_pages);
    put_number(t, "page_size", h->page_size);
    put_string(t, "page_table", h->page_table);
    put_string(t, "policy", h->policy);
    put_number(t, "seed", h->seed);
    put_member(t, "deterministic");
    text_bool(t, h->deterministic);
    put_string(t, "cpu", h->cpu);
    put_command(t, h);
    text_put(t, "}");
}

/* ---- reading ---- */

/* What is wrong is remembered, so that all members can be asked for first. */
struct parser {
    const json_t *root;
    int error;
};

static uint64_t get_number(struct parser *p, const char *name) {
    const json_t *member = json_object_get(p->root, name);
    if (json_is_integer(member) && json_integer_value(member) >= 0)
        return (uint64_t)json_integer_value(member);
    const char *string = json_string_value(member);
    char *end = NULL;
    uint64_t n = string ? strtoull(string, &end, 16) : 0;
    if (!end || *end || end == string)
        p->error = -EBADMSG;
    return n;
}

static const char *get_string(struct parser *p, const char *name) {
    const char *string = json_string_value(json_object_get(p->root, name));
    if (!string)
        p->error = -EBADMSG;
    return string ? string : "";
}

static int hex_digit(char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The command from its hexadecimal form, which is there when some argument is not UTF-8. */
static void get_joined_hex(struct parser *p, const char *hex, struct text *joined) {
    for (; *hex; hex += 2) {
        int high = hex_digit(hex[0]), low = high < 0 ? -1 : hex_digit(hex[1]);
        if (low < 0) {
            p->error = -EBADMSG;
            return;
        }
        text_bytes(joined, (char[]){(char)(high << 4 | low)}, 1);
    }
    if (!joined->length || joined->bytes[joined->length - 1])
        p->error = -EBADMSG;
}

static void get_joined(struct parser *p, struct text *joined) {
    const json_t *command = json_object_get(p->root, "command"), *argument;
    const char *hex = json_string_value(json_object_get(p->root, "command_hex"));
    size_t i;
    if (hex) {
        get_joined_hex(p, hex, joined);
        return;
    }
    if (!json_is_array(command))
        p->error = -EBADMSG;
    json_array_foreach(command, i, argument) {
        const char *string = json_string_value(argument);
        if (string)
            text_bytes(joined, string, strlen(string) + 1);
        else
            p->error = -EBADMSG;
    }
}

/* Moves a string behind the header; *room is where. */
static const char *keep(char **room, const char *string) {
    char *kept = *room;
    *room = stpcpy(kept, string) + 1;
    return kept;
}

static size_t count_strings(const struct text *joined) {
    size_t count = 0;
    for (size_t i = 0; i < joined->length; i++)
        count += !joined->bytes[i];
    return count;
}

/* One block: the header, the array of arguments, the strings. */
static struct trace_header *header_pack(const struct trace_header *h, const struct text *joined) {
    size_t arguments = count_strings(joined);
    size_t strings = strlen(h->thimble) + strlen(h->page_table) + strlen(h->policy) + strlen(h->cpu) + 4;
    struct trace_header *packed =
        malloc(sizeof *packed + (arguments + 1) * sizeof(char *) + strings + joined->length);
    if (!packed)
        return NULL;
    const char **vector = (const char **)(packed + 1);
    char *room = (char *)(vector + arguments + 1);
    *packed = *h;
    packed->thimble = keep(&room, h->thimble);
    packed->page_table = keep(&room, h->page_table);
    packed->policy = keep(&room, h->policy);
    packed->cpu = keep(&room, h->cpu);
    packed->argument_count = (int)arguments;
    packed->arguments = vector;
    const char *from = joined->bytes;
    for (size_t i = 0; i < arguments; i++, from += strlen(from) + 1)
        vector[i] = keep(&room, from);
    vector[arguments] = NULL;
    return packed;
}

static int header_build(struct parser *p, struct trace_header **ret_header) {
    struct text joined = {0};
    struct trace_header h = {
        .thimble = get_string(p, "thimble"),
        .frames = get_number(p, "frames"),
        .reserved = get_number(p, "reserved"),
        .swap_pages = get_number(p, "swap_pages"),
        .page_size = (uint32_t)get_number(p, "page_size"),
        .page_table = get_string(p, "page_table"),
        .policy = get_string(p, "policy"),
        .seed = get_number(p, "seed"),
        .deterministic = json_is_true(json_object_get(p->root, "deterministic")),
        .cpu = get_string(p, "cpu"),
    };
    get_joined(p, &joined);
    if (!p->error && !joined.failed)
        *ret_header = header_pack(&h, &joined);
    int error = p->error ? p->error : joined.failed || !*ret_header ? -ENOMEM : 0;
    text_free(&joined);
    return error;
}

int trace_header_parse(const char *json, size_t length, struct trace_header **ret_header) {
    json_t *root = json_loadb(json, length, JSON_REJECT_DUPLICATES, NULL);
    if (!root)
        return -EBADMSG;
    struct parser p = {.root = root};
    struct trace_header *header = NULL;
    uint64_t version = get_number(&p, "thimble_trace");
    int error = p.error;
    if (!error && version != TRACE_VERSION)
        error = -EPROTO;
    if (!error)
        error = header_build(&p, &header);
    json_decref(root);
    if (!error)
        *ret_header = header;
    return error;
}

uint64_t trace_header_version(const char *json, size_t length) {
    json_t *root = json_loadb(json, length, JSON_REJECT_DUPLICATES, NULL);
    struct parser p = {.root = root};
    uint64_t version = root ? get_number(&p, "thimble_trace") : 0;
    json_decref(root);
    return p.error ? 0 : version;
}
