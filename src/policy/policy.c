/* The registry of replacement policies. */
#include "policy/policy.h"

#include <errno.h>
#include <stdio.h>
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
    return message_fail(-EINVAL, ret_message,
                        "unknown policy '%s': there are %s, and shared objects by their path, ./mine.so "
                        "(thimble policies describes them)",
                        specification, names);
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

void policy_unload(const struct policy_ops *ops) {
    if (ops && ops->file)
        plugin_unload((struct plugin *)plugin_of(ops)); /* NOLINT: it was loaded for the caller */
}

int policy_create(const struct policy_ops *ops, const struct policy_config *config, void **ret_state) {
    struct policy_config with_self = *config;
    with_self.self = ops;
    return ops->create(&with_self, ret_state);
}
