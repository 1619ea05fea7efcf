/* See workdir.h. The folder's descriptor is kept: what is removed is this folder, whatever its name has come
 * to mean meanwhile. */
#include "scenario/workdir.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

struct workdir {
    char path[PATH_MAX]; /* resolved: as traces and /proc name it */
    int folder;
};

int workdir_create(struct workdir **ret_workdir) {
    const char *below = getenv("TMPDIR");
    char template[PATH_MAX];
    struct workdir *s = calloc(1, sizeof *s);
    if (!s)
        return -ENOMEM;
    int length =
        snprintf(template, sizeof template, "%s/thimble-XXXXXX", below && *below == '/' ? below : "/tmp");
    int error = 0;
    if (length >= (int)sizeof template)
        error = -ENAMETOOLONG;
    else if (!mkdtemp(template) || !realpath(template, s->path))
        error = -errno;
    if (error)
        goto out_free;
    s->folder = open(s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (s->folder < 0) {
        error = -errno;
        rmdir(s->path);
        goto out_free;
    }
    *ret_workdir = s;
    return 0;
out_free:
    free(s);
    return error;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk) {
    (void)remove(path); /* what cannot be removed stays, and so does what it is in */
    return 0;
}

void workdir_destroy(struct workdir *s) {
    if (!s)
        return;
    nftw(s->path, remove_one, 8, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
    close(s->folder);
    free(s);
}

const char *workdir_path(const struct workdir *s) {
    return s->path;
}

static int copy_bytes(int from, int to, off_t size) {
    while (size > 0) {
        ssize_t n = sendfile(to, from, NULL, (size_t)size);
        if (n <= 0)
            return n < 0 ? -errno : -EIO;
        size -= n;
    }
    return 0;
}

int workdir_copy(struct workdir *s, const char *from, const char *name) {
    struct stat status;
    int source = open(from, O_RDONLY | O_CLOEXEC);
    if (source < 0)
        return -errno;
    int error = fstat(source, &status) < 0 ? -errno : S_ISREG(status.st_mode) ? 0 : -EINVAL;
    if (error)
        goto out_close_source;
    int target = openat(s->folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (target < 0) {
        error = -errno;
        goto out_close_source;
    }
    error = copy_bytes(source, target, status.st_size);
    if (!error && fchmod(target, (status.st_mode & 0777) | S_IWUSR) < 0)
        error = -errno;
    if (close(target) < 0 && !error)
        error = -errno;
out_close_source:
    close(source);
    return error;
}
