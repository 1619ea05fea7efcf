/* Numbers and sizes as people type and read them. */
#include "ui/size.h"

#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/message.h"
#include "hw/types.h"

/* The digits at the start of *text, which is moved behind them. False: there are none, or too many. */
static bool digits_parse(const char **text, uint64_t *ret_number) {
    uint64_t number = 0;
    const char *at = *text;
    for (; isdigit((unsigned char)*at); at++)
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, (uint64_t)(*at - '0'), &number))
            return false;
    bool any = at != *text;
    *text = at;
    *ret_number = number;
    return any;
}

const char *number_parse(const char *text, uint64_t min, uint64_t max, uint64_t *ret_number) {
    const char *rest = text;
    uint64_t number;
    if (!isdigit((unsigned char)*text))
        return "is not a whole number";
    if (!digits_parse(&rest, &number))
        return "is too large";
    if (*rest)
        return "is not a whole number";
    if (number < min)
        return "is too small";
    if (number > max)
        return "is too large";
    *ret_number = number;
    return NULL;
}

int number_take(const char *option, const char *text, uint64_t min, uint64_t max, uint64_t *ret_number,
                char **ret_message) {
    const unsigned long long from = min, to = max;
    const char *wrong = number_parse(text, min, max, ret_number);
    if (!wrong)
        return 0;
    if (max >= INT64_MAX)
        return message_fail(-EINVAL, ret_message, "%s: '%s' %s: give a whole number from %llu up", option,
                            text, wrong, from);
    return message_fail(-EINVAL, ret_message, "%s: '%s' %s: give a whole number from %llu to %llu", option,
                        text, wrong, from, to);
}

/* The power of two that a suffix stands for; negative for an unknown one. */
static int suffix_shift(const char *suffix) {
    static const char letters[] = "KMGT";
    if (!*suffix)
        return 0;
    const char *letter = strchr(letters, toupper((unsigned char)*suffix));
    return letter && !suffix[1] ? 10 * (int)(letter - letters + 1) : -1;
}

const char *size_parse(const char *text, bool or_pages, uint64_t *ret_pages) {
    const char *suffix = text;
    uint64_t number;
    if (!isdigit((unsigned char)*text))
        return "is not a size";
    if (!digits_parse(&suffix, &number))
        return "is too large";
    bool in_pages = or_pages && !strcmp(suffix, "p");
    int shift = in_pages ? 0 : suffix_shift(suffix);
    if (shift < 0)
        return "is not a size";
    if (number == 0)
        return "is no memory at all";
    if (in_pages) {
        *ret_pages = number;
        return NULL;
    }
    if (number > UINT64_MAX >> shift || number << shift > UINT64_MAX - PAGE_SIZE)
        return "is too large";
    *ret_pages = page_round_up(number << shift) >> PAGE_SHIFT;
    return NULL;
}

char *size_format(uint64_t bytes, char text[SIZE_TEXT]) {
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    unsigned unit = 0;
    double value = (double)bytes;
    for (; value >= 1024; unit++)
        value /= 1024;
    bool whole = value == (double)(uint64_t)value;
    snprintf(text, SIZE_TEXT, whole ? "%.0f %s" : "%.1f %s", value, units[unit]);
    return text;
}

char *number_format(uint64_t number, char text[SIZE_TEXT]) {
    char digits[SIZE_TEXT];
    size_t length = (size_t)snprintf(digits, sizeof digits, "%llu", (unsigned long long)number), to = 0;
    for (size_t i = 0; i < length; i++) {
        if (i && (length - i) % 3 == 0)
            text[to++] = ',';
        text[to++] = digits[i];
    }
    text[to] = '\0';
    return text;
}

char *hash_format(const uint8_t hash[HASH_BYTES], char text[HASH_TEXT]) {
    static const uint8_t unknown[HASH_BYTES];
    text[0] = '\0';
    for (size_t i = 0; memcmp(hash, unknown, HASH_BYTES) && i < HASH_BYTES; i++)
        snprintf(text + 2 * i, 3, "%02x", hash[i]);
    return text;
}
