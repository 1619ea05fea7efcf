/* The registry of replacement policies. */
#include "policy/policy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/message.h"
#include "policy/plugin.h"
#include "policy/policies.h"

const struct policy_ops *const policies[] = {&policy_fifo,
                                             &policy_second_chance,
                                             &policy_clock,
                                             &policy_wsclock,
                                             &policy_lru,
                                             &policy_lfu,
                                             &policy_2q,
                                             &policy_arc,
                                             &policy_lirs,
                                             &policy_clock_pro,
                                             &policy_s3_fifo,
                                             &policy_sieve,
                                             &policy_linux_2q_model,
                                             &policy_mglru_model,
                                             &policy_random,
                                             NULL};

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

static int name_refuse(const char *specification, char **ret_message) {
    char names[512] = "";
    for (const struct policy_ops *const *p = policies; *p; p++) {
        const size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s%s", used ? ", " : "", (*p)->name);
    }
    if (!strcmp(specification, "opt"))
        return message_fail(-EINVAL, ret_message,
                            "policy opt knows the future, which no run does: thimble curve and thimble "
                            "compare have it; here there are %s",
                            names);
    return message_fail(-EINVAL, ret_message,
                        "unknown policy '%s': there are %s, and shared objects by their path, ./mine.so "
                        "(thimble policies describes them)",
                        specification, names);
}

static bool never_referenced(void *context, pfn_t pfn) {
    return false;
}

/* One of Thimble's own: what its parameters may be does not depend on the memory that it gets. */
static int own_check(const struct policy_ops *ops, const char *parameters, char **ret_message) {
    const struct policy_config config = {
        .frames = 1,
        .capacity = 1,
        .parameters = parameters,
        .test_and_clear_referenced = never_referenced,
    };
    void *state;
    const int error = policy_create(ops, &config, &state);
    if (!error)
        ops->destroy(state);
    if (error != -EINVAL)
        return error;
    return message_fail(error, ret_message, "policy %s cannot be used with '%s': it has %s%s", ops->name,
                        parameters, ops->parameters ? "the parameters " : "no parameters",
                        ops->parameters ? ops->parameters : "");
}

int policy_load(const char *specification, const struct policy_ops **ret_ops, const char **ret_parameters,
                char **ret_message) {
    if (plugin_is_meant(specification)) {
        struct plugin *plugin;
        const int error = plugin_load(specification, &plugin, ret_parameters, ret_message);
        if (!error)
            *ret_ops = &plugin->ops;
        return error;
    }
    const struct policy_ops *ops = policy_find(specification, ret_parameters);
    if (!ops)
        return name_refuse(specification, ret_message);
    *ret_ops = ops;
    return 0;
}

int policy_accepts(const struct policy_ops *ops, const char *parameters, char **ret_message) {
    const struct plugin *plugin = plugin_of(ops);
    if (!parameters)
        return 0;
    if (!plugin)
        return own_check(ops, parameters, ret_message);
    char *message = NULL;
    double *values = calloc(plugin->parameter_count + 1, sizeof *values);
    int error = values ? plugin_parse(plugin, parameters, values, &message) : -ENOMEM;
    if (error)
        error = message_fail(error, ret_message, "policy %s (%s) %s", ops->name, ops->file,
                             message ? message : strerror(-error));
    free(message);
    free(values);
    return error;
}

void policy_unload(const struct policy_ops *ops) {
    if (ops && ops->file)
        plugin_unload((struct plugin *)plugin_of(ops)); /* NOLINT: it was loaded for the caller */
}

int policy_create(const struct policy_ops *ops, const struct policy_config *config, void **ret_state) {
    struct policy_config with_self = *config;
    with_self.self = ops;
    return ops->create(&with_self, ret_state);
}
