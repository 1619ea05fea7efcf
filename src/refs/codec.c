/* See codec.h. */
#include "refs/codec.h"

#include <emmintrin.h>
#include <string.h>

#include "base/base.h"

_Static_assert(sizeof(struct refs_item) == 16 && offsetof(struct refs_item, page) == 8 &&
                   offsetof(struct refs_item, space) == 12 && offsetof(struct refs_item, kind) == 14,
               "a word is like the second half of an item");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "so are its bytes");

/* Words by which a place is found. Fewer are not worth a stretch. */
enum { CODEC_MANY = 32, CODEC_FEW = 4 };
#define STEP_MASK ((uint64_t)CODEC_STEP_WIDE << CODEC_STEP_SHIFT)

static const uint8_t column_width[COLUMNS] = {
    [COLUMN_LITERALS] = 2, [COLUMN_LENGTH] = 2, [COLUMN_DISTANCE] = 2, [COLUMN_PAGE] = 4,
    [COLUMN_STEP] = 2,     [COLUMN_REST] = 2,   [COLUMN_WIDE] = 8,     [COLUMN_SPACE] = 4,
};

size_t codec_column_room(enum codec_column column) {
    return (size_t)column_width[column] * (CODEC_ITEMS + 1);
}

void codec_init(struct codec *c) {
    memset(c, 0, sizeof *c);
}

/* ---- words ---- */

static inline uint64_t item_what(const struct refs_item *item) {
    uint64_t what;
    memcpy(&what, &item->page, sizeof what);
    return what;
}

static inline void put(struct codec_columns *columns, enum codec_column column, uint64_t value,
                       size_t width) {
    memcpy(columns->bytes[column] + columns->size[column], &value, width);
    columns->size[column] += width;
}

uint64_t codec_word(const struct refs_item *item, uint64_t *instruction, struct codec_columns *columns) {
    uint64_t step = item->instruction - *instruction;
    *instruction = item->instruction;
    if (step >= CODEC_STEP_WIDE) {
        put(columns, COLUMN_WIDE, step, 8);
        step = CODEC_STEP_WIDE;
    }
    return (item_what(item) & ~STEP_MASK) | step << CODEC_STEP_SHIFT;
}

void codec_space(struct codec_columns *columns, uint32_t count, uint16_t space) {
    for (; count; count -= min_u32(count, 1 << 16))
        put(columns, COLUMN_SPACE, (min_u32(count, 1 << 16) - 1) | (uint32_t)space << 16, 4);
}

uint64_t *codec_room(struct codec *c, size_t *ret_room) {
    const size_t at = c->position % CODEC_RING;
    *ret_room = min_size(CODEC_ITEMS, CODEC_RING - at);
    return c->ring + at;
}

/* ---- to columns ---- */

/* A group of words that is being encoded. */
struct group {
    struct codec *codec;
    const uint64_t *words;
    size_t count;
    uint64_t position; /* of the first */
};

/* A stretch: `length` words as they were `distance` before. */
struct stretch {
    size_t length, distance;
};

/* A number of 13 bits that depends on all of the words. */
static inline uint32_t hash_few(const uint64_t *words) {
    uint64_t sum = words[0] * 0x9e3779b97f4a7c15ULL + words[1] * 0xda942042e4dd58b5ULL +
                   words[2] * 0xc2b2ae3d27d4eb4fULL + words[3] * 0x165667b19e3779f9ULL;
    sum ^= sum >> 32;
    return (uint32_t)(sum * 0x9e3779b97f4a7c15ULL >> 51);
}

/* The same of more. The four sums do not wait for each other. */
static inline uint32_t hash_many(const uint64_t *words) {
    const uint64_t factor = 0xda942042e4dd58b5ULL;
    uint64_t a = 0, b = 0, c = 0, d = 0;
    for (unsigned i = 0; i < CODEC_MANY; i += 4) {
        a = a * factor + words[i];
        b = b * factor + words[i + 1];
        c = c * factor + words[i + 2];
        d = d * factor + words[i + 3];
    }
    const uint64_t sums[] = {a, b, c, d};
    return hash_few(sums);
}
_Static_assert(CODEC_PLACES == 1 << 13 && CODEC_FEW == 4, "the numbers above");

