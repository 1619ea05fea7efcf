/* Extended attributes: the host's, of host files. Attributes pass through a buffer of at most 64 KiB, which
 * is Linux's limit for one. */
#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

#include "kernel/files/lookup.h"
#include "kernel/syscall.h"

/* What a call is about: a host path, and whether its last component is followed (only descriptors' are: paths
 * were looked up by us). */
struct target {
    struct lookup lookup;
    bool looked_up, follow;
    char path[NAME_MAX + 64];
};

enum target_kind { TARGET_PATH, TARGET_LINK, TARGET_DESCRIPTOR };

static int target_of_file(struct target *target, const struct file *f) {
    snprintf(target->path, sizeof(target->path), "/proc/self/fd/%d", f->host);
    target->follow = true;
    return f->host < 0 ? -EOPNOTSUPP : 0;
}

static void target_end(struct target *target) {
    if (target->looked_up)
        lookup_end(&target->lookup);
}

static int target_look_up(struct thread *t, uint64_t argument, enum target_kind kind, bool changes,
                          struct lookup *ret_lookup) {
    struct file *f = kind == TARGET_DESCRIPTOR ? descriptor_file(t->process, (int)argument) : NULL;
    if (kind == TARGET_DESCRIPTOR && (!f || f->flags & O_PATH))
        return -EBADF;
    if (f && changes)
        return lookup_open_file(t, f, ret_lookup);
    if (f) {
        *ret_lookup = (struct lookup){.kind = LOOKUP_FILE, .file = file_ref(f)};
        return 0;
    }
    int r = lookup_user(t, AT_FDCWD, argument, kind == TARGET_LINK ? AT_SYMLINK_NOFOLLOW : 0, ret_lookup);
    if (r < 0 || !changes)
        return r;
    r = ret_lookup->layer == SANDBOX_MISSING ? 0 : lookup_change(t, ret_lookup, SANDBOX_STATUS);
    if (r < 0)
        lookup_end(ret_lookup);
    return r;
}

/* `changes`: attributes will be set or removed. */
static int target_begin(struct thread *t, uint64_t argument, enum target_kind kind, bool changes,
                        struct target *target) {
    target->looked_up = target->follow = false;
    int r = target_look_up(t, argument, kind, changes, &target->lookup);
    if (r < 0)
        return r;
    target->looked_up = true;
    if (target->lookup.kind == LOOKUP_HOST)
        lookup_host_path(&target->lookup, target->path, sizeof(target->path));
    else
        r = target->lookup.kind == LOOKUP_FILE ? target_of_file(target, target->lookup.file) : -EOPNOTSUPP;
    if (r < 0)
        target_end(target);
    return r;
}

static int user_name(struct thread *t, uint64_t user, char name[XATTR_NAME_MAX + 1]) {
    ssize_t length = user_string(t->process->space, user, name, XATTR_NAME_MAX + 1);
    return length == -ENAMETOOLONG || length == 0 ? -ERANGE : length < 0 ? (int)length : 0;
}

/* The result of the host's getxattr or listxattr into `value`, passed on to the program. */
static long deliver(struct thread *t, ssize_t n, const char *value, uint64_t user, uint64_t size) {
    if (n < 0 || !size)
        return n;
    int r = user_write(t->process->space, user, value, (size_t)n);
    return r < 0 ? r : n;
}

static bool is_of_proc(const struct lookup *lookup) {
    return lookup->kind == LOOKUP_PROC && !proc_is_link(&lookup->node);
}

/* (target, name, value, size) */
static long do_get(struct thread *t, const uint64_t a[6], enum target_kind kind) {
    char name[XATTR_NAME_MAX + 1], value[XATTR_SIZE_MAX];
    struct target target;
    int r = user_name(t, a[1], name);
    if (r == 0)
        r = target_begin(t, a[0], kind, false, &target);
    if (r == -EOPNOTSUPP && !is_of_proc(&target.lookup) && strncmp(name, "user.", 5) == 0)
        return -ENODATA; /* only regular files and directories have those */
    if (r < 0)
        return r;
    size_t size = a[3] < sizeof(value) ? a[3] : sizeof(value);
    ssize_t n =
        target.follow ? getxattr(target.path, name, value, size) : lgetxattr(target.path, name, value, size);
    n = n < 0 ? -errno : n;
    target_end(&target);
    return deliver(t, n, value, a[2], a[3]);
}

