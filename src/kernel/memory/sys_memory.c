/* Calls about memory. Each checks what only the kernel knows (descriptors, limits of the process) and hands
 * the rest to the address space: the semantics are vm/'s. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <linux/membarrier.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/base.h"
#include "kernel/condition.h"
#include "kernel/files/transfer.h"
#include "kernel/kinds.h"
#include "kernel/memory/memory.h"
#include "kernel/process/identity.h"
#include "kernel/process/pidfd.h"
#include "kernel/syscall.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

static long sys_brk(struct thread *t, const uint64_t args[6]) {
    return (long)space_brk(t->process->space, args[0]);
}

/* ---- mmap ---- */

/* Whether Linux takes the file for one of a file system whose files may not be executed: mounted so, or one
 * of its own. Files without the host's are of its own ones; memory files alone can be executed. */
static bool map_is_no_exec(const struct file *file) {
    static const unsigned long never[] = {PROC_SUPER_MAGIC, SYSFS_MAGIC, PIPEFS_MAGIC, SOCKFS_MAGIC,
                                          ANON_INODE_FS_MAGIC};
    struct statfs status;
    if (file->host < 0)
        return !file->ops->object;
    if (fstatfs(file->host, &status) < 0)
        return false;
    for (size_t i = 0; i < ARRAY_LENGTH(never); i++)
        if ((unsigned long)status.f_type == never[i])
            return true;
    return status.f_flags & ST_NOEXEC;
}

/* The file's part of the request. What is wrong with it is told by the address space, in Linux's order. */
static int map_describe_file(struct file *file, struct map_request *request) {
    const int mode = file->flags & O_ACCMODE;
    request->opened = file->serial;
    request->no_read = mode == O_WRONLY;
    request->may_write = mode == O_RDWR;
    request->no_exec = map_is_no_exec(file);
    if (!file->ops->object)
        return -ENODEV;
    const int r = file->ops->object(file, &request->object);
    return r ? r : memfd_may_map(file, request);
}

/* There is no pool of huge pages: a request without a mistake finds no memory. */
static int map_check_huge(const struct map_request *request) {
    const int shift = request->flags >> MAP_HUGE_SHIFT & MAP_HUGE_MASK, type = request->flags & MAP_TYPE;
    const bool known = shift == 0 || shift == 21 || shift == 30;
    if (!known || request->length == 0 || (type != MAP_SHARED && type != MAP_PRIVATE))
        return -EINVAL;
    return -ENOMEM;
}

static long map_file(struct thread *t, struct map_request *request, int fd, uint64_t *ret_address) {
    struct file *file = descriptor_file(t->process, fd);
    if (!file || file->flags & O_PATH)
        return -EBADF;
    if (request->flags & MAP_HUGETLB)
        return -EINVAL;
    request->object_error = map_describe_file(file, request);
    const int r = space_map(t->process->space, request, ret_address);
    if (request->object)
        object_unref(request->object);
    return r;
}

static long sys_mmap(struct thread *t, const uint64_t args[6]) {
    struct map_request request = {
        .address = args[0],
        .length = args[1],
        .protection = (int)args[2],
        .flags = (int)args[3],
        .offset = args[5],
    };
    uint64_t address;
    long r;
    if (args[5] % PAGE_SIZE)
        return -EINVAL;
    if (!(request.flags & MAP_ANONYMOUS))
        r = map_file(t, &request, (int)args[4], &address);
    else if (request.flags & MAP_HUGETLB)
        r = map_check_huge(&request);
    else
        r = space_map(t->process->space, &request, &address);
    return r < 0 ? r : (long)address;
}

static long sys_remap_file_pages(struct thread *t, const uint64_t args[6]) {
    return space_map_again(t->process->space, args[0], args[1], (int)args[2], args[3], (int)args[4]);
}

static long sys_munmap(struct thread *t, const uint64_t args[6]) {
    return space_unmap(t->process->space, args[0], args[1]);
}

static long sys_mprotect(struct thread *t, const uint64_t args[6]) {
    return space_protect(t->process->space, args[0], args[1], (int)args[2]);
}

