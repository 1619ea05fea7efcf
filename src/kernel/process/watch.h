/* Places of programs whose first execution is an event: the entry point, main, and what the user asked for.
 *
 * The engine knows addresses in page tables; what they are called, and for which of several reasons one is
 * watched, is kept here. Watches belong to an address space: an exec begins new ones, a copy of the space
 * (fork) has those that have not been reached, and threads share them. */
#ifndef KERNEL_WATCH_H
#define KERNEL_WATCH_H

#include "kernel/process/elf.h"

struct watch_list; /* kernel->watches */

int watches_create(struct kernel *); /* 0 or -ENOMEM */
void watches_destroy(struct kernel *);

/* The process runs this program from now, in a space of its own. Without memory some
 * places are not watched. */
void watch_exec(struct process *, struct file *, const struct elf_image *);
void watch_fork(struct kernel *, const struct page_table *from, const struct page_table *to);

#endif
