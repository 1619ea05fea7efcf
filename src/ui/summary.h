/* The summary of a run: for people, and for programs. */
#ifndef UI_SUMMARY_H
#define UI_SUMMARY_H

#include <stdio.h>

#include "machine/machine.h"

/* What a summary says beside the machine's own account. */
struct summary_context {
    char *const *command; /* PROGRAM, its arguments, NULL */
    int exit_status;      /* what Thimble will exit with */
};

/* The exit status that a shell would show for a wait status. */
int summary_exit_status(int wait_status);

/* Both return 0 or -errno of the write (a buffered stream is flushed). */
int summary_print_text(FILE *, const struct machine_summary *, const struct summary_context *);
/* One JSON object and a newline; the keys are in docs/thimble.1. */
int summary_print_json(FILE *, const struct machine_summary *, const struct summary_context *);

#endif
