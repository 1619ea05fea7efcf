/* Robust lists: the locks that a thread holds when it ends, so that others can learn of it (EOWNERDEAD). The
 * list is the program's own memory, and may be anything.
 *
 * Source: Linux 6.1 kernel/futex/core.c, exit_robust_list(). */
#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>

#include "kernel/futex/futex.h"
#include "kernel/syscall.h"

/* A lock at `address`, marked as priority-inheriting or not. */
static void robust_release(struct thread *t, uint64_t address, bool pi, bool pending) {
    struct space *s = t->process->space;
    uint32_t word;
    if (address % sizeof word || user_read(s, address, &word, sizeof word) < 0)
        return;
    if (pending && !pi && word == 0) { /* it was unlocking, and had not yet woken anybody */
        futex_wake_all_keys(t, address, 1);
        return;
    }
    if ((word & FUTEX_TID_MASK) != t->tid)
        return;
    uint32_t dead = (word & FUTEX_WAITERS) | FUTEX_OWNER_DIED;
    if (user_write(s, address, &dead, sizeof dead) == 0 && !pi && (word & FUTEX_WAITERS))
        futex_wake_all_keys(t, address, 1);
}

void futex_release_robust(struct thread *t) {
    struct robust_list_head head;
    struct space *s = t->process->space;
    if (!t->robust_list || !s || user_read(s, t->robust_list, &head, sizeof head) < 0)
        return;
    uint64_t entry = (uint64_t)head.list.next, offset = (uint64_t)head.futex_offset;
    uint64_t pending = (uint64_t)head.list_op_pending;
    /* the list may be circular */
    for (int i = 0; i < ROBUST_LIST_LIMIT && (entry & ~1ULL) != t->robust_list; i++) {
        uint64_t next;
        int r = user_read(s, entry & ~1ULL, &next, sizeof next);
        if ((entry & ~1ULL) != (pending & ~1ULL))
            robust_release(t, (entry & ~1ULL) + offset, entry & 1, false);
        if (r < 0)
            return;
        entry = next;
    }
    if (pending)
        robust_release(t, (pending & ~1ULL) + offset, pending & 1, true);
}

static long sys_set_robust_list(struct thread *t, const uint64_t args[6]) {
    if (args[1] != sizeof(struct robust_list_head))
        return -EINVAL;
    t->robust_list = args[0];
    return 0;
}

static long sys_get_robust_list(struct thread *t, const uint64_t args[6]) {
    struct thread *of = (uint32_t)args[0] ? thread_find(t->process->kernel, (uint32_t)args[0]) : t;
    uint64_t length = sizeof(struct robust_list_head);
    if (!of)
        return -ESRCH;
    if (user_write(t->process->space, args[2], &length, sizeof length) < 0 ||
        user_write(t->process->space, args[1], &of->robust_list, sizeof of->robust_list) < 0)
        return -EFAULT;
    return 0;
}

const struct syscall_entry syscalls_robust[] = {
    {SYS_set_robust_list, "set_robust_list", sys_set_robust_list},
    {SYS_get_robust_list, "get_robust_list", sys_get_robust_list},
    {-1, NULL, NULL},
};
