/* Watching for changes of files and directories (inotify): the host's, of host files. */
#include <errno.h>
#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernel/descriptor.h"
#include "kernel/kinds.h"
#include "kernel/lookup.h"
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
    int r = stream_create(k, host, (int)(flags & IN_NONBLOCK), false, &f);
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

/* (descriptor, path, mask). A descriptor that is no watcher is the host's to refuse. */
static long sys_inotify_add_watch(struct thread *t, const uint64_t a[6]) {
    char path[NAME_MAX + 64];
    struct lookup l;
    struct file *f = descriptor_file(t->process, (int)a[0]);
    if (!f)
        return -EBADF;
    int r = lookup_user(t, AT_FDCWD, a[1], a[2] & IN_DONT_FOLLOW ? AT_SYMLINK_NOFOLLOW : 0, &l);
    if (r < 0)
        return r;
    r = -EACCES; /* nothing of the machine's own can be watched */
    if (l.kind == LOOKUP_HOST && f->host >= 0) {
        lookup_host_path(&l, path, sizeof(path));
        r = inotify_add_watch(f->host, path, (uint32_t)a[2] | IN_DONT_FOLLOW);
        r = r < 0 ? -errno : r;
    }
    lookup_end(&l);
    return r;
}

static long sys_inotify_rm_watch(struct thread *t, const uint64_t a[6]) {
    struct file *f = descriptor_file(t->process, (int)a[0]);
    if (!f || f->host < 0)
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
