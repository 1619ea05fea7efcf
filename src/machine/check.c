/* Verifies the machine's invariants while it runs, where the configuration asks for it.
 *
 * A broken invariant is a bug of ours: it is reported, the machine stops and its run fails; it is never
 * papered over. */
#include <errno.h>
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
