/* See sizes.h. */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/sizes.h"
#include "base/array.h"
#include "base/base.h"
#include "base/message.h"
#include "hw/types.h"

enum { SIZES_MAX = 1 << 20 };
enum { SMALLEST = 8, SMALLEST_PART = 256 }; /* where nobody said which: frames; of the pages */

struct sizes {
    uint32_t *all;
    size_t count, capacity;
};

static int sizes_add(struct sizes *sizes, uint32_t size) {
    if (array_reserve(&sizes->all, &sizes->capacity, sizes->count + 1, sizeof *sizes->all))
        return -ENOMEM;
    sizes->all[sizes->count++] = size;
    return 0;
}

static int size_compare(const void *a, const void *b) {
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Ascending, without repeats; how many remain. */
static size_t tidy(uint32_t *sizes, size_t count) {
    size_t kept = 0;
    qsort(sizes, count, sizeof *sizes, size_compare);
    for (size_t i = 0; i < count; i++)
        if (!kept || sizes[i] != sizes[kept - 1])
            sizes[kept++] = sizes[i];
    return kept;
}

/* Frames that `bytes << shift` bytes are, rounded up; 0: too many. */
static uint64_t frames_of(uint64_t number, int shift) {
    if (number > UINT64_MAX >> (shift + 1))
        return 0;
    return page_round_up(number << shift) >> PAGE_SHIFT;
}

#define WRONG_FORM "has something behind the number: it is A..B, A..B:STEP or a list of these with commas"

/* A number of frames, or of bytes with a suffix. NULL, or what is wrong with it. */
static const char *size_take(const char **text, uint32_t *ret_size) {
    if (!isdigit((unsigned char)**text))
        return "is not a number of frames, nor of bytes with K, M or G";
    char *end;
    errno = 0;
    uint64_t number = strtoull(*text, &end, 10);
    if (errno)
        return "is too much";
    switch (*end) {
    case 'k':
    case 'K': number = frames_of(number, 10), end++; break;
    case 'm':
    case 'M': number = frames_of(number, 20), end++; break;
    case 'g':
    case 'G': number = frames_of(number, 30), end++; break;
    }
    if (isalpha((unsigned char)*end))
        return WRONG_FORM;
    if (number == 0 || number > UINT32_MAX)
        return "is not between one frame and 4294967295";
    *text = end;
    *ret_size = (uint32_t)number;
    return NULL;
}

/* One of the list: A, A..B or A..B:STEP. NULL, or what is wrong with it; *ret_error: -ENOMEM or 0. */
static const char *range_take(const char **text, struct sizes *sizes, int *ret_error) {
    uint32_t first, last, step = 1;
    const char *wrong = size_take(text, &first);
    if (wrong)
        return wrong;
    last = first;
    if (strncmp(*text, "..", 2) == 0) {
        *text += 2;
        wrong = size_take(text, &last);
        if (!wrong && **text == ':') {
            ++*text;
            wrong = size_take(text, &step);
        }
        if (wrong)
            return wrong;
        if (last < first)
            return "ends before it begins";
    }
    if ((last - first) / step >= SIZES_MAX - sizes->count)
        return "is more than a million sizes: give a step, A..B:STEP";
    for (uint64_t size = first; size <= last && !*ret_error; size += step)
        *ret_error = sizes_add(sizes, (uint32_t)size);
    return NULL;
}

int sizes_parse(const char *text, uint32_t **ret_sizes, size_t *ret_count, char **ret_message) {
    struct sizes sizes = {0};
    int error = 0;
    const char *wrong = NULL, *part = text, *at = text;
    for (;;) {
        part = at;
        wrong = range_take(&at, &sizes, &error);
        if (wrong || error || *at != ',')
            break;
        at++;
    }
    if (!wrong && !error && *at)
        wrong = WRONG_FORM;
    if (wrong || error) {
        free(sizes.all);
        if (error)
            return message_fail(error, ret_message, "no memory for the sizes");
        return message_fail(-EINVAL, ret_message, "'%.*s' %s", (int)strcspn(part, ","), part, wrong);
    }
    *ret_count = tidy(sizes.all, sizes.count);
    *ret_sizes = sizes.all;
    return 0;
}

/* ---- where nobody said which ---- */

/* `count` (> 1) sizes of a geometric row. */
static void fill(uint32_t low, uint32_t high, size_t count, uint32_t *sizes) {
    const double factor = log((double)high / low) / (double)(count - 1);
    for (size_t i = 0; i < count; i++)
        sizes[i] = (uint32_t)lround(low * exp(factor * (double)i));
    sizes[count - 1] = high;
}

size_t sizes_between(uint32_t pages, size_t most, uint32_t *sizes) {
    const uint32_t high = max_u32(pages, 1), low = high <= most ? 1 : max_u32(SMALLEST, high / SMALLEST_PART);
    const size_t count = min_size(most, high - low + 1);
    if (high <= most)
        for (uint32_t i = 0; i < count; i++)
            sizes[i] = low + i;
    else
        fill(low, high, count, sizes);
    return tidy(sizes, count);
}

int sizes_refine(const uint32_t *given, size_t count, size_t most, uint32_t **ret_sizes, size_t *ret_count) {
    const uint32_t low = given[0], high = given[count - 1];
    const size_t more = count > 1 && most > count + 1 ? min_size(most - count, (size_t)(high - low) + 1) : 0;
    uint32_t *sizes = calloc(count + more, sizeof *sizes);
    if (!sizes)
        return -ENOMEM;
    memcpy(sizes, given, count * sizeof *sizes);
    if (more > 1)
        fill(low, high, more, sizes + count);
    *ret_count = tidy(sizes, more > 1 ? count + more : count);
    *ret_sizes = sizes;
    return 0;
}
