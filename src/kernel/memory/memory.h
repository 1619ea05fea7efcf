/* What the calls about memory share with those about processes and limits. */
#ifndef KERNEL_MEMORY_H
#define KERNEL_MEMORY_H

#include "kernel/process/process.h"

/* Linux: vm.mmap_min_addr */
enum { MEMORY_LOWEST_ADDRESS = 0x10000 };

/* Gives a space, which need not be the process's yet, the limits of the process: RLIMIT_AS, _DATA, _STACK and
 * _MEMLOCK, and what capabilities lift. */
void memory_set_limits(const struct process *, struct space *);

#endif
