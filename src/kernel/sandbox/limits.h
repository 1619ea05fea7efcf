/* Limits of what programs may use of the host, beside memory and instructions: tasks, output, time. */
#ifndef KERNEL_LIMITS_H
#define KERNEL_LIMITS_H

#include <time.h>

#include "kernel/process/process.h"

void limits_start(struct kernel *); /* time begins now */
/* Whether one more process or thread may come into being when there are `count`; notes when not. */
bool limits_allow_task(struct kernel *, unsigned count);
/* How many of `length` bytes may be written at `offset` of a file under RLIMIT_FSIZE. 0: none, and SIGXFSZ
 * was sent; the call fails with -EFBIG. `t` NULL: no limit. */
size_t limits_allow_size(struct thread *t, uint64_t offset, size_t length);
/* How many of `length` bytes may still be written to the standard outputs; fewer: the machine ends. */
size_t limits_allow_output(struct kernel *, size_t length);
void limits_count_output(struct kernel *, size_t written);
/* The limit that was reached, or LIMIT_NONE: the machine ends then. */
enum kernel_limit limits_reached(struct kernel *);
/* `timeout` (NULL: for ever) or the time that is left, which is stored in *buffer, whichever is shorter. */
const struct timespec *limits_shorten(struct kernel *, const struct timespec *timeout,
                                      struct timespec *buffer);

#endif
