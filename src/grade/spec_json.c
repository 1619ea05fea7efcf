/* Values of a spec, with exact messages: "hw3.json: tests[2].limits.fautls: there is no such key". */
#include "grade/spec_json.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MAX = 64 << 20 }; /* bytes of an input or an expected output */

bool spec_wrong(struct spec_reader *r, const char *key, const char *format, ...) {
    char *what;
    va_list arguments;
    if (r->message)
        return false;
    va_start(arguments, format);
    int n = vasprintf(&what, format, arguments);
    va_end(arguments);
    if (n < 0)
        return false;
    const char *dot = key && r->place[0] ? "." : "", *colon = key || r->place[0] ? ": " : "";
    if (asprintf(&r->message, "%s: %s%s%s%s%s", r->file, r->place, dot, key ? key : "", colon, what) < 0)
        r->message = NULL;
    free(what);
    return false;
}

size_t spec_enter(struct spec_reader *r, const char *key, long index) {
    size_t mark = strlen(r->place);
    const char *dot = mark ? "." : "";
    if (index < 0)
        snprintf(r->place + mark, sizeof(r->place) - mark, "%s%s", dot, key);
    else
        snprintf(r->place + mark, sizeof(r->place) - mark, "%s%s[%ld]", dot, key, index);
    return mark;
}

void spec_leave(struct spec_reader *r, size_t mark) {
    r->place[mark] = '\0';
}

bool spec_check_keys(struct spec_reader *r, json_t *object, const char *const *keys) {
    const char *key;
    json_t *value;
    if (!json_is_object(object))
        return spec_wrong(r, NULL, "an object {…} is wanted here");
    json_object_foreach(object, key, value) {
        const char *const *known = keys;
        while (*known && strcmp(*known, key) != 0)
            known++;
        if (*known)
            continue;
        char list[512] = "";
        for (known = keys; *known; known++)
            snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%s", known == keys ? "" : ", ",
                     *known);
        return spec_wrong(r, key, "there is no such key; there are %s", list);
    }
    return true;
}

bool spec_take_string(struct spec_reader *r, json_t *object, const char *key, const char **to) {
    json_t *value = json_object_get(object, key);
    if (!value)
        return true;
    if (!json_is_string(value) || strlen(json_string_value(value)) != json_string_length(value))
        return spec_wrong(r, key, "a string is wanted here");
    *to = json_string_value(value);
    return true;
}

bool spec_take_number(struct spec_reader *r, json_t *object, const char *key, uint64_t min, uint64_t max,
                      uint64_t *to) {
    json_t *value = json_object_get(object, key);
    if (!value)
        return true;
    json_int_t number = json_integer_value(value);
    if (!json_is_integer(value) || number < 0 || (uint64_t)number < min || (uint64_t)number > max)
        return spec_wrong(r, key, "a whole number from %llu to %llu is wanted here", (unsigned long long)min,
                          (unsigned long long)max);
    *to = (uint64_t)number;
    return true;
}

bool spec_take_real(struct spec_reader *r, json_t *object, const char *key, double *to) {
    json_t *value = json_object_get(object, key);
    if (!value)
        return true;
    double number = json_number_value(value);
    if (!json_is_number(value) || !(number >= 0) || number > 1e9)
        return spec_wrong(r, key, "a number from 0 up is wanted here");
    *to = number;
    return true;
}

bool spec_take_flag(struct spec_reader *r, json_t *object, const char *key, bool *to) {
    json_t *value = json_object_get(object, key);
    if (!value)
        return true;
    if (!json_is_boolean(value))
        return spec_wrong(r, key, "true or false is wanted here");
    *to = json_is_true(value);
    return true;
}

bool spec_parse_size(const char *text, uint64_t *ret_bytes) {
    char *end;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    unsigned shift = *end == 'K' ? 10 : *end == 'M' ? 20 : *end == 'G' ? 30 : 0;
    if (errno || end == text || text[0] < '0' || text[0] > '9' || end[shift != 0] ||
        number > (uint64_t)INT64_MAX >> shift)
        return false;
    *ret_bytes = number << shift;
    return true;
}

bool spec_take_size(struct spec_reader *r, json_t *object, const char *key, uint64_t *to) {
    json_t *value = json_object_get(object, key);
    if (!value || (json_is_string(value) && spec_parse_size(json_string_value(value), to)))
        return true;
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return spec_wrong(r, key, "a number of bytes is wanted here, or a string such as \"64K\" or \"16M\"");
    *to = (uint64_t)json_integer_value(value);
    return true;
}

