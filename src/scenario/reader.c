/* See reader.h. Places are made on the way down, so that they cost nothing to whoever asks for a value. */
#include "scenario/reader.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct block {
    struct block *next;
    max_align_t bytes[];
};

struct reader {
    char *path;
    json_t *root;
    struct block *blocks;
    char *message;    /* the first mistake; NULL: none, or memory was out when it was noted */
    bool wrong, full; /* full: memory was out */
};

/* Names from the file stand in messages; a message is one line for a terminal. */
static void make_printable(char *text) {
    for (; text && *text; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            *text = '?';
}

int reader_open(const char *path, struct reader **ret_reader, char **ret_message) {
    *ret_message = NULL;
    struct reader *r = calloc(1, sizeof *r);
    if (!r)
        return -ENOMEM;
    json_error_t where;
    r->path = strdup(path);
    r->root = r->path ? json_load_file(path, JSON_REJECT_DUPLICATES, &where) : NULL;
    if (r->root) {
        *ret_reader = r;
        return 0;
    }
    const int error = where.line < 0 ? -errno : -EINVAL;
    const int written = where.line < 0 ? asprintf(ret_message, "%s: %s", path, strerror(errno))
                                       : asprintf(ret_message, "%s: line %d, column %d: %s", path, where.line,
                                                  where.column, where.text);
    if (written < 0)
        *ret_message = NULL;
    make_printable(*ret_message);
    reader_close(r);
    return error;
}

void reader_close(struct reader *r) {
    if (!r)
        return;
    for (struct block *b = r->blocks, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    json_decref(r->root);
    free(r->message);
    free(r->path);
    free(r);
}

struct node reader_root(struct reader *r) {
    return (struct node){.reader = r, .value = r->root};
}

void *reader_allocate(struct reader *r, size_t count, size_t size) {
    struct block *b;
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > SIZE_MAX - sizeof *b)
        b = NULL;
    else
        b = calloc(1, sizeof *b + bytes);
    if (!b) {
        r->full = true;
        return NULL;
    }
    b->next = r->blocks;
    r->blocks = b;
    return b->bytes;
}

char *reader_format(struct reader *r, const char *format, ...) {
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    const int length = vsnprintf(NULL, 0, format, arguments);
    char *text = length < 0 ? NULL : reader_allocate(r, (size_t)length + 1, 1);
    if (text)
        vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    va_end(arguments);
    return text;
}

int reader_finish(struct reader *r, char **ret_message) {
    *ret_message = NULL;
    if (r->full)
        return -ENOMEM;
    if (!r->wrong)
        return 0;
    *ret_message = r->message;
    r->message = NULL;
    return -EINVAL;
}

void node_wrong(const struct node *n, const char *format, ...) {
    struct reader *r = n->reader;
    char text[512];
    if (r->wrong)
        return;
    r->wrong = true;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (asprintf(&r->message, "%s: %s%s%s", r->path, n->place, *n->place ? ": " : "", text) < 0)
        r->message = NULL;
    make_printable(r->message);
}

/* ---- down into objects and arrays ---- */

static const char *type_name(const json_t *value) {
    switch (json_typeof(value)) {
    case JSON_OBJECT: return "an object";
    case JSON_ARRAY: return "a list";
    case JSON_STRING: return "a string";
    case JSON_INTEGER: return "a number";
    case JSON_REAL: return "a number with a fraction";
    case JSON_TRUE: return "true";
    case JSON_FALSE: return "false";
    case JSON_NULL: return "null";
    }
    return "something else";
}

static bool node_has_type(const struct node *n, json_type type, const char *wanted) {
    if (n->value && json_typeof(n->value) == type)
        return true;
    if (n->value)
        node_wrong(n, "is %s where %s is wanted", type_name(n->value), wanted);
    return false;
}

static bool is_known(const char *key, const char *const known[]) {
    for (; *known; known++)
        if (!strcmp(key, *known))
            return true;
    return false;
}

/* The names, joined by commas. */
static void list_names(const char *const names[], char *text, size_t size) {
    size_t length = 0;
    text[0] = '\0';
    for (; *names && length < size; names++)
        length += (size_t)snprintf(text + length, size - length, "%s%s", length ? ", " : "", *names);
}

bool node_is_object(const struct node *n, const char *const known[]) {
    const char *key;
    json_t *value;
    if (!node_has_type(n, JSON_OBJECT, "an object"))
        return false;
    json_object_foreach(n->value, key, value) {
        char names[384];
        if (is_known(key, known))
            continue;
        list_names(known, names, sizeof names);
        node_wrong(n, "there is no key '%s' here: there are %s", key, names);
        return false;
    }
    return true;
}

bool node_find(const struct node *object, const char *key, struct node *ret_member) {
    json_t *value = json_is_object(object->value) ? json_object_get(object->value, key) : NULL;
    *ret_member = (struct node){.reader = object->reader, .value = value};
    snprintf(ret_member->place, sizeof ret_member->place, "%.90s%s%.30s", object->place,
             *object->place ? "." : "", key);
    return value != NULL;
}

bool node_need(const struct node *object, const char *key, struct node *ret_member) {
    if (node_find(object, key, ret_member))
        return true;
    if (object->value)
        node_wrong(object, "'%s' is missing", key);
    return false;
}

size_t node_count(const struct node *array) {
    return node_has_type(array, JSON_ARRAY, "a list") ? json_array_size(array->value) : 0;
}

struct node node_at(const struct node *array, size_t index) {
    struct node n = {.reader = array->reader, .value = json_array_get(array->value, index)};
    snprintf(n.place, sizeof n.place, "%.100s[%zu]", array->place, index);
    return n;
}

/* ---- values ---- */

const char *node_text(const struct node *n) {
    if (!node_has_type(n, JSON_STRING, "a string"))
        return "";
    const char *text = json_string_value(n->value);
    if (strlen(text) != json_string_length(n->value))
        node_wrong(n, "the string has a NUL in it");
    return text;
}

bool node_flag(const struct node *n) {
    if (n->value && !json_is_boolean(n->value))
        node_wrong(n, "is %s where true or false is wanted", type_name(n->value));
    return json_is_true(n->value);
}

/* A string with 0x in front. False: it is none. */
static bool number_from_text(const char *text, uint64_t *ret_number) {
    char *end;
    if (strncmp(text, "0x", 2) || !text[2])
        return false;
    errno = 0;
    *ret_number = strtoull(text + 2, &end, 16);
    return !errno && !*end && text[2] != '-' && text[2] != '+' && text[2] != ' ';
}

uint64_t node_number(const struct node *n, uint64_t min, uint64_t max) {
    uint64_t number = 0;
    if (!n->value)
        return min;
    if (json_is_integer(n->value) && json_integer_value(n->value) >= 0) {
        number = (uint64_t)json_integer_value(n->value);
    } else if (json_is_integer(n->value)) {
        node_wrong(n, "%" JSON_INTEGER_FORMAT " is below %" PRIu64, json_integer_value(n->value), min);
        return min;
    } else if (!json_is_string(n->value) || !number_from_text(json_string_value(n->value), &number)) {
        node_wrong(n, "is %s where a whole number is wanted (as it is, or like \"0x401000\")",
                   type_name(n->value));
        return min;
    }
    if (number >= min && number <= max)
        return number;
    node_wrong(n, "%" PRIu64 " is not from %" PRIu64 " to %" PRIu64, number, min, max);
    return min;
}

size_t node_choice(const struct node *n, const char *const names[]) {
    char list[384];
    const char *text = node_text(n);
    for (size_t i = 0; names[i]; i++)
        if (!strcmp(text, names[i]))
            return i;
    list_names(names, list, sizeof list);
    node_wrong(n, "there is no '%s': there are %s", text, list);
    return 0;
}
