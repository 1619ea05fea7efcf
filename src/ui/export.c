/* See export.h. */
#include "ui/export.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/host_file.h"

static const char *const format_words[EXPORT_FORMATS] = {
    [EXPORT_SVG] = "svg",
    [EXPORT_PNG] = "png",
    [EXPORT_TEXT] = "txt",
    [EXPORT_JSON] = "json",
};

enum export_format export_format_parse(const char *word) {
    enum export_format format = EXPORT_SVG;
    while (format < EXPORT_FORMATS && strcmp(format_words[format], word))
        format++;
    return format;
}

enum export_format export_format_of(const char *path) {
    const char *suffix = strrchr(path, '.');
    return suffix && !strchr(suffix, '/') ? export_format_parse(suffix + 1) : EXPORT_FORMATS;
}

static int render_png(const struct picture *picture, const struct draw_options *options, unsigned width,
                      struct text *t) {
    struct text svg = {0};
    draw_svg(picture, options, &svg);
    const int error = svg.failed ? -ENOMEM : png_render(&svg, width, t);
    text_free(&svg);
    return error;
}

int export_render(const struct picture *picture, const struct draw_options *options,
                  enum export_format format, unsigned width, struct text *t) {
    switch (format) {
    case EXPORT_SVG: draw_svg(picture, options, t); break;
    case EXPORT_PNG: return render_png(picture, options, width, t);
    case EXPORT_TEXT: draw_text(picture, options, t); break;
    case EXPORT_JSON: draw_json(picture, options, t); break;
    case EXPORT_FORMATS: return -EINVAL;
    }
    return t->failed ? -ENOMEM : 0;
}

int export_write(const char *path, const struct text *t) {
    if (!strcmp(path, "-"))
        return host_file_write(STDOUT_FILENO, t->bytes, t->length);
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        return -errno;
    int error = host_file_write(fd, t->bytes, t->length);
    if (close(fd) && !error)
        error = -errno;
    return error;
}

const char *export_error(int error) {
    switch (error) {
    case -ENOSYS: return "PNG needs librsvg, which is not installed (Debian: librsvg2-2); SVG does not";
    case -E2BIG: return "the picture would be more than 32767 pixels wide or high: give a smaller --width";
    default: return strerror(-error);
    }
}