/* Without memory protection keys there is only the call's plain form. */
static long sys_pkey_mprotect(struct thread *t, const uint64_t args[6]) {
    return (int)args[3] == -1 ? sys_mprotect(t, args) : -EINVAL;
}

/* There are no keys to be had: as on a processor without them. */
static long sys_pkey_alloc(struct thread *t, const uint64_t args[6]) {
    return args[0] || (args[1] & ~(uint64_t)(PKEY_DISABLE_ACCESS | PKEY_DISABLE_WRITE)) ? -EINVAL : -ENOSPC;
}

static long sys_pkey_free(struct thread *t, const uint64_t args[6]) {
    return -EINVAL;
}

/* One CPU runs one thread at a time: every store is visible to whoever runs next. */
static long sys_membarrier(struct thread *t, const uint64_t args[6]) {
    const uint64_t known = MEMBARRIER_CMD_GLOBAL | MEMBARRIER_CMD_GLOBAL_EXPEDITED |
                           MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED | MEMBARRIER_CMD_PRIVATE_EXPEDITED |
                           MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED;
    uint64_t command = (uint32_t)args[0];
    if (args[1])
        return -EINVAL;
    if (command == MEMBARRIER_CMD_QUERY)
        return (long)known;
    return (command & known) && !(command & (command - 1)) ? 0 : -EINVAL;
}

static long sys_mremap(struct thread *t, const uint64_t args[6]) {
    uint64_t address;
    int r = space_remap(t->process->space, args[0], args[1], args[2], (int)args[3], args[4], &address);
    return r < 0 ? r : (long)address;
}

static long sys_madvise(struct thread *t, const uint64_t args[6]) {
    if ((int)args[2] == MADV_FREE) /* what is lost depends on what was evicted */
        condition_note(t->process->kernel, "MADV_FREE");
    return space_advise(t->process->space, args[0], args[1], (int)args[2]);
}

/* What may be advised about another's memory: nothing that changes it. */
static bool advice_is_for_others(int advice) {
    return advice == MADV_COLD || advice == MADV_PAGEOUT || advice == MADV_WILLNEED ||
           advice == MADV_COLLAPSE;
}

/* Whether the thread may advise about memory of the process. 0, -ESRCH (it has none any more), -EACCES,
 * -EINVAL or -EPERM. */
static int advice_is_allowed(const struct thread *t, const struct process *p, int advice) {
    if (!p || !p->space)
        return -ESRCH;
    if (!process_may_inspect(t->process, p))
        return -EACCES;
    if (p->space == t->process->space)
        return 0;
    if (!advice_is_for_others(advice))
        return -EINVAL;
    return identity_capable(CAP_SYS_NICE) ? 0 : -EPERM;
}

/* Range by range up to the first error. Bytes, or the error if it is the first's. */
static long advise_ranges(struct space *space, struct transfer *ranges, int advice) {
    uint64_t done = 0;
    for (size_t i = 0; done < ranges->left; i++) {
        const struct iovec *range = &ranges->segments[i];
        const int r = space_advise(space, (uint64_t)range->iov_base, range->iov_len, advice);
        if (r < 0)
            return done ? (long)done : r;
        done += range->iov_len;
    }
    return (long)done;
}

static long sys_process_madvise(struct thread *t, const uint64_t args[6]) {
    const int advice = (int)args[3];
    struct transfer ranges;
    struct process *p = NULL;
    if ((uint32_t)args[4])
        return -EINVAL;
    int r = transfer_load(&ranges, t, args[1], args[2]);
    if (r < 0)
        return r;
    struct file *file = descriptor_file(t->process, (int)args[0]);
    r = file ? pidfd_process(file, &p) : -EBADF;
    if (r == 0)
        r = advice_is_allowed(t, p, advice);
    return r < 0 ? r : advise_ranges(p->space, &ranges, advice);
}

static long sys_msync(struct thread *t, const uint64_t args[6]) {
    return space_sync(t->process->space, args[0], args[1], (int)args[2]);
}

/* Mapping by mapping, so that what comes before a hole is told; and in pieces, so that a length from the
 * program does not decide how much memory we take. */
