/* Copies from and to host memory that may vanish: mappings of host files, which somebody else can truncate,
 * and whose disk can fail or be full. The host tells with SIGBUS. The handler here looks whether it was the
 * copy that was interrupted, and makes it return an error if so, as kernels do with their tables of
 * exceptions. */
#ifndef BASE_HOSTCOPY_H
#define BASE_HOSTCOPY_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

/* Copies `bytes` bytes; the two must not overlap. 0, or -EFAULT when a page was not to be had: then the
 * beginning was copied. Only while hostcopy_is_guarded() may either side be anything but plain memory. */
int hostcopy(void *to, const void *from, size_t bytes);

/* The handler of SIGBUS, to be installed with SA_SIGINFO by who owns the process's signals. A signal that
 * comes neither from hostcopy() nor from code that rescue.h guards has its default effect. */
void hostcopy_signal(int signal, siginfo_t *info, void *context);

/* Whether the handler is installed. Asks the host. */
bool hostcopy_is_guarded(void);

#endif
