/* Where events go: a list of receivers. A sink's failure is its own business (it reports and stops
 * listening); it never stops the machine. */
#ifndef TRACE_SINK_H
#define TRACE_SINK_H

#include "trace/event.h"

struct trace_sink {
    struct trace_sink *next;
    void (*receive)(struct trace_sink *, const struct event *);
};

void trace_add_sink(struct trace *, struct trace_sink *); /* sets listening */
void trace_remove_sink(struct trace *, struct trace_sink *);

#endif
