/* Reads a native trace from beginning to end and prints, as JSON, what is wrong with it and what a tally over
 * its events says; run-trace.py compares that with the summary of the run. Exit status 1 when the trace
 * contradicts itself.
 *
 *   check-trace FILE */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "trace/reader.h"
#include "trace/schema.h"

/* Whether the machine is between two steps after this event, so that everything must agree: a program is
 * about to run, or the kernel has just begun or ended a call or a fault. */
static bool is_between_steps(const struct event *e) {
    return e->kind == EVENT_SYSCALL_ENTER || e->kind == EVENT_SYSCALL_EXIT || e->kind == EVENT_FAULT_DONE ||
           e->kind == EVENT_MACHINE_STOP;
}

/* The checks walk the whole state: after each event of a small machine's trace, now and then of a large
 * one's. */
static const char *check(const struct fold *f, uint64_t step) {
    const char *wrong;
    if (f->frame_total > 256 && step % 997 && !f->stopped)
        return NULL;
    wrong = fold_check_machine(f);
    return wrong ? wrong : fold_check(f);
}

static void print_tally(const char *name, const struct tally *t) {
    printf("\"%s\":{\"total\":%" PRIu64 ",\"misses\":%" PRIu64 ",\"minor\":%" PRIu64 ",\"major\":%" PRIu64
           ",\"refaults\":%" PRIu64,
           name, tally_faults(t), t->misses, t->minor, t->major, t->refaults);
    for (unsigned kind = 0; kind < EVENT_FAULT_KINDS; kind++)
        printf(",\"fault_%s\":%" PRIu64, event_fault_name(kind), t->faults[kind]);
    for (unsigned how = EVENT_VICTIM_CLEAN; how <= EVENT_VICTIM_TO_FILE; how++)
        printf(",\"evicted_%s\":%" PRIu64, event_victim_name(how), t->evictions[how]);
    printf(",\"swap_in\":%" PRIu64 ",\"swap_out\":%" PRIu64 "}", t->swap_in, t->swap_out);
}

static void print_state(const struct fold *f, bool complete) {
    printf("{\"complete\":%s,\"events\":%" PRIu64 ",\"syscalls\":%" PRIu64 ",\"switches\":%" PRIu64
           ",\"slots_used\":%" PRIu64,
           complete ? "true" : "false", f->sequence, f->syscalls, f->switches, f->slots_used);
    for (unsigned use = 0; use < EVENT_FRAME_KINDS; use++)
        printf(",\"frames_%s\":%" PRIu64, event_frame_name(use), f->frames_by_use[use]);
    printf(",");
    print_tally("machine", &f->counter.tally);
    for (size_t i = 0; i < f->processes.count; i++) {
        const struct fold_process *p = f->processes.entries[i].value;
        char name[32];
        snprintf(name, sizeof name, "process_%" PRIu32, p->pid);
        printf(",");
        print_tally(name, &p->tally);
    }
    printf("}\n");
}

/* Returns whether nothing was wrong. */
static bool follow(struct trace_reader *r, struct fold *f) {
    struct event e;
    uint64_t steps = 0;
    int more;
    while ((more = trace_reader_next(r, &e)) == 1) {
        uint64_t complaints = f->complaints;
        if (fold_apply(f, &e))
            return false;
        const char *wrong = f->complaints != complaints ? f->last_complaint
                            : is_between_steps(&e)      ? check(f, ++steps)
                                                        : NULL;
        if (wrong) {
            fprintf(stderr, "check-trace: event %" PRIu64 " (%s, process %" PRIu32 "): %s\n", e.sequence,
                    event_schema(e.kind) ? event_schema(e.kind)->name : "?", e.pid, wrong);
            return false;
        }
    }
    if (more)
        fprintf(stderr, "check-trace: %s\n", strerror(-more));
    return !more;
}

int main(int argc, char **argv) {
    struct trace_reader *r;
    int error = argc == 2 ? trace_reader_open(argv[1], &r) : -EINVAL;
    if (error) {
        fprintf(stderr, "check-trace: %s\n", strerror(-error));
        return 1;
    }
    struct fold *f = fold_create(NULL);
    bool right = f && follow(r, f);
    if (f)
        print_state(f, trace_reader_is_complete(r));
    fold_destroy(f);
    trace_reader_destroy(r);
    return right ? 0 : 1;
}
