/* Open files ("open file descriptions"): what descriptors refer to. One struct, an operations table for each
 * kind. */
#ifndef KERNEL_FILE_H
#define KERNEL_FILE_H

#include <bsd/sys/queue.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "kernel/process/process.h"

struct file;
struct transfer;

/* All results are values, -errno or SYS_SLEEP. Buffers are host memory (the callers copy from and to user
 * memory page by page). NULL members give the errno in brackets. */
struct file_ops {
    const char *name;
    bool host_polls; /* poll is what the host says about `host`, for every event */
    bool host_helps; /* `host` is not the file, but something that it uses */
    /* `*offset` is advanced; NULL offset for files that have no position. [EINVAL] */
    ssize_t (*read)(struct file *, struct thread *, void *to, size_t length, uint64_t *offset);
    ssize_t (*write)(struct file *, struct thread *, const void *from, size_t length, uint64_t *offset);
    /* Instead of these from and to the program's memory, for kinds that keep messages whole. */
    long (*read_user)(struct file *, struct thread *, struct transfer *);
    long (*write_user)(struct file *, struct thread *, struct transfer *);
    int64_t (*seek)(struct file *, int64_t offset, int whence); /* [ESPIPE] */
    /* Events that are ready now. When `sleeper` is not NULL also registers what it must wait for
     * (sched_sleep_*). */
    short (*poll)(struct file *, struct thread *sleeper, short events);                 /* [always ready] */
    long (*ioctl)(struct file *, struct thread *, unsigned request, uint64_t argument); /* [ENOTTY] */
    int (*stat)(struct file *, struct stat *ret_stat);                                  /* [EBADF] */
    int (*truncate)(struct file *, uint64_t size);                                      /* [EINVAL] */
    int (*sync)(struct file *);                                                         /* [EINVAL] */
    /* Fills `to` with struct linux_dirent64 records. Bytes or -errno. [ENOTDIR] */
    ssize_t (*getdents)(struct file *, void *to, size_t length);
    /* The object to map: a new reference. [ENODEV] */
    int (*object)(struct file *, struct object **ret_object);
    /* Puts back the last `length` bytes that were read: the program's buffer was bad. [they are lost] */
    void (*unread)(struct file *, size_t length);
    /* Reserves or takes away space (fallocate); the range is a sane one. [ESPIPE, EISDIR, ENODEV by type] */
    int (*allocate)(struct file *, struct thread *, int mode, uint64_t offset, uint64_t length);
    void (*release)(struct file *); /* the last descriptor is gone */

    size_t record;       /* what is read and written are records of so many bytes; less is EINVAL. 0: bytes */
    bool fixed_position; /* lseek() succeeds and does nothing: eventfd and its relatives */
    bool empty_writes;   /* a write of no bytes is passed on: an empty datagram, say */
    bool ignores_data;   /* writes never look at the data: it may be NULL */
    bool no_splice_from; /* sendfile() and splice() cannot read from it */
    bool no_splice;      /* sendfile() and splice() cannot write to it */
};

struct epoll_item;

struct file {
    const struct file_ops *ops;
    struct kernel *kernel;
    unsigned references;
    uint64_t serial;    /* of all files that were ever opened: mappings of two openings do not merge */
    unsigned in_flight; /* of these: in messages on their way through sockets */
    int flags;          /* O_ACCMODE and status flags */
    uint64_t offset;
    int host;             /* host descriptor, or -1 */
    void *data;           /* the kind's own */
    char *path;           /* absolute path as opened, or a name like "pipe:[3]"; for /proc/PID/fd */
    int owner;            /* F_SETOWN: a process, or the negative number of a group */
    int signal;           /* F_SETSIG */
    bool owner_is_thread; /* F_SETOWN_EX */
    uint8_t output;       /* 1, 2: came to the machine as a standard output or error; else 0 */
    bool flocked;         /* flock() was used on it: lock.c */
    /* kernel->news as of the last news for readers, and for writers: for epoll; NULL: unknown. */
    const uint64_t *activity, *activity_out;
    LIST_HEAD(, epoll_item) watchers; /* epoll.c: who watches it */
};

struct file *file_create(struct kernel *, const struct file_ops *, int flags); /* NULL: no memory */
struct file *file_ref(struct file *);
void file_unref(struct file *);
/* Events that are ready now, also when the kind has no poll of its own; `sleeper` as in file_ops. */
short file_poll(struct file *, struct thread *sleeper, short events);
/* What the host says of f->host, for kinds that leave it to the host. If it cannot say, all of `events`: then
 * the caller finds out by trying. */
short file_poll_host(struct file *, struct thread *sleeper, short events);
/* Writes as the kind does, which must be able to; what goes to a standard output is an event besides. */
ssize_t file_write(struct file *, struct thread *, const void *from, size_t length, uint64_t *offset);
/* Where it is now: an absolute path (" (deleted)" behind it when it has none any more) or "pipe:[3]". Length
 * or -errno. */
ssize_t file_name(struct file *, char *to, size_t size);
/* 0, or why exec may not run it: -EACCES. */
int file_may_execute(struct file *);

/* ---- The file half of the kernel: kernel->inodes and kernel->terminal. kernel_create() and kernel_destroy()
 * call these; at the second one no process may be left. ---- */
int files_create(struct kernel *); /* 0 or -errno */
void files_destroy(struct kernel *);
/* Verifies the invariants of open files, descriptor tables, locks and inodes, between system calls. NULL, or
 * what is wrong. */
const char *files_check(struct kernel *);

/* ---- descriptor.c: the table of a process ---- */
struct descriptors *descriptors_create(void);
struct descriptors *descriptors_copy(const struct descriptors *); /* fork */
struct descriptors *descriptors_ref(struct descriptors *);        /* CLONE_FILES */
void descriptors_unref(struct descriptors *);
void descriptors_close_on_exec(struct descriptors *);
struct file *descriptor_file(struct process *, int fd); /* borrowed; NULL: EBADF */
/* Installs (takes over the reference) at the lowest free number >= from. The number, or -EMFILE. */
int descriptor_install(struct process *, struct file *, int from, bool close_on_exec);

/* ---- path.c ---- */
/* The host process's umask, and its working directory or, unless it is NULL, another one. 0 or -errno. */
int pathfs_create(const struct kernel *, const char *directory, struct pathfs **ret_fs);
struct pathfs *pathfs_copy(const struct pathfs *);
struct pathfs *pathfs_ref(struct pathfs *);
void pathfs_unref(struct pathfs *);

/* ---- open.c ---- */
enum { FILE_SLEEPS = INT_MIN }; /* SYS_SLEEP, as an int */
/* Opens a path on behalf of a process, as openat does, the machine's own /proc and /dev included. 0, -errno,
 * or FILE_SLEEPS (only a FIFO opened for writing). */
int file_open(struct thread *, int dirfd, const char *path, int flags, mode_t mode, struct file **ret_file);
/* The same with openat2's RESOLVE_* flags. */
int file_open_resolved(struct thread *, int dirfd, const char *path, int flags, mode_t mode, unsigned resolve,
                       struct file **ret_file);
/* The kernel's own use (exec): reads at an offset; never sleeps. */
ssize_t file_read_at(struct file *, void *to, size_t length, uint64_t offset);
/* Opens the standard descriptors, which are `streams` on the host (-1: none), and has those above 2 in common
 * with the process `from`; NULL: all that the host process was started with, which closes them for itself. */
int file_inherit(struct process *, const int streams[3], struct process *from);

#endif
