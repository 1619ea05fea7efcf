/* The recorder's end of the conveyor: makes items of the words and gives them to the writer. One thread
 * calls. */
#ifndef RECORD_SCRIBE_H
#define RECORD_SCRIBE_H

#include <stdatomic.h>

#include "record/conveyor.h"
#include "refs/refs.h"

/* What has been done up to now; other threads may look. */
struct scribe_progress {
    _Atomic uint64_t references, pages, instruction;
};

struct scribe;

/* The writer stays the caller's. reduce_to: reduce.h; 0: everything is kept. `failed` is called once when the
 * file can be written no further; what follows goes nowhere. 0 or -ENOMEM. */
int scribe_create(struct refs_writer *, uint32_t reduce_to, void (*failed)(void *context, int error),
                  void *context, struct scribe **ret_scribe);
void scribe_destroy(struct scribe *);

void scribe_write(struct scribe *, const struct conveyor_block *);
/* Everything goes to the writer. How many references were dropped. */
uint64_t scribe_end(struct scribe *);
const struct scribe_progress *scribe_progress(const struct scribe *);

#endif
