/* What the machine's thread puts on the conveyor for the recorder's: one or more words each, the first of
 * which is
 *
 *   63           32 31    16 15     8 7      0
 *   +--------------+--------+--------+--------+
 *   |     what     | space  | flags  |  kind  |
 *   +--------------+--------+--------+--------+ */
#ifndef RECORD_WORDS_H
#define RECORD_WORDS_H

#include <stdint.h>

enum words_kind {
    WORDS_REFERENCES, /* what = entries, flags = whether there are frames: start, words, frames (hw/join.h) */
    WORDS_APPEARS,    /* what = object, flags = enum refs_page_flags: identity, page of the object, VPN */
    WORDS_HOLDS,      /* what = frame: identity */
    WORDS_RUNS,       /* space */
    WORDS_DIES,       /* flags = enum policy_remove: identity */
    WORDS_CLEANED,    /* identity */
    WORDS_COOLED,     /* identity */
    WORDS_GIVEN_UP,   /* identity */
    WORDS_OBJECT,     /* what = number: its name */
    WORDS_MARK,       /* what = flags and type: instruction, a, b, c, d, text */
    /* A text is its length in bytes, and then so many words that it fits into, with a 0 behind it. */
};
enum { WORDS_MARK_WORDS = 6, WORDS_TEXT_MAX = 1 << 13 /* bytes; longer ones are cut */ };

static inline uint64_t words_head(enum words_kind kind, unsigned flags, unsigned space, uint32_t what) {
    return kind | (uint64_t)flags << 8 | (uint64_t)space << 16 | (uint64_t)what << 32;
}
static inline enum words_kind words_kind(uint64_t head) {
    return (enum words_kind)(head & 255);
}
static inline uint8_t words_flags(uint64_t head) {
    return (uint8_t)(head >> 8);
}
static inline uint16_t words_space(uint64_t head) {
    return (uint16_t)(head >> 16);
}
static inline uint32_t words_what(uint64_t head) {
    return (uint32_t)(head >> 32);
}
/* Words that the words of so many entries take, or their frames. */
static inline uint32_t words_of_entries(uint32_t entries) {
    return entries / 2 + entries % 2;
}
/* Words that a text takes, with its length. */
static inline uint32_t words_of_text(uint64_t length) {
    return (uint32_t)(length / 8 + 2);
}

#endif
