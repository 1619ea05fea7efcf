/* Reading a JSON file that a person has written. Every mistake names its place and what would be right:
 *
 *     lesson.json: programs[1].stack.top: 4195 is not a multiple of 4096
 *
 * The first mistake is kept; what is asked for afterwards gives empty answers, so that the code that reads a
 * file follows the file's form and looks for mistakes once, at its end. */
#ifndef SCENARIO_READER_H
#define SCENARIO_READER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reader;

enum { READER_PLACE = 128 };

/* A value and where it stands. Made by the functions here; copied freely. */
struct node {
    struct reader *reader;
    json_t *value; /* NULL: there is none, and a mistake was noted */
    char place[READER_PLACE];
};

/* 0, or -errno with *ret_message (malloc'd; NULL: memory is out): the file cannot be read, or is not JSON. */
int reader_open(const char *path, struct reader **ret_reader, char **ret_message);
void reader_close(struct reader *); /* with every string and block that it gave; NULL is allowed */

struct node reader_root(struct reader *);
/* Zeroed, lives as long as the reader. NULL: memory is out, which is noted as the mistake. */
void *reader_allocate(struct reader *, size_t count, size_t size);
char *reader_format(struct reader *, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* 0, or -EINVAL or -ENOMEM with the first mistake as one line (malloc'd). */
int reader_finish(struct reader *, char **ret_message);

/* Notes a mistake at this place. */
void node_wrong(const struct node *, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* An object with no other keys than these (NULL at the end). False: a mistake was noted. */
bool node_is_object(const struct node *, const char *const known[]);
/* False: the object has no such key. */
bool node_find(const struct node *object, const char *key, struct node *ret_member);
/* The same where the key must be there. */
bool node_need(const struct node *object, const char *key, struct node *ret_member);
/* Elements of an array; 0 also when it is none, which is a mistake. */
size_t node_count(const struct node *array);
struct node node_at(const struct node *array, size_t index);

const char *node_text(const struct node *); /* "" when it is no string: a mistake */
bool node_flag(const struct node *);
/* A whole number, as such or as a string with 0x in front; `min` when it is none. */
uint64_t node_number(const struct node *, uint64_t min, uint64_t max);
/* Which of the names (NULL at the end) the string is; 0 when it is none. */
size_t node_choice(const struct node *, const char *const names[]);

#endif
