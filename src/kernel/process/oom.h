/* The out-of-memory killer. */
#ifndef KERNEL_OOM_H
#define KERNEL_OOM_H

#include "kernel/process/process.h"

/* Chooses the process that gives back the most, marks it to die, takes its memory, says so. False when there
 * is none to choose but those that are dying already. */
bool oom_choose(struct kernel *);

#endif
