/* System V shared memory: shmget, shmat, shmdt, shmctl. A segment is an anonymous object of the vm, whose
 * pages are frames and swap of the machine.
 *
 * A removed segment (IPC_RMID) that is still mapped loses its key, keeps its id, and ends with its last
 * mapping, as on Linux. What counts the mappings is object_watch_mappings(): fork, exec, munmap and exit need
 * no code here.
 *
 * Source: Linux 6.1 ipc/shm.c; shmget(2), shmop(2), shmctl(2). There are no huge pages (SHM_HUGETLB). */
#include <errno.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>

#include "base/alloc.h"
#include "base/base.h"
#include "kernel/condition.h"
#include "kernel/process/identity.h"
#include "kernel/syscall.h"
#include "kernel/sysv/sysv.h"

#ifndef SHM_STAT_ANY
#define SHM_STAT_ANY 15
#endif

struct segment {
    struct sysv_object head;
    struct kernel *kernel;
    struct object *object; /* a reference */
    uint64_t size;         /* bytes, as asked for */
    uint64_t attached;     /* mappings */
    uint32_t creator, last;
    time_t attach_time, detach_time, change_time;
};

static struct sysv_table *segments_of(struct thread *t) {
    return &t->process->kernel->sysv->segments;
}

static uint64_t segment_pages(const struct segment *s) {
    return page_round_up(s->size) / PAGE_SIZE;
}

static void segment_destroy(struct segment *s) {
    struct sysv *sysv = s->kernel->sysv;
    sysv->segment_pages -= segment_pages(s);
    sysv_remove(&sysv->segments, &s->head);
    object_watch_mappings(s->object, NULL, NULL);
    object_unref(s->object);
    free(s);
}

void sysv_free_segment(struct kernel *k, struct sysv_object *head) {
    segment_destroy((struct segment *)head);
}

const char *sysv_check_segment(const struct sysv_object *head) {
    const struct segment *s = (const struct segment *)head;
    if (object_is_mapped(s->object) != (s->attached > 0))
        return "attachments of a shared memory segment are miscounted";
    return (head->mode & SHM_DEST) && s->attached == 0 ? "a removed segment outlives its last mapping" : NULL;
}

/* A mapping of the segment has come or gone. */
static void segment_mapped(void *context, struct space *space, int by) {
    struct segment *s = context;
    const struct thread *current = s->kernel->current;
    s->last = current ? current->process->pid : space_pid(space);
    *(by > 0 ? &s->attach_time : &s->detach_time) = sysv_time(s->kernel);
    s->attached += (uint64_t)by;
    if (s->attached == 0 && (s->head.mode & SHM_DEST))
        segment_destroy(s);
}

/* ---- shmget ---- */

static bool segment_fits(const struct sysv_object *head, uint64_t size) {
    return size <= ((const struct segment *)head)->size;
}

static int segment_check_size(struct kernel *k, uint64_t size, int flags) {
    struct vm_counts counts;
    if (size == 0 || size > SYSV_SHMMAX)
        return -EINVAL;
    if (size > INT64_MAX) /* no file can be so large */
        return -EINVAL;
    vm_get_told_counts(k->vm, &counts);
    if (flags & SHM_HUGETLB) /* there is no pool of huge pages */
        return identity_capable(CAP_IPC_LOCK) ? -ENOMEM : -EPERM;
    bool absurd = page_round_up(size) / PAGE_SIZE > counts.frames.total + counts.swap.pages;
    return absurd && !(flags & SHM_NORESERVE) ? -ENOMEM : 0;
}

static long segment_create(struct thread *t, key_t key, uint64_t size, int flags) {
    struct kernel *k = t->process->kernel;
    char name[32];
    int r = segment_check_size(k, size, flags);
    if (r < 0)
        return r;
    struct segment *s = inject_calloc(k->config.inject, 1, sizeof *s);
    if (!s)
        return -ENOMEM;
    snprintf(name, sizeof name, "/SYSV%08x (deleted)", (unsigned)key);
    r = object_create_anonymous(k->vm, size, name, &s->object);
    if (r < 0)
        goto out_free;
    r = sysv_add(k, &k->sysv->segments, &s->head, key, flags);
    if (r < 0)
        goto out_object;
    s->kernel = k;
    s->size = size;
    s->creator = t->process->pid;
    s->change_time = sysv_time(k);
    k->sysv->segment_pages += segment_pages(s);
    object_watch_mappings(s->object, segment_mapped, s);
    return s->head.id;
out_object:
    object_unref(s->object);
out_free:
    free(s);
    return r;
}

static long sys_shmget(struct thread *t, const uint64_t args[6]) {
    struct sysv_object *found;
    int flags = (int)args[2];
    int r = sysv_get(segments_of(t), (key_t)args[0], flags, segment_fits, args[1], &found);
    if (r == 1)
        return segment_create(t, (key_t)args[0], args[1], flags);
    return r < 0 ? r : found->id;
}

