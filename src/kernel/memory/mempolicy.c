/* Memory policies of a machine with one node, 0: set_mempolicy, get_mempolicy, mbind, move_pages,
 * migrate_pages, set_mempolicy_home_node.
 *
 * A thread's policy is checked and remembered. Those of ranges (mbind) are checked only: all memory is on
 * node 0 whatever they say, and get_mempolicy(MPOL_F_ADDR) tells the default.
 *
 * Source: Linux 6.1 mm/mempolicy.c, mm/migrate.c. */
#include <errno.h>
#include <linux/capability.h>
#include <linux/mempolicy.h>
#include <stdlib.h>
#include <sys/syscall.h>

#include "base/base.h"
#include "kernel/condition.h"
#include "kernel/process/identity.h"
#include "kernel/syscall.h"

enum { NODES_MOST = 1024 }; /* bits that may be set in a mask, were there so many nodes */
#define MEMPOLICY_FLAGS (MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES | MPOL_F_NUMA_BALANCING)

/* Whether node 0, or any other, is in the program's mask. 0, -EINVAL or -EFAULT. */
static int nodes_read(struct thread *t, uint64_t at, uint64_t bits, bool *ret_zero, bool *ret_others) {
    uint64_t word;
    *ret_zero = *ret_others = false;
    bits--;
    if (bits == 0 || !at)
        return 0;
    if (bits > PAGE_SIZE * 8)
        return -EINVAL;
    for (uint64_t done = 0; done < bits; done += 64) {
        if (user_read(t->process->space, at + done / 8, &word, sizeof word) < 0)
            return -EFAULT;
        if (bits - done < 64)
            word &= (1ULL << (bits - done)) - 1;
        if (word && done >= NODES_MOST)
            return -EINVAL;
        *ret_zero |= done == 0 && (word & 1);
        *ret_others |= (done == 0 ? word & ~1ULL : word) != 0;
    }
    return 0;
}

/* Node 0 in the program's mask of so many bits; what lies beyond is cleared. */
static int nodes_write(struct thread *t, uint64_t at, uint64_t bits, uint64_t nodes) {
    uint64_t bytes = (bits - 1 + 63) / 64 * 8;
    if (bytes > PAGE_SIZE)
        return -EINVAL;
    if (bytes > sizeof nodes && user_zero(t->process->space, at + sizeof nodes, bytes - sizeof nodes) < 0)
        return -EFAULT;
    return bytes ? user_write(t->process->space, at, &nodes, sizeof nodes) : 0;
}

/* The policy that a mode and a mask name; *ret_mode is what get_mempolicy() tells of it. */
static int policy_check(uint32_t mode_and_flags, bool zero, bool others, uint32_t *ret_mode) {
    uint32_t flags = mode_and_flags & MEMPOLICY_FLAGS, mode = mode_and_flags & ~(uint32_t)MEMPOLICY_FLAGS;
    bool empty = !zero && !others;
    if (mode > MPOL_PREFERRED_MANY)
        return -EINVAL;
    if ((flags & MPOL_F_STATIC_NODES) && (flags & MPOL_F_RELATIVE_NODES))
        return -EINVAL;
    if ((flags & MPOL_F_NUMA_BALANCING) && mode != MPOL_BIND)
        return -EINVAL;
    *ret_mode = mode | flags;
    if (mode == MPOL_DEFAULT)
        return empty ? 0 : -EINVAL;
    if (mode == MPOL_LOCAL)
        return empty && !flags ? 0 : -EINVAL;
    if (mode == MPOL_PREFERRED && empty) {
        *ret_mode = MPOL_LOCAL;
        return flags & (MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES) ? -EINVAL : 0;
    }
    return zero || (flags & MPOL_F_RELATIVE_NODES && !empty) ? 0 : -EINVAL;
}

static long sys_set_mempolicy(struct thread *t, const uint64_t args[6]) {
    bool zero, others;
    uint32_t mode;
    uint32_t plain = (uint32_t)args[0] & ~(uint32_t)MEMPOLICY_FLAGS;
    int r = plain > MPOL_PREFERRED_MANY ? -EINVAL : nodes_read(t, args[1], args[2], &zero, &others);
    if (r == 0)
        r = policy_check((uint32_t)args[0], zero, others, &mode);
    if (r == 0)
        t->memory_policy = mode;
    return r;
}

static bool is_mapped(struct thread *t, uint64_t address) {
    struct mapping_view view;
    return space_next_mapping(t->process->space, address, false, &view) && view.start <= address;
}

/* What get_mempolicy() tells: the policy (or node) and the nodes. */
static int policy_tell(struct thread *t, uint64_t address, uint64_t flags, uint32_t *ret_policy,
                       uint64_t *ret_nodes) {
    uint32_t mode = t->memory_policy;
    *ret_policy = mode;
    *ret_nodes = mode == MPOL_DEFAULT || mode == MPOL_LOCAL ? 0 : 1;
    if (flags & ~(uint64_t)(MPOL_F_NODE | MPOL_F_ADDR | MPOL_F_MEMS_ALLOWED))
        return -EINVAL;
    if (flags & MPOL_F_MEMS_ALLOWED) {
        *ret_policy = MPOL_DEFAULT;
        *ret_nodes = 1;
        return flags & (MPOL_F_NODE | MPOL_F_ADDR) ? -EINVAL : 0;
    }
    if (flags & MPOL_F_ADDR) {
        if (!is_mapped(t, address))
            return -EFAULT;
        if (flags & MPOL_F_NODE) { /* where the page is: it is brought in for this */
            uint8_t byte;
            *ret_policy = 0;
            return user_read(t->process->space, address, &byte, 1) < 0 ? -EFAULT : 0;
        }
        return 0;
    }
    if (address)
        return -EINVAL;
    if (flags & MPOL_F_NODE) {
        *ret_policy = 0; /* the next node to take from */
        return (mode & ~(uint32_t)MEMPOLICY_FLAGS) == MPOL_INTERLEAVE ? 0 : -EINVAL;
    }
    return 0;
}

