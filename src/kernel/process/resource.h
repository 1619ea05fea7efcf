/* What a process has used (sys_resource.c). */
#ifndef KERNEL_RESOURCE_H
#define KERNEL_RESOURCE_H

#include "kernel/process/process.h"

/* Of the process itself, its children excluded. User time counts guest instructions, a nanosecond each;
 * system time is none of the guest's and 0. */
void resource_usage(const struct process *, struct rusage *ret_usage);
/* Together with that of the children it waited for: what wait4 tells. */
void resource_usage_with_children(const struct process *, struct rusage *ret_usage);

#endif