/* ---- shmat, shmdt ---- */

/* Where it is to be mapped: completes the request. */
static int attach_place(uint64_t address, int flags, struct map_request *request) {
    if (address == 0)
        return flags & SHM_REMAP ? -EINVAL : 0;
    if (address % PAGE_SIZE) {
        if (!(flags & SHM_RND))
            return -EINVAL;
        address &= ~(uint64_t)PAGE_MASK;
        if (address == 0 && (flags & SHM_REMAP))
            return -EINVAL;
    }
    request->address = address;
    request->flags |= flags & SHM_REMAP ? MAP_FIXED : MAP_FIXED_NOREPLACE;
    return 0;
}

static long sys_shmat(struct thread *t, const uint64_t args[6]) {
    struct space *space = t->process->space;
    int flags = (int)args[2];
    bool write = !(flags & SHM_RDONLY);
    struct map_request request = {
        .protection = PROT_READ | (write ? PROT_WRITE : 0) | (flags & SHM_EXEC ? PROT_EXEC : 0),
        .flags = MAP_SHARED,
        .may_write = write,
    };
    unsigned access = SYSV_READ | (write ? SYSV_WRITE : 0u) | (flags & SHM_EXEC ? SYSV_EXECUTE : 0u);
    uint64_t address;
    int r = (int)args[0] < 0 ? -EINVAL : attach_place(args[1], flags, &request);
    if (r < 0)
        return r;
    struct segment *s = (struct segment *)sysv_find(segments_of(t), (int)args[0]);
    r = s ? sysv_may(&s->head, access) : -EINVAL;
    if (r < 0)
        return r;
    if ((request.flags & MAP_FIXED_NOREPLACE) && request.address + s->size < request.address)
        return -EINVAL;
    request.object = s->object;
    request.length = s->size;
    r = space_map(space, &request, &address);
    if (r == -EEXIST) /* something is mapped there: shmat's own word for it */
        return -EINVAL;
    return r < 0 ? r : (long)address;
}

static struct segment *segment_of_object(const struct sysv_table *table, const struct object *object) {
    for (int i = 0; i < table->capacity; i++) {
        struct segment *s = (struct segment *)table->objects[i];
        if (s && s->object == object)
            return s;
    }
    return NULL;
}

/* Whether the mapping is a piece of what was attached at `address`. */
static bool detach_matches(const struct mapping_view *view, uint64_t address) {
    return view->start - address == view->offset;
}

/* All pieces of the attachment that begins at the address: it may have been split or have holes by now. */
static long sys_shmdt(struct thread *t, const uint64_t args[6]) {
    const struct sysv_table *table = segments_of(t);
    struct space *space = t->process->space;
    const struct object *object = NULL;
    struct mapping_view view;
    uint64_t address = args[0], size = 0;
    if (address % PAGE_SIZE)
        return -EINVAL;
    for (uint64_t at = address; space_next_mapping(space, at, false, &view); at = view.end) {
        if (object && view.end > address + size)
            break;
        const struct segment *s = view.object ? segment_of_object(table, view.object) : NULL;
        if (!s || view.start < address || !detach_matches(&view, address) || (object && object != s->object))
            continue;
        object = s->object;
        size = page_round_up(s->size);
        int r = space_unmap(space, view.start, view.end - view.start); /* perhaps the end of the segment */
        if (r < 0)
            return r;
    }
    return object ? 0 : -EINVAL;
}

/* ---- shmctl ---- */

static long segment_info(struct thread *t, uint64_t at) {
    const struct sysv_table *table = segments_of(t);
    struct shminfo info = {.shmmax = SYSV_SHMMAX,
                           .shmmin = 1,
                           .shmmni = SYSV_SHMMNI,
                           .shmseg = SYSV_SHMMNI,
                           .shmall = SYSV_SHMMAX};
    return user_write(t->process->space, at, &info, sizeof info) < 0 ? -EFAULT : sysv_last_index(table);
}

static long segment_usage(struct thread *t, uint64_t at) {
    const struct sysv_table *table = segments_of(t);
    condition_note_memory(t->process->kernel, "shmctl (SHM_INFO)");
    struct shm_info info = {.used_ids = table->used, .shm_tot = t->process->kernel->sysv->segment_pages};
    for (int i = 0; i < table->capacity && vm_tells_truth(t->process->kernel->vm); i++) {
        const struct segment *s = (const struct segment *)table->objects[i];
        info.shm_rss += s ? object_resident(s->object) : 0;
        info.shm_swp += s ? object_swapped(s->object) : 0;
    }
    return user_write(t->process->space, at, &info, sizeof info) < 0 ? -EFAULT : sysv_last_index(table);
}

