/* The picture as a file: thimble-214.svg in the current folder, or thimble-214-2.svg
 * … where that is taken. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/host_file.h"
#include "terminal/parts.h"

enum { NAMES = 99, NAME_LENGTH = 64 };

/* A file that did not exist; its descriptor or -errno. */
static int create_file(uint64_t step, char name[NAME_LENGTH]) {
    int fd = -1;
    for (int i = 1; i <= NAMES && fd < 0; i++) {
        int length = snprintf(name, NAME_LENGTH, "thimble-%llu", (unsigned long long)step);
        if (i > 1)
            length += snprintf(name + length, NAME_LENGTH - (size_t)length, "-%d", i);
        snprintf(name + length, NAME_LENGTH - (size_t)length, ".svg");
        fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd < 0 && errno != EEXIST)
            break;
    }
    return fd < 0 ? -errno : fd;
}

/* Draws into a file of its own. 0 or -errno, and the file's name. */
static int draw_to_file(const struct picture *picture, uint64_t step, char name[NAME_LENGTH]) {
    struct text svg = {0};
    draw_svg(picture, &(struct draw_options){.palette = PALETTE_OKABE_ITO}, &svg);
    int error = svg.failed ? -ENOMEM : 0;
    int fd = error ? -1 : create_file(step, name);
    if (!error && fd < 0)
        error = fd;
    if (!error)
        error = host_file_write(fd, svg.bytes, svg.length);
    if (fd >= 0 && close(fd) && !error)
        error = -errno;
    text_free(&svg);
    return error;
}

void export_picture(const struct stepper *s, char *notice, size_t size) {
    char name[NAME_LENGTH] = "";
    struct picture *picture = nav_picture(s->nav, &(struct picture_options){0});
    int error = picture ? draw_to_file(picture, nav_position(s->nav), name) : -ENOMEM;
    if (picture)
        picture_destroy(picture);
    if (error)
        snprintf(notice, size, "The picture could not be written here: %s", strerror(-error));
    else
        snprintf(notice, size, "This picture is in %s", name);
}
