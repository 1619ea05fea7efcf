/* The registry of replacement policies. */
#include "policy/policy.h"

#include <stddef.h>
#include <string.h>

#include "policy/policies.h"

const struct policy_ops *const policies[] = {&policy_fifo, &policy_clock, &policy_lru, &policy_random, NULL};

const struct policy_ops *policy_find(const char *specification, const char **ret_parameters) {
    const size_t length = strcspn(specification, ":");
    for (const struct policy_ops *const *policy = policies; *policy; policy++) {
        if (strlen((*policy)->name) != length || strncmp((*policy)->name, specification, length) != 0)
            continue;
        *ret_parameters = specification[length] ? specification + length + 1 : NULL;
        return *policy;
    }
    return NULL;
}
