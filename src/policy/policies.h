/* The policies of this folder, by name; everybody else goes through policies[] or policy_find(). */
#ifndef POLICY_POLICIES_H
#define POLICY_POLICIES_H

#include "policy/policy.h"

extern const struct policy_ops policy_fifo;
extern const struct policy_ops policy_clock;
extern const struct policy_ops policy_lru;
extern const struct policy_ops policy_random;

#endif
