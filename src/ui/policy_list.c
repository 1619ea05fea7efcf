/* See policy_list.h. */
#include "ui/policy_list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/message.h"
#include "policy/policy.h"

void policy_list_free(struct policy_list *l) {
    for (size_t i = 0; i < l->count; i++)
        free(l->names[i]);
    free(l->names);
    *l = (struct policy_list){0};
}

long policy_list_find(const struct policy_list *l, const char *name) {
    for (size_t i = 0; i < l->count; i++)
        if (!strcmp(l->names[i], name))
            return (long)i;
    return -1;
}

long policy_list_add(struct policy_list *l, const char *name) {
    const long found = policy_list_find(l, name);
    if (found >= 0)
        return found;
    char **names = reallocarray(l->names, l->count + 1, sizeof *names);
    if (!names)
        return -ENOMEM;
    l->names = names;
    names[l->count] = strdup(name);
    return names[l->count] ? (long)l->count++ : -ENOMEM;
}

/* A name that is none, a plug-in that cannot be loaded, or parameters that cannot be. */
static int check_name(const char *name, char **ret_message) {
    const struct policy_ops *ops;
    const char *parameters;
    if (!strcmp(name, "opt"))
        return 0;
    int error = policy_load(name, &ops, &parameters, ret_message);
    if (error)
        return error;
    error = policy_accepts(ops, parameters, ret_message);
    policy_unload(ops);
    return error;
}

/* The length of the policy that the text begins with, up to the comma behind its last parameter. */
static size_t policy_length(const char *text) {
    size_t length = strcspn(text, ",");
    while (text[length]) {
        const char *word = text + length + 1;
        const size_t size = strcspn(word, ","), equals = strcspn(word, "=:/");
        if (equals >= size || word[equals] != '=')
            break;
        length += 1 + size;
    }
    return length;
}

static int take_policy(struct policy_list *l, const char *text, size_t length, char **ret_message) {
    char *name = strndup(text, length);
    int error = name ? 0 : -ENOMEM;
    if (!error && !length)
        error = message_fail(-EINVAL, ret_message, "--policy: there is an empty name in the list");
    if (!error)
        error = check_name(name, ret_message);
    if (!error && policy_list_find(l, name) >= 0)
        error = message_fail(-EINVAL, ret_message, "--policy: '%s' is in the list twice", name);
    if (!error)
        error = policy_list_add(l, name) < 0 ? -ENOMEM : 0;
    free(name);
    return error;
}

int policy_list_parse(const char *text, struct policy_list *ret_list, char **ret_message) {
    struct policy_list list = {0};
    int error = 0;
    for (const char *at = text; !error; at++) {
        const size_t length = policy_length(at);
        error = take_policy(&list, at, length, ret_message);
        at += length;
        if (!*at)
            break;
    }
    if (error) {
        policy_list_free(&list);
        return error;
    }
    policy_list_free(ret_list);
    *ret_list = list;
    return 0;
}
