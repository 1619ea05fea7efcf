/* Who the programs are for checks of permission: the host process's user, for all of
 * them (sys_identity.c). */
#ifndef KERNEL_IDENTITY_H
#define KERNEL_IDENTITY_H

#include <stdbool.h>
#include <sys/types.h>

/* Whether the capability (CAP_*) is effective. */
bool identity_capable(unsigned capability);
/* Whether it is the effective group or one of the supplementary ones. */
bool identity_in_group(gid_t);

#endif
