/* See sysv.h. Numbers, keys and permissions as Linux 6.1 has them in ipc/util.c.
 *
 * Invariants: `used` objects are in the table, each at the place that its id says; no two of them have the
 * same key other than IPC_PRIVATE. */
#include "kernel/sysv/sysv.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/base.h"
#include "kernel/process/identity.h"

/* An id is sequence * 2^15 + index. Places are used in turn, in a window that grows with the table, so that
 * sequence numbers last. */
enum {
    SYSV_INDEX_BITS = 15,
    SYSV_INDEX_MASK = (1 << SYSV_INDEX_BITS) - 1,
    SYSV_SEQUENCES = 1 << 16,
    SYSV_WINDOW = 64
};

int sysv_create(struct kernel *k) {
    k->sysv = inject_calloc(k->config.inject, 1, sizeof *k->sysv);
    if (!k->sysv)
        return -ENOMEM;
    k->sysv->segments = (struct sysv_table){.most = SYSV_SHMMNI, .last = -1};
    k->sysv->sets = (struct sysv_table){.most = SYSV_SEMMNI, .last = -1};
    k->sysv->queues = (struct sysv_table){.most = SYSV_MSGMNI, .last = -1};
    return 0;
}

static void table_destroy(struct kernel *k, struct sysv_table *table,
                          void (*destroy)(struct kernel *, struct sysv_object *)) {
    for (int i = 0; i < table->capacity; i++)
        if (table->objects[i])
            destroy(k, table->objects[i]);
    free(table->objects);
}

void sysv_destroy(struct kernel *k) {
    if (!k->sysv)
        return;
    table_destroy(k, &k->sysv->segments, sysv_free_segment);
    table_destroy(k, &k->sysv->sets, sysv_free_set);
    table_destroy(k, &k->sysv->queues, sysv_free_queue);
    free(k->sysv);
}

static const char *table_check(const struct sysv_table *table,
                               const char *(*check)(const struct sysv_object *)) {
    const char *wrong = NULL;
    int used = 0;
    for (int i = 0; i < table->capacity && !wrong; i++) {
        if (!table->objects[i])
            continue;
        used++;
        wrong = (table->objects[i]->id & SYSV_INDEX_MASK) == i ? check(table->objects[i])
                                                               : "an IPC object is not where its id says";
    }
    return wrong ? wrong : used == table->used ? NULL : "IPC objects are miscounted";
}

const char *sysv_check(const struct kernel *k) {
    const char *wrong = table_check(&k->sysv->segments, sysv_check_segment);
    if (!wrong)
        wrong = table_check(&k->sysv->sets, sysv_check_set);
    return wrong ? wrong : table_check(&k->sysv->queues, sysv_check_queue);
}

void sysv_leave(struct thread *t) {
    if (t->ipc_waiter)
        t->ipc_waiter->leave(t->ipc_waiter);
}

time_t sysv_time(struct kernel *k) {
    return (time_t)(clock_realtime(k) / 1000000000);
}

/* ---- tables ---- */

struct sysv_object *sysv_at(const struct sysv_table *table, int index) {
    return index >= 0 && index < table->capacity ? table->objects[index] : NULL;
}

struct sysv_object *sysv_find(const struct sysv_table *table, int id) {
    struct sysv_object *object = id < 0 ? NULL : sysv_at(table, id & SYSV_INDEX_MASK);
    return object && object->id == id ? object : NULL;
}

struct sysv_object *sysv_find_key(const struct sysv_table *table, key_t key) {
    if (key != IPC_PRIVATE)
        for (int i = 0; i < table->capacity; i++)
            if (table->objects[i] && table->objects[i]->key == key)
                return table->objects[i];
    return NULL;
}

int sysv_last_index(const struct sysv_table *table) {
    for (int i = table->capacity - 1; i > 0; i--)
        if (table->objects[i])
            return i;
    return 0;
}

