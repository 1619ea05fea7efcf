/* What a thread's scheduling policy is (sys_scheduling.c). */
#ifndef KERNEL_SCHEDULING_H
#define KERNEL_SCHEDULING_H

#include "kernel/process/process.h"

/* A new thread has its creator's, unless that was to be left behind (SCHED_RESET_ON_FORK). */
void scheduling_inherit(struct thread *child, const struct thread *parent);

/* Of a thread, or of what is left of a process without any (NULL). */
static inline struct scheduling scheduling_of(const struct thread *t) {
    return t ? t->scheduling : (struct scheduling){0};
}
/* As /proc/PID/stat shows it: 0 … 39, below 0 for real-time policies. */
static inline int scheduling_shown(const struct scheduling *s) {
    return s->priority ? -1 - s->priority : 20 + s->nice;
}

#endif
