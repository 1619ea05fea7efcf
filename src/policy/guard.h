/* The guard between the machine and a policy that is not its own: every call is watched.
 *
 *   what the policy does                              how it is noticed
 *   -----------------------------------------------   ----------------------------------------------------
 *   names a frame that holds no page, or is none      the guard knows which frames are inserted
 *   crashes, overflows its stack, aborts              signals, base/rescue.h
 *   does not come back                                processor time of the call, base/rescue.h
 *   calls exit(), abort(), fails an assertion         its calls are redirected, plugin_link.h
 *   keeps memory after destroy()                      its allocations are counted, plugin_memory.h
 *   asks for a parameter or a frame that is not there the host's functions check
 *
 * Whatever it was, policy_config.tell() gets one line, and from then on CLOCK decides, over all pages that
 * are in frames: whoever uses the policy need not do anything. */
#ifndef POLICY_GUARD_H
#define POLICY_GUARD_H

#include "base/rescue.h"
#include "policy/plugin_memory.h"
#include "policy/policy.h"

/* The operations of policies that policy_config.self is a plug-in of; `ops` needs name, description and needs
 * already. */
struct thimble_policy;
void guard_make_ops(const struct thimble_policy *, struct policy_ops *ops);

/* ---- for plugin_link.c: `rescue` is that of a guard ---- */
struct plugin_memory *guard_memory(struct rescue *);
/* The call is over, and the policy with it: says that it did this, "called exit(3)". */
_Noreturn __attribute__((format(printf, 2, 3))) void guard_abandon(struct rescue *, const char *format, ...);

#endif
