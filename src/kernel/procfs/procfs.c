/* /proc: its shape. Names are looked up, listed and described here; what the files say is in
 * procfs_process.c, procfs_maps.c and procfs_machine.c, how they are read in procfs_file.c. */
#include "kernel/procfs/procfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/base.h"
#include "kernel/files/descriptor.h"
#include "kernel/procfs/procfs_entry.h"

enum { PROC_DEVICE = 22 }; /* st_dev of everything here */

static const struct proc_entry process_directory = {
    .mode = S_IFDIR | 0555, .children = proc_process_entries, .more = proc_more_process_entries};
static const struct proc_entry root_directory = {.name = "proc",
                                                 .mode = S_IFDIR | 0555,
                                                 .children = proc_machine_entries,
                                                 .numbers = PROC_PIDS,
                                                 .number = &process_directory};

/* Names are unique. Those of the entries are paths below the root. */
static const struct mount {
    const char *outside, *name;
    const struct proc_entry *entry;
} mounts[] = {
    {".", "proc", &root_directory},
    {"sys/devices/system", "cpu", &sysfs_cpu},
    {"sys/devices/system", "node", &sysfs_node},
    {"sys/fs", "cgroup", &sysfs_cgroup},
};

static const struct proc_entry *entry_of(const struct proc_node *node) {
    return node->chain[node->depth];
}

struct proc_node proc_root(void) {
    return (struct proc_node){.chain = {&root_directory}, .fd = -1};
}

const char *proc_mount(const char *name, struct proc_node *ret_node) {
    for (size_t i = 0; i < ARRAY_LENGTH(mounts); i++) {
        if (strcmp(mounts[i].name, name) == 0) {
            *ret_node = (struct proc_node){.chain = {mounts[i].entry}, .fd = -1};
            return mounts[i].outside;
        }
    }
    return NULL;
}

const char *proc_outside(const struct proc_node *node) {
    size_t i = 0;
    while (mounts[i].entry != node->chain[0])
        i++;
    return mounts[i].outside;
}

bool proc_is_directory(const struct proc_node *node) {
    return S_ISDIR(entry_of(node)->mode);
}

bool proc_is_link(const struct proc_node *node) {
    return S_ISLNK(entry_of(node)->mode);
}

bool proc_is_magic(const struct proc_node *node) {
    return proc_is_link(node) && node->depth > 1;
}

int proc_look(struct kernel *k, const struct proc_node *node, struct proc_view *ret_view) {
    *ret_view = (struct proc_view){.kernel = k, .node = node};
    if (!node->pid)
        return 0;
    ret_view->thread = thread_find(k, node->pid); /* NULL: the leader has ended before the others */
    ret_view->process = process_find(k, node->pid);
    if (!ret_view->process && ret_view->thread) /* another thread's number */
        ret_view->process = ret_view->thread->process;
    if (!ret_view->process)
        return -ESRCH;
    if (!node->tid)
        return 0;
    ret_view->thread = thread_find(k, node->tid);
    return ret_view->thread && ret_view->thread->process == ret_view->process ? 0 : -ESRCH;
}

struct file *proc_node_file(struct kernel *k, const struct proc_node *node) {
    struct proc_view v;
    if (node->fd < 0 || !proc_is_link(node) || proc_look(k, node, &v) < 0)
        return NULL;
    return descriptor_file(v.process, node->fd);
}

/* ---- names ---- */

/* The first number >= from among a directory's names, or -1. */
static int number_next(const struct proc_view *v, enum proc_numbers numbers, int from) {
    int best = -1;
    struct process *p;
    struct thread *t;
    switch (numbers) {
    case PROC_NO_NUMBERS: break;
    case PROC_PIDS:
        TAILQ_FOREACH(p, &v->kernel->processes, of_machine) {
            if ((int)p->pid >= from && (best < 0 || (int)p->pid < best))
                best = (int)p->pid;
        }
        break;
    case PROC_TIDS:
        TAILQ_FOREACH(t, &v->process->threads, of_process) {
            if ((int)t->tid >= from && (best < 0 || (int)t->tid < best))
                best = (int)t->tid;
        }
        break;
    case PROC_DESCRIPTORS: return descriptor_next(v->process, from);
    }
    return best;
}

