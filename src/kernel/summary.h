/* What the machine's processes did, for the summary at its end. */
#ifndef KERNEL_SUMMARY_H
#define KERNEL_SUMMARY_H

#include "kernel/process/process.h"

/* The process ended: its figures are kept. Without memory for them it is missing from the summary. */
void summary_record(struct process *);
void summary_free(struct kernel *);

#endif
