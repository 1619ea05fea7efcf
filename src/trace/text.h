/* Text that grows, and the pieces of JSON that the events need written into it.
 *
 * A failed allocation is remembered and makes everything after it do nothing: callers write a whole line and
 * ask once. */
#ifndef TRACE_TEXT_H
#define TRACE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/inject.h"

struct text {
    char *bytes; /* not NUL-terminated; owned */
    size_t length, capacity;
    bool failed; /* out of memory: the text is not whole */
    struct inject *inject;
};

void text_free(struct text *); /* leaves an empty text */
/* Room for so many bytes more, so that a long text need not be moved while it grows. */
void text_reserve(struct text *, size_t more);
static inline void text_clear(struct text *t) {
    t->length = 0;
    t->failed = false;
}
void text_bytes(struct text *, const void *bytes, size_t length);
void text_put(struct text *, const char *string);
void text_number(struct text *, uint64_t);
void text_signed(struct text *, int64_t);
void text_hex(struct text *, uint64_t); /* "0x401", with the quotes */
void text_bool(struct text *, bool);
/* A JSON string (RFC 8259) of any bytes. Each byte that is not part of valid UTF-8 becomes U+FFFD; false if
 * there was one, and the caller should give the bytes in another way too. */
bool text_string(struct text *, const void *bytes, size_t length);
/* Text of an XML document or of an attribute's value: what means something there is escaped; what is not UTF-8
 * or may not stand in XML becomes U+FFFD. */
void text_xml(struct text *, const char *string);
/* A JSON string of the bytes in hexadecimal. */
void text_hex_bytes(struct text *, const void *bytes, size_t length);
/* `bytes` holds strings that end with a NUL each (the last one's may be missing): a JSON array of strings.
 * Returns as text_string(). */
bool text_strings(struct text *, const void *bytes, size_t length);

#endif