/* The directory's fixed name number `index`, or NULL. */
static const struct proc_entry *child_at(const struct proc_entry *directory, uint64_t index) {
    const struct proc_entry *lists[] = {directory->children, directory->more};
    for (size_t i = 0; i < ARRAY_LENGTH(lists); i++) {
        for (const struct proc_entry *e = lists[i]; e && e->name; e++) {
            if (index-- == 0)
                return e;
        }
    }
    return NULL;
}

static void node_push(struct proc_node *node, const struct proc_entry *entry) {
    node->chain[++node->depth] = entry;
}

static void node_push_number(struct proc_node *node, int number) {
    const struct proc_entry *directory = entry_of(node);
    switch (directory->numbers) {
    case PROC_NO_NUMBERS: break;
    case PROC_PIDS: node->pid = (uint32_t)number; break;
    case PROC_TIDS: node->tid = (uint32_t)number; break;
    case PROC_DESCRIPTORS: node->fd = number; break;
    }
    node_push(node, directory->number);
}

/* A decimal number without leading zeros, or -1. */
static int number_of(const char *name) {
    int number = 0;
    if (!*name || (name[0] == '0' && name[1]))
        return -1;
    for (const char *c = name; *c; c++) {
        if (*c < '0' || *c > '9' || c - name > 8)
            return -1;
        number = number * 10 + (*c - '0');
    }
    return number;
}

int proc_child(struct kernel *k, const struct proc_node *node, const char *name, struct proc_node *ret_node) {
    const struct proc_entry *directory = entry_of(node);
    struct proc_view v;
    if (!proc_is_directory(node))
        return -ENOTDIR;
    struct proc_node child = *node;
    const struct proc_entry *e;
    for (uint64_t i = 0; (e = child_at(directory, i)); i++) {
        if (strcmp(e->name, name) == 0) {
            node_push(&child, e);
            *ret_node = child;
            return 0;
        }
    }
    int number = number_of(name);
    if (number < 0 || proc_look(k, node, &v) < 0)
        return -ENOENT;
    bool unlisted = directory->numbers == PROC_PIDS && thread_find(k, (uint32_t)number); /* as in Linux */
    if (!unlisted && number_next(&v, directory->numbers, number) != number)
        return -ENOENT;
    node_push_number(&child, number);
    *ret_node = child;
    return 0;
}

bool proc_parent(const struct proc_node *node, struct proc_node *ret_node) {
    if (!node->depth)
        return false;
    *ret_node = *node;
    ret_node->depth--;
    switch (ret_node->chain[ret_node->depth]->numbers) {
    case PROC_NO_NUMBERS: break;
    case PROC_PIDS: ret_node->pid = 0; break;
    case PROC_TIDS: ret_node->tid = 0; break;
    case PROC_DESCRIPTORS: ret_node->fd = -1; break;
    }
    return true;
}

bool proc_exists(struct kernel *k, const struct proc_node *node) {
    struct proc_view v;
    return proc_look(k, node, &v) == 0;
}

int proc_path(const struct proc_node *node, char *to, size_t size) {
    size_t at = 0;
    for (unsigned i = 0; i <= node->depth; i++) {
        size_t room = at < size ? size - at : 0;
        char *here = room ? to + at : NULL;
        const char *name = node->chain[i]->name;
        enum proc_numbers numbers = i ? node->chain[i - 1]->numbers : PROC_NO_NUMBERS;
        int number = numbers == PROC_PIDS ? (int)node->pid : numbers == PROC_TIDS ? (int)node->tid : node->fd;
        int n = name ? snprintf(here, room, "/%s", name) : snprintf(here, room, "/%d", number);
        at += (size_t)n;
    }
    return (int)at;
}

