/* Pipes between processes of the machine, for those who move bytes inside the kernel: splice and its
 * relatives.
 *
 * As in Linux, a pipe is a ring of buffers of at most a page each. A write adds to the last one if all of its
 * odd bytes fit there, and takes new ones for the rest; a pipe is full when every slot has a buffer, however
 * few bytes that may hold. */
#ifndef KERNEL_PIPE_H
#define KERNEL_PIPE_H

#include "kernel/files/file.h"

struct pipe_buffer {
    char *page;
    unsigned offset, length; /* bytes that are left */
    bool packet;             /* O_DIRECT: is read on its own */
    bool merges;             /* the next write may add to it */
};

struct pipe {
    struct kernel *kernel;
    uint64_t serial;
    uint64_t activity_in, activity_out; /* kernel->news as of the last news for readers, for writers */
    unsigned readers, writers;          /* open file descriptions */
    unsigned slots, head, used;         /* buffers that it can have; the first; those in use */
    struct pipe_buffer *ring;
};

struct pipe *pipe_of(const struct file *); /* NULL: not a pipe of the machine */

static inline bool pipe_is_full(const struct pipe *pipe) {
    return pipe->used >= pipe->slots;
}
/* The n-th buffer in use. */
static inline struct pipe_buffer *pipe_buffer(const struct pipe *pipe, unsigned n) {
    return &pipe->ring[(pipe->head + n) % pipe->slots];
}

/* Adds a buffer of its own with at most a page of bytes; the pipe is not full. 0 or -ENOMEM. */
int pipe_put(struct pipe *, const void *bytes, size_t length);
/* The first `length` bytes of the first buffer are done with. */
void pipe_drop(struct pipe *, size_t length);
/* The caller waits for a change of the pipe: SYS_SLEEP, or -EAGAIN if `at_once`. */
long pipe_sleep(const struct pipe *, struct thread *, bool at_once);
/* Nobody reads: SIGPIPE and -EPIPE. */
int pipe_broken(struct thread *);

/* sys_splice.c: bytes from a file, which can be read, at *offset (which goes on) to a pipe, as long as there
 * is room; waits only for the first. Bytes, 0 at the end, -errno or SYS_SLEEP. */
long pipe_fill_from(struct pipe *, struct thread *, struct file *from, uint64_t *offset, size_t length,
                    bool at_once);

#endif