static long sys_get_mempolicy(struct thread *t, const uint64_t args[6]) {
    uint32_t policy;
    uint64_t nodes;
    if (args[1] && args[2] < 1)
        return -EINVAL;
    int r = policy_tell(t, args[3], args[4], &policy, &nodes);
    if (r == 0 && args[0])
        r = user_write(t->process->space, args[0], &policy, sizeof policy);
    if (r == 0 && args[1])
        r = nodes_write(t, args[1], args[2], nodes);
    return r;
}

static bool range_has_hole(struct thread *t, uint64_t start, uint64_t end) {
    struct mapping_view view;
    while (start < end) {
        if (!space_next_mapping(t->process->space, start, false, &view) || view.start > start)
            return true;
        start = view.end;
    }
    return false;
}

static long sys_mbind(struct thread *t, const uint64_t args[6]) {
    uint64_t start = args[0], length = page_round_up(args[1]), flags = (uint32_t)args[5];
    uint32_t mode, plain = (uint32_t)args[2] & ~(uint32_t)MEMPOLICY_FLAGS;
    bool zero, others;
    int r = plain > MPOL_PREFERRED_MANY ? -EINVAL : nodes_read(t, args[3], args[4], &zero, &others);
    if (r < 0)
        return r;
    if (flags & ~(uint64_t)(MPOL_MF_STRICT | MPOL_MF_MOVE | MPOL_MF_MOVE_ALL))
        return -EINVAL;
    if ((flags & MPOL_MF_MOVE_ALL) && !identity_capable(CAP_SYS_NICE))
        return -EPERM;
    if (start % PAGE_SIZE || start + length < start)
        return -EINVAL;
    if (length == 0)
        return 0;
    r = policy_check((uint32_t)args[2], zero, others, &mode);
    if (r < 0)
        return r;
    struct mapping_view view;
    bool any = space_next_mapping(t->process->space, start, false, &view) && view.start < start + length;
    return !any || (mode != MPOL_DEFAULT && range_has_hole(t, start, start + length)) ? -EFAULT : 0;
}

/* The node of a page, or -ENOENT (nothing is there now), -EFAULT (nothing can be). */
static int32_t page_node(struct space *space, uint64_t address) {
    unsigned char resident;
    struct mapping_view view;
    uint64_t page = address & ~(uint64_t)PAGE_MASK;
    if (!space_next_mapping(space, page, false, &view) || view.start > page)
        return -EFAULT;
    return space_mincore(space, page, 1, &resident) > 0 && (resident & 1) ? 0 : -ENOENT;
}

static long pages_tell(struct thread *t, struct space *space, const uint64_t args[6]) {
    condition_note_memory(t->process->kernel, "move_pages");
    for (uint64_t i = 0; i < args[1]; i++) {
        uint64_t address;
        int32_t node = 0;
        if (user_read(t->process->space, args[2] + i * sizeof address, &address, sizeof address) < 0 ||
            (args[3] && user_read(t->process->space, args[3] + i * sizeof node, &node, sizeof node) < 0))
            return -EFAULT;
        if (node != 0)
            return -ENODEV;
        node = page_node(space, address);
        if (user_write(t->process->space, args[4] + i * sizeof node, &node, sizeof node) < 0)
            return -EFAULT;
    }
    return 0;
}

static struct thread *policy_target(struct thread *t, uint64_t tid) {
    return (uint32_t)tid == 0 ? t : thread_find(t->process->kernel, (uint32_t)tid);
}

static long sys_move_pages(struct thread *t, const uint64_t args[6]) {
    uint64_t flags = (uint32_t)args[5];
    if (flags & ~(uint64_t)(MPOL_MF_MOVE | MPOL_MF_MOVE_ALL))
        return -EINVAL;
    if ((flags & MPOL_MF_MOVE_ALL) && !identity_capable(CAP_SYS_NICE))
        return -EPERM;
    const struct thread *of = policy_target(t, args[0]);
    return of ? pages_tell(t, of->process->space, args) : -ESRCH;
}

static long sys_migrate_pages(struct thread *t, const uint64_t args[6]) {
    bool zero, others, to_zero, to_others;
    int r = nodes_read(t, args[2], args[1], &zero, &others);
    if (r == 0)
        r = nodes_read(t, args[3], args[1], &to_zero, &to_others);
    if (r == 0 && !policy_target(t, args[0]))
        r = -ESRCH;
    return r < 0 ? r : to_zero ? 0 : -EINVAL;
}

/* No range has a policy of its own that a home node would be for. */
static long sys_set_mempolicy_home_node(struct thread *t, const uint64_t args[6]) {
    uint64_t length = page_round_up(args[1]);
    if (args[0] % PAGE_SIZE || args[3] || args[2] != 0 || args[0] + length < args[0])
        return -EINVAL;
    return length == 0 ? 0 : -ENOENT;
}

const struct syscall_entry syscalls_mempolicy[] = {
    {SYS_set_mempolicy, "set_mempolicy", sys_set_mempolicy},
    {SYS_get_mempolicy, "get_mempolicy", sys_get_mempolicy},
    {SYS_mbind, "mbind", sys_mbind},
    {SYS_move_pages, "move_pages", sys_move_pages},
    {SYS_migrate_pages, "migrate_pages", sys_migrate_pages},
    {450, "set_mempolicy_home_node", sys_set_mempolicy_home_node},
    {-1, NULL, NULL},
};
