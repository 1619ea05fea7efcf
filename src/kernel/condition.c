#include "kernel/condition.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "kernel/process/process.h"

const char *const *kernel_conditions(const struct kernel *k) {
    static const char *const none[] = {NULL};
    return k->conditions ? (const char *const *)k->conditions : none;
}

void condition_note(struct kernel *k, const char *name) {
    for (size_t i = 0; i < k->condition_count; i++)
        if (!strcmp(k->conditions[i], name))
            return;
    char **longer = inject_realloc(k->config.inject, k->conditions, k->condition_count + 2, sizeof *longer);
    if (!longer)
        return;
    k->conditions = longer;
    longer[k->condition_count] = inject_strdup(k->config.inject, name);
    if (longer[k->condition_count])
        longer[++k->condition_count] = NULL;
}

void condition_note_memory(struct kernel *k, const char *name) {
    if (vm_tells_truth(k->vm))
        condition_note(k, name);
}

void conditions_free(struct kernel *k) {
    for (size_t i = 0; i < k->condition_count; i++)
        free(k->conditions[i]);
    free(k->conditions);
}
