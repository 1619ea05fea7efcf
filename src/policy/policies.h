/* The policies of this folder, by name; everybody else goes through policies[] or policy_find(). */
#ifndef POLICY_POLICIES_H
#define POLICY_POLICIES_H

#include "policy/policy.h"

extern const struct policy_ops policy_fifo;
extern const struct policy_ops policy_second_chance;
extern const struct policy_ops policy_clock;
extern const struct policy_ops policy_wsclock;
extern const struct policy_ops policy_lru;
extern const struct policy_ops policy_lfu;
extern const struct policy_ops policy_2q;
extern const struct policy_ops policy_arc;
extern const struct policy_ops policy_lirs;
extern const struct policy_ops policy_clock_pro;
extern const struct policy_ops policy_s3_fifo;
extern const struct policy_ops policy_sieve;
extern const struct policy_ops policy_linux_2q_model;
extern const struct policy_ops policy_mglru_model;
extern const struct policy_ops policy_random;

/* How many frames a policy whose limits are shares of memory reckons with. */
static inline uint32_t policy_capacity(const struct policy_config *config) {
    return config->capacity ? config->capacity : config->frames;
}

#endif
