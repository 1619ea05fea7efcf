/* See figure.h. */
#include "ui/figure.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/message.h"
#include "ui/export.h"
#include "ui/size.h"

enum { PIXELS_LEAST = 320, PIXELS_MOST = 16000, COLUMNS_LEAST = 40, COLUMNS_MOST = 400, PNG_SCALE = 2 };

/* FIGURE_FORMATS: none. */
static enum figure_format format_of(const char *path) {
    static const char *const words[FIGURE_FORMATS] = {[FIGURE_SVG] = "svg",
                                                      [FIGURE_PNG] = "png",
                                                      [FIGURE_JSON] = "json",
                                                      [FIGURE_CSV] = "csv",
                                                      [FIGURE_TEXT] = "txt"};
    const char *suffix = strrchr(path, '.');
    int format = 0;
    if (!suffix || strchr(suffix, '/'))
        return FIGURE_FORMATS;
    while (format < FIGURE_FORMATS && strcmp(words[format], suffix + 1))
        format++;
    return (enum figure_format)format;
}

int figure_take_output(const char *path, bool csv, enum figure_format *ret_format, char **ret_message) {
    const enum figure_format format = format_of(path);
    if (format == FIGURE_FORMATS || (format == FIGURE_CSV && !csv))
        return message_fail(-EINVAL, ret_message,
                            "-o: '%s' ends in none of .svg, .png, .json%s and .txt: name it so", path,
                            csv ? ", .csv" : "");
    *ret_format = format;
    return figure_check_path("-o", path, ret_message);
}

/* 0, or why no file can be written there. */
static int path_error(const char *path) {
    struct stat found;
    if (!stat(path, &found))
        return S_ISDIR(found.st_mode) ? EISDIR : access(path, W_OK) ? errno : 0;
    if (errno != ENOENT)
        return errno;
    char *copy = strdup(path);
    const int error = !copy ? ENOMEM : access(dirname(copy), W_OK | X_OK) ? errno : 0;
    free(copy);
    return error;
}

int figure_check_path(const char *option, const char *path, char **ret_message) {
    if (!*path)
        return message_fail(-ENOENT, ret_message, "%s: the name of the file is empty", option);
    const int error = strcmp(path, "-") ? path_error(path) : 0;
    return error ? message_fail(-error, ret_message, "%s %s cannot be written: %s", option, path,
                                strerror(error))
                 : 0;
}

static int take_unsigned(const char *option, const char *value, unsigned least, unsigned most,
                         unsigned *ret_number, char **ret_message) {
    uint64_t number;
    if (number_take(option, value, least, most, &number, ret_message))
        return -EINVAL;
    *ret_number = (unsigned)number;
    return 1;
}

int figure_take(struct figure_options *o, int key, const char *value, char **ret_message) {
    switch (key - FIGURE_KEYS) {
    case 0: o->style.dark = true; return 1;
    case 1: o->style.projector = true; return 1;
    case 2: o->style.mono = true; return 1;
    case 3: return take_unsigned("--width", value, PIXELS_LEAST, PIXELS_MOST, &o->style.width, ret_message);
    case 4: return take_unsigned("--height", value, PIXELS_LEAST, PIXELS_MOST, &o->style.height, ret_message);
    case 5: return take_unsigned("--columns", value, COLUMNS_LEAST, COLUMNS_MOST, &o->columns, ret_message);
    case 6: o->ascii = true; return 1;
    default: return 0;
    }
}

/* The width of the drawing times PNG_SCALE: sharp on today's screens. */
static unsigned png_width(const struct text *svg) {
    static const char attribute[] = " width='";
    const char *at = memmem(svg->bytes, svg->length, attribute, sizeof attribute - 1);
    return at ? (unsigned)strtoul(at + sizeof attribute - 1, NULL, 10) * PNG_SCALE : 0;
}

bool figure_write(const char *path, enum figure_format format, const struct text *t) {
    struct text png = {0};
    int error = t->failed ? -ENOMEM : 0;
    if (!error && format == FIGURE_PNG)
        error = png_render(t, png_width(t), &png);
    if (!error)
        error = export_write(path, format == FIGURE_PNG ? &png : t);
    text_free(&png);
    if (error)
        fprintf(stderr, "thimble: %s: %s\n", strcmp(path, "-") ? path : "standard output",
                export_error(error));
    return !error;
}

bool figure_shows(size_t index, size_t count, size_t most) {
    if (count <= most || index + 1 == count)
        return true;
    /* Whether a new one of (most - 1) equal parts begins here. */
    return index == 0 || index * (most - 1) / (count - 1) != (index - 1) * (most - 1) / (count - 1);
}
