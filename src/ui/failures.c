/* See failures.h. */
#include "ui/failures.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/message.h"

static const char *const point_names[INJECT_POINTS] = {
    [INJECT_ALLOC] = "alloc",
    [INJECT_SWAP_READ] = "swap-in",
    [INJECT_SWAP_WRITE] = "swap-out",
    [INJECT_HOST_CALL] = "host-call",
};

/* The point that `word` begins with, and what stands behind its name and "="; INJECT_POINTS: none. */
static enum inject_point point_find(const char *word, const char **ret_rest) {
    for (enum inject_point point = 0; point < INJECT_POINTS; point++) {
        size_t length = strlen(point_names[point]);
        if (strncmp(word, point_names[point], length) == 0 && word[length] == '=') {
            *ret_rest = word + length + 1;
            return point;
        }
    }
    return INJECT_POINTS;
}

static bool word_parse(const char *word, struct inject *inject) {
    const char *number;
    enum inject_point point = point_find(word, &number);
    if (point == INJECT_POINTS || !isdigit((unsigned char)*number))
        return false;
    char *end;
    errno = 0;
    inject->fail_at[point] = strtoull(number, &end, 10);
    inject->for_good[point] = *end == '+';
    return errno == 0 && end[inject->for_good[point]] == '\0';
}

int failures_parse(const char *text, struct inject *ret_inject, char **ret_message) {
    struct inject inject = {0};
    char *copy = strdup(text), *rest = copy;
    int error = copy ? 0 : -ENOMEM;
    for (char *word; error == 0 && (word = strsep(&rest, ","));)
        if (!word_parse(word, &inject))
            error =
                message_fail(-EINVAL, ret_message,
                             "THIMBLE_FAIL: '%s' is not POINT=N or POINT=N+ with a POINT of alloc, swap-in, "
                             "swap-out, host-call",
                             word);
    free(copy);
    if (error == 0)
        *ret_inject = inject;
    return error;
}

void failures_print(const struct inject *inject, FILE *to) {
    fputs("thimble: THIMBLE_FAIL passed", to);
    for (enum inject_point point = 0; point < INJECT_POINTS; point++)
        fprintf(to, "%s %s %" PRIu64, point ? "," : "", point_names[point], inject->calls[point]);
    fputc('\n', to);
}
