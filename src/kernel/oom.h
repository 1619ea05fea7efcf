/* The out-of-memory killer. */
#ifndef KERNEL_OOM_H
#define KERNEL_OOM_H

#include "kernel/process.h"

/* Chooses the process that gives back the most, marks it to die, says so. False when there is none to choose
 * but those that are dying already. */
bool oom_choose(struct kernel *);
/* Ends the chosen processes whose space is not `running`'s (its thread is on the CPU): their memory is free
 * afterwards. Whether there was any. */
bool oom_end_chosen(struct kernel *, const struct space *running);

#endif
