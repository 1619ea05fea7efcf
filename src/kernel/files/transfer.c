/* User buffers: see transfer.h. */
#include "kernel/files/transfer.h"

#include <errno.h>
#include <string.h>

#include "base/base.h"

enum { TRANSFER_MAX = 0x7ffff000 }; /* bytes of one call, as Linux's MAX_RW_COUNT */

bool transfer_in_user_space(uint64_t address, uint64_t length) {
    return length <= USER_END && address <= USER_END - length;
}

void transfer_set(struct transfer *x, struct thread *t, uint64_t address, uint64_t length) {
    x->space = t->process->space;
    x->left = min_u64(length, TRANSFER_MAX);
    x->count = 1;
    x->at = 0;
    x->skipped = 0;
    x->segments[0] = (struct iovec){.iov_base = (void *)address, .iov_len = x->left};
}

void transfer_set_host(struct transfer *x, void *memory, size_t length) {
    x->space = NULL;
    x->left = length;
    x->count = 1;
    x->at = 0;
    x->skipped = 0;
    x->segments[0] = (struct iovec){.iov_base = memory, .iov_len = length};
}

int transfer_load(struct transfer *x, struct thread *t, uint64_t vector, uint64_t count) {
    x->space = t->process->space;
    x->left = 0;
    x->count = count;
    x->at = 0;
    x->skipped = 0;
    if (count > IOV_MAX)
        return -EINVAL;
    int r = user_read(x->space, vector, x->segments, count * sizeof(x->segments[0]));
    if (r < 0)
        return r;
    for (size_t i = 0; i < count; i++) {
        if ((ssize_t)x->segments[i].iov_len < 0)
            return -EINVAL;
    }
    for (size_t i = 0; i < count; i++) {
        struct iovec *segment = &x->segments[i];
        if (!transfer_in_user_space((uint64_t)segment->iov_base, segment->iov_len))
            return -EFAULT;
        segment->iov_len = min_u64(segment->iov_len, TRANSFER_MAX - x->left);
        x->left += segment->iov_len;
    }
    return 0;
}

/* What is left of the current segment; passes empty ones. Call only with bytes left. */
static uint64_t transfer_segment(struct transfer *x, uint64_t *ret_address) {
    while (x->skipped == x->segments[x->at].iov_len) {
        x->at++;
        x->skipped = 0;
    }
    *ret_address = (uint64_t)x->segments[x->at].iov_base + x->skipped;
    return x->segments[x->at].iov_len - x->skipped;
}

uint64_t transfer_address(struct transfer *x) {
    uint64_t address;
    transfer_segment(x, &address);
    return address;
}

size_t transfer_segment_left(struct transfer *x) {
    uint64_t address;
    return transfer_segment(x, &address);
}

void transfer_skip(struct transfer *x, uint64_t length) {
    uint64_t address;
    x->left -= length;
    while (length) {
        uint64_t n = min_u64(length, transfer_segment(x, &address));
        x->skipped += n;
        length -= n;
    }
}

struct transfer_mark transfer_mark(const struct transfer *x) {
    return (struct transfer_mark){.at = x->at, .skipped = x->skipped, .left = x->left};
}

void transfer_go_to(struct transfer *x, const struct transfer_mark *mark) {
    x->at = mark->at;
    x->skipped = mark->skipped;
    x->left = mark->left;
}

static ssize_t transfer_piece(const struct transfer *x, uint64_t address, char *bytes, size_t n,
                              bool to_user) {
    if (!x->space) {
        void *own = (void *)address;
        memcpy(to_user ? own : bytes, to_user ? bytes : own, n);
        return (ssize_t)n;
    }
    return to_user ? user_write_some(x->space, address, bytes, n)
                   : user_read_some(x->space, address, bytes, n);
}

static ssize_t transfer_copy(struct transfer *x, void *buffer, size_t length, bool to_user) {
    size_t done = 0;
    while (done < length) {
        uint64_t address;
        size_t n = min_u64(length - done, transfer_segment(x, &address));
        char *bytes = (char *)buffer + done;
        ssize_t r = transfer_piece(x, address, bytes, n, to_user);
        if (r > 0) {
            done += (size_t)r;
            x->skipped += (size_t)r;
            x->left -= (size_t)r;
        }
        if (r < (ssize_t)n)
            return done ? (ssize_t)done : -EFAULT;
    }
    return (ssize_t)done;
}

ssize_t transfer_from_user(struct transfer *x, void *to, size_t length) {
    return transfer_copy(x, to, length, false);
}

ssize_t transfer_to_user(struct transfer *x, const void *from, size_t length) {
    return transfer_copy(x, (void *)from, length, true);
}

int transfer_probe(struct transfer *x) {
    uint64_t address;
    char byte;
    if (!x->left || !x->space)
        return 0;
    transfer_segment(x, &address);
    int r = user_read(x->space, address, &byte, 1);
    return r < 0 ? r : user_write(x->space, address, &byte, 1);
}
