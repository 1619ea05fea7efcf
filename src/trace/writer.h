/* Writes the native trace file (trace/block.h): a sink of events.
 *
 * Events are collected, and written a block at a time. A checkpoint is written where the events since the
 * last one have grown large enough beside it, so that a file is at most a fraction larger for them and a
 * reader never has to replay much. The writer keeps a fold for that. */
#ifndef TRACE_WRITER_H
#define TRACE_WRITER_H

#include "base/inject.h"
#include "trace/block.h"
#include "trace/header.h"
#include "trace/output.h"
#include "trace/sink.h"

struct trace_writer;

/* Writes the header at once. `output` is taken as it is; its context must live as long as the writer. 0,
 * -ENOMEM, or the error with which the header could not be written. */
int trace_writer_create(const struct trace_header *, const struct trace_output *output, struct inject *,
                        struct trace_writer **ret_writer);
/* To be added before the first event: a file's events are numbered from 1. */
struct trace_sink *trace_writer_sink(struct trace_writer *);
/* 0, or the -errno that cut the trace. */
int trace_writer_error(const struct trace_writer *);
/* Writes what has been collected; for a machine that may not live to finish the file. 0, or the
 * -errno that cut the trace. */
int trace_writer_flush(struct trace_writer *);
/* The process is crashing: writes what has been collected with no memory of its own and no call that a signal
 * handler may not make (as long as the output's write() makes none), unless a block was being written. The
 * writer is of no use after it. */
void trace_writer_rescue(struct trace_writer *);
/* Writes the rest and the index; no event may follow. 0, or the -errno that cut the trace. */
int trace_writer_finish(struct trace_writer *, bool limits_of_determinism);

/* For a reader of the file while it is being written. Both results are valid until the next event.
 * What is collected: events *ret_first … */
const struct event *trace_writer_pending(const struct trace_writer *, uint64_t *ret_first, size_t *ret_count);
/* The blocks that are in the file, which has *ret_size bytes. */
const struct block_place *trace_writer_places(const struct trace_writer *, size_t *ret_count,
                                              uint64_t *ret_size);

/* A file that was not finished is one that was cut. NULL is allowed. */
void trace_writer_destroy(struct trace_writer *);

#endif
