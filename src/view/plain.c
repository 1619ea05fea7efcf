/* See plain.h. Widths are by Unicode block, not by character: what a guest may put into a name is unbounded,
 * and a table of every character is not worth a picture that is off by one column. */
#include "view/plain.h"

#include <string.h>

#include "base/base.h"

enum { REPLACEMENT = 0xfffd };
static const char replacement[] = "\xef\xbf\xbd", ellipsis[] = "…";

struct range {
    uint32_t first, last;
};

static bool in_ranges(const struct range *ranges, size_t count, uint32_t character) {
    for (size_t i = 0; i < count; i++)
        if (character >= ranges[i].first && character <= ranges[i].last)
            return true;
    return false;
}

/* Controls, separators of lines, direction marks, what is not a character. */
static bool is_unsafe(uint32_t character) {
    static const struct range unsafe[] = {
        {0x00, 0x1f},     {0x7f, 0x9f},       {0xad, 0xad},        {0x61c, 0x61c},   {0x200b, 0x200f},
        {0x2028, 0x202e}, {0x2060, 0x206f},   {0xe000, 0xf8ff},    {0xfeff, 0xfeff}, {0xfff0, 0xfffb},
        {0xfffe, 0xffff}, {0x1d173, 0x1d17a}, {0xe0000, 0x10ffff},
    };
    return in_ranges(unsafe, ARRAY_LENGTH(unsafe), character);
}

unsigned plain_width(uint32_t character) {
    static const struct range wide[] = {
        {0x1100, 0x115f}, {0x2e80, 0x303e}, {0x3041, 0xa4cf}, {0xac00, 0xd7a3},   {0xf900, 0xfaff},
        {0xfe30, 0xfe6f}, {0xff00, 0xff60}, {0xffe0, 0xffe6}, {0x1f300, 0x1faff}, {0x20000, 0x3fffd},
    };
    static const struct range combining[] = {
        {0x300, 0x36f},   {0x483, 0x489},   {0x591, 0x5bd},   {0x1ab0, 0x1aff},
        {0x1dc0, 0x1dff}, {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f},
    };
    if (in_ranges(combining, ARRAY_LENGTH(combining), character))
        return 0;
    return in_ranges(wide, ARRAY_LENGTH(wide), character) ? 2 : 1;
}

/* The bytes of the sequence that a first byte announces; 0: it cannot be first. */
static size_t sequence_length(unsigned char first) {
    if (first < 0x80)
        return 1;
    return first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
}

size_t plain_decode(const char *bytes, size_t length, uint32_t *ret_character) {
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *s = (const unsigned char *)bytes;
    const size_t size = length ? sequence_length(s[0]) : 0;
    *ret_character = REPLACEMENT;
    if (!size || size > length)
        return length ? 1 : 0;
    uint32_t character = size == 1 ? s[0] : s[0] & (0x7fu >> size);
    for (size_t i = 1; i < size; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 1;
        character = character << 6 | (s[i] & 0x3f);
    }
    if (character < smallest[size] || character > 0x10ffff || (character >= 0xd800 && character <= 0xdfff))
        return 1;
    *ret_character = character;
    return size;
}

size_t plain_columns(const char *bytes, size_t length) {
    size_t columns = 0;
    uint32_t character;
    for (size_t i = 0; i < length; columns += plain_width(character))
        i += plain_decode(bytes + i, length - i, &character);
    return columns;
}

void plain_put(struct text *t, const void *bytes, size_t length, size_t columns) {
    const char *s = bytes;
    size_t used = 0;
    const bool cut = columns && plain_columns(s, length) > columns;
    uint32_t character;
    for (size_t i = 0, size; i < length; i += size) {
        size = plain_decode(s + i, length - i, &character);
        used += plain_width(character);
        if (cut && used > columns - 1)
            break;
        if (is_unsafe(character) || character == REPLACEMENT)
            text_put(t, replacement);
        else
            text_bytes(t, s + i, size);
    }
    if (cut)
        text_put(t, ellipsis);
}
