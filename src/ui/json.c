/* See json.h. */
#include "ui/json.h"

#include <errno.h>
#include <stdbool.h>

int json_print(json_t *root, FILE *to) {
    if (!root)
        return -ENOMEM;
    errno = 0;
    const bool failed = json_dumpf(root, to, JSON_INDENT(2)) || fputc('\n', to) == EOF || fflush(to);
    json_decref(root);
    return failed || ferror(to) ? -(errno ? errno : EIO) : 0;
}
