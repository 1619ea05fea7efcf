/* Reads a native trace file (trace/block.h): its header, its events in order from anywhere, and the state of
 * the machine after any of them.
 *
 * A file that was cut (the disk was full, the machine was killed) is read up to the cut. Nothing in a file is
 * believed before it is checked: any bytes give an error or events, never a crash. */
#ifndef TRACE_READER_H
#define TRACE_READER_H

#include "trace/block.h"
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

/* What a source's read() does where a descriptor is behind it. */
int trace_read_descriptor(int descriptor, uint64_t offset, void *bytes, size_t length);

/* A file. 0 or -errno: open()'s, -EISDIR, -ESPIPE (not a file), -ENOMEM, -ENODATA (empty), -ENOTSUP (JSON
 * lines), -EBADMSG (not a trace), -EPROTO (a trace of another version). */
int trace_reader_open(const char *path, struct trace_reader **ret_reader);
/* Anything, with the same errors. The context must outlive the reader. */
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
/* Events n, n + 1, …: as many of the block that holds event n as there are, at most `count`; *ret_count of
 * them. 0, -EINVAL (no such event), -ENOMEM, -EBADMSG or the source's -errno. */
int trace_reader_read(struct trace_reader *, uint64_t n, struct event *events, size_t count,
                      size_t *ret_count);
/* The latest state that the file keeps at or before event n, if it is behind event `after`: its number is
 * (*ret_fold)->sequence. 0, -ENOENT (none), or what is wrong with it: then replay the events. */
int trace_reader_checkpoint(struct trace_reader *, uint64_t n, uint64_t after, struct fold **ret_fold);
/* The state after event n (0: before the first), from the nearest checkpoint on; the reader stands at n + 1
 * then. 0, -EINVAL (no such event), or as trace_reader_next(). */
int trace_reader_state(struct trace_reader *, uint64_t n, struct fold **ret_fold);

/* The file is still being written: it has `size` bytes now, and further blocks at these places (struct
 * trace_writer has them). 0, -ENOMEM, -EBADMSG (they do not continue what is known). */
int trace_reader_extend(struct trace_reader *, uint64_t size, const struct block_place *places, size_t count);

#endif
