/* Descriptor tables: the numbers by which a process calls its open files.
 *
 * A table is shared by threads and by processes made with CLONE_FILES, copied by fork. POSIX record locks
 * belong to the table, as in Linux: closing any descriptor of a file gives up the
 * table's locks on that file. */
#include "kernel/files/descriptor.h"

#include <errno.h>

#include "base/alloc.h"
#include "kernel/files/file.h"
#include "kernel/files/lock.h"

enum { CAPACITY_MIN = 64 };

struct descriptor {
    struct file *file; /* NULL: free */
    bool close_on_exec;
};

struct descriptors {
    unsigned references;
    int capacity;
    struct descriptor *slots;
};

struct descriptors *descriptors_create(void) {
    struct descriptors *table = calloc(1, sizeof(*table));
    if (table)
        table->references = 1;
    return table;
}

struct descriptors *descriptors_copy(const struct descriptors *from) {
    struct descriptors *table = descriptors_create();
    if (!table || !from->capacity)
        return table;
    table->slots = calloc((size_t)from->capacity, sizeof(*table->slots));
    if (!table->slots) {
        free(table);
        return NULL;
    }
    table->capacity = from->capacity;
    for (int fd = 0; fd < from->capacity; fd++) {
        table->slots[fd] = from->slots[fd];
        if (table->slots[fd].file)
            file_ref(table->slots[fd].file);
    }
    return table;
}

struct descriptors *descriptors_ref(struct descriptors *table) {
    table->references++;
    return table;
}

static void table_close(struct descriptors *table, int fd) {
    struct file *f = table->slots[fd].file;
    table->slots[fd] = (struct descriptor){0};
    lock_forget_owner(f, table);
    file_unref(f);
}

void descriptors_unref(struct descriptors *table) {
    if (!table || --table->references)
        return;
    for (int fd = 0; fd < table->capacity; fd++) {
        if (table->slots[fd].file)
            table_close(table, fd);
    }
    free(table->slots);
    free(table);
}

unsigned descriptors_references(const struct descriptors *table) {
    return table->references;
}

void descriptors_close_on_exec(struct descriptors *table) {
    for (int fd = 0; fd < table->capacity; fd++) {
        if (table->slots[fd].file && table->slots[fd].close_on_exec)
            table_close(table, fd);
    }
}

struct file *descriptor_file(struct process *p, int fd) {
    const struct descriptors *table = p->descriptors;
    return table && fd >= 0 && fd < table->capacity ? table->slots[fd].file : NULL;
}

static int table_grow(struct descriptors *table, struct inject *inject, int fd) {
    if (fd < table->capacity)
        return 0;
    int capacity = table->capacity ? table->capacity : CAPACITY_MIN;
    while (capacity <= fd)
        capacity *= 2;
    struct descriptor *slots = inject_realloc(inject, table->slots, (size_t)capacity, sizeof(*slots));
    if (!slots)
        return -ENOMEM;
    memset(slots + table->capacity, 0, (size_t)(capacity - table->capacity) * sizeof(*slots));
    table->slots = slots;
    table->capacity = capacity;
    return 0;
}

static int limit_of(const struct process *p) {
    rlim_t limit = p->limits[RLIMIT_NOFILE].rlim_cur;
    return limit > DESCRIPTORS_MAX ? DESCRIPTORS_MAX : (int)limit;
}

/* The lowest free number >= from, which may be beyond the table's capacity. */
static int table_free(const struct descriptors *table, int from) {
    int fd = from;
    while (fd < table->capacity && table->slots[fd].file)
        fd++;
    return fd;
}

int descriptor_available(struct process *p) {
    return table_free(p->descriptors, 0) < limit_of(p) ? 0 : -EMFILE;
}

int descriptor_install(struct process *p, struct file *f, int from, bool close_on_exec) {
    struct descriptors *table = p->descriptors;
    int fd = table_free(table, from);
    if (fd >= limit_of(p))
        return -EMFILE;
    int r = table_grow(table, p->kernel->config.inject, fd);
    if (r < 0)
        return r;
    table->slots[fd] = (struct descriptor){.file = f, .close_on_exec = close_on_exec};
    return fd;
}

int descriptor_replace(struct process *p, struct file *f, int fd, bool close_on_exec) {
    struct descriptors *table = p->descriptors;
    if (fd < 0 || fd >= limit_of(p))
        return -EBADF;
    int r = table_grow(table, p->kernel->config.inject, fd);
    if (r < 0)
        return r;
    if (table->slots[fd].file)
        table_close(table, fd);
    table->slots[fd] = (struct descriptor){.file = f, .close_on_exec = close_on_exec};
    return fd;
}

int descriptor_close(struct process *p, int fd) {
    if (!descriptor_file(p, fd))
        return -EBADF;
    table_close(p->descriptors, fd);
    return 0;
}

bool descriptor_close_on_exec(struct process *p, int fd) {
    return p->descriptors->slots[fd].close_on_exec;
}

void descriptor_set_close_on_exec(struct process *p, int fd, bool on) {
    p->descriptors->slots[fd].close_on_exec = on;
}

int descriptor_next(struct process *p, int fd) {
    for (; p->descriptors && fd < p->descriptors->capacity; fd++) {
        if (fd >= 0 && p->descriptors->slots[fd].file)
            return fd;
    }
    return -1;
}

int descriptors_capacity(struct process *p) {
    return p->descriptors->capacity < CAPACITY_MIN ? CAPACITY_MIN : p->descriptors->capacity;
}

int descriptors_unshare(struct process *p) {
    struct descriptors *old = p->descriptors;
    if (old->references == 1)
        return 0;
    struct descriptors *own = descriptors_copy(old);
    if (!own)
        return -ENOMEM;
    p->descriptors = own;
    descriptors_unref(old);
    return 0;
}

int descriptor_install_or_drop(struct process *p, struct file *f, bool close_on_exec) {
    int fd = descriptor_install(p, f, 0, close_on_exec);
    if (fd < 0)
        file_unref(f);
    return fd;
}
