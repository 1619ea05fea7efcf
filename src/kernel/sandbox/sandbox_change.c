/* Changes of names and files in a sandbox. Where the host's files may be changed, the host's call does it; in
 * the scratch copy it does too, once what it needs is there. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernel/files/beneath.h"
#include "kernel/sandbox/sandbox_parts.h"

static bool mode_is_copied(enum sandbox_mode mode) {
    return mode == SANDBOX_OVERLAY || mode == SANDBOX_EMPTY;
}

static int path_of(const char *directory, const char *name, char ret_path[PATH_MAX]) {
    strcpy(ret_path, directory);
    return strcmp(name, ".") ? sandbox_go_down(ret_path, name) : 0;
}

/* A change of what is there, in the scratch copy. Who may read the host's file may change the copy, which is
 * theirs: folders that can only be read can be built in. */
static int change_copied(const struct sandbox *box, const char *directory, const char *path,
                         enum sandbox_change change) {
    enum sandbox_layer layer;
    mode_t type;
    int r = sandbox_look_at(box, path, &layer, &type);
    if (r == 0 && layer == SANDBOX_LOWER)
        r = overlay_copy_up(&box->overlay, path, change == SANDBOX_REPLACE);
    return r < 0 ? r : overlay_open_upper(&box->overlay, directory);
}

int sandbox_change(const struct sandbox *box, const char *directory, const char *name,
                   enum sandbox_change change) {
    char path[PATH_MAX];
    enum sandbox_layer layer;
    mode_t type;
    int r = path_of(directory, name, path);
    if (r == 0 && change == SANDBOX_MAKE)
        r = sandbox_look_at(box, path, &layer, &type);
    if (r < 0)
        return r;
    if (change == SANDBOX_MAKE && layer != SANDBOX_MISSING)
        return -EEXIST;
    switch (sandbox_zone_of(box, path)->mode) {
    case SANDBOX_NONE:
    case SANDBOX_READ_ONLY: return -EROFS;
    case SANDBOX_HOST: return beneath_open_directory(box->root, directory);
    case SANDBOX_OVERLAY:
    case SANDBOX_EMPTY: break;
    }
    return change_copied(box, directory, path, change);
}

int sandbox_made_directory(const struct sandbox *box, const char *directory, const char *name) {
    char path[PATH_MAX];
    int r = path_of(directory, name, path);
    if (r < 0 || sandbox_zone_of(box, path)->mode != SANDBOX_OVERLAY)
        return r;
    return overlay_hide(&box->overlay, path);
}

int sandbox_may_write(const struct sandbox *box, const char *directory, const char *name,
                      enum sandbox_layer layer) {
    char path[PATH_MAX];
    struct stat st;
    int r = path_of(directory, name, path);
    if (r < 0)
        return r;
    enum sandbox_mode mode = sandbox_zone_of(box, path)->mode;
    if (mode_is_copied(mode))
        return layer == SANDBOX_LOWER;
    if (mode == SANDBOX_HOST)
        return 0;
    r = sandbox_lower_stat(box, path, &st);
    return r < 0 || S_ISCHR(st.st_mode) ? r : -EROFS;
}

/* ---- removing ---- */

/* The call itself on one layer's directory. */
static int remove_in(int layer, const char *path, int flags) {
    const char *name;
    int fd = beneath_open_parent(layer, path, &name);
    if (fd < 0)
        return fd;
    int r = unlinkat(fd, name, flags) < 0 ? -errno : 0;
    close(fd);
    return r;
}

static int expect_empty(const struct sandbox *box, const char *path) {
    struct sandbox_name *names;
    size_t count;
    int r = sandbox_list(box, path, &names, &count);
    if (r < 0)
        return r;
    sandbox_free_names(names, count);
    return count > 2 ? -ENOTEMPTY : 0; /* beside "." and ".." */
}

static int remove_copied(const struct sandbox *box, const char *path, int flags) {
    struct stat st;
    int r = flags & AT_REMOVEDIR ? expect_empty(box, path) : 0;
    if (r == 0 && sandbox_zone_of(box, path)->mode == SANDBOX_OVERLAY &&
        overlay_has_lower(&box->overlay, path, &st))
        r = overlay_hide(&box->overlay, path);
    if (r == 0 && overlay_has_upper(&box->overlay, path, &st))
        r = remove_in(box->overlay.upper, path, flags);
    return r;
}

