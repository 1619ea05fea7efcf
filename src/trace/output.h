/* Where a trace's bytes go, and what happens when they cannot.
 *
 * After the first error nothing more is written: it is reported once, and the trace is cut there. */
#ifndef TRACE_OUTPUT_H
#define TRACE_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct trace_output {
    /* Writes some of the bytes: how many (> 0), or -errno. */
    ssize_t (*write)(void *context, const void *bytes, size_t length);
    void *context;
    /* Called once, with the -errno that cut the trace. May be NULL. */
    void (*report)(void *report_context, int error);
    void *report_context;
    /* private */
    uint64_t written; /* bytes so far: the offset of the next */
    int error;        /* 0, or the -errno that cut it */
};

/* Writes all the bytes, unless the trace is cut already. */
void output_write(struct trace_output *, const void *bytes, size_t length);
/* Cuts the trace for a reason of the writer's own (-ENOMEM). */
void output_cut(struct trace_output *, int error);
/* For `write` with the context being a pointer to an int: a file descriptor. */
ssize_t output_to_descriptor(void *descriptor, const void *bytes, size_t length);

#endif
