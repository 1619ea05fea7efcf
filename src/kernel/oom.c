/* The out-of-memory killer: when no frame can be had and swap is full, the process that holds the most memory
 * dies, by SIGKILL, with a message that says who and why. The machine and the others go on.
 *
 * Choosing and ending are apart: memory runs out deep inside a fault, where no address space may disappear.
 * So oom_choose() only marks; the victim ends where the fault began (kernel_fault) or at its next turn. */
#include "kernel/oom.h"

#include "kernel/thread.h"

static uint64_t oom_size(const struct process *p) {
    struct space_counts counts;
    space_get_counts(p->space, &counts);
    return counts.resident + counts.swapped;
}

static struct process *oom_largest(struct kernel *k) {
    struct process *p, *largest = NULL;
    uint64_t most = 0;
    TAILQ_FOREACH(p, &k->processes, of_machine) {
        if (p->state != PROCESS_ALIVE || p->dying || !p->space)
            continue;
        uint64_t size = oom_size(p);
        if (!largest || size > most) {
            largest = p;
            most = size;
        }
    }
    return largest;
}

static bool oom_is_under_way(struct kernel *k) {
    struct process *p;
    TAILQ_FOREACH(p, &k->processes, of_machine)
    if (p->state == PROCESS_ALIVE && p->dying)
        return true;
    return false;
}

static void oom_report(struct kernel *k, const struct process *p, const struct space_counts *counts) {
    struct vm_counts vm;
    vm_get_counts(k->vm, &vm);
    kernel_report(
        k,
        "thimble: out of memory: killed PID %u (%s): %lu pages resident, %lu in swap; the machine has "
        "%u frames, %u of them free, and %lu swap pages, %lu of them free",
        p->pid, p->comm, counts->resident, counts->swapped, vm.frames.total, vm.frames.free, vm.swap.pages,
        vm.swap.pages - vm.swap.used);
}

/* Whoever shares the address space dies with it: else nothing would be freed. */
static void oom_kill_sharers(struct kernel *k, const struct space *space) {
    struct process *p;
    TAILQ_FOREACH(p, &k->processes, of_machine)
    if (p->space == space)
        process_kill(p, SIGKILL);
}

bool oom_choose(struct kernel *k) {
    struct space_counts counts;
    if (oom_is_under_way(k)) /* it gives memory back soon: no second victim */
        return true;
    struct process *p = oom_largest(k);
    if (!p)
        return false;
    space_get_counts(p->space, &counts);
    oom_report(k, p, &counts);
    trace_emit(k->trace, EVENT_OOM, 0, p->pid, counts.resident, counts.swapped, 0, 0);
    k->summary.oom_kills++;
    oom_kill_sharers(k, p->space);
    return true;
}

bool oom_end_chosen(struct kernel *k, const struct space *running) {
    struct process *p, *next;
    bool any = false;
    k->out_of_memory = true;
    TAILQ_FOREACH_SAFE(p, &k->processes, of_machine, next) {
        if (p->state != PROCESS_ALIVE || !p->dying || p->space == running)
            continue;
        if (k->current && k->current->process == p)
            continue;
        process_end_threads(p);
        any = true;
        next = TAILQ_FIRST(&k->processes); /* ending one may have freed others */
    }
    k->out_of_memory = false;
    return any;
}