ssize_t proc_readlink(struct thread *t, const struct proc_node *node, char *to, size_t size) {
    struct proc_view v;
    int r = proc_look(t->process->kernel, node, &v);
    if (r < 0)
        return r;
    if (entry_of(node)->link)
        return entry_of(node)->link(t, &v, to, size);
    struct file *f = proc_node_file(v.kernel, node);
    return f ? file_name(f, to, size) : -ENOENT;
}

/* ---- status ---- */

/* The same for the same name in every run: FNV-1a of the path. */
static ino_t inode_number(const struct proc_node *node) {
    char path[128];
    proc_path(node, path, sizeof(path));
    uint64_t hash = 0xcbf29ce484222325ULL;
    for (const char *c = path; *c; c++)
        hash = (hash ^ (unsigned char)*c) * 0x100000001b3ULL;
    return hash >> 24 | 1;
}

/* A link to an open file shows what the file is open for. */
static mode_t mode_of(struct kernel *k, const struct proc_node *node) {
    struct file *f = proc_node_file(k, node);
    if (!f)
        return entry_of(node)->mode;
    int access = f->flags & O_ACCMODE;
    return S_IFLNK | 0100 | (access != O_WRONLY ? 0400 : 0) | (access != O_RDONLY ? 0200 : 0);
}

void proc_stat(struct kernel *k, const struct proc_node *node, struct stat *ret_stat) {
    uint64_t now = clock_realtime(k);
    struct timespec time = {.tv_sec = (time_t)(now / 1000000000), .tv_nsec = (long)(now % 1000000000)};
    *ret_stat = (struct stat){.st_dev = PROC_DEVICE,
                              .st_ino = inode_number(node),
                              .st_mode = mode_of(k, node),
                              .st_nlink = proc_is_directory(node) ? 2 : 1,
                              .st_uid = node->pid ? getuid() : 0,
                              .st_gid = node->pid ? getgid() : 0,
                              .st_blksize = 1024,
                              .st_size = proc_is_link(node) && node->fd >= 0 ? 64 : 0,
                              .st_atim = time,
                              .st_mtim = time,
                              .st_ctim = time};
}

/* ---- directories. The position is the index of a fixed name, then NUMBERS plus a number. ---- */

enum { NUMBERS = 1024 };

static const struct proc_node *directory_node(const struct file *f) {
    return f->data;
}

/* The name at *position, which is moved to it; false at the end. */
static bool directory_name(const struct proc_view *v, uint64_t *position, struct proc_node *ret_node,
                           char name[NAME_MAX + 1]) {
    const struct proc_entry *directory = entry_of(v->node);
    *ret_node = *v->node;
    if (*position < 2) {
        strcpy(name, *position ? ".." : ".");
        if (*position)
            (void)proc_parent(v->node, ret_node); /* of the root: the root */
        return true;
    }
    const struct proc_entry *fixed = child_at(directory, *position - 2);
    if (fixed) {
        node_push(ret_node, fixed);
        snprintf(name, NAME_MAX + 1, "%s", fixed->name);
        return true;
    }
    int number = number_next(v, directory->numbers, *position < NUMBERS ? 0 : (int)(*position - NUMBERS));
    if (number < 0)
        return false;
    *position = NUMBERS + (uint64_t)number;
    node_push_number(ret_node, number);
    snprintf(name, NAME_MAX + 1, "%d", number);
    return true;
}

