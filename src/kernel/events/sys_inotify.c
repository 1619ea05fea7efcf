/* Watching for changes of files and directories (inotify): the host's, of host files. */
#include <errno.h>
#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernel/condition.h"
#include "kernel/files/descriptor.h"
#include "kernel/files/lookup.h"
#include "kernel/kinds.h"
#include "kernel/syscall.h"

static long make_watcher(struct thread *t, uint64_t flags) {
    struct kernel *k = t->process->kernel;
    struct file *f;
    if (flags & ~(uint64_t)(IN_NONBLOCK | IN_CLOEXEC))
        return -EINVAL;
    int host = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (host < 0)
        return -errno;
    k->nondeterministic_used |= k->config.deterministic;
    condition_note(k, "inotify");
    int r = watcher_create(k, host, (int)(flags & IN_NONBLOCK), &f);
    if (r < 0) {
        close(host);
        return r;
    }
    return descriptor_install_or_drop(t->process, f, flags & IN_CLOEXEC);
}

static long sys_inotify_init(struct thread *t, const uint64_t a[6]) {
    return make_watcher(t, 0);
}

static long sys_inotify_init1(struct thread *t, const uint64_t a[6]) {
    return make_watcher(t, a[0]);
}

/* Linux looks at these bits of a mask only, and wants one of them. */
static bool mask_is_empty(uint64_t mask) {
    const uint32_t known = IN_ALL_EVENTS | IN_UNMOUNT | IN_Q_OVERFLOW | IN_IGNORED | IN_ONLYDIR |
                           IN_DONT_FOLLOW | IN_EXCL_UNLINK | IN_MASK_CREATE | IN_MASK_ADD | IN_ISDIR |
                           IN_ONESHOT;
    return !((uint32_t)mask & known);
}

/* In an overlay the programs' changes go to the scratch copy: that is what must be watched, so it is made
 * now. What is read only never changes from here. */
static int watch_copy(struct thread *t, struct lookup *l) {
    int r = lookup_change(t, l, SANDBOX_STATUS);
    return r == -EROFS ? 0 : r;
}

/* (descriptor, path, mask) */
static long sys_inotify_add_watch(struct thread *t, const uint64_t a[6]) {
    char path[NAME_MAX + 64];
    struct lookup l;
    struct file *f = descriptor_file(t->process, (int)a[0]);
    if (mask_is_empty(a[2]))
        return -EINVAL;
    if (!f || f->flags & O_PATH)
        return -EBADF;
    if ((a[2] & IN_MASK_ADD && a[2] & IN_MASK_CREATE) || !file_is_watcher(f))
        return -EINVAL;
    int r = lookup_user(t, AT_FDCWD, a[1], a[2] & IN_DONT_FOLLOW ? AT_SYMLINK_NOFOLLOW : 0, &l);
    if (r < 0)
        return r;
    if (l.kind == LOOKUP_HOST && l.inside && l.layer == SANDBOX_LOWER)
        r = watch_copy(t, &l);
    else
        r = l.kind == LOOKUP_HOST ? 0 : -EACCES; /* nothing of the machine's own can be watched */
    if (r == 0) {
        lookup_host_path(&l, path, sizeof(path));
        r = inotify_add_watch(f->host, path, (uint32_t)a[2] | IN_DONT_FOLLOW);
        r = r < 0 ? -errno : r;
    }
    lookup_end(&l);
    return r;
}

static long sys_inotify_rm_watch(struct thread *t, const uint64_t a[6]) {
    struct file *f = descriptor_file(t->process, (int)a[0]);
    if (!f || !file_is_watcher(f))
        return f ? -EINVAL : -EBADF;
    return inotify_rm_watch(f->host, (int)a[1]) < 0 ? -errno : 0;
}

const struct syscall_entry syscalls_inotify[] = {
    {SYS_inotify_init, "inotify_init", sys_inotify_init},
    {SYS_inotify_init1, "inotify_init1", sys_inotify_init1},
    {SYS_inotify_add_watch, "inotify_add_watch", sys_inotify_add_watch},
    {SYS_inotify_rm_watch, "inotify_rm_watch", sys_inotify_rm_watch},
    {-1, NULL, NULL},
};
