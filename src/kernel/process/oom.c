/* The out-of-memory killer: when no frame can be had and swap is full, the process that holds the most memory
 * dies, by SIGKILL, with a message that says who and why. The machine and the others go on.
 *
 * Memory runs out deep inside a fault, where no address space may disappear: the victim's pages are given
 * back at once (space_reap), the process itself ends at its next turn. */
#include "kernel/process/oom.h"
#include "kernel/condition.h"

enum { OOM_EXEMPT = -1000 };

/* Pages, moved by what /proc/PID/oom_score_adj says. */
static int64_t oom_size(const struct kernel *k, const struct process *p) {
    struct space_counts counts;
    struct vm_counts all;
    space_get_counts(p->space, &counts);
    vm_get_counts(k->vm, &all);
    int64_t total = (int64_t)all.frames.total + (int64_t)all.swap.pages;
    return (int64_t)(counts.resident + counts.swapped) + total / 1000 * p->oom_adjustment;
}

static struct process *oom_largest(struct kernel *k) {
    struct process *p, *largest = NULL;
    int64_t most = 0;
    TAILQ_FOREACH(p, &k->processes, of_machine) {
        if (p->state != PROCESS_ALIVE || p->dying || !p->space || p->oom_adjustment == OOM_EXEMPT)
            continue;
        int64_t size = oom_size(k, p);
        if (!largest || size > most) {
            largest = p;
            most = size;
        }
    }
    return largest;
}

static void oom_report(struct kernel *k, const struct process *p, const struct space_counts *counts) {
    struct vm_counts vm;
    vm_get_counts(k->vm, &vm);
    kernel_report(k,
                  "out of memory: killed PID %u (%s): %lu pages resident, %lu in swap; the machine has "
                  "%u frames, %u of them free, and %lu swap pages, %lu of them free",
                  p->pid, p->comm, counts->resident, counts->swapped, vm.frames.total, vm.frames.free,
                  vm.swap.pages, vm.swap.pages - vm.swap.used);
}

/* Whoever shares the address space dies with it: else nothing would be freed. */
static void oom_kill_sharers(struct kernel *k, struct space *space) {
    struct process *p;
    TAILQ_FOREACH(p, &k->processes, of_machine)
        if (p->space == space)
            process_kill(p, SIGKILL);
    space_reap(space);
}

bool oom_choose(struct kernel *k) {
    struct space_counts counts;
    struct process *p = oom_largest(k);
    if (!p)
        return false;
    space_get_counts(p->space, &counts);
    oom_report(k, p, &counts);
    trace_emit(k->trace, EVENT_OOM, 0, p->pid, counts.resident, counts.swapped, 0, 0);
    k->summary.oom_kills++;
    condition_note(k, "out of memory");
    oom_kill_sharers(k, p->space);
    return true;
}
