/* User buffers of read, write and their relatives: a list of segments (struct iovec),
 * gone through in order. */
#ifndef KERNEL_TRANSFER_H
#define KERNEL_TRANSFER_H

#include <limits.h>
#include <sys/uio.h>

#include "kernel/process/process.h"

/* Bytes that go through host memory at once. */
enum { TRANSFER_PIECE = 65536 };

struct transfer {
    struct space *space; /* NULL: segments are memory of the machine's own */
    uint64_t left;       /* bytes to come */
    /* private */
    size_t count, at; /* segments; the current one */
    uint64_t skipped; /* bytes done of the current segment */
    struct iovec segments[IOV_MAX];
};

/* Whether the bytes lie below the end of what a program can address: Linux asks that first. */
bool transfer_in_user_space(uint64_t address, uint64_t length);
/* One buffer. As Linux, lengths are cut to a page less than 2 GiB. */
void transfer_set(struct transfer *, struct thread *, uint64_t address, uint64_t length);
/* The same for memory of the machine's own. */
void transfer_set_host(struct transfer *, void *memory, size_t length);
/* From a user's array of struct iovec. 0, -EINVAL or -EFAULT. */
int transfer_load(struct transfer *, struct thread *, uint64_t vector, uint64_t count);
/* Goes `length` (<= left) bytes on, without touching them. */
void transfer_skip(struct transfer *, uint64_t length);
/* Where it is now, to come back to. */
struct transfer_mark {
    size_t at;
    uint64_t skipped, left;
};
struct transfer_mark transfer_mark(const struct transfer *);
void transfer_go_to(struct transfer *, const struct transfer_mark *);
/* Copies and goes on by what was copied: less than `length` (<= left) when a page is not accessible, -EFAULT
 * when that is the first. */
ssize_t transfer_from_user(struct transfer *, void *to, size_t length);
ssize_t transfer_to_user(struct transfer *, const void *from, size_t length);
/* The address of the next byte, and how many bytes its segment has from there on. Call with bytes left. */
uint64_t transfer_address(struct transfer *);
size_t transfer_segment_left(struct transfer *);
/* 0, or -EFAULT when the next byte cannot be written; nothing is changed and nothing skipped. */
int transfer_probe(struct transfer *);

#endif