static int remove_path(const struct sandbox *box, const char *path, int flags) {
    if (sandbox_leads_to_zone(box, path, true))
        return -EBUSY;
    switch (sandbox_zone_of(box, path)->mode) {
    case SANDBOX_NONE:
    case SANDBOX_READ_ONLY: return -EROFS;
    case SANDBOX_HOST: return remove_in(box->root, path, flags);
    case SANDBOX_OVERLAY:
    case SANDBOX_EMPTY: break;
    }
    return remove_copied(box, path, flags);
}

int sandbox_remove(const struct sandbox *box, const char *directory, const char *name, int flags) {
    char path[PATH_MAX];
    enum sandbox_layer layer;
    mode_t type;
    if (strcmp(name, ".") == 0)
        return flags & AT_REMOVEDIR ? -EINVAL : -EISDIR;
    int r = path_of(directory, name, path);
    if (r == 0)
        r = sandbox_look_at(box, path, &layer, &type);
    if (r < 0)
        return r;
    if (layer == SANDBOX_MISSING)
        return -ENOENT;
    if (!S_ISDIR(type) && (flags & AT_REMOVEDIR || strchr(name, '/')))
        return -ENOTDIR;
    if (S_ISDIR(type) && !(flags & AT_REMOVEDIR))
        return -EISDIR;
    return remove_path(box, path, flags);
}

/* ---- renaming and linking ---- */

static int join_zones(const struct sandbox *box, const char *from, const char *to) {
    const struct sandbox_zone *a = sandbox_zone_of(box, from), *b = sandbox_zone_of(box, to);
    if (mode_is_copied(a->mode) && mode_is_copied(b->mode))
        return 0;
    bool changes = a->mode == SANDBOX_HOST || mode_is_copied(a->mode);
    if (!changes || (b->mode != SANDBOX_HOST && !mode_is_copied(b->mode)))
        return -EROFS;
    return a == b ? 0 : -EXDEV;
}

int sandbox_may_link(const struct sandbox *box, const char *from_directory, const char *from,
                     const char *to_directory, const char *to) {
    char a[PATH_MAX], b[PATH_MAX];
    int r = path_of(from_directory, from, a);
    if (r == 0)
        r = path_of(to_directory, to, b);
    return r < 0 ? r : join_zones(box, a, b) < 0 ? -EXDEV : 0;
}

/* Copies up all that is below the directory, in place of which `path` is used and left as it was. */
static int copy_tree(const struct sandbox *box, char path[PATH_MAX]) {
    struct sandbox_name *names;
    size_t count;
    int r = overlay_copy_up(&box->overlay, path, false);
    if (r == 0)
        r = sandbox_list(box, path, &names, &count);
    if (r < 0)
        return r;
    for (size_t i = 2; i < count && r == 0; i++) {
        r = sandbox_go_down(path, names[i].name);
        if (r < 0)
            break;
        r = names[i].type == DT_DIR ? copy_tree(box, path) : overlay_copy_up(&box->overlay, path, false);
        sandbox_go_up(path);
    }
    sandbox_free_names(names, count);
    return r;
}

struct rename {
    const struct sandbox *box;
    char from[PATH_MAX], to[PATH_MAX];
    unsigned flags;
    mode_t from_type, to_type; /* 0: `to` is not there */
};

static int rename_on_host(const struct rename *r, int layer) {
    const char *from_name, *to_name;
    int from = beneath_open_parent(layer, r->from, &from_name);
    if (from < 0)
        return from;
    int to = beneath_open_parent(layer, r->to, &to_name);
    int result = to < 0 ? to : renameat2(from, from_name, to, to_name, r->flags) < 0 ? -errno : 0;
    if (to >= 0)
        close(to);
    close(from);
    return result;
}

static bool is_below(const char *path, const char *directory) {
    size_t length = strlen(directory);
    return strncmp(path, directory, length) == 0 && path[length] == '/';
}

