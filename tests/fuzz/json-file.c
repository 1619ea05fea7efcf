/* See json-file.h. */
#include "json-file.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char path[64];

static void file_remove(void) {
    unlink(path);
}

const char *json_file(const uint8_t *bytes, size_t size) {
    if (!*path) {
        snprintf(path, sizeof path, "fuzz-%d.json", getpid());
        atexit(file_remove);
    }
    FILE *stream = fopen(path, "wb");
    if (!stream || fwrite(bytes, 1, size, stream) != size || fclose(stream) != 0)
        abort();
    return path;
}
