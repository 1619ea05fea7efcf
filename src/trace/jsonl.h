/* Writes events as JSON lines: a sink of events. docs/TRACE.md describes the lines.
 *
 *   {"thimble_trace":1,"thimble":"0.1.0","frames":48, … ,"command":["ls","-l"]}
 *   {"n":17,"i":1234,"pid":1,"event":"pte","space":1,"vpn":"0x401","old":{"kind":"empty"},"new":{ … }}
 *   {"end":true,"events":…,"limits_of_determinism":false}
 *
 * The header first, then a line an event, then the last line, which a trace that was cut lacks. A string
 * stands in the event that refers to it; its own records make no lines, so that "n" may skip. */
#ifndef TRACE_JSONL_H
#define TRACE_JSONL_H

#include "base/inject.h"
#include "trace/header.h"
#include "trace/output.h"
#include "trace/sink.h"
#include "trace/strings.h"

struct jsonl_writer;

/* Writes the header at once. `packed`: all lines in one zstd frame. `output` is taken as it is; its context
 * must live as long as the writer. 0, -ENOMEM, or the error with which the header could not be written. */
int jsonl_writer_create(const struct trace_header *, const struct trace_output *output, bool packed,
                        struct inject *, struct jsonl_writer **ret_writer);
struct trace_sink *jsonl_writer_sink(struct jsonl_writer *);
/* Writes what has been collected. 0, or the -errno that cut the trace. */
int jsonl_writer_flush(struct jsonl_writer *);
/* As trace_writer_rescue(): whole lines that were collected, unless they are packed. */
void jsonl_writer_rescue(struct jsonl_writer *);
/* Writes the last line; no event may follow. 0, or the -errno that cut the trace. */
int jsonl_writer_finish(struct jsonl_writer *, bool limits_of_determinism);
void jsonl_writer_destroy(struct jsonl_writer *); /* NULL is allowed */

/* One event as a JSON object, without newline, appended to the text. Strings that it refers to are looked up
 * in `strings`; unknown ones are null. */
void jsonl_put_event(struct text *, const struct event *, const struct trace_strings *);

#endif
