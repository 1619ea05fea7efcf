/* See recording.h. */
#include "ui/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trace/block.h"
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

/* What an error of film_open() means, with the file's name in front. */
static const char *describe(const char *path, int error) {
    switch (error) {
    case -ENODATA: return "is empty: record a trace with thimble run --trace FILE PROGRAM";
    case -ENOTSUP:
        return "is a trace as JSON lines: record it to a file whose name does not end in .jsonl or "
               ".jsonl.zst";
    case -ESPIPE: return "is not a file, and a trace is read from anywhere in it: save it to a file first";
    case -EPROTO: return "was recorded by another version of Thimble: record it again with this one";
    case -EBADMSG:
        return recording_is_native(path)
                   ? "is damaged at its beginning, nothing of it can be shown: record it again"
                   : "is not a trace: record one with thimble run --trace FILE PROGRAM";
    default: return NULL;
    }
}

struct film *recording_open(const char *path) {
    struct film *film;
    const int error = film_open(path, &film);
    if (error) {
        const char *meaning = describe(path, error);
        fprintf(stderr, "thimble: %s %s%s\n", path,
                meaning ? meaning : "cannot be opened: ", meaning ? "" : strerror(-error));
        return NULL;
    }
    if (film_is_cut(film))
        fprintf(stderr, "thimble: %s was cut: what happened after event %llu is missing\n", path,
                (unsigned long long)film_events(film));
    return film;
}
