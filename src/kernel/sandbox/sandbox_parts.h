/* struct sandbox, for the files sandbox*.c. */
#ifndef KERNEL_SANDBOX_PARTS_H
#define KERNEL_SANDBOX_PARTS_H

#include "kernel/sandbox/overlay.h"
#include "kernel/sandbox/sandbox.h"

/* Guest paths are shorter than the host's may be: the scratch copy's own path comes in front of them. */
enum { SANDBOX_PATH_MAX = PATH_MAX - 512 };

struct sandbox_zone {
    char *path;
    enum sandbox_mode mode;
    bool itself_only; /* a link on the way to another zone: nothing is below it */
};

struct sandbox {
    struct inject *inject;
    struct sandbox_zone *zones; /* the first is "/" */
    size_t zone_count;
    int root;               /* the host's root directory */
    int nowhere;            /* a directory that was removed: nothing can be found or made in it */
    int held;               /* sandbox_hold(); -1: none */
    struct overlay overlay; /* descriptors -1 unless something is written to a scratch copy */
    char *scratch;          /* its path; NULL: none */
    bool own_scratch;       /* vanishes with us */
    char upper_path[PATH_MAX];
    size_t upper_length; /* 0: no scratch copy */
};

const struct sandbox_zone *sandbox_zone_of(const struct sandbox *, const char *path);
bool sandbox_leads_to_zone(const struct sandbox *, const char *path, bool itself);
bool sandbox_is_visible(const struct sandbox *, const char *path);
int sandbox_look_at(const struct sandbox *, const char *path, enum sandbox_layer *ret_layer,
                    mode_t *ret_type);
int sandbox_lower_stat(const struct sandbox *, const char *path, struct stat *ret_stat);
/* The guest path of a host descriptor whether or not it may be seen; *ret_upper: it
 * is of the scratch copy. */
int sandbox_host_path(const struct sandbox *, int host, char ret_path[PATH_MAX], bool *ret_upper);

#endif
