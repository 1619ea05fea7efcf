/* Temporary directories of ours on the host. */
#ifndef KERNEL_SCRATCH_H
#define KERNEL_SCRATCH_H

#include <linux/limits.h>

/* A new directory in $TMPDIR or /tmp that nobody else may enter. 0 or -errno. */
int scratch_create(char ret_path[PATH_MAX]);
/* Removes a directory with all that is in it, however deep and whatever its permissions. 0 or -errno. */
int scratch_remove(int parent, const char *name);

#endif
