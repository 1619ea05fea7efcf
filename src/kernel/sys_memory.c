/* Calls about memory. Each checks what only the kernel knows (descriptors, limits of the process) and hands
 * the rest to the address space: the semantics are vm/'s. */
#include <errno.h>
#include <fcntl.h>
#include <linux/membarrier.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "base/base.h"
#include "kernel/file.h"
#include "kernel/syscall.h"

static long sys_brk(struct thread *t, const uint64_t args[6]) {
    return (long)space_brk(t->process->space, args[0]);
}

/* ---- mmap ---- */

/* Whether the descriptor's mode allows such a mapping. */
static int map_check_mode(const struct file *file, const struct map_request *request) {
    int mode = file->flags & O_ACCMODE;
    bool shared = (request->flags & MAP_TYPE) != MAP_PRIVATE;
    if ((file->flags & O_PATH) || mode == O_WRONLY)
        return file->flags & O_PATH ? -EBADF : -EACCES;
    if (shared && (request->protection & PROT_WRITE) && mode != O_RDWR)
        return -EACCES;
    return 0;
}

static long map_file(struct thread *t, struct map_request *request, int fd, uint64_t *ret_address) {
    struct file *file = descriptor_file(t->process, fd);
    if (!file)
        return -EBADF;
    int r = map_check_mode(file, request);
    if (r == 0)
        r = file->ops->object ? file->ops->object(file, &request->object) : -ENODEV;
    if (r < 0)
        return r;
    bool shared = (request->flags & MAP_TYPE) != MAP_PRIVATE;
    request->may_write = !shared || (file->flags & O_ACCMODE) == O_RDWR;
    r = space_map(t->process->space, request, ret_address);
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
        .may_write = true,
    };
    uint64_t address;
    int type = request.flags & MAP_TYPE;
    if (args[1] == 0 || args[5] % PAGE_SIZE)
        return -EINVAL;
    if (type != MAP_SHARED && type != MAP_PRIVATE && type != MAP_SHARED_VALIDATE)
        return -EINVAL;
    if (request.flags & MAP_HUGETLB) /* there is no pool of huge pages */
        return -ENOMEM;
    long r;
    if (request.flags & MAP_ANONYMOUS) {
        request.offset = 0;
        r = space_map(t->process->space, &request, &address);
    } else {
        r = map_file(t, &request, (int)args[4], &address);
    }
    return r < 0 ? r : (long)address;
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
    return space_advise(t->process->space, args[0], args[1], (int)args[2]);
}

static long sys_msync(struct thread *t, const uint64_t args[6]) {
    return space_sync(t->process->space, args[0], args[1], (int)args[2]);
}

/* In pieces, so that a length from the program does not decide how much memory we take. */
static long sys_mincore(struct thread *t, const uint64_t args[6]) {
    enum { PAGES_AT_ONCE = 4096 };
    struct space *space = t->process->space;
    uint64_t address = args[0], length = page_round_up(args[1]), vector_at = args[2];
    if (address % PAGE_SIZE)
        return -EINVAL;
    if (length < args[1] || address >= USER_END || length > USER_END - address)
        return -ENOMEM;
    unsigned char *vector = malloc(PAGES_AT_ONCE);
    int r = vector ? 0 : -EAGAIN;
    while (r == 0 && length > 0) {
        uint64_t pages = min_u64(length / PAGE_SIZE, PAGES_AT_ONCE);
        r = space_mincore(space, address, pages * PAGE_SIZE, vector);
        if (r == 0)
            r = user_write(space, vector_at, vector, pages);
        address += pages * PAGE_SIZE;
        length -= pages * PAGE_SIZE;
        vector_at += pages;
    }
    free(vector);
    return r;
}

/* ---- locking: pages stay evictable here (a machine of nine frames must go on), the books are kept ---- */

static long sys_mlock(struct thread *t, const uint64_t args[6]) {
    return space_lock(t->process->space, args[0], args[1], true);
}

static long sys_mlock2(struct thread *t, const uint64_t args[6]) {
    return args[2] & ~(uint64_t)MLOCK_ONFAULT ? -EINVAL
                                              : space_lock(t->process->space, args[0], args[1], true);
}

static long sys_munlock(struct thread *t, const uint64_t args[6]) {
    return space_lock(t->process->space, args[0], args[1], false);
}

static long map_lock_all(struct space *space, bool lock) {
    struct mapping_view view;
    for (uint64_t at = 0; space_next_mapping(space, at, false, &view); at = view.end) {
        int r = space_lock(space, view.start, view.end - view.start, lock);
        if (r < 0)
            return r;
    }
    return 0;
}

static long sys_mlockall(struct thread *t, const uint64_t args[6]) {
    uint64_t flags = args[0];
    if (flags == 0 || flags == MCL_ONFAULT || (flags & ~(uint64_t)(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)))
        return -EINVAL;
    return flags & MCL_CURRENT ? map_lock_all(t->process->space, true) : 0;
}

static long sys_munlockall(struct thread *t, const uint64_t args[6]) {
    return map_lock_all(t->process->space, false);
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
    {SYS_madvise, "madvise", sys_madvise},
    {SYS_msync, "msync", sys_msync},
    {SYS_mincore, "mincore", sys_mincore},
    {SYS_mlock, "mlock", sys_mlock},
    {SYS_mlock2, "mlock2", sys_mlock2},
    {SYS_munlock, "munlock", sys_munlock},
    {SYS_mlockall, "mlockall", sys_mlockall},
    {SYS_munlockall, "munlockall", sys_munlockall},
    {-1, NULL, NULL},
};