/* Bits 0 and 1: which of two words are equal. */
static inline unsigned equal_two(const uint64_t *a, const uint64_t *b) {
    const __m128i same =
        _mm_cmpeq_epi32(_mm_loadu_si128((const __m128i *)a), _mm_loadu_si128((const __m128i *)b));
    return (unsigned)_mm_movemask_pd(
        _mm_castsi128_pd(_mm_and_si128(same, _mm_shuffle_epi32(same, _MM_SHUFFLE(2, 3, 0, 1)))));
}

/* How many words are equal, of `count`. Most of a program's references go through here. */
static inline size_t equal_words(const uint64_t *a, const uint64_t *b, size_t count) {
    size_t i = 0;
    for (; i + 8 <= count; i += 8) {
        const unsigned equal = equal_two(a + i, b + i) | equal_two(a + i + 2, b + i + 2) << 2 |
                               equal_two(a + i + 4, b + i + 4) << 4 | equal_two(a + i + 6, b + i + 6) << 6;
        if (equal != 0xff)
            return i + (unsigned)__builtin_ctz(~equal);
    }
    while (i < count && a[i] == b[i])
        i++;
    return i;
}

/* What is equal from word `i` on to what stood at this place. */
static inline struct stretch group_compare(const struct group *g, size_t i, uint32_t place) {
    const uint64_t position = g->position + i;
    const uint32_t distance = (uint32_t)position - place;
    if (!distance || distance > CODEC_WINDOW || distance > position)
        return (struct stretch){0, 0};
    const size_t before = (position - distance) % CODEC_RING;
    const size_t most = min_size(g->count - i, CODEC_RING - before);
    return (struct stretch){equal_words(g->codec->ring + before, g->words + i, most), distance};
}

/* The stretch that begins with word `i`; of less than CODEC_FEW: none. */
static inline struct stretch group_find(const struct group *g, size_t i) {
    struct codec *c = g->codec;
    const uint32_t position = (uint32_t)(g->position + i);
    const size_t left = g->count - i;
    struct stretch best = {0, 0};
    if (left >= CODEC_MANY) {
        uint32_t *place = &c->by_many[hash_many(g->words + i)];
        best = group_compare(g, i, *place);
        *place = position;
    }
    if (left >= CODEC_FEW) {
        uint32_t *place = &c->by_few[hash_few(g->words + i)];
        const uint32_t before = *place;
        *place = position;
        if (best.length < CODEC_MANY) {
            const struct stretch other = group_compare(g, i, before);
            best = other.length > best.length ? other : best;
        }
    }
    return best;
}

static void put_literals(struct codec_columns *columns, const uint64_t *words, size_t count) {
    put(columns, COLUMN_LITERALS, count, 2);
    for (size_t i = 0; i < count; i++) {
        put(columns, COLUMN_PAGE, words[i], 4);
        put(columns, COLUMN_STEP, words[i] >> CODEC_STEP_SHIFT, 2);
        put(columns, COLUMN_REST, words[i] >> CODEC_REST_SHIFT, 2);
    }
}

void codec_encode(struct codec *c, struct codec_columns *columns, size_t count) {
    const struct group g = {c, c->ring + c->position % CODEC_RING, count, c->position};
    size_t literals = 0; /* before i, that were not yet written */
    for (size_t i = 0; i < count;) {
        const struct stretch s = group_find(&g, i);
        if (s.length < CODEC_FEW) {
            literals++;
            i++;
            continue;
        }
        put_literals(columns, g.words + i - literals, literals);
        put(columns, COLUMN_LENGTH, s.length, 2);
        put(columns, COLUMN_DISTANCE, s.distance - 1, 2);
        literals = 0;
        i += s.length;
    }
    if (literals) {
        put_literals(columns, g.words + count - literals, literals);
        put(columns, COLUMN_LENGTH, 0, 2);
    }
    c->position += count;
}

/* ---- and back ---- */

/* False: the column has no more. */
static inline bool take(struct codec_rest *rest, enum codec_column column, size_t width,
                        uint64_t *ret_value) {
    if (unlikely((size_t)(rest->end[column] - rest->from[column]) < width))
        return false;
    *ret_value = 0;
    memcpy(ret_value, rest->from[column], width);
    rest->from[column] += width;
    return true;
}

