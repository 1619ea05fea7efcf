/* Opening: a path, a name in /proc/PID/fd, or what Thimble was started with.
 *
 * Everything is opened non-blocking on the host, without becoming a controlling terminal there; O_DIRECT is
 * not passed on, since data goes through buffers of ours. Descriptors 0 to 2 stay open in Thimble itself
 * until its end: it has messages to write. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel/files/descriptor.h"
#include "kernel/files/inode.h"
#include "kernel/files/lookup.h"
#include "kernel/files/path.h"
#include "kernel/kinds.h"
#include "kernel/terminal/terminal.h"

enum {
    FLAG_LARGE_FILE = 0100000, /* the kernel's O_LARGEFILE: always set in 64-bit programs; 0 in libc */
    FLAGS_OF_OPEN = O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC, /* mean nothing afterwards */
    FIFO_RETRY = 2000000,                                              /* ns */
};

int file_from_host(struct kernel *k, int host, int flags, bool inherited, struct file **ret_file) {
    struct stat st;
    if (fstat(host, &st) < 0)
        return -errno;
    if (flags & O_PATH)
        return pathfile_create(k, host, flags, ret_file);
    if (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode))
        return hostfile_create(k, host, flags, inherited, ret_file);
    if (S_ISDIR(st.st_mode))
        return directory_create(k, host, flags, ret_file);
    if (S_ISSOCK(st.st_mode))
        return socket_create(k, host, flags, ret_file);
    const struct file_ops *device = device_ops(k, &st);
    if (!device)
        return stream_create(k, host, flags, inherited, ret_file);
    *ret_file = file_create(k, device, flags);
    if (!*ret_file)
        return -ENOMEM;
    (*ret_file)->host = host;
    return 0;
}

/* What F_GETFL will say of a file opened with them. */
static int kept_flags(int flags) {
    if (flags & O_PATH)
        return flags & (O_PATH | O_DIRECTORY | O_NOFOLLOW);
    return (flags & ~FLAGS_OF_OPEN) | FLAG_LARGE_FILE;
}

/* A FIFO without a reader cannot be opened for writing yet. Readers of the machine wake us; for those outside
 * there is nothing to wait on but time. */
