/* Conditions: by what programs could learn how much memory there is, or about time. A run at another size is
 * the same run only if they did not, or did not care; so each way that was used is noted once, by name. */
#ifndef KERNEL_CONDITION_H
#define KERNEL_CONDITION_H

struct kernel;

/* `name` (copied) is of the call or file: "sysinfo", "/proc/meminfo". Without memory
 * for it the name is lost. */
void condition_note(struct kernel *, const char *name);
/* What tells of memory is a condition only where the truth is told (vm_tells_truth()). */
void condition_note_memory(struct kernel *, const char *name);
void conditions_free(struct kernel *);

#endif
