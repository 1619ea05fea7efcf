/* See curve_sizes.h. */
#include "ui/curve_sizes.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/result.h"
#include "base/base.h"
#include "base/message.h"
#include "ui/size.h"

enum { SMALLEST = 8, SMALLEST_PART = 256 }; /* frames; of the pages */

int curve_count_pages(struct refs_source *source, uint32_t *ret_pages) {
    struct refs_totals totals;
    const struct refs_item *items;
    long got = 0;
    if (refs_totals(source, &totals)) {
        do
            got = refs_next(source, &items);
        while (got > 0);
        if (got < 0)
            return (int)got;
        *ret_pages = refs_pages(source);
        return refs_rewind(source);
    }
    *ret_pages = totals.pages;
    return 0;
}

static int compare_sizes(const void *a, const void *b) {
    const uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

/* Sorted, without repeats; how many remain. */
static size_t tidy(uint32_t *sizes, size_t count) {
    size_t kept = 0;
    qsort(sizes, count, sizeof *sizes, compare_sizes);
    for (size_t i = 0; i < count; i++)
        if (!kept || sizes[i] != sizes[kept - 1])
            sizes[kept++] = sizes[i];
    return kept;
}

/* `count` (> 1) sizes of a geometric row. */
static void fill(uint32_t low, uint32_t high, size_t count, uint32_t *sizes) {
    const double factor = log((double)high / low) / (double)(count - 1);
    for (size_t i = 0; i < count; i++)
        sizes[i] = (uint32_t)lround(low * exp(factor * (double)i));
    sizes[count - 1] = high;
}

int curve_sizes_between(uint32_t pages, size_t most, uint32_t **ret_sizes, size_t *ret_count) {
    uint32_t low = max_u32(SMALLEST, pages / SMALLEST_PART);
    if (pages <= most)
        low = 1;
    const size_t count = min_size(most, pages - low + 1);
    uint32_t *sizes = calloc(count, sizeof *sizes);
    if (!sizes)
        return -ENOMEM;
    if (count == 1 || pages <= most)
        for (uint32_t i = 0; i < count; i++)
            sizes[i] = low + i;
    else
        fill(low, pages, count, sizes);
    *ret_count = tidy(sizes, count);
    *ret_sizes = sizes;
    return 0;
}

int curve_sizes_refine(const uint32_t *given, size_t count, size_t most, uint32_t **ret_sizes,
                       size_t *ret_count) {
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

/* ---- options ---- */

int curve_observe_parse(const char *text, uint64_t *ret_bits, char **ret_message) {
    static const char prefix[] = "bits:";
    const char *wrong = "is not known";
    if (!strncmp(text, prefix, sizeof prefix - 1))
        wrong = number_parse(text + sizeof prefix - 1, 1, INT64_MAX, ret_bits);
    return wrong ? message_fail(-EINVAL, ret_message,
                                "--observe: '%s' %s: give bits:K, K being a number of instructions", text,
                                wrong)
                 : 0;
}

int curve_sizes_take(const char *text, uint32_t **sizes, size_t *count, char **ret_message) {
    char *message = NULL;
    uint32_t *parsed;
    const int error = sizes_parse(text, &parsed, count, &message);
    if (error) {
        message_fail(error, ret_message, "--sizes: %s", message ? message : strerror(-error));
        free(message);
        return error;
    }
    free(*sizes);
    *sizes = parsed;
    return 0;
}

int curve_swap_take(const char *text, bool *ret_none, char **ret_message) {
    *ret_none = !strcmp(text, "none");
    return *ret_none
               ? 0
               : message_fail(-EINVAL, ret_message,
                              "--swap: '%s' cannot be: give none, or leave it out: then there is as much "
                              "swap as it takes",
                              text);
}
