/* The kinds of open files: how each is made. All return 0 or -errno; those that take a host descriptor take
 * it over on success only. `flags` are those of the open file description (O_ACCMODE and status flags). */
#ifndef KERNEL_KINDS_H
#define KERNEL_KINDS_H

#include "kernel/files/file.h"

/* open.c: the kind that fits what the host descriptor refers to. `inherited`: others outside the machine
 * share the open file description, so its offset is the host's and its flags stay as they are. */
int file_from_host(struct kernel *, int host, int flags, bool inherited, struct file **ret_file);

/* hostfile.c: regular files and block devices of the host */
int hostfile_create(struct kernel *, int host, int flags, bool inherited, struct file **ret_file);
/* hostfile_control.c: ioctl() on a file or directory of the host; -ENOTTY: not one of these */
long hostfile_control(struct file *, struct thread *, unsigned request, uint64_t argument);
/* stream.c: what has no position: pipes, FIFOs, terminals, sockets and other devices of the host */
int stream_create(struct kernel *, int host, int flags, bool inherited, struct file **ret_file);
/* stream.c: an inotify descriptor of the host */
int watcher_create(struct kernel *, int host, int flags, struct file **ret_file);
bool file_is_watcher(const struct file *);
/* directory.c: directories of the host, and anything opened with O_PATH */
int directory_create(struct kernel *, int host, int flags, struct file **ret_file);
int pathfile_create(struct kernel *, int host, int flags, struct file **ret_file);
/* boxdir.c: a directory as the sandbox shows it */
int boxdir_create(struct kernel *, int host, int flags, struct file **ret_file);
/* devices.c: /dev/null and its relatives; the kind, or NULL when the host's own device is to be used */
const struct file_ops *device_ops(const struct kernel *, const struct stat *);
/* socket.c: sockets of the host, which are non-blocking there */
int socket_create(struct kernel *, int host, int flags, struct file **ret_file);

int pipe_create(struct kernel *, int flags, struct file *ret_ends[2]);          /* pipe.c */
int pipe_reopen(struct file *, int flags, struct file **ret_file);              /* -ENXIO: not a pipe */
int pipe_size(struct file *);                                                   /* bytes; -EBADF */
int pipe_set_size(struct file *, uint64_t size);                                /* the same */
int eventfd_create(struct kernel *, uint64_t count, int flags, struct file **); /* eventfd.c */
int memfd_create_file(struct kernel *, const char *name, unsigned flags, struct file **); /* memfd.c */
int memfd_reopen(struct file *, int flags, struct file **ret_file); /* -ENXIO: not one of these */
int memfd_seals(struct file *);                                     /* bits, or -EINVAL */
int memfd_add_seals(struct file *, unsigned seals);
struct map_request;
/* What seals say to a mapping: 0, perhaps with less that it may come to do, or -EPERM. Any file. */
int memfd_may_map(struct file *, struct map_request *);

int signalfd_create_file(struct kernel *, uint64_t mask, int flags, struct file **); /* signalfd.c */
int signalfd_set_mask(struct file *, uint64_t mask); /* -EINVAL: not one of these */

struct itimerspec;
int timerfd_file_create(struct kernel *, int clock, int flags, struct file **); /* timerfd.c */
int timerfd_set(struct file *, int flags, const struct itimerspec *, struct itimerspec *ret_old);
int timerfd_get(struct file *, struct itimerspec *ret_now); /* -EINVAL: not a timer */

#endif
