/* See recording.h. */
#include "ui/recording.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trace/block.h"
#include "trace/explain.h"
#include "trace/file.h"

/* Only of a regular file: reading from a pipe would take away what the program wants to read. */
static ssize_t read_beginning(const char *path, void *bytes, size_t length) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return -1;
    struct stat status;
    ssize_t got = -1;
    if (!fstat(fd, &status) && S_ISREG(status.st_mode))
        got = read(fd, bytes, length);
    close(fd);
    return got;
}

bool recording_is_native(const char *path) {
    struct block_opening opening;
    static const char magic[] = BLOCK_MAGIC;
    return read_beginning(path, &opening, sizeof opening) == (ssize_t)sizeof opening &&
           !memcmp(opening.magic, magic, sizeof opening.magic);
}

bool recording_is_text(const char *path) {
    unsigned char first;
    return trace_format_of(path) != TRACE_NATIVE && read_beginning(path, &first, sizeof first) == 1;
}

static void say(struct text *t) {
    fprintf(stderr, "thimble: %.*s\n", (int)t->length, t->length ? t->bytes : "");
    text_free(t);
}

struct film *recording_open(const char *path) {
    struct film *film;
    struct text t = {0};
    const int error = film_open(path, &film);
    if (error) {
        explain_refusal(&t, path, error);
        say(&t);
        return NULL;
    }
    text_put(&t, path);
    text_put(&t, ": ");
    if (explain_cut(&t, film))
        say(&t);
    else
        text_free(&t);
    return film;
}
