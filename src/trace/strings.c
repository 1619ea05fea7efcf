/* See strings.h. A length that a file announces is not believed: room grows with the bytes that arrive. */
#include "trace/strings.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/base.h"

enum { PIECE = sizeof(((struct event *)0)->args) };

void strings_free(struct trace_strings *s) {
    size_t cursor = 0;
    uint64_t number, text;
    while (map_next(&s->whole, &cursor, &number, &text))
        free((void *)(uintptr_t)text);
    map_free(&s->whole);
    free(s->arriving);
    *s = (struct trace_strings){.whole = s->whole};
}

const struct trace_text *strings_get(const struct trace_strings *s, uint64_t number) {
    uint64_t text;
    return map_get(&s->whole, number, &text) ? (const void *)(uintptr_t)text : NULL;
}

void strings_forget(struct trace_strings *s, uint64_t number) {
    uint64_t text;
    if (map_remove(&s->whole, number, &text))
        free((void *)(uintptr_t)text);
}

static int strings_make_room(struct trace_strings *s, size_t bytes) {
    if (s->arriving && bytes <= s->capacity)
        return 0;
    size_t capacity = max_size(bytes, s->capacity * 2);
    struct trace_text *text =
        inject_realloc(s->whole.inject, s->arriving, sizeof *text + capacity + 1, sizeof(char));
    if (!text)
        return -ENOMEM;
    if (!s->arriving)
        text->length = 0;
    s->arriving = text;
    s->capacity = capacity;
    return 0;
}

/* The string that was arriving is whole: it takes its place among the others. */
static int strings_complete(struct trace_strings *s) {
    s->arriving->bytes[s->arriving->length] = 0;
    int error = map_put(&s->whole, s->number, (uintptr_t)s->arriving);
    if (error)
        return error;
    s->arriving = NULL;
    s->number = 0;
    s->capacity = 0;
    return 0;
}

static int strings_begin(struct trace_strings *s, uint64_t number, uint64_t length) {
    bool cut = s->number != 0;
    free(s->arriving);
    s->arriving = NULL;
    s->capacity = 0;
    s->number = 0;
    if (!number || map_get(&s->whole, number, NULL))
        return -EBADMSG;
    int error = strings_make_room(s, (size_t)min_u64(length, PIECE));
    if (error)
        return error;
    s->number = number;
    s->announced = length;
    if (!length)
        error = strings_complete(s);
    return error ? error : cut ? -EBADMSG : 0;
}

static int strings_continue(struct trace_strings *s, const uint64_t args[5]) {
    if (!s->number)
        return -EBADMSG;
    size_t piece = (size_t)min_u64(s->announced - s->arriving->length, PIECE);
    int error = strings_make_room(s, s->arriving->length + piece);
    if (error)
        return error;
    memcpy(s->arriving->bytes + s->arriving->length, args, piece);
    s->arriving->length += piece;
    return s->arriving->length == s->announced ? strings_complete(s) : 0;
}

int strings_receive(struct trace_strings *s, const struct event *e) {
    return e->kind == EVENT_STRING ? strings_begin(s, e->args[0], e->args[1]) : strings_continue(s, e->args);
}

int strings_resume(struct trace_strings *s, uint64_t number, uint64_t announced, const void *bytes,
                   size_t length) {
    if (!number || length >= announced)
        return -EBADMSG;
    int error = strings_begin(s, number, announced);
    if (!error)
        error = strings_make_room(s, length);
    if (error)
        return error;
    memcpy(s->arriving->bytes, bytes, length);
    s->arriving->length = length;
    return 0;
}

int strings_add(struct trace_strings *s, uint64_t number, const void *bytes, size_t length) {
    if (map_get(&s->whole, number, NULL))
        return -EEXIST;
    struct trace_text *text = inject_malloc(s->whole.inject, sizeof *text + length + 1);
    if (!text)
        return -ENOMEM;
    text->length = length;
    memcpy(text->bytes, bytes, length);
    text->bytes[length] = 0;
    int error = map_put(&s->whole, number, (uintptr_t)text);
    if (error)
        free(text);
    return error;
}
