/* Verifies what the files of the machine hold on to each other: every reference to an open file is a slot of
 * some descriptor table or a message in flight, every reference to a table is a living process, and locks and
 * inodes are in order. */
#include "base/map.h"
#include "kernel/files/descriptor.h"
#include "kernel/files/inode.h"
#include "kernel/files/lock.h"
#include "kernel/network/unix.h"
#include "kernel/terminal/terminal.h"

static int count(struct map *counts, const void *what) {
    uint64_t n = 0;
    map_get(counts, (uint64_t)(uintptr_t)what, &n);
    return map_put(counts, (uint64_t)(uintptr_t)what, n + 1);
}

/* Counts who uses which table, and once for each table which slot names which file. */
static int count_users(struct kernel *k, struct map *tables, struct map *files) {
    struct process *p;
    TAILQ_FOREACH(p, &k->processes, of_machine) {
        if (!p->descriptors)
            continue;
        bool seen = map_get(tables, (uint64_t)(uintptr_t)p->descriptors, NULL);
        if (count(tables, p->descriptors) < 0)
            return -1;
        for (int fd = descriptor_next(p, 0); !seen && fd >= 0; fd = descriptor_next(p, fd + 1)) {
            if (count(files, descriptor_file(p, fd)) < 0)
                return -1;
        }
    }
    return 0;
}

static const char *check_counts(struct kernel *k, struct map *tables, struct map *files) {
    size_t cursor = 0;
    uint64_t key, n;
    if (count_users(k, tables, files) < 0)
        return NULL; /* no memory to look: nothing is known to be wrong */
    while (map_next(tables, &cursor, &key, &n)) {
        if (descriptors_references((const struct descriptors *)(uintptr_t)key) != n)
            return "a descriptor table's references are not the processes that use it";
    }
    cursor = 0;
    while (map_next(files, &cursor, &key, &n)) {
        const struct file *f = (const struct file *)(uintptr_t)key;
        if (f->references != n + f->in_flight)
            return "an open file's references are not the descriptors and messages that name it";
        if (f->kernel != k)
            return "an open file of another machine";
    }
    return NULL;
}

const char *files_check(struct kernel *k) {
    struct map tables = MAP_INIT(NULL), files = MAP_INIT(NULL);
    const char *wrong = check_counts(k, &tables, &files);
    map_free(&tables);
    map_free(&files);
    if (!wrong)
        wrong = locks_check(k);
    if (!wrong)
        wrong = terminal_verify(k);
    if (!wrong)
        wrong = unix_check(k);
    return wrong ? wrong : inodes_check(k);
}
