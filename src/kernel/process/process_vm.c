/* process_vm_readv() and process_vm_writev(): memory of another process, as the caller's own; and kcmp(),
 * which tells what two processes have in common.
 *
 * Source: Linux 6.1 mm/process_vm_access.c, kernel/kcmp.c. What is done is done page by page of the other
 * process's memory, so a fault in the middle leaves a partial result. */
#include <errno.h>
#include <linux/kcmp.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "base/alloc.h"
#include "base/base.h"
#include "kernel/files/file.h"
#include "kernel/syscall.h"

enum { VM_VECTOR_MAX = 1024 };

/* A position in a vector of ranges. */
struct vm_vector {
    struct iovec *ranges; /* malloc'd */
    uint64_t count, index, done, total;
};

/* 0, -EINVAL (too many ranges, or too much), -EFAULT or -ENOMEM. Only the caller's own ranges are checked. */
static int vector_read(struct thread *t, uint64_t at, uint64_t count, bool own, struct vm_vector *ret) {
    *ret = (struct vm_vector){.count = count};
    if (count > VM_VECTOR_MAX)
        return -EINVAL;
    ret->ranges = inject_malloc(t->process->kernel->config.inject, (count + 1) * sizeof ret->ranges[0]);
    if (!ret->ranges)
        return -ENOMEM;
    if (count && user_read(t->process->space, at, ret->ranges, count * sizeof ret->ranges[0]) < 0)
        return -EFAULT;
    for (uint64_t i = 0; i < count; i++) {
        struct iovec *range = &ret->ranges[i];
        uint64_t address = (uint64_t)(uintptr_t)range->iov_base;
        if (range->iov_len > INT64_MAX)
            return -EINVAL;
        if (own && (address > USER_END || range->iov_len > USER_END - address))
            return -EFAULT;
        range->iov_len = min_u64(range->iov_len, INT32_MAX / PAGE_SIZE * PAGE_SIZE - (own ? ret->total : 0));
        ret->total += range->iov_len;
    }
    return 0;
}

/* The bytes that lie together at the position. 0: it is at its end. */
static uint64_t vector_at(struct vm_vector *v, uint64_t *ret_address) {
    while (v->index < v->count && v->done == v->ranges[v->index].iov_len) {
        v->index++;
        v->done = 0;
    }
    if (v->index == v->count)
        return 0;
    *ret_address = (uint64_t)(uintptr_t)v->ranges[v->index].iov_base + v->done;
    return v->ranges[v->index].iov_len - v->done;
}

/* Copies until one of the vectors ends. Bytes, or -EFAULT if there are none. */
static long vectors_copy(struct space *own, struct vm_vector *local, struct space *other,
                         struct vm_vector *remote, bool write) {
    uint8_t bytes[PAGE_SIZE];
    uint64_t to, from, done = 0, here, there;
    while ((there = vector_at(remote, &from)) && (here = vector_at(local, &to))) {
        size_t n = min_u64(min_u64(there, here), PAGE_SIZE - from % PAGE_SIZE);
        struct space *source = write ? own : other, *target = write ? other : own;
        uint64_t read_at = write ? to : from, write_at = write ? from : to;
        ssize_t got = user_read_some(source, read_at, bytes, n);
        ssize_t put = got > 0 ? user_write_some(target, write_at, bytes, (size_t)got) : -EFAULT;
        if (put > 0) {
            local->done += (uint64_t)put;
            remote->done += (uint64_t)put;
            done += (uint64_t)put;
        }
        if (put != (ssize_t)n)
            return done ? (long)done : -EFAULT;
    }
    return (long)done;
}

static long vm_transfer(struct thread *t, const uint64_t args[6], bool write) {
    struct vm_vector local = {0}, remote = {0};
    long r = args[5] ? -EINVAL : vector_read(t, args[1], args[2], true, &local);
    if (r == 0 && local.total)
        r = vector_read(t, args[3], args[4], false, &remote);
    if (r == 0 && local.total && remote.total) {
        const struct thread *other = thread_find(t->process->kernel, (uint32_t)args[0]);
        if (!other || !other->process->space)
            r = -ESRCH;
        else if (!process_may_inspect(t->process, other->process))
            r = -EPERM;
        else
            r = vectors_copy(t->process->space, &local, other->process->space, &remote, write);
    }
    free(local.ranges);
    free(remote.ranges);
    return r;
}

static long sys_process_vm_readv(struct thread *t, const uint64_t args[6]) {
    return vm_transfer(t, args, false);
}

static long sys_process_vm_writev(struct thread *t, const uint64_t args[6]) {
    return vm_transfer(t, args, true);
}

/* ---- kcmp ---- */

/* 0: the same; 1, 2: an order that stays; what it goes by is nobody's business. */
static long kcmp_order(const void *a, const void *b) {
    return a == b ? 0 : (uintptr_t)a < (uintptr_t)b ? 1 : 2;
}

static long kcmp_files(const struct process *a, uint64_t a_fd, const struct process *b, uint64_t b_fd) {
    const struct file *a_file = descriptor_file((struct process *)a, (int)a_fd);
    const struct file *b_file = descriptor_file((struct process *)b, (int)b_fd);
    return a_file && b_file ? kcmp_order(a_file, b_file) : -EBADF;
}

static long sys_kcmp(struct thread *t, const uint64_t args[6]) {
    const struct thread *first = thread_find(t->process->kernel, (uint32_t)args[0]);
    const struct thread *second = thread_find(t->process->kernel, (uint32_t)args[1]);
    if (!first || !second)
        return -ESRCH;
    const struct process *a = first->process, *b = second->process;
    if (!process_may_inspect(t->process, a) || !process_may_inspect(t->process, b))
        return -EPERM;
    switch ((int)args[2]) {
    case KCMP_FILE: return kcmp_files(a, args[3], b, args[4]);
    case KCMP_VM: return kcmp_order(a->space, b->space);
    case KCMP_FILES: return kcmp_order(a->descriptors, b->descriptors);
    case KCMP_FS: return kcmp_order(a->fs, b->fs);
    case KCMP_SIGHAND:
    case KCMP_SYSVSEM: return kcmp_order(a, b);
    case KCMP_IO: return 0; /* nobody has an I/O context */
    default: return -EINVAL;
    }
}

const struct syscall_entry syscalls_process_vm[] = {
    {SYS_process_vm_readv, "process_vm_readv", sys_process_vm_readv},
    {SYS_process_vm_writev, "process_vm_writev", sys_process_vm_writev},
    {SYS_kcmp, "kcmp", sys_kcmp},
    {-1, NULL, NULL},
};
