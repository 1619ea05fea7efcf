/* A trace in a file, in the format that its name asks for: JSON lines if it ends in ".jsonl" or ".jsonl.zst"
 * (compressed), else the native format. */
#ifndef TRACE_FILE_H
#define TRACE_FILE_H

#include "base/inject.h"
#include "trace/header.h"
#include "trace/sink.h"

enum trace_format { TRACE_NATIVE, TRACE_JSONL, TRACE_JSONL_ZST };
enum trace_format trace_format_of(const char *path);

struct trace_file;

/* Creates or replaces the file and writes the header. `report` (may be NULL) is called at most once, when the
 * trace is cut later on. 0 or -errno. */
int trace_file_create(const char *path, const struct trace_header *,
                      void (*report)(void *report_context, int error), void *report_context, struct inject *,
                      struct trace_file **ret_file);
/* To be added before the first event. */
struct trace_sink *trace_file_sink(struct trace_file *);
/* Writes what has been collected; for a machine that may not live to finish the file. 0, or the -errno that
 * cut the trace. */
int trace_file_flush(struct trace_file *);
/* The process is crashing: writes what has been collected as far as a signal handler can (not for packed JSON
 * lines). The file is of no use after it. */
void trace_file_rescue(struct trace_file *);
/* Writes the end and closes. No event may follow. 0, or the -errno that cut the trace. */
int trace_file_finish(struct trace_file *, bool limits_of_determinism);
void trace_file_destroy(struct trace_file *); /* NULL is allowed */

/* Converts a native trace to JSON lines. A trace that was cut becomes lines without the last one. 0 or
 * -errno: of reading (as trace_reader_open()) or of writing; -EINVAL when
 * the second name does not ask for JSON lines, -EEXIST when it is the trace itself. */
int trace_convert(const char *native_path, const char *jsonl_path);

#endif
