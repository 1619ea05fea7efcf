/* The names of the kinds of pictures. */
#include <string.h>

#include "view/picture.h"

static const char *const names[PICTURE_KINDS] = {
    [PICTURE_AUTO] = "auto",         [PICTURE_TABLES] = "tables", [PICTURE_REGIONS] = "regions",
    [PICTURE_COMPUTER] = "computer", [PICTURE_MEMORY] = "memory", [PICTURE_FRAMES_ONLY] = "frames",
    [PICTURE_POOL] = "pool",         [PICTURE_SPACES] = "spaces", [PICTURE_TABLE] = "table",
    [PICTURE_CONTEXTS] = "contexts", [PICTURE_SYSTEM] = "system", [PICTURE_SHARING] = "sharing",
};

const char *picture_kind_name(enum picture_kind kind) {
    return names[kind];
}

enum picture_kind picture_kind_parse(const char *name) {
    enum picture_kind kind = PICTURE_AUTO;
    while (kind < PICTURE_KINDS && strcmp(names[kind], name))
        kind++;
    return kind;
}