/* (target, list, size) */
static long do_list(struct thread *t, const uint64_t a[6], enum target_kind kind) {
    char value[XATTR_LIST_MAX];
    struct target target;
    int r = target_begin(t, a[0], kind, false, &target);
    if (r < 0)
        return r;
    size_t size = a[2] < sizeof(value) ? a[2] : sizeof(value);
    ssize_t n = target.follow ? listxattr(target.path, value, size) : llistxattr(target.path, value, size);
    n = n < 0 ? -errno : n;
    target_end(&target);
    return deliver(t, n, value, a[1], a[2]);
}

/* (target, name, value, size, flags) */
static long do_set(struct thread *t, const uint64_t a[6], enum target_kind kind) {
    char name[XATTR_NAME_MAX + 1], value[XATTR_SIZE_MAX];
    struct target target;
    if (a[3] > sizeof(value))
        return -E2BIG;
    int r = user_name(t, a[1], name);
    if (r == 0)
        r = user_read(t->process->space, a[2], value, a[3]);
    if (r == 0)
        r = target_begin(t, a[0], kind, true, &target);
    if (r < 0)
        return r;
    r = target.follow ? setxattr(target.path, name, value, a[3], (int)a[4])
                      : lsetxattr(target.path, name, value, a[3], (int)a[4]);
    r = r < 0 ? -errno : 0;
    target_end(&target);
    return r;
}

/* (target, name) */
static long do_remove(struct thread *t, const uint64_t a[6], enum target_kind kind) {
    char name[XATTR_NAME_MAX + 1];
    struct target target;
    int r = user_name(t, a[1], name);
    if (r == 0)
        r = target_begin(t, a[0], kind, true, &target);
    if (r < 0)
        return r;
    r = target.follow ? removexattr(target.path, name) : lremovexattr(target.path, name);
    r = r < 0 ? -errno : 0;
    target_end(&target);
    return r;
}

#define XATTR_CALLS(verb)                                                                                    \
    static long sys_##verb##xattr(struct thread *t, const uint64_t a[6]) {                                   \
        return do_##verb(t, a, TARGET_PATH);                                                                 \
    }                                                                                                        \
    static long sys_l##verb##xattr(struct thread *t, const uint64_t a[6]) {                                  \
        return do_##verb(t, a, TARGET_LINK);                                                                 \
    }                                                                                                        \
    static long sys_f##verb##xattr(struct thread *t, const uint64_t a[6]) {                                  \
        return do_##verb(t, a, TARGET_DESCRIPTOR);                                                           \
    }

XATTR_CALLS(get)
XATTR_CALLS(list)
XATTR_CALLS(set)
XATTR_CALLS(remove)

const struct syscall_entry syscalls_xattr[] = {
    {SYS_getxattr, "getxattr", sys_getxattr},
    {SYS_lgetxattr, "lgetxattr", sys_lgetxattr},
    {SYS_fgetxattr, "fgetxattr", sys_fgetxattr},
    {SYS_listxattr, "listxattr", sys_listxattr},
    {SYS_llistxattr, "llistxattr", sys_llistxattr},
    {SYS_flistxattr, "flistxattr", sys_flistxattr},
    {SYS_setxattr, "setxattr", sys_setxattr},
    {SYS_lsetxattr, "lsetxattr", sys_lsetxattr},
    {SYS_fsetxattr, "fsetxattr", sys_fsetxattr},
    {SYS_removexattr, "removexattr", sys_removexattr},
    {SYS_lremovexattr, "lremovexattr", sys_lremovexattr},
    {SYS_fremovexattr, "fremovexattr", sys_fremovexattr},
    {-1, NULL, NULL},
};
