/* Members of JSON objects, one a call: the comma is written before every member but the first. */
#ifndef PAGE_FIELDS_H
#define PAGE_FIELDS_H

#include <string.h>

#include "trace/text.h"

static inline void field_name(struct text *t, const char *name) {
    bool first = t->length && (t->bytes[t->length - 1] == '{' || t->bytes[t->length - 1] == '[');
    text_put(t, first ? "\"" : ",\"");
    text_put(t, name);
    text_put(t, "\":");
}

static inline void field_number(struct text *t, const char *name, uint64_t value) {
    field_name(t, name);
    text_number(t, value);
}

static inline void field_hex(struct text *t, const char *name, uint64_t value) {
    field_name(t, name);
    text_hex(t, value);
}

static inline void field_bool(struct text *t, const char *name, bool value) {
    field_name(t, name);
    text_bool(t, value);
}

static inline void field_bytes(struct text *t, const char *name, const void *bytes, size_t length) {
    field_name(t, name);
    text_string(t, bytes, length);
}

static inline void field_text(struct text *t, const char *name, const char *string) {
    field_bytes(t, name, string, strlen(string));
}

/* The comma before an element of an array, unless it is the first. */
static inline void element(struct text *t) {
    if (t->length && t->bytes[t->length - 1] != '[')
        text_put(t, ",");
}

#endif
