/* See curve_sizes.h. */
#include "ui/curve_sizes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/sizes.h"
#include "base/message.h"
#include "ui/size.h"

int curve_observe_parse(const char *text, uint64_t *ret_bits, char **ret_message) {
    static const char prefix[] = "bits:";
    const char *wrong = "is not known";
    if (!strcmp(text, "all")) {
        *ret_bits = 0;
        return 0;
    }
    if (!strncmp(text, prefix, sizeof prefix - 1))
        wrong = number_parse(text + sizeof prefix - 1, 1, INT64_MAX, ret_bits);
    return wrong ? message_fail(-EINVAL, ret_message,
                                "--observe: '%s' %s: give all, or bits:K, K being a number of instructions",
                                text, wrong)
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
