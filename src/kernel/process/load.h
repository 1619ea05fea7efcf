/* How busy the machine is: what /proc/stat, /proc/loadavg and sysinfo() tell. */
#ifndef KERNEL_LOAD_H
#define KERNEL_LOAD_H

#include <stdint.h>

struct kernel;

struct load {          /* private */
    uint64_t begun;    /* CPU time (ns) that the host process had used when the machine was started */
    uint64_t at, busy; /* machine time and load_busy() of the last look */
    double average[3];
};

void load_start(struct kernel *);
/* ns of CPU time since the machine was started: the programs' work, and the machine's own for them. */
uint64_t load_busy(const struct kernel *);
/* Of it: ns of the programs' work, an instruction counted as a nanosecond. */
uint64_t load_user(const struct kernel *);
/* The averages over the last 1, 5 and 15 minutes. There is one CPU, and those who wait for it do not count:
 * they lie between 0 and 1. */
void load_averages(struct kernel *, double ret_averages[3]);

#endif
