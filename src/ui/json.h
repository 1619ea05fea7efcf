/* JSON as the subcommands print it. */
#ifndef UI_JSON_H
#define UI_JSON_H

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

static inline json_t *json_count(uint64_t n) {
    return json_integer((json_int_t)n);
}

/* Prints the value on lines of its own, and lets go of it. 0, -ENOMEM (root is NULL),
 * or the stream's -errno. */
int json_print(json_t *root, FILE *to);

#endif