static long sys_mincore(struct thread *t, const uint64_t args[6]) {
    enum { PAGES_AT_ONCE = 1024 };
    struct space *space = t->process->space;
    uint64_t address = args[0], vector_at = args[2];
    uint64_t pages = args[1] / PAGE_SIZE + (args[1] % PAGE_SIZE != 0);
    unsigned char vector[PAGES_AT_ONCE];
    if (address % PAGE_SIZE)
        return -EINVAL;
    condition_note_memory(t->process->kernel, "mincore");
    if (address > USER_END || args[1] > USER_END - address)
        return -ENOMEM;
    if (vector_at > USER_END || pages > USER_END - vector_at)
        return -EFAULT;
    while (pages > 0) {
        ssize_t done = space_mincore(space, address, min_u64(pages, PAGES_AT_ONCE), vector);
        int r = done < 0 ? (int)done : user_write(space, vector_at, vector, (size_t)done);
        if (r < 0)
            return r;
        address += (uint64_t)done * PAGE_SIZE;
        vector_at += (uint64_t)done;
        pages -= (uint64_t)done;
    }
    return 0;
}

/* ---- locking ---- */

static long sys_mlock(struct thread *t, const uint64_t args[6]) {
    return space_lock(t->process->space, args[0], args[1], false);
}

static long sys_mlock2(struct thread *t, const uint64_t args[6]) {
    if ((int)args[2] & ~MLOCK_ONFAULT)
        return -EINVAL;
    return space_lock(t->process->space, args[0], args[1], (int)args[2] & MLOCK_ONFAULT);
}

static long sys_munlock(struct thread *t, const uint64_t args[6]) {
    return space_unlock(t->process->space, args[0], args[1]);
}

static long sys_mlockall(struct thread *t, const uint64_t args[6]) {
    return space_lock_all(t->process->space, (int)args[0]);
}

static long sys_munlockall(struct thread *t, const uint64_t args[6]) {
    space_unlock_all(t->process->space);
    return 0;
}

/* ---- limits ---- */

void memory_set_limits(const struct process *p, struct space *space) {
    const struct rlimit *limits = p->limits;
    const struct space_limits of_space = {
        .address_space = limits[RLIMIT_AS].rlim_cur,
        .data = limits[RLIMIT_DATA].rlim_cur,
        .data_hard = limits[RLIMIT_DATA].rlim_max,
        .stack = limits[RLIMIT_STACK].rlim_cur,
        .locked = identity_capable(CAP_IPC_LOCK) ? RLIM_INFINITY : limits[RLIMIT_MEMLOCK].rlim_cur,
        .lowest = identity_capable(CAP_SYS_RAWIO) ? 0 : MEMORY_LOWEST_ADDRESS,
    };
    space_set_limits(space, &of_space);
}

const struct syscall_entry syscalls_memory[] = {
    {SYS_brk, "brk", sys_brk},
    {SYS_mmap, "mmap", sys_mmap},
    {SYS_munmap, "munmap", sys_munmap},
    {SYS_mprotect, "mprotect", sys_mprotect},
    {SYS_pkey_mprotect, "pkey_mprotect", sys_pkey_mprotect},
    {SYS_pkey_alloc, "pkey_alloc", sys_pkey_alloc},
    {SYS_pkey_free, "pkey_free", sys_pkey_free},
    {SYS_membarrier, "membarrier", sys_membarrier},
    {SYS_mremap, "mremap", sys_mremap},
    {SYS_remap_file_pages, "remap_file_pages", sys_remap_file_pages},
    {SYS_madvise, "madvise", sys_madvise},
    {SYS_process_madvise, "process_madvise", sys_process_madvise},
    {SYS_msync, "msync", sys_msync},
    {SYS_mincore, "mincore", sys_mincore},
    {SYS_mlock, "mlock", sys_mlock},
    {SYS_mlock2, "mlock2", sys_mlock2},
    {SYS_munlock, "munlock", sys_munlock},
    {SYS_mlockall, "mlockall", sys_mlockall},
    {SYS_munlockall, "munlockall", sys_munlockall},
    {-1, NULL, NULL},
};
