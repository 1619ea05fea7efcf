/* Naming anonymous memory. Source: Linux 6.18 mm/madvise.c, madvise_set_anon_name() and what it calls. */
#include "vm/name.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "vm/merge.h"
#include "vm/space.h"
#include "vm/state.h"

struct mapping_name *mapping_name_create(struct vm *vm, const char *text) {
    const size_t length = strlen(text) + 1;
    struct mapping_name *name = vm_alloc(vm, sizeof *name + length);
    if (!name)
        return NULL;
    name->references = 1;
    memcpy(name->text, text, length);
    return name;
}

struct mapping_name *mapping_name_ref(struct mapping_name *name) {
    if (name)
        name->references++;
    return name;
}

void mapping_name_unref(struct mapping_name *name) {
    if (name && --name->references == 0)
        free(name);
}

bool mapping_name_same(const struct mapping_name *a, const struct mapping_name *b) {
    return a == b || (a && b && !strcmp(a->text, b->text));
}

static int name_part(struct space *space, struct mapping *m, vpn_t start, vpn_t end, void *name) {
    if (m->object && (!m->object->anonymous || m->opened))
        return -EBADF; /* a file's, a memory file's included */
    if (mapping_name_same(m->name, name))
        return 0;
    if (mapping_rename(&m, start, end, name))
        return -EAGAIN;
    space_tell_range(space, m, start, end);
    return 0;
}

int space_name(struct space *space, uint64_t address, uint64_t length, const char *text) {
    const uint64_t bytes = page_round_up(length);
    if (address & PAGE_MASK || bytes < length || address + bytes < address)
        return -EINVAL;
    struct mapping_name *name = text ? mapping_name_create(space->vm, text) : NULL;
    if (text && !name)
        return -ENOMEM;
    const int error = mapping_each(space, vpn_of(address), vpn_of(address + bytes), name_part, name);
    mapping_name_unref(name);
    return error;
}