static ssize_t directory_getdents(struct file *f, void *to, size_t length) {
    struct proc_view v;
    size_t done = 0;
    if (proc_look(f->kernel, directory_node(f), &v) < 0)
        return -ENOENT;
    for (;;) {
        struct proc_node child;
        char name[NAME_MAX + 1];
        uint64_t position = f->offset;
        if (!directory_name(&v, &position, &child, name))
            return (ssize_t)done;
        size_t size = (offsetof(struct dirent64, d_name) + strlen(name) + 1 + 7) & ~(size_t)7;
        if (done + size > length)
            return done ? (ssize_t)done : -EINVAL;
        struct dirent64 *d = (struct dirent64 *)(void *)((char *)to + done);
        memset(d, 0, size);
        d->d_ino = inode_number(&child);
        d->d_off = (off_t)position + 1;
        d->d_reclen = (unsigned short)size;
        d->d_type = (unsigned char)IFTODT(entry_of(&child)->mode);
        memcpy(d->d_name, name, strlen(name));
        done += size;
        f->offset = position + 1;
    }
}

static ssize_t directory_read(struct file *f, struct thread *t, void *to, size_t length, uint64_t *offset) {
    return -EISDIR;
}

static int64_t directory_seek(struct file *f, int64_t offset, int whence) {
    int64_t base = whence == SEEK_CUR ? (int64_t)f->offset : 0, position;
    if (whence > SEEK_END || __builtin_add_overflow(base, offset, &position) || position < 0 ||
        position > INT32_MAX)
        return -EINVAL;
    f->offset = (uint64_t)position;
    return position;
}

static int directory_stat(struct file *f, struct stat *ret_stat) {
    proc_stat(f->kernel, directory_node(f), ret_stat);
    return 0;
}

static void directory_release(struct file *f) {
    free(f->data);
}

static const struct file_ops directory_ops = {
    .name = "proc directory",
    .read = directory_read,
    .seek = directory_seek,
    .stat = directory_stat,
    .getdents = directory_getdents,
    .release = directory_release,
};

static int directory_open(struct kernel *k, const struct proc_node *node, int flags, struct file **ret_file) {
    char path[128];
    proc_path(node, path, sizeof(path));
    struct proc_node *copy = inject_malloc(k->config.inject, sizeof(*copy));
    struct file *f = copy ? file_create(k, &directory_ops, flags) : NULL;
    if (!f) {
        free(copy);
        return -ENOMEM;
    }
    *copy = *node;
    f->data = copy;
    f->path = inject_strdup(k->config.inject, path);
    if (!f->path) {
        file_unref(f);
        return -ENOMEM;
    }
    *ret_file = f;
    return 0;
}

/* ---- opening ---- */

const struct proc_node *proc_file_node(const struct file *f) {
    return f->ops == &directory_ops ? directory_node(f) : NULL;
}

/* Whether the process that an entry shows the memory of lets itself be looked at. */
static bool proc_may_inspect(struct thread *t, const struct proc_node *node) {
    struct proc_view v;
    return !entry_of(node)->inspects || proc_look(t->process->kernel, node, &v) < 0 ||
           process_may_inspect(t->process, v.process);
}

int proc_open(struct thread *t, const struct proc_node *node, int flags, struct file **ret_file) {
    struct kernel *k = t->process->kernel;
    bool writes = (flags & O_ACCMODE) != O_RDONLY;
    if (proc_is_directory(node) && (flags & O_TMPFILE) == O_TMPFILE) /* a task's own directory is immutable */
        return node->pid && (node->depth == 1 || (node->tid && node->depth == 3)) ? -EPERM : -EOPNOTSUPP;
    if (proc_is_directory(node))
        return writes ? -EISDIR : directory_open(k, node, flags, ret_file);
    if (flags & O_DIRECTORY)
        return -ENOTDIR;
    if (proc_is_link(node) && !(flags & O_PATH))
        return -ELOOP;
    if (writes && !(entry_of(node)->mode & 0222))
        return -EACCES;
    if (!(flags & O_PATH) && !proc_may_inspect(t, node))
        return -EACCES;
    return proc_file_create(k, node, flags, ret_file);
}
