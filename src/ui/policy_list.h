/* A list of policies as people give it: "lru,2q:kin=0.25,kout=0.5,opt". */
#ifndef UI_POLICY_LIST_H
#define UI_POLICY_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct policy_list {
    char **names; /* each with its parameters; all malloc'd */
    size_t count;
};

/* A word with a '=' and no ':' in front of it is a further parameter of the policy before it. `opt` is among
 * them: who cannot use it says so. 0, or -EINVAL with *ret_message (malloc'd). */
int policy_list_parse(const char *text, struct policy_list *ret_list, char **ret_message);
/* Appends a policy that is not in the list yet; its index, or -ENOMEM. */
long policy_list_add(struct policy_list *, const char *name);
long policy_list_find(const struct policy_list *, const char *name); /* -1: not there */
void policy_list_free(struct policy_list *);

#endif
