/* Temporary directories. What is to be removed was written by programs that nobody trusts: it may be deeper
 * than there are descriptors, or longer than a path may be. So subdirectories are first brought up into the
 * top one; a path of one name reaches them there. */
#include "kernel/sandbox/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int scratch_create(char ret_path[PATH_MAX]) {
    const char *parent = getenv("TMPDIR");
    int n = snprintf(ret_path, PATH_MAX, "%s/thimble-XXXXXX", parent && *parent ? parent : "/tmp");
    if (n >= PATH_MAX)
        return -ENAMETOOLONG;
    return mkdtemp(ret_path) ? 0 : -errno;
}

static bool is_dots(const char *name) {
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static bool remove_entry(int directory, const char *name) {
    return unlinkat(directory, name, 0) == 0 || unlinkat(directory, name, AT_REMOVEDIR) == 0;
}

/* Takes the directory `name` of `top` away; what is in its subdirectories comes into `top`. */
static int flatten(int top, const char *name, unsigned long *serial) {
    fchmodat(top, name, 0700, 0);
    int fd = openat(top, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    if (!stream) {
        int error = -errno;
        if (fd >= 0)
            close(fd);
        return error;
    }
    for (struct dirent *d; (d = readdir(stream));) {
        char moved[32];
        if (is_dots(d->d_name) || remove_entry(fd, d->d_name))
            continue;
        fchmodat(fd, d->d_name, 0700, 0); /* moving it changes its ".." */
        do
            snprintf(moved, sizeof(moved), "%lu", ++*serial);
        while (renameat2(fd, d->d_name, top, moved, RENAME_NOREPLACE) < 0 && errno == EEXIST);
    }
    closedir(stream);
    return unlinkat(top, name, AT_REMOVEDIR) < 0 ? -errno : 0;
}

/* One pass over the top directory: 1 when something is left for another, 0 when it is empty, -errno. */
static int sweep(int top, unsigned long *serial) {
    int copy = openat(top, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), left = 0;
    DIR *stream = copy < 0 ? NULL : fdopendir(copy);
    if (!stream) {
        int error = -errno;
        if (copy >= 0)
            close(copy);
        return error;
    }
    for (struct dirent *d; left >= 0 && (d = readdir(stream));) {
        if (is_dots(d->d_name) || remove_entry(top, d->d_name))
            continue;
        int r = flatten(top, d->d_name, serial);
        left = r < 0 ? r : 1;
    }
    closedir(stream);
    return left;
}

int scratch_remove(int parent, const char *name) {
    unsigned long serial = 0;
    fchmodat(parent, name, 0700, 0);
    int top = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW), r;
    if (top < 0)
        return -errno;
    do
        r = sweep(top, &serial);
    while (r > 0);
    close(top);
    if (r == 0 && unlinkat(parent, name, AT_REMOVEDIR) < 0)
        r = -errno;
    return r;
}
