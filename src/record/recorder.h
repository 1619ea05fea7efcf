/* Writes the reference string of a machine to a file: what the vm tells its observer, and from the events
 * what says where and when things happened.
 *
 *     machine's thread                                                 a thread of its own
 *     vm_observer, trace_sink ──► recorder ───────── conveyor ───────► scribe ──► refs_writer
 *
 * The machine's thread does nothing but copy; it waits when the other one is CONVEYOR_BLOCKS blocks behind. A
 * file that cannot be written any further is said to be cut, once; the programs go on. */
#ifndef RECORD_RECORDER_H
#define RECORD_RECORDER_H

#include "refs/refs.h"
#include "trace/sink.h"
#include "vm/vm.h"

struct recorder;

struct recorder_config {
    const char *path;
    struct refs_header header; /* reduced_to is obeyed */
    uint64_t warm_up;          /* nanoseconds of the host's time, after which a phase begins; 0: none */
    /* The file is cut here: from the recorder's thread, at most once. */
    void (*failed)(void *context, int error);
    void *context;
};

/* 0 or -errno; *ret_message (malloc'd, on failure only) says what was wrong. */
int recorder_create(const struct recorder_config *, struct recorder **ret_recorder, char **ret_message);
/* For machine_config, and machine_add_sink(). They are the recorder's. */
const struct vm_observer *recorder_observer(struct recorder *);
struct trace_sink *recorder_sink(struct recorder *);

struct recorder_progress {
    uint64_t references, pages, instruction; /* of the last reference */
};
/* From any thread; a little behind. */
void recorder_get_progress(const struct recorder *, struct recorder_progress *ret_progress);

/* Puts into the file what the machine has said, up to the last whole run of accesses, so that it can be read
 * while the machine goes on. For the machine's thread. 0 or the -errno that cut the file. */
int recorder_flush(struct recorder *);

/* Ends the file in good order; the machine says nothing more. whole, conditions: as in refs_writer_finish().
 * 0 or the -errno that cut it. Destroys the recorder;
 * *ret_progress (may be NULL) is what there was in all. */
int recorder_finish(struct recorder *, uint64_t instructions, bool whole, const char *const *conditions,
                    struct recorder_progress *ret_progress);

#endif
