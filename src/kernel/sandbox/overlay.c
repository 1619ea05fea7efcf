/* The overlay's layers, all in directories of the host:
 *
 *     SCRATCH/upper/home/ann/a.out      written by the machine
 *     SCRATCH/hidden/home/ann/notes     removed (or made anew) by it: the lower one does not count
 *
 * A name is looked for above first. Invariants: a directory is in the upper layer if anything below it is;
 * below a path that is hidden no further one is; nothing is ever written to the lower layer. */
#include "kernel/sandbox/overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "kernel/files/beneath.h"
#include "kernel/sandbox/scratch.h"

static int open_layer(int scratch, const char *name) {
    if (mkdirat(scratch, name, 0700) < 0 && errno != EEXIST)
        return -errno;
    int fd = openat(scratch, name, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    return fd < 0 ? -errno : fd;
}

int overlay_create(int lower, int scratch, struct overlay *ret_overlay) {
    int upper = open_layer(scratch, "upper");
    if (upper < 0)
        return upper;
    int hidden = open_layer(scratch, "hidden");
    if (hidden < 0) {
        close(upper);
        return hidden;
    }
    *ret_overlay = (struct overlay){.lower = lower, .upper = upper, .hidden = hidden};
    return 0;
}

void overlay_destroy(struct overlay *o) {
    if (o->upper >= 0)
        close(o->upper);
    if (o->hidden >= 0)
        close(o->hidden);
}

/* ---- what is where ---- */

/* 0 or -errno: -ENOTDIR when something above it is no directory, a link included. */
static int layer_stat(int layer, const char *path, struct stat *ret_stat) {
    const char *name;
    int directory = beneath_open_parent(layer, path, &name);
    if (directory < 0)
        return directory == -ELOOP ? -ENOTDIR : directory;
    int r = fstatat(directory, name, ret_stat, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
    close(directory);
    return r;
}

bool overlay_hides(const struct overlay *o, const char *path) {
    struct stat st;
    int r = layer_stat(o->hidden, path, &st);
    return r == -ENOTDIR || (r == 0 && S_ISREG(st.st_mode));
}

bool overlay_has_upper(const struct overlay *o, const char *path, struct stat *ret_stat) {
    return layer_stat(o->upper, path, ret_stat) == 0;
}

bool overlay_has_lower(const struct overlay *o, const char *path, struct stat *ret_stat) {
    return !overlay_hides(o, path) && layer_stat(o->lower, path, ret_stat) == 0;
}

/* Calls `each` for every directory above the path, from the top, and stops at a failure. */
static int for_each_parent(const struct overlay *o, const char *path,
                           int (*each)(const struct overlay *, const char *)) {
    char above[PATH_MAX];
    int r = 0;
    for (const char *end = strchr(path + 1, '/'); end && r == 0; end = strchr(end + 1, '/')) {
        memcpy(above, path, (size_t)(end - path));
        above[end - path] = '\0';
        r = each(o, above);
    }
    return r;
}

/* ---- hiding ---- */

static int make_hidden_directory(const struct overlay *o, const char *path) {
    const char *name;
    int directory = beneath_open_parent(o->hidden, path, &name);
    if (directory < 0)
        return directory;
    int r = mkdirat(directory, name, 0700) < 0 && errno != EEXIST ? -errno : 0;
    close(directory);
    return r;
}

int overlay_hide(const struct overlay *o, const char *path) {
    struct stat st;
    const char *name;
    if (overlay_hides(o, path))
        return 0;
    int r = for_each_parent(o, path, make_hidden_directory);
    int directory = r < 0 ? r : beneath_open_parent(o->hidden, path, &name);
    if (directory < 0)
        return directory;
    if (fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
        r = scratch_remove(directory, name); /* of names that were hidden one by one */
    if (r == 0 && mknodat(directory, name, S_IFREG | 0600, 0) < 0)
        r = -errno;
    close(directory);
    return r;
}

/* ---- copying up ---- */

/* The name that is being made in the upper layer, and what it is made after. */
struct copy {
    const struct overlay *overlay;
    const char *path; /* the whole */
    const char *name; /* its last part */
    int upper, lower; /* directories; lower: -1 if there is none */
    struct stat like;
};

static int copy_begin(const struct overlay *o, const char *path, struct copy *ret_copy) {
    struct copy *c = ret_copy;
    *c = (struct copy){.overlay = o, .path = path, .lower = -1};
    c->like = (struct stat){.st_mode = S_IFDIR | 0755, .st_uid = geteuid(), .st_gid = getegid()};
    c->upper = beneath_open_parent(o->upper, path, &c->name);
    if (c->upper < 0)
        return c->upper;
    if (overlay_has_lower(o, path, &c->like))
        c->lower = beneath_open_parent(o->lower, path, &c->name);
    return 0;
}

static void copy_end(struct copy *c) {
    close(c->upper);
    if (c->lower >= 0)
        close(c->lower);
}

static void copy_owner(const struct copy *c) {
    if (geteuid() == 0 &&
        fchownat(c->upper, c->name, c->like.st_uid, c->like.st_gid, AT_SYMLINK_NOFOLLOW) < 0)
        return; /* a root without that right: the copy is ours then */
}

static int copy_directory(const struct copy *c) {
    if (mkdirat(c->upper, c->name, 0700) < 0)
        return errno == EEXIST ? 0 : -errno;
    copy_owner(c);
    return fchmodat(c->upper, c->name, c->like.st_mode & 07777, 0) < 0 ? -errno : 0;
}

static int make_upper_directory(const struct overlay *o, const char *path) {
    struct copy c;
    int r = copy_begin(o, path, &c);
    if (r < 0)
        return r;
    r = copy_directory(&c);
    copy_end(&c);
    return r;
}

int overlay_open_upper(const struct overlay *o, const char *path) {
    int r = for_each_parent(o, path, make_upper_directory);
    if (r == 0 && path[1])
        r = make_upper_directory(o, path);
    return r < 0 ? r : beneath_open_directory(o->upper, path);
}

static int copy_bytes(int from, int to) {
    char buffer[65536];
    ssize_t n;
    while ((n = read(from, buffer, sizeof(buffer))) > 0) {
        for (ssize_t done = 0, written; done < n; done += written) {
            written = write(to, buffer + done, (size_t)(n - done));
            if (written < 0)
                return -errno;
        }
    }
    return n < 0 ? -errno : 0;
}

/* As far as the scratch copy's file system can hold them. */
static void copy_attributes(int from, int to) {
    char names[4096], value[4096];
    ssize_t length = flistxattr(from, names, sizeof(names));
    for (char *name = names; length > 0 && name < names + length; name += strlen(name) + 1) {
        ssize_t n = fgetxattr(from, name, value, sizeof(value));
        if (n >= 0 && fsetxattr(to, name, value, (size_t)n, 0) < 0)
            return;
    }
}

static int copy_content(const struct copy *c, int from, int to, bool empty) {
    const struct timespec times[2] = {c->like.st_atim, c->like.st_mtim};
    int r = empty ? 0 : copy_bytes(from, to);
    if (r < 0)
        return r;
    copy_owner(c);
    copy_attributes(from, to);
    return fchmod(to, c->like.st_mode & 07777) < 0 || futimens(to, times) < 0 ? -errno : 0;
}

static int copy_file(const struct copy *c, bool empty) {
    int from = openat(c->lower, c->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (from < 0)
        return -errno;
    int to = openat(c->upper, c->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    int r = to < 0 ? -errno : copy_content(c, from, to, empty);
    if (to >= 0)
        close(to);
    if (to >= 0 && r < 0)
        unlinkat(c->upper, c->name, 0);
    close(from);
    return r;
}

static int copy_link(const struct copy *c) {
    const struct timespec times[2] = {c->like.st_atim, c->like.st_mtim};
    char text[PATH_MAX];
    ssize_t n = readlinkat(c->lower, c->name, text, sizeof(text) - 1);
    if (n < 0)
        return -errno;
    text[n] = '\0';
    if (symlinkat(text, c->upper, c->name) < 0)
        return -errno;
    copy_owner(c);
    return utimensat(c->upper, c->name, times, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

static int copy_any(const struct copy *c, bool empty) {
    if (c->lower < 0)
        return 0;
    switch (c->like.st_mode & S_IFMT) {
    case S_IFDIR: return copy_directory(c);
    case S_IFREG: return copy_file(c, empty);
    case S_IFLNK: return copy_link(c);
    }
    return -EPERM;
}

int overlay_copy_up(const struct overlay *o, const char *path, bool empty) {
    struct stat st;
    struct copy c;
    if (overlay_has_upper(o, path, &st) || !overlay_has_lower(o, path, &st))
        return 0;
    int r = for_each_parent(o, path, make_upper_directory);
    if (r == 0)
        r = copy_begin(o, path, &c);
    if (r < 0)
        return r;
    r = copy_any(&c, empty);
    copy_end(&c);
    return r;
}
