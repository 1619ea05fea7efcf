#include "policy/parameters.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Reads the number that `text` begins with; *ret_end is behind it. 0 or -EINVAL. */
static int number_parse(const char *text, uint64_t *ret_number, const char **ret_end) {
    if (!isdigit((unsigned char)*text)) /* strtoull would take signs and blanks */
        return -EINVAL;
    char *end;
    errno = 0;
    *ret_number = strtoull(text, &end, 0);
    *ret_end = end;
    return errno ? -EINVAL : 0;
}

static const struct policy_parameter *key_find(const char *text, size_t length,
                                               const struct policy_parameter *known, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (strlen(known[i].key) == length && strncmp(known[i].key, text, length) == 0)
            return &known[i];
    return NULL;
}

int policy_parse(const char *text, const struct policy_parameter *known, size_t count) {
    uint64_t seen = 0;
    if (!text || !*text)
        return 0;
    for (;; text++) {
        const size_t length = strcspn(text, "=,");
        const struct policy_parameter *parameter = key_find(text, length, known, count);
        if (!parameter || text[length] != '=' || (seen >> (parameter - known) & 1))
            return -EINVAL;
        seen |= 1ULL << (parameter - known);
        uint64_t number;
        if (number_parse(text + length + 1, &number, &text) < 0)
            return -EINVAL;
        if (number < parameter->min || number > parameter->max)
            return -EINVAL;
        *parameter->value = number;
        if (*text != ',')
            return *text ? -EINVAL : 0;
    }
}