static int wait_for_reader(struct thread *t, const struct lookup *l, int flags) {
    struct kernel *k = t->process->kernel;
    struct stat st;
    if (flags & O_NONBLOCK || fstatat(l->directory, l->name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
        !S_ISFIFO(st.st_mode))
        return -ENXIO;
    sched_sleep_channel(t, inodes_channel(k));
    sched_sleep_until(t, clock_now(k) + FIFO_RETRY);
    return FILE_SLEEPS;
}

/* The page cache learns that an open may have emptied the file, or that it changed outside the machine. */
static void after_open(struct kernel *k, int host, int flags) {
    struct stat st;
    if (fstat(host, &st) < 0)
        return;
    if (S_ISFIFO(st.st_mode))
        sched_wake(k, inodes_channel(k));
    if (S_ISREG(st.st_mode) && flags & O_TRUNC)
        inode_changed(k, &st);
    else if (S_ISREG(st.st_mode))
        inode_revalidate(k, &st);
}

/* What a sandbox says to it, and what it needs before something is written. */
static int open_in_sandbox(struct thread *t, struct lookup *l, int flags) {
    bool there = l->layer != SANDBOX_MISSING, device;
    if (flags & O_PATH || (!there && !(flags & O_CREAT)))
        return 0;
    int r = sandbox_may_open(t->process->kernel->sandbox, l->inside, l->name, l->layer, &device);
    if (r < 0 || device)
        return r;
    if (there && flags & O_CREAT && flags & O_EXCL)
        return -EEXIST;
    bool writes = (flags & O_ACCMODE) != O_RDONLY || flags & O_TRUNC || (flags & O_TMPFILE) == O_TMPFILE;
    if (!writes && there)
        return 0;
    return lookup_change(t, l, flags & O_TRUNC ? SANDBOX_REPLACE : SANDBOX_MODIFY);
}

static int open_host(struct thread *t, struct lookup *l, int flags, mode_t mode, struct file **ret_file) {
    struct kernel *k = t->process->kernel;
    int error = l->inside ? open_in_sandbox(t, l, flags) : 0;
    if (error < 0)
        return error;
    int host_flags = (flags & ~(O_DIRECT | O_CLOEXEC)) | O_CLOEXEC | O_NOFOLLOW;
    if (!(flags & O_PATH))
        host_flags |= O_NOCTTY | O_NONBLOCK;
    if (inject_fails(k->config.inject, INJECT_HOST_CALL))
        return -ENFILE;
    mode_t own = umask(t->process->fs->umask);
    int host = openat(l->directory, l->name, host_flags, mode);
    umask(own); /* which keeps errno */
    if (host < 0)
        host = terminal_open_refused(t, l->directory, l->name, errno);
    if (host < 0)
        return host == -ENXIO ? wait_for_reader(t, l, flags) : host == -EMFILE ? -ENFILE : host;
    after_open(k, host, flags);
    int kept = (flags & ~FLAGS_OF_OPEN) | (flags & O_PATH ? 0 : FLAG_LARGE_FILE);
    int r = terminal_open_file(t, host, kept | (flags & O_NOCTTY), ret_file);
    if (r == -ENODEV)
        r = file_from_host(k, host, kept_flags(flags), false, ret_file);
    if (r < 0)
        close(host);
    return r;
}

/* Whether opening it once more gives a right to the content that the open file does not have. */
static bool asks_for_more(const struct file *f, int flags) {
    int has = f->flags & O_ACCMODE, wants = flags & O_ACCMODE;
    if (f->flags & O_PATH || (flags & O_TRUNC && has == O_RDONLY))
        return true;
    return has != O_RDWR && has != wants;
}

/* Opens what another descriptor refers to once more, by its name in /proc. In a sandbox that is no way to get
 * at what the path would not give. */
static int open_again(struct thread *t, struct file *f, int flags, struct file **ret_file) {
    int kept = (flags & ~FLAGS_OF_OPEN) | FLAG_LARGE_FILE;
    if (proc_file_node(f))
        return proc_open(t, proc_file_node(f), kept, ret_file);
    if (f->host < 0) {
        int error = pipe_reopen(f, flags, ret_file);
        return error == -ENXIO ? memfd_reopen(f, kept | (flags & O_TRUNC), ret_file) : error;
    }
    if (f->kernel->sandbox && !(flags & O_PATH) && asks_for_more(f, flags)) {
        char place[PATH_MAX];
        int error = sandbox_where(f->kernel->sandbox, f->host, place);
        return error < 0 ? -EACCES : file_open(t, AT_FDCWD, place, flags, 0, ret_file);
    }
    char path[64];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", f->host);
    int host_flags = (flags & ~(O_DIRECT | O_NOFOLLOW)) | O_CLOEXEC | O_NOCTTY;
    int host = open(path, flags & O_PATH ? host_flags : host_flags | O_NONBLOCK);
    if (host < 0)
        return -errno;
    after_open(f->kernel, host, flags);
    int r = terminal_open_file(t, host, kept | (flags & O_NOCTTY), ret_file);
    if (r == -ENODEV)
        r = file_from_host(f->kernel, host, kept, false, ret_file);
    if (r < 0)
        close(host);
    else
        (*ret_file)->output = f->output; /* /dev/stdout is the standard output */
    return r;
}

int file_open(struct thread *t, int dirfd, const char *path, int flags, mode_t mode, struct file **ret_file) {
    return file_open_resolved(t, dirfd, path, flags, mode, 0, ret_file);
}

int file_open_resolved(struct thread *t, int dirfd, const char *path, int flags, mode_t mode,
                       unsigned resolve, struct file **ret_file) {
    bool slash = path[0] && path[strlen(path) - 1] == '/';
    bool exclusive = (flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL),
         follow = !(flags & O_NOFOLLOW) && !exclusive;
    struct lookup l;
    unsigned look = (follow ? LOOKUP_FOLLOW : 0) | resolve << LOOKUP_RESOLVE_SHIFT;
    int r = lookup_path(t, dirfd, path, look, &l);
    if (r < 0)
        return r;
    switch (l.kind) {
    case LOOKUP_HOST: r = open_host(t, &l, flags, mode, ret_file); break;
    case LOOKUP_PROC:
        r = exclusive && !slash ? -EEXIST : proc_open(t, &l.node, kept_flags(flags), ret_file);
        break;
    case LOOKUP_FILE: r = open_again(t, l.file, flags, ret_file); break;
    }
    lookup_end(&l);
    return r;
}

ssize_t file_read_at(struct file *f, void *to, size_t length, uint64_t offset) {
    if (!f->ops->read || !f->ops->seek)
        return -EINVAL;
    size_t done = 0;
    while (done < length) {
        ssize_t n = f->ops->read(f, NULL, (char *)to + done, length - done, &offset);
        if (n < 0)
            return n;
        if (n == 0)
            break;
        done += (size_t)n;
    }
    return (ssize_t)done;
}

/* ---- what Thimble was started with ---- */

/* A duplicate of an inherited descriptor, or -1. A pipe is opened again instead, because an open file
 * description of our own can be non-blocking without anybody else noticing. */
static int inherit_host(int fd, int flags) {
    struct stat st;
    if (fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode)) {
        char path[64];
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        int own = open(path, (flags & O_ACCMODE) | O_NONBLOCK | O_CLOEXEC);
        if (own >= 0)
            return own;
    }
    return fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

/* Nothing that can be walked comes into a sandbox. */
static bool may_inherit(const struct process *p, int fd) {
    struct stat st;
    return !p->kernel->sandbox ||
           (fstat(fd, &st) == 0 && !S_ISDIR(st.st_mode) && !(fcntl(fd, F_GETFL) & O_PATH));
}

/* The host's descriptor becomes number `to` of the process. */
static int inherit_one(struct process *p, int fd, int to) {
    if (!may_inherit(p, fd))
        return 0;
    int flags = fcntl(fd, F_GETFL), host = inherit_host(fd, flags);
    if (flags < 0 || host < 0)
        return -errno;
    struct file *f;
    int r = file_from_host(p->kernel, host, flags, true, &f);
    if (r < 0) {
        close(host);
        return r;
    }
    f->output = to == STDOUT_FILENO || to == STDERR_FILENO ? (uint8_t)to : 0;
    r = descriptor_replace(p, f, to, false);
    if (r < 0)
        file_unref(f);
    return r;
}

/* All the machine's processes together have the descriptors of one host process, and the page cache keeps
 * some: it takes as many as it may get. What the first process inherits as its limit was read before. */
static void raise_host_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static int compare_ints(const void *a, const void *b) {
    return *(const int *)a - *(const int *)b;
}

/* The descriptors of Thimble itself are all close-on-exec; the others are meant for the programs, and would
 * keep a pipe's end open if Thimble had them, too. */
static int inherit_others_of_host(struct process *p) {
    enum { INHERIT_MAX = 1024 };
    int numbers[INHERIT_MAX], count = 0, r = 0;
    DIR *directory = opendir("/proc/self/fd");
    for (struct dirent *d; directory && count < INHERIT_MAX && (d = readdir(directory));) {
        int fd = atoi(d->d_name), flags = d->d_name[0] == '.' ? -1 : fcntl(fd, F_GETFD);
        if (fd > STDERR_FILENO && flags >= 0 && !(flags & FD_CLOEXEC))
            numbers[count++] = fd;
    }
    if (directory)
        closedir(directory);
    qsort(numbers, (size_t)count, sizeof(numbers[0]), compare_ints);
    for (int i = 0; i < count && (r >= 0 || r == -EBADF); i++) {
        r = inherit_one(p, numbers[i], numbers[i]);
        if (r >= 0)
            close(numbers[i]);
    }
    return r == -EBADF ? 0 : r;
}

static int share_others(struct process *p, struct process *from) {
    for (int fd = STDERR_FILENO + 1; (fd = descriptor_next(from, fd)) >= 0; fd++) {
        struct file *f = file_ref(descriptor_file(from, fd));
        int r = descriptor_replace(p, f, fd, false);
        if (r < 0) {
            file_unref(f);
            return r;
        }
    }
    return 0;
}

/* Closed; or Thimble's own stand-in for one that was closed when it was started. */
static bool stream_is_closed(int host) {
    return host < 0 || (host <= STDERR_FILENO && fcntl(host, F_GETFD) & FD_CLOEXEC);
}

/* Into a sandbox go the standard descriptors alone. */
int file_inherit(struct process *p, const int streams[3], struct process *from) {
    raise_host_limit();
    for (int fd = 0; fd <= STDERR_FILENO; fd++) {
        int r = stream_is_closed(streams[fd]) ? 0 : inherit_one(p, streams[fd], fd);
        if (r < 0 && r != -EBADF)
            return r;
    }
    if (p->kernel->sandbox)
        return 0;
    int r = from ? share_others(p, from) : inherit_others_of_host(p);
    return r < 0 ? r : 0;
}