static int table_grow(struct kernel *k, struct sysv_table *table, int capacity) {
    if (capacity <= table->capacity)
        return 0;
    struct sysv_object **grown =
        inject_realloc(k->config.inject, table->objects, (size_t)capacity, sizeof(struct sysv_object *));
    if (!grown)
        return -ENOMEM;
    for (int i = table->capacity; i < capacity; i++)
        grown[i] = NULL;
    table->objects = grown;
    table->capacity = capacity;
    return 0;
}

/* The next free place behind the one that was given out last, round and round. */
static int table_place(const struct sysv_table *table) {
    for (int i = 1; i <= table->capacity; i++) {
        int index = (table->last + i) % table->capacity;
        if (!table->objects[index])
            return index;
    }
    return -ENOSPC;
}

int sysv_add(struct kernel *k, struct sysv_table *table, struct sysv_object *object, key_t key, int flags) {
    if (table->used >= table->most)
        return -ENOSPC;
    int window = table->used * 3 / 2 > SYSV_WINDOW ? table->used * 3 / 2 : SYSV_WINDOW;
    int r = table_grow(k, table, window < table->most ? window : table->most);
    int index = r < 0 ? r : table_place(table);
    if (index < 0)
        return index;
    if (index <= table->last)
        table->sequence = (table->sequence + 1) % SYSV_SEQUENCES;
    table->last = index;
    table->objects[index] = object;
    table->used++;
    object->id = table->sequence << SYSV_INDEX_BITS | index;
    object->key = key;
    object->mode = (unsigned)flags & 0777;
    object->uid = object->cuid = geteuid();
    object->gid = object->cgid = getegid();
    return object->id;
}

void sysv_remove(struct sysv_table *table, struct sysv_object *object) {
    table->objects[object->id & SYSV_INDEX_MASK] = NULL;
    table->used--;
}

int sysv_get(const struct sysv_table *table, key_t key, int flags,
             bool (*fits)(const struct sysv_object *, uint64_t), uint64_t size,
             struct sysv_object **ret_object) {
    struct sysv_object *object = sysv_find_key(table, key);
    if (!object)
        return key == IPC_PRIVATE || (flags & IPC_CREAT) ? 1 : -ENOENT;
    if ((flags & IPC_CREAT) && (flags & IPC_EXCL))
        return -EEXIST;
    if (!fits(object, size))
        return -EINVAL;
    *ret_object = object;
    return sysv_may(object, (unsigned)flags);
}

/* ---- permissions ---- */

int sysv_may(const struct sysv_object *object, unsigned access) {
    unsigned wanted = (access >> 6 | access >> 3 | access) & 07, granted = object->mode;
    if (geteuid() == object->cuid || geteuid() == object->uid)
        granted >>= 6;
    else if (identity_in_group(object->cgid) || identity_in_group(object->gid))
        granted >>= 3;
    return (wanted & ~granted) && !identity_capable(CAP_IPC_OWNER) ? -EACCES : 0;
}

int sysv_may_change(const struct sysv_object *object) {
    bool own = geteuid() == object->cuid || geteuid() == object->uid;
    return own || identity_capable(CAP_SYS_ADMIN) ? 0 : -EPERM;
}

struct ipc_perm sysv_permissions(const struct sysv_object *object) {
    return (struct ipc_perm){.__key = object->key,
                             .uid = object->uid,
                             .gid = object->gid,
                             .cuid = object->cuid,
                             .cgid = object->cgid,
                             .mode = object->mode,
                             .__seq = (unsigned short)(object->id >> SYSV_INDEX_BITS)};
}

int sysv_set_permissions(struct sysv_object *object, const struct ipc_perm *perm) {
    if (perm->uid == (uid_t)-1 || perm->gid == (gid_t)-1)
        return -EINVAL;
    object->uid = perm->uid;
    object->gid = perm->gid;
    object->mode = (object->mode & ~0777u) | (perm->mode & 0777u);
    return 0;
}
