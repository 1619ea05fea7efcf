/* Memory of a policy that is not Thimble's: who has allocated what, so that what it keeps can be counted, and
 * what it forgets be named. The blocks themselves are the C library's. */
#ifndef POLICY_PLUGIN_MEMORY_H
#define POLICY_PLUGIN_MEMORY_H

#include "base/map.h"

struct plugin_memory {
    struct map sizes; /* bytes, by address */
    size_t bytes;     /* in all */
};

/* The functions of the C library, with account kept. NULL when there is no memory. */
void *plugin_memory_alloc(struct plugin_memory *, size_t alignment, size_t size); /* 0: for anything */
void *plugin_memory_realloc(struct plugin_memory *, void *block, size_t size);
void plugin_memory_free(struct plugin_memory *, void *block); /* one that is not known is freed as well */
bool plugin_memory_has(const struct plugin_memory *, const void *block);
/* Forgets the blocks that are left; how many there were. They stay: the C library or others may have them. */
size_t plugin_memory_end(struct plugin_memory *);

#endif