static long segment_stat(struct thread *t, int id, int command, uint64_t at) {
    const struct sysv_table *table = segments_of(t);
    const struct sysv_object *head = command == IPC_STAT ? sysv_find(table, id) : sysv_at(table, id);
    const struct segment *s = (const struct segment *)head;
    if (!s)
        return -EINVAL;
    int r = command == SHM_STAT_ANY ? 0 : sysv_may(head, SYSV_READ);
    if (r < 0)
        return r;
    struct shmid_ds stat = {.shm_perm = sysv_permissions(head),
                            .shm_segsz = s->size,
                            .shm_atime = s->attach_time,
                            .shm_dtime = s->detach_time,
                            .shm_ctime = s->change_time,
                            .shm_cpid = (pid_t)s->creator,
                            .shm_lpid = (pid_t)s->last,
                            .shm_nattch = s->attached};
    if (user_write(t->process->space, at, &stat, sizeof stat) < 0)
        return -EFAULT;
    return command == IPC_STAT ? 0 : head->id;
}

static long segment_remove(struct segment *s) {
    if (s->attached == 0) {
        segment_destroy(s);
        return 0;
    }
    s->head.key = IPC_PRIVATE;
    s->head.mode |= SHM_DEST;
    return 0;
}

/* Nothing is pinned on this machine: the mark is kept. */
static long segment_lock(struct thread *t, struct segment *s, bool lock) {
    bool own = geteuid() == s->head.uid || geteuid() == s->head.cuid;
    if (!identity_capable(CAP_IPC_LOCK)) {
        if (!own || (lock && t->process->limits[RLIMIT_MEMLOCK].rlim_cur == 0))
            return -EPERM;
    }
    s->head.mode = lock ? s->head.mode | SHM_LOCKED : s->head.mode & ~(unsigned)SHM_LOCKED;
    return 0;
}

static long segment_change(struct thread *t, struct segment *s, int command, uint64_t at) {
    struct shmid_ds stat;
    if (command == SHM_LOCK || command == SHM_UNLOCK)
        return s ? segment_lock(t, s, command == SHM_LOCK) : -EINVAL;
    if (command == IPC_SET && user_read(t->process->space, at, &stat, sizeof stat) < 0)
        return -EFAULT;
    int r = s ? sysv_may_change(&s->head) : -EINVAL;
    if (r < 0 || command == IPC_RMID)
        return r < 0 ? r : segment_remove(s);
    r = sysv_set_permissions(&s->head, &stat.shm_perm);
    if (r == 0)
        s->change_time = sysv_time(s->kernel);
    return r;
}

static long sys_shmctl(struct thread *t, const uint64_t args[6]) {
    int id = (int)args[0], command = (int)args[1];
    if (id < 0 || command < 0)
        return -EINVAL;
    switch (command) {
    case IPC_INFO: return segment_info(t, args[2]);
    case SHM_INFO: return segment_usage(t, args[2]);
    case IPC_STAT:
    case SHM_STAT:
    case SHM_STAT_ANY: return segment_stat(t, id, command, args[2]);
    case IPC_SET:
    case IPC_RMID:
    case SHM_LOCK:
    case SHM_UNLOCK:
        return segment_change(t, (struct segment *)sysv_find(segments_of(t), id), command, args[2]);
    default: return -EINVAL;
    }
}

/* ---- /proc/sysvipc/shm ---- */

void sysv_list_segments(struct kernel *k, FILE *out) {
    const struct sysv_table *table = &k->sysv->segments;
    fprintf(out,
            "       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid"
            "      atime      dtime      ctime                   rss                  swap\n");
    for (int i = 0; i < table->capacity; i++) {
        const struct segment *s = (const struct segment *)table->objects[i];
        if (!s)
            continue;
        const struct sysv_object *h = &s->head;
        fprintf(out, "%10d %10d  %4o %21lu %5u %5u  %5lu %5u %5u %5u %5u %10lld %10lld %10lld %21lu %21lu\n",
                h->key, h->id, h->mode, s->size, s->creator, s->last, s->attached, h->uid, h->gid, h->cuid,
                h->cgid, (long long)s->attach_time, (long long)s->detach_time, (long long)s->change_time,
                object_resident(s->object) * PAGE_SIZE, object_swapped(s->object) * PAGE_SIZE);
    }
}

const struct syscall_entry syscalls_sysv_shm[] = {
    {SYS_shmget, "shmget", sys_shmget},
    {SYS_shmat, "shmat", sys_shmat},
    {SYS_shmdt, "shmdt", sys_shmdt},
    {SYS_shmctl, "shmctl", sys_shmctl},
    {-1, NULL, NULL},
};
