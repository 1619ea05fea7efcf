/* A policy that was loaded from a shared object; its interface is include/thimble/policy.h. */
#ifndef POLICY_PLUGIN_H
#define POLICY_PLUGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/policy.h"
#include "thimble/policy.h"

struct plugin {
    struct policy_ops ops;        /* what everybody else sees */
    struct thimble_policy policy; /* a copy; what an older header did not have is NULL */
    char *path;                   /* as it was given */
    char *parameters;             /* for people; NULL: none */
    void *handle;
    size_t parameter_count;
    uintptr_t base; /* where it was loaded */
    uintptr_t code_start, code_end;
};

/* Whether a specification names a file: it has a slash, or ends in ".so" before the colon. */
bool plugin_is_meant(const char *specification);
/* Loads it. As policy_load(). */
int plugin_load(const char *specification, struct plugin **ret_plugin, const char **ret_parameters,
                char **ret_message);
void plugin_unload(struct plugin *);
/* NULL for a policy that is Thimble's own. */
const struct plugin *plugin_of(const struct policy_ops *);

/* The values of all parameters, from "name=value,…" (NULL: none) and where they begin. 0, or -EINVAL with
 * *ret_message. `values` has room for parameter_count. */
int plugin_parse(const struct plugin *, const char *parameters, double *values, char **ret_message);

#endif