static bool decode_literals(struct codec_rest *rest, uint64_t *to, size_t count) {
    if ((size_t)(rest->end[COLUMN_PAGE] - rest->from[COLUMN_PAGE]) < 4 * count ||
        (size_t)(rest->end[COLUMN_STEP] - rest->from[COLUMN_STEP]) < 2 * count ||
        (size_t)(rest->end[COLUMN_REST] - rest->from[COLUMN_REST]) < 2 * count)
        return false;
    for (size_t i = 0; i < count; i++) {
        uint32_t page;
        uint16_t step, kind;
        memcpy(&page, rest->from[COLUMN_PAGE] + 4 * i, 4);
        memcpy(&step, rest->from[COLUMN_STEP] + 2 * i, 2);
        memcpy(&kind, rest->from[COLUMN_REST] + 2 * i, 2);
        to[i] = page | (uint64_t)step << CODEC_STEP_SHIFT | (uint64_t)kind << CODEC_REST_SHIFT;
    }
    rest->from[COLUMN_PAGE] += 4 * count;
    rest->from[COLUMN_STEP] += 2 * count;
    rest->from[COLUMN_REST] += 2 * count;
    return true;
}

/* Literals and a stretch into the ring: how many words, at most `room`; 0: no more of them fit into the room;
 * -1: they are wrong. */
static long decode_sequence(struct codec *c, struct codec_rest *rest, size_t room) {
    const size_t at = c->position % CODEC_RING;
    const struct codec_rest before = *rest;
    uint64_t literals, length, distance = 0;
    if (!take(rest, COLUMN_LITERALS, 2, &literals) || !take(rest, COLUMN_LENGTH, 2, &length) ||
        (length && !take(rest, COLUMN_DISTANCE, 2, &distance)))
        return -1;
    const size_t count = literals + length;
    if (!count || count > CODEC_ITEMS || count > CODEC_RING - at)
        return -1;
    if (count > room) {
        *rest = before;
        return 0;
    }
    if (!decode_literals(rest, c->ring + at, literals))
        return -1;
    const uint64_t position = c->position + literals;
    if (!length)
        return (long)count;
    if (++distance > position || distance > CODEC_WINDOW ||
        length > CODEC_RING - (position - distance) % CODEC_RING)
        return -1;
    const uint64_t *from = c->ring + (position - distance) % CODEC_RING;
    uint64_t *to = c->ring + at + literals;
    for (size_t i = 0; i < length; i++)
        to[i] = from[i];
    return (long)count;
}

/* Items of words, all in the same space. False: a wide step is missing. */
static bool decode_items(struct codec *c, struct codec_rest *rest, const uint64_t *words,
                         struct refs_item *items, size_t count) {
    const uint64_t space = (uint64_t)c->space << CODEC_STEP_SHIFT;
    uint64_t instruction = c->instruction;
    for (size_t i = 0; i < count; i++) {
        const uint64_t what = (words[i] & ~STEP_MASK) | space;
        uint64_t step = words[i] >> CODEC_STEP_SHIFT & CODEC_STEP_WIDE;
        if (unlikely(step == CODEC_STEP_WIDE) && !take(rest, COLUMN_WIDE, 8, &step))
            return false;
        instruction += step;
        items[i].instruction = instruction;
        memcpy(&items[i].page, &what, sizeof what);
    }
    c->instruction = instruction;
    return true;
}

/* The same in several spaces. */
static bool decode_runs(struct codec *c, struct codec_rest *rest, struct refs_item *items, size_t count) {
    const uint64_t *words = c->ring + c->position % CODEC_RING;
    while (count) {
        uint64_t run;
        if (!c->space_left) {
            if (!take(rest, COLUMN_SPACE, 4, &run))
                return false;
            c->space_left = (uint32_t)(run & UINT16_MAX) + 1;
            c->space = (uint16_t)(run >> 16);
        }
        const size_t part = min_size(count, c->space_left);
        if (!decode_items(c, rest, words, items, part))
            return false;
        c->space_left -= (uint32_t)part;
        words += part;
        items += part;
        count -= part;
    }
    return true;
}

static bool nothing_left(const struct codec *c, const struct codec_rest *rest) {
    for (unsigned i = 0; i < COLUMNS; i++)
        if (rest->from[i] != rest->end[i])
            return false;
    return !c->space_left;
}

long codec_decode(struct codec *c, struct codec_rest *rest, struct refs_item *items, uint64_t left) {
    const size_t most = left < CODEC_ITEMS ? left : CODEC_ITEMS;
    size_t done = 0;
    while (done < most) {
        const long got = decode_sequence(c, rest, most - done);
        if (got < 0 || (!got && most == left) || (got && !decode_runs(c, rest, items + done, (size_t)got)))
            return -1;
        if (!got)
            break;
        done += (size_t)got;
        c->position += (uint64_t)got;
    }
    return done == left && !nothing_left(c, rest) ? -1 : (long)done;
}
