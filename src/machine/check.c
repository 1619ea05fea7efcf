/* Verifies the machine's invariants while it runs, where the configuration asks for it.
 *
 * A broken invariant is a bug of ours: it is reported, the machine stops and its run fails; it is never
 * papered over. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>

#include "machine/parts.h"

/* Up to this many frames every trap is checked, beyond it every CHECK_PERIODth. */
enum { CHECK_ALWAYS_FRAMES = 256, CHECK_PERIOD = 1024 };

void machine_check_now(struct machine *m, bool in_run) {
    const char *wrong = vm_check(m->vm);
    if (!wrong && !in_run)
        wrong = kernel_check(m->kernel);
    if (!wrong && !in_run)
        wrong = m->engine_ops->check(m->engine);
    if (!wrong || m->failure)
        return;
    char line[512];
    snprintf(line, sizeof line, "internal error: an invariant is broken after trap %llu: %s",
             (unsigned long long)m->traps, wrong);
    m->config.report(m->config.context, line);
    machine_fail(m, -ENOTRECOVERABLE);
}

void machine_check_paced(struct machine *m, bool in_run) {
    m->traps++;
    uint64_t period = vm_physmem(m->vm)->frames <= CHECK_ALWAYS_FRAMES ? 1 : CHECK_PERIOD;
    if (m->config.check && m->traps % period == 0)
        machine_check_now(m, in_run);
}

unsigned machine_count_descriptors(void) {
    DIR *listing = opendir("/proc/self/fd");
    unsigned count = 0;
    if (!listing) /* none are to be had, or no /proc: nothing can be said */
        return UINT_MAX;
    while (readdir(listing))
        count++;
    closedir(listing);
    return count;
}

static int check_left(struct machine *m, const char *wrong) {
    char line[128];
    if (!wrong)
        return 0;
    snprintf(line, sizeof line, "internal error: after the last program, %s", wrong);
    m->config.report(m->config.context, line);
    return -ENOTRECOVERABLE;
}

/* Pages of files may stay in the cache; nothing else. */
static const char *memory_left(const struct machine *m) {
    struct vm_counts counts;
    vm_get_counts(m->vm, &counts);
    if (counts.frames.anonymous | counts.frames.page_tables)
        return "frames were not given back";
    if (counts.swap.used)
        return "swap slots were not given back";
    return vm_check(m->vm);
}

int machine_check_memory_left(struct machine *m) {
    return check_left(m, memory_left(m));
}

/* The machine's own were open before; of what it was given for the programs some may have been closed. */
int machine_check_descriptors_left(struct machine *m) {
    bool more = machine_count_descriptors() > m->descriptors;
    return check_left(m, more ? "descriptors of the host were not closed" : NULL);
}
