/* See text.h. */
#include "trace/text.h"

#include <string.h>

#include "base/alloc.h"
#include "base/base.h"

enum { TEXT_MINIMUM = 256, NUMBER_DIGITS = 20 };

static const char hex_digits[] = "0123456789abcdef";

void text_free(struct text *t) {
    free(t->bytes);
    *t = (struct text){.inject = t->inject};
}

/* Room for `more` bytes: where they go, or NULL. */
static char *text_room(struct text *t, size_t more) {
    if (t->failed)
        return NULL;
    if (more > t->capacity - t->length) {
        size_t capacity = max_size(max_size(t->capacity * 2, TEXT_MINIMUM), t->length + more);
        char *bytes = inject_realloc(t->inject, t->bytes, capacity, 1);
        if (!bytes) {
            t->failed = true;
            return NULL;
        }
        t->bytes = bytes;
        t->capacity = capacity;
    }
    return t->bytes + t->length;
}

void text_reserve(struct text *t, size_t more) {
    text_room(t, more);
}

void text_bytes(struct text *t, const void *bytes, size_t length) {
    if (!length)
        return;
    char *to = text_room(t, length);
    if (!to)
        return;
    memcpy(to, bytes, length);
    t->length += length;
}

void text_put(struct text *t, const char *string) {
    text_bytes(t, string, strlen(string));
}

void text_number(struct text *t, uint64_t n) {
    char digits[NUMBER_DIGITS], *first = digits + NUMBER_DIGITS;
    do
        *--first = (char)('0' + n % 10);
    while (n /= 10);
    text_bytes(t, first, (size_t)(digits + NUMBER_DIGITS - first));
}

void text_signed(struct text *t, int64_t n) {
    if (n < 0)
        text_put(t, "-");
    text_number(t, n < 0 ? 0 - (uint64_t)n : (uint64_t)n);
}

void text_hex(struct text *t, uint64_t n) {
    char digits[NUMBER_DIGITS], *first = digits + NUMBER_DIGITS;
    *--first = '"';
    do
        *--first = hex_digits[n % 16];
    while (n /= 16);
    *--first = 'x';
    *--first = '0';
    *--first = '"';
    text_bytes(t, first, (size_t)(digits + NUMBER_DIGITS - first));
}

void text_bool(struct text *t, bool b) {
    text_put(t, b ? "true" : "false");
}

/* The length of the UTF-8 sequence that begins the bytes (RFC 3629: shortest form, no surrogates, up to
 * U+10FFFF); 0 when there is none. */
static size_t utf8_sequence(const unsigned char *s, size_t length) {
    if (s[0] < 0x80)
        return 1;
    size_t size = s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : s[0] < 0xf5 ? 4 : 0;
    if (!size || size > length)
        return 0;
    for (size_t i = 1; i < size; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    bool overlong = (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xf0 && s[1] < 0x90);
    bool surrogate = s[0] == 0xed && s[1] > 0x9f;
    bool beyond = s[0] == 0xf4 && s[1] > 0x8f;
    return overlong || surrogate || beyond ? 0 : size;
}

static void text_escaped(struct text *t, unsigned char c) {
    switch (c) {
    case '"': text_put(t, "\\\""); return;
    case '\\': text_put(t, "\\\\"); return;
    case '\n': text_put(t, "\\n"); return;
    case '\t': text_put(t, "\\t"); return;
    default: text_bytes(t, (char[]){'\\', 'u', '0', '0', hex_digits[c >> 4], hex_digits[c & 15]}, 6);
    }
}

bool text_string(struct text *t, const void *bytes, size_t length) {
    const unsigned char *s = bytes;
    bool whole = true;
    text_put(t, "\"");
    for (size_t i = 0, size; i < length; i += size) {
        size = utf8_sequence(s + i, length - i);
        if (!size) {
            text_put(t, "\\ufffd");
            whole = false;
            size = 1;
        } else if (s[i] < 0x20 || s[i] == 0x7f || s[i] == '"' || s[i] == '\\') {
            text_escaped(t, s[i]);
        } else {
            text_bytes(t, s + i, size);
        }
    }
    text_put(t, "\"");
    return whole;
}

/* What stands for a character in XML; NULL: it does itself. */
static const char *text_entity(const unsigned char *s, size_t size) {
    static const char replacement[] = "\xef\xbf\xbd";
    if (size == 3 && s[0] == 0xef && s[1] == 0xbf && s[2] >= 0xbe)
        return replacement; /* U+FFFE, U+FFFF */
    switch (s[0]) {
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '&': return "&amp;";
    case '\'': return "&#39;";
    case '"': return "&quot;";
    default: return !size || s[0] < 0x20 || s[0] == 0x7f ? replacement : NULL;
    }
}

void text_xml(struct text *t, const char *string) {
    const unsigned char *s = (const unsigned char *)string;
    for (size_t length = strlen(string), size; length; s += size, length -= size) {
        size = utf8_sequence(s, length);
        const char *entity = text_entity(s, size);
        size = size ? size : 1;
        if (entity)
            text_put(t, entity);
        else
            text_bytes(t, s, size);
    }
}

void text_hex_bytes(struct text *t, const void *bytes, size_t length) {
    const unsigned char *s = bytes;
    text_put(t, "\"");
    for (size_t i = 0; i < length; i++)
        text_bytes(t, (char[]){hex_digits[s[i] >> 4], hex_digits[s[i] & 15]}, 2);
    text_put(t, "\"");
}

bool text_strings(struct text *t, const void *bytes, size_t length) {
    const char *s = bytes, *end = length ? s + length : s;
    bool whole = true;
    text_put(t, "[");
    while (s < end) {
        size_t size = strnlen(s, (size_t)(end - s));
        if (s != bytes)
            text_put(t, ",");
        whole = text_string(t, s, size) && whole;
        s += size + 1;
    }
    text_put(t, "]");
    return whole;
}
