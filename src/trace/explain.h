/* What is wrong with a trace, in sentences for people. */
#ifndef TRACE_EXPLAIN_H
#define TRACE_EXPLAIN_H

#include "trace/film.h"
#include "trace/text.h"

/* Why the file could not be opened or read as a trace: what is wrong with it and what to do, beginning with
 * its name, without a newline. `error` is what film_open(), trace_reader_open(), film_state() … said. The
 * file is looked into once more: a newer version names itself. */
void explain_refusal(struct text *, const char *path, int error);

/* "the trace is cut: it ends after event 4711 …", or false when it is whole. */
bool explain_cut(struct text *, const struct film *);

/* "event 512 (pte, PID 7) does not follow from the events before it: …", or false when every event does (or
 * the film cannot be read so far). Moves the film's state. */
bool explain_complaint(struct text *, struct film *);

#endif
