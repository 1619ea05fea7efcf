/* Reads a native trace file (trace/block.h): its header, its events in order from anywhere, and the state of
 * the machine after any of them.
 *
 * A file that was cut (the disk was full, the machine was killed) is read up to the cut. Nothing in a file is
 * believed before it is checked: any bytes give an error or events, never a crash. */
#ifndef TRACE_READER_H
#define TRACE_READER_H

#include "trace/event.h"
#include "trace/fold.h"
#include "trace/header.h"

struct trace_reader;

/* Where the bytes come from. */
struct trace_source {
    /* Reads exactly `length` bytes at `offset`: 0, -ENODATA when there are fewer, or -errno. */
    int (*read)(void *context, uint64_t offset, void *bytes, size_t length);
    void *context;
    uint64_t size; /* bytes in all */
};

/* A file. 0 or -errno: open()'s, -ENOMEM, -EBADMSG (not a trace), -EPROTO (a trace of another version). */
int trace_reader_open(const char *path, struct trace_reader **ret_reader);
/* Anything. The context must outlive the reader. */
int trace_reader_create(const struct trace_source *, struct trace_reader **ret_reader);
void trace_reader_destroy(struct trace_reader *); /* NULL is allowed */

const struct trace_header *trace_reader_header(const struct trace_reader *);
/* How many events there are; they have the sequence numbers 1 … that. */
uint64_t trace_reader_events(const struct trace_reader *);
/* False: the file was cut, events are missing at its end. */
bool trace_reader_is_complete(const struct trace_reader *);
/* Whether what determinism does not cover (sockets, terminals, host signals) was used; false when the file
 * was cut: nobody knows. */
bool trace_reader_limits_of_determinism(const struct trace_reader *);

/* The next event that trace_reader_next() gives is number n (1 …); n may be one more than there are. */
void trace_reader_seek(struct trace_reader *, uint64_t n);
/* 1 and an event, 0 at the end, -ENOMEM, -EBADMSG (damaged here) or the source's -errno. */
int trace_reader_next(struct trace_reader *, struct event *ret_event);
/* The state after event n (0: before the first), from the nearest checkpoint on; the reader stands at n + 1
 * then. 0, -EINVAL (no such event), or as trace_reader_next(). */
int trace_reader_state(struct trace_reader *, uint64_t n, struct fold **ret_fold);

#endif
