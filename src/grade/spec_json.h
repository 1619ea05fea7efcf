/* Reading values of a spec: every mistake is reported once, with its place. */
#ifndef GRADE_SPEC_JSON_H
#define GRADE_SPEC_JSON_H

#include <jansson.h>

#include "grade/spec.h"

struct spec_reader {
    const char *file;
    char *directory; /* that paths in it are relative to */
    char place[256]; /* "tests[2].limits", "" at the top */
    char *message;   /* the first mistake, malloc'd; NULL: none */
};

/* Notes a mistake at `key` (NULL: at the place itself); always false. */
bool spec_wrong(struct spec_reader *, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Goes into "key" or "key[index]" (index < 0: none); give what came back to spec_leave(). */
size_t spec_enter(struct spec_reader *, const char *key, long index);
void spec_leave(struct spec_reader *, size_t mark);

/* Whether all keys of the object are among `keys` (NULL at its end). */
bool spec_check_keys(struct spec_reader *, json_t *object, const char *const *keys);

/* Each takes the value of `key` if it is there, and is false when it is of the wrong type or value. Strings
 * belong to the JSON value. */
bool spec_take_string(struct spec_reader *, json_t *object, const char *key, const char **to);
bool spec_take_number(struct spec_reader *, json_t *object, const char *key, uint64_t min, uint64_t max,
                      uint64_t *to);
bool spec_take_real(struct spec_reader *, json_t *object, const char *key, double *to);
bool spec_take_flag(struct spec_reader *, json_t *object, const char *key, bool *to);
/* A number of bytes, or a string such as "64K". */
bool spec_take_size(struct spec_reader *, json_t *object, const char *key, uint64_t *to);
/* One of the words (NULL at the end); *to is its index. */
bool spec_take_word(struct spec_reader *, json_t *object, const char *key, const char *const *words,
                    unsigned *to);
/* An array of strings, or a string, which the shell is given. */
bool spec_take_command(struct spec_reader *, json_t *object, const char *key, char ***to);
/* A text, or with "KEY_file" the content of a file. */
bool spec_take_text(struct spec_reader *, json_t *object, const char *key, bool *ret_given,
                    struct spec_text *to);

/* Also for options: the JSON-free parts. */
bool spec_parse_size(const char *text, uint64_t *ret_bytes);
int spec_read_file(const char *path, struct spec_text *ret_text);

/* spec_test.c */
bool spec_read_test(struct spec_reader *, json_t *object, const struct spec_test *defaults,
                    struct spec_test *ret_test);
bool spec_read_machine(struct spec_reader *, json_t *object, struct spec_machine *);
bool spec_read_limits(struct spec_reader *, json_t *object, struct spec_limits *);

#endif