/* In Linux's order. */
static int rename_check(const struct rename *r) {
    if (r->flags & ~(unsigned)RENAME_NOREPLACE)
        return -EINVAL;
    if (r->flags & RENAME_NOREPLACE && r->to_type)
        return -EEXIST;
    if (is_below(r->to, r->from))
        return -EINVAL;
    if (is_below(r->from, r->to))
        return -ENOTEMPTY;
    if (r->to_type && S_ISDIR(r->from_type) != S_ISDIR(r->to_type))
        return S_ISDIR(r->from_type) ? -ENOTDIR : -EISDIR;
    return 0;
}

/* Everything that is moved must be in the scratch copy; then the old place is hidden, and so is what a new
 * directory would let through. */
static int rename_copied(struct rename *r) {
    const struct overlay *o = &r->box->overlay;
    char parent[PATH_MAX];
    struct stat st;
    int result = rename_check(r);
    if (result == 0)
        result = S_ISDIR(r->from_type) ? copy_tree(r->box, r->from) : overlay_copy_up(o, r->from, false);
    if (result == 0 && S_ISDIR(r->to_type))
        result = remove_copied(r->box, r->to, AT_REMOVEDIR);
    if (result < 0)
        return result;
    strcpy(parent, r->to);
    sandbox_go_up(parent);
    int fd = overlay_open_upper(o, parent);
    if (fd < 0)
        return fd;
    close(fd);
    result = S_ISDIR(r->from_type) ? overlay_hide(o, r->to) : 0;
    if (result == 0)
        result = rename_on_host(r, o->upper);
    if (result == 0 && overlay_has_lower(o, r->from, &st))
        result = overlay_hide(o, r->from);
    return result;
}

static int rename_paths(struct rename *r) {
    const struct sandbox *box = r->box;
    enum sandbox_layer from, to;
    int result = sandbox_look_at(box, r->from, &from, &r->from_type);
    if (result == 0)
        result = sandbox_look_at(box, r->to, &to, &r->to_type);
    if (result < 0)
        return result;
    if (from == SANDBOX_MISSING)
        return -ENOENT;
    if (sandbox_leads_to_zone(box, r->from, true) || sandbox_leads_to_zone(box, r->to, true))
        return -EBUSY;
    result = join_zones(box, r->from, r->to);
    if (result == 0 && strcmp(r->from, r->to) == 0)
        return r->flags & RENAME_NOREPLACE ? -EEXIST : 0;
    if (result < 0)
        return result;
    bool host = sandbox_zone_of(box, r->from)->mode == SANDBOX_HOST;
    return host ? rename_on_host(r, box->root) : rename_copied(r);
}

int sandbox_rename(const struct sandbox *box, const char *from_directory, const char *from,
                   const char *to_directory, const char *to, unsigned flags) {
    struct rename r = {.box = box, .flags = flags};
    if (strcmp(from, ".") == 0)
        return -EBUSY;
    if (strcmp(to, ".") == 0)
        return flags & RENAME_NOREPLACE ? -EEXIST : -EBUSY;
    int result = path_of(from_directory, from, r.from);
    if (result == 0)
        result = path_of(to_directory, to, r.to);
    return result < 0 ? result : rename_paths(&r);
}

/* ---- open files ---- */

int sandbox_file_change(const struct sandbox *box, int host, char ret_path[PATH_MAX]) {
    bool upper;
    if (sandbox_host_path(box, host, ret_path, &upper) < 0 || upper)
        return 0; /* a pipe, a socket; or the scratch copy's */
    switch (sandbox_zone_of(box, ret_path)->mode) {
    case SANDBOX_NONE:
    case SANDBOX_READ_ONLY: return -EROFS;
    case SANDBOX_HOST: return 0;
    case SANDBOX_OVERLAY:
    case SANDBOX_EMPTY: break;
    }
    return 1;
}

int sandbox_file_may_link(const struct sandbox *box, int host, const char *to_directory, const char *to) {
    char from[PATH_MAX], path[PATH_MAX];
    bool upper;
    int r = path_of(to_directory, to, path);
    if (r < 0)
        return r;
    if (sandbox_host_path(box, host, from, &upper) < 0)
        return -EXDEV;
    const struct sandbox_zone *zone = sandbox_zone_of(box, path);
    if (upper)
        return mode_is_copied(zone->mode) ? 0 : -EXDEV;
    return zone->mode == SANDBOX_HOST && zone == sandbox_zone_of(box, from) ? 0 : -EXDEV;
}