bool spec_take_word(struct spec_reader *r, json_t *object, const char *key, const char *const *words,
                    unsigned *to) {
    const char *text = NULL;
    char list[256] = "";
    if (!spec_take_string(r, object, key, &text))
        return false;
    for (unsigned i = 0; text && words[i]; i++) {
        if (strcmp(words[i], text) == 0) {
            *to = i;
            return true;
        }
        snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%s", i ? ", " : "", words[i]);
    }
    return !text || spec_wrong(r, key, "'%s' is none of %s", text, list);
}

static bool take_shell_command(const char *text, char ***to) {
    char **command = calloc(4, sizeof(*command));
    if (!command)
        return false;
    command[0] = strdup("/bin/sh");
    command[1] = strdup("-c");
    command[2] = strdup(text);
    *to = command;
    return command[0] && command[1] && command[2];
}

bool spec_take_command(struct spec_reader *r, json_t *object, const char *key, char ***to) {
    json_t *value = json_object_get(object, key), *word;
    size_t i;
    if (!value)
        return true;
    if (json_is_string(value))
        return take_shell_command(json_string_value(value), to) || spec_wrong(r, key, "no memory");
    if (!json_is_array(value) || json_array_size(value) == 0)
        return spec_wrong(r, key, "an array of strings is wanted here, or a string for the shell");
    char **command = calloc(json_array_size(value) + 1, sizeof(*command));
    if (!command)
        return spec_wrong(r, key, "no memory");
    *to = command;
    json_array_foreach(value, i, word) {
        if (!json_is_string(word))
            return spec_wrong(r, key, "word %zu is not a string", i);
        command[i] = strdup(json_string_value(word));
        if (!command[i])
            return spec_wrong(r, key, "no memory");
    }
    return true;
}

/* ---- texts ---- */

static int read_all(int fd, size_t size, struct spec_text *ret_text) {
    char *bytes = malloc(size + 1);
    size_t done = 0;
    ssize_t n = 1;
    if (!bytes)
        return -ENOMEM;
    while (done < size && (n = read(fd, bytes + done, size - done)) > 0)
        done += (size_t)n;
    if (n < 0) {
        int error = -errno;
        free(bytes);
        return error;
    }
    *ret_text = (struct spec_text){bytes, done};
    return 0;
}

int spec_read_file(const char *path, struct spec_text *ret_text) {
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return -errno;
    int r = fstat(fd, &st) < 0 ? -errno : 0;
    if (r == 0 && !S_ISREG(st.st_mode))
        r = S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
    if (r == 0 && st.st_size > FILE_MAX)
        r = -EFBIG;
    if (r == 0)
        r = read_all(fd, (size_t)st.st_size, ret_text);
    close(fd);
    return r;
}

static bool take_text_file(struct spec_reader *r, const char *key, const char *name, struct spec_text *to) {
    char *path;
    if (asprintf(&path, "%s%s%s", name[0] == '/' ? "" : r->directory, name[0] == '/' ? "" : "/", name) < 0)
        return spec_wrong(r, key, "no memory");
    int error = spec_read_file(path, to);
    free(path);
    return error == 0 || spec_wrong(r, key, "the file %s cannot be read: %s", name, strerror(-error));
}

bool spec_take_text(struct spec_reader *r, json_t *object, const char *key, bool *ret_given,
                    struct spec_text *to) {
    char file_key[64];
    const char *file = NULL;
    json_t *value = json_object_get(object, key);
    snprintf(file_key, sizeof(file_key), "%s_file", key);
    if (!spec_take_string(r, object, file_key, &file))
        return false;
    *ret_given = value || file;
    if (value && file)
        return spec_wrong(r, key, "%s and %s contradict each other", key, file_key);
    if (file)
        return take_text_file(r, file_key, file, to);
    if (!value)
        return true;
    if (!json_is_string(value))
        return spec_wrong(r, key, "a string is wanted here");
    to->length = json_string_length(value);
    to->bytes = malloc(to->length + 1);
    if (!to->bytes)
        return spec_wrong(r, key, "no memory");
    memcpy(to->bytes, json_string_value(value), to->length);
    return true;
}
