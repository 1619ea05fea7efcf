/* An overlay: a scratch copy above the host's tree. Writes go to the copy, what was removed is hidden, and
 * the host's tree stays as it is. Paths are absolute as the guest sees them, without links and "..". */
#ifndef KERNEL_OVERLAY_H
#define KERNEL_OVERLAY_H

#include <stdbool.h>
#include <sys/stat.h>

struct overlay {
    int lower;  /* the host's root directory */
    int upper;  /* what was written, at the same paths */
    int hidden; /* a plain file at a path hides the lower one, and all below it */
};

/* Below an existing directory `scratch` (a descriptor); what is there already is gone on with. */
int overlay_create(int lower, int scratch, struct overlay *ret_overlay);
void overlay_destroy(struct overlay *); /* the directories stay; descriptors that are -1 are none */

bool overlay_hides(const struct overlay *, const char *path); /* the lower one */
int overlay_hide(const struct overlay *, const char *path);
bool overlay_has_upper(const struct overlay *, const char *path, struct stat *ret_stat);
/* Not hidden, and there. */
bool overlay_has_lower(const struct overlay *, const char *path, struct stat *ret_stat);

/* Makes the directory and those above it in the scratch copy, with the permissions of the lower ones: an
 * O_PATH descriptor or -errno. */
int overlay_open_upper(const struct overlay *, const char *path);
/* Copies what is only in the lower layer up: a file (without its content if `empty`), a link, a directory
 * itself but nothing in it. -EPERM for devices, FIFOs and sockets. */
int overlay_copy_up(const struct overlay *, const char *path, bool empty);

#endif
