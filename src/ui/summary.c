/* The summary for people: a few aligned lines, the machine first, then each process. */
#include "ui/summary.h"

#include <errno.h>
#include <sys/wait.h>

#include "ui/size.h"

/* Formatted numbers live until the end of the statement that they stand in. */
#define NUMBER(n) number_format((n), (char[SIZE_TEXT]){0})
#define SIZE(n)   size_format((n), (char[SIZE_TEXT]){0})

int summary_exit_status(int wait_status) {
    return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

static void print_end(FILE *to, const struct machine_summary *s, const struct summary_context *context) {
    fprintf(to, "thimble: %s with status %d after %.2f s and %s instructions\n",
            s->complete ? "ended" : "stopped early", context->exit_status, s->wall_seconds,
            NUMBER(s->kernel.instructions));
}

static void print_frames(FILE *to, const struct machine_summary *s) {
    const struct vm_frame_counts *now = &s->vm.frames, *peak = &s->vm.frames_peak;
    fprintf(to, "  memory     %s frames of 4 KiB (%s), %s of them reserved; policy %s%s\n",
            NUMBER(now->total), SIZE((uint64_t)now->total * PAGE_SIZE), NUMBER(now->reserved), s->policy,
            s->policy_failed ? " until it failed, then clock" : "");
    if (peak->page_tables)
        fprintf(to, "             page tables: %s, charged %s frames at most\n", s->page_table,
                NUMBER(peak->page_tables));
    else
        fprintf(to, "             page tables: %s, charged nothing\n", s->page_table);
    fprintf(to, "             at the end  %s anonymous, %s page cache, %s page tables, %s free\n",
            NUMBER(now->anonymous), NUMBER(now->page_cache), NUMBER(now->page_tables), NUMBER(now->free));
    fprintf(to, "             at most     %s anonymous, %s page cache; at least %s free\n",
            NUMBER(peak->anonymous), NUMBER(peak->page_cache), NUMBER(peak->free));
}

static void print_faults(FILE *to, const struct tally *t) {
    fprintf(to,
            "  faults     %s: %s zero-fill, %s file, %s swap-in, %s copy-on-write, %s protection or dirty\n",
            NUMBER(tally_faults(t)), NUMBER(t->faults[EVENT_FAULT_ZERO_FILL]),
            NUMBER(t->faults[EVENT_FAULT_FILE]), NUMBER(t->faults[EVENT_FAULT_SWAP_IN]),
            NUMBER(t->faults[EVENT_FAULT_COW]), NUMBER(t->faults[EVENT_FAULT_PROTECTION]));
    fprintf(to, "             %s minor, %s major; %s misses, %s of them on pages evicted before\n",
            NUMBER(t->minor), NUMBER(t->major), NUMBER(t->misses), NUMBER(t->refaults));
}

static void print_victims(FILE *to, const struct vm_counts *vm) {
    const uint64_t *e = vm->tally.evictions;
    fprintf(to, "  victims    %s: %s clean and dropped, %s written to swap, %s written to files\n",
            NUMBER(e[EVENT_VICTIM_CLEAN] + e[EVENT_VICTIM_TO_SWAP] + e[EVENT_VICTIM_TO_FILE]),
            NUMBER(e[EVENT_VICTIM_CLEAN]), NUMBER(e[EVENT_VICTIM_TO_SWAP]), NUMBER(e[EVENT_VICTIM_TO_FILE]));
    fprintf(to, "  swap       %s out, %s in; %s of %s pages used, %s at most\n", NUMBER(vm->swap.out),
            NUMBER(vm->swap.in), NUMBER(vm->swap.used), NUMBER(vm->swap.pages), NUMBER(vm->swap.peak));
}

static void print_prefetch(FILE *to, const struct machine_summary *s) {
    const struct vm_prefetch_counts *p = &s->prefetched;
    if (s->prefetch)
        fprintf(to, "  prefetch   %s: %s pages, %s useful (%s of them late), %s wasted, %s unused yet\n",
                s->prefetch, NUMBER(p->prefetched), NUMBER(p->useful), NUMBER(p->late), NUMBER(p->wasted),
                NUMBER(p->waiting));
}

static void print_kernel(FILE *to, const struct machine_summary *s) {
    const struct kernel_summary *k = &s->kernel;
    fprintf(to, "  cpu        %s TLB misses, %s context switches, %s system calls\n",
            NUMBER(s->engine.tlb_misses), NUMBER(k->context_switches), NUMBER(k->syscalls));
    for (size_t i = 0; i < k->unimplemented_count; i++)
        fprintf(to, "%s%s (%s)", i ? ", " : "             not implemented: ", k->unimplemented[i].name,
                NUMBER(k->unimplemented[i].count));
    if (k->unimplemented_count)
        fputc('\n', to);
    if (k->oom_kills)
        fprintf(to, "             %s processes killed for want of memory\n", NUMBER(k->oom_kills));
    if (k->limits_of_determinism)
        fputs("             sockets, terminals or signals from outside were used: another run may differ\n",
              to);
}

static void print_process(FILE *to, const struct process_summary *p) {
    const struct tally *t = &p->tally;
    char status[16] = "-";
    if (p->wait_status >= 0)
        snprintf(status, sizeof status, "%d", summary_exit_status(p->wait_status));
    fprintf(to, "  %7u %6s %8llu %8llu %8llu %8llu %8llu %8llu %8llu %8llu  %.40s\n", p->pid, status,
            (unsigned long long)p->peak_resident, (unsigned long long)tally_faults(t),
            (unsigned long long)t->major, (unsigned long long)t->faults[EVENT_FAULT_ZERO_FILL],
            (unsigned long long)t->faults[EVENT_FAULT_FILE],
            (unsigned long long)t->faults[EVENT_FAULT_SWAP_IN],
            (unsigned long long)t->faults[EVENT_FAULT_COW],
            (unsigned long long)t->faults[EVENT_FAULT_PROTECTION], p->command);
}

int summary_print_text(FILE *to, const struct machine_summary *s, const struct summary_context *context) {
    /* More would bury what stands above; --stats json has them all. */
    enum { PROCESSES_SHOWN = 20 };
    print_end(to, s, context);
    print_frames(to, s);
    print_faults(to, &s->vm.tally);
    print_victims(to, &s->vm);
    print_prefetch(to, s);
    print_kernel(to, s);
    fprintf(to, "  %7s %6s %8s %8s %8s %8s %8s %8s %8s %8s  %s\n", "pid", "status", "peak", "faults", "major",
            "zero", "file", "swap-in", "copy", "protect", "command");
    for (size_t i = 0; i < s->kernel.process_count && i < PROCESSES_SHOWN; i++)
        print_process(to, &s->kernel.processes[i]);
    if (s->kernel.process_count > PROCESSES_SHOWN)
        fprintf(to, "  … and %s more processes (--stats json names them)\n",
                NUMBER(s->kernel.process_count - PROCESSES_SHOWN));
    return fflush(to) || ferror(to) ? -(errno ? errno : EIO) : 0;
}
