/* See plugin_memory.h. */
#include "policy/plugin_memory.h"

#include <stdlib.h>

static void note(struct plugin_memory *m, const void *block, size_t size) {
    if (block && map_put(&m->sizes, (uint64_t)(uintptr_t)block, size) == 0)
        m->bytes += size;
}

static void forget(struct plugin_memory *m, const void *block) {
    uint64_t size;
    if (block && map_remove(&m->sizes, (uint64_t)(uintptr_t)block, &size))
        m->bytes -= size;
}

void *plugin_memory_alloc(struct plugin_memory *m, size_t alignment, size_t size) {
    void *block = NULL;
    if (alignment == 0)
        block = malloc(size);
    else if (posix_memalign(&block, alignment, size) != 0)
        block = NULL;
    note(m, block, size);
    return block;
}

void *plugin_memory_realloc(struct plugin_memory *m, void *block, size_t size) {
    uint64_t before = 0;
    const uint64_t name = (uint64_t)(uintptr_t)block;
    const bool known = block && map_get(&m->sizes, name, &before);
    void *moved = realloc(block, size);
    if (!moved && size > 0) /* the old one stays */
        return NULL;
    if (known) {
        map_remove(&m->sizes, name, NULL);
        m->bytes -= before;
    }
    note(m, moved, size);
    return moved;
}

void plugin_memory_free(struct plugin_memory *m, void *block) {
    forget(m, block);
    free(block);
}

bool plugin_memory_has(const struct plugin_memory *m, const void *block) {
    return map_get(&m->sizes, (uint64_t)(uintptr_t)block, NULL);
}

size_t plugin_memory_end(struct plugin_memory *m) {
    const size_t blocks = map_count(&m->sizes);
    map_free(&m->sizes);
    return blocks;
}
