/* Files in /proc. One is written out whole when it is read at offset 0, and read from that copy until it is
 * read at offset 0 again: what a program reads in pieces fits together. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/alloc.h"
#include "base/base.h"
#include "kernel/condition.h"
#include "kernel/kinds.h"
#include "kernel/procfs/procfs_entry.h"

struct proc_file {
    struct proc_node node;
    char *text; /* NULL: not read yet */
    size_t length;
};

static const struct proc_entry *entry_of(const struct file *f) {
    const struct proc_file *p = f->data;
    return p->node.chain[p->node.depth];
}

/* The file is being read. Control groups are there to be asked about memory, whatever they say. */
static void note_condition(struct file *f) {
    const struct proc_node *node = &((struct proc_file *)f->data)->node;
    char path[PATH_MAX];
    const enum proc_tells tells = node->chain[0] == &sysfs_cgroup ? PROC_TELLS_COUNTS : entry_of(f)->tells;
    if (tells == PROC_TELLS_NOTHING || (tells == PROC_TELLS_COUNTS && !vm_tells_truth(f->kernel->vm)))
        return;
    if (node->pid)
        snprintf(path, sizeof path, "/proc/PID/%s", entry_of(f)->name);
    else
        proc_path(node, path, sizeof path);
    condition_note(f->kernel, path);
}

static int text_refresh(struct file *f) {
    struct proc_file *p = f->data;
    struct proc_view v;
    char *text = NULL;
    size_t length = 0;
    int r = proc_look(f->kernel, &p->node, &v);
    if (r < 0)
        return r;
    note_condition(f);
    FILE *out = open_memstream(&text, &length);
    if (!out)
        return -ENOMEM;
    if (entry_of(f)->text)
        fputs(entry_of(f)->text, out);
    else
        entry_of(f)->show(&v, out);
    bool bad = ferror(out);
    if (fclose(out) || bad) {
        free(text);
        return -ENOMEM;
    }
    free(p->text);
    p->text = text;
    p->length = length;
    return 0;
}

static ssize_t text_read(struct file *f, struct thread *t, void *to, size_t length, uint64_t *offset) {
    struct proc_file *p = f->data;
    if (!entry_of(f)->show && !entry_of(f)->text)
        return -EINVAL;
    int r = *offset == 0 || !p->text ? text_refresh(f) : 0;
    if (r < 0)
        return r;
    size_t n = *offset >= p->length ? 0 : min_size(length, p->length - *offset);
    memcpy(to, p->text + (n ? *offset : 0), n);
    *offset += n;
    return (ssize_t)n;
}

static ssize_t text_write(struct file *f, struct thread *t, const void *from, size_t length,
                          uint64_t *offset) {
    struct proc_file *p = f->data;
    struct proc_view v;
    int r = entry_of(f)->store ? proc_look(f->kernel, &p->node, &v) : -EINVAL;
    if (r == 0)
        r = entry_of(f)->store(&v, from, length);
    if (r < 0)
        return r;
    *offset += length;
    return (ssize_t)length;
}

static int64_t file_seek(struct file *f, int64_t offset, int whence) {
    int64_t base = whence == SEEK_CUR ? (int64_t)f->offset : 0, position;
    (void)__builtin_add_overflow(base, offset, &position); /* where they are addresses, they wrap */
    if (whence > SEEK_CUR || (position < 0 && entry_of(f)->show))
        return -EINVAL;
    f->offset = (uint64_t)position;
    return position;
}

static int file_status(struct file *f, struct stat *ret_stat) {
    proc_stat(f->kernel, &((struct proc_file *)f->data)->node, ret_stat);
    return 0;
}

static void file_release(struct file *f) {
    struct proc_file *p = f->data;
    free(p->text);
    free(p);
}

static const struct file_ops text_ops = {
    .name = "proc file",
    .read = text_read,
    .write = text_write,
    .seek = file_seek,
    .stat = file_status,
    .release = file_release,
};

void proc_copy_host(const char *path, FILE *out) {
    char line[4096];
    FILE *host = fopen(path, "re");
    while (host && fgets(line, sizeof(line), host))
        fputs(line, out);
    if (host)
        fclose(host);
}

/* ---- /proc/PID/mem: the process's memory at its addresses. As for a debugger, what a private mapping does
 * not allow is no obstacle; a shared one is never written against its protection. ---- */

static ssize_t memory_copy(struct space *space, uint64_t address, void *buffer, size_t length, bool writes) {
    return writes ? user_write_some(space, address, buffer, length)
                  : user_read_some(space, address, buffer, length);
}

static int protection_of(const struct mapping_view *m) {
    return (m->access & ACCESS_READ ? PROT_READ : 0) | (m->access & ACCESS_WRITE ? PROT_WRITE : 0) |
           (m->access & ACCESS_EXEC ? PROT_EXEC : 0);
}

/* The page becomes accessible for as long as it takes; `length` bytes lie in it. */
static ssize_t memory_force(struct space *space, uint64_t address, void *buffer, size_t length, bool writes) {
    uint64_t page = address & ~(uint64_t)(PAGE_SIZE - 1);
    struct mapping_view m;
    if (!space_next_mapping(space, address, false, &m) || m.start > address || (writes && m.shared))
        return -EIO;
    int own = protection_of(&m);
    if (space_protect(space, page, PAGE_SIZE, own | PROT_READ | (writes ? PROT_WRITE : 0)) < 0)
        return -EIO;
    ssize_t n = memory_copy(space, address, buffer, length, writes);
    (void)space_protect(space, page, PAGE_SIZE, own); /* which merges what the first one has split */
    return n < 0 ? -EIO : n;
}

static ssize_t memory_access(struct file *f, void *buffer, size_t length, uint64_t *offset, bool writes) {
    struct proc_view v;
    if (proc_look(f->kernel, &((struct proc_file *)f->data)->node, &v) < 0 || !v.process->space)
        return 0;
    size_t done = 0;
    while (done < length) {
        uint64_t address = *offset + done;
        size_t want = min_u64(length - done, PAGE_SIZE - address % PAGE_SIZE);
        char *bytes = (char *)buffer + done;
        ssize_t n = memory_copy(v.process->space, address, bytes, want, writes);
        if (n < 0)
            n = memory_force(v.process->space, address, bytes, want, writes);
        if (n < 0 && !done)
            return n;
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    *offset += done;
    return (ssize_t)done;
}

static ssize_t memory_read(struct file *f, struct thread *t, void *to, size_t length, uint64_t *offset) {
    return memory_access(f, to, length, offset, false);
}

static ssize_t memory_write(struct file *f, struct thread *t, const void *from, size_t length,
                            uint64_t *offset) {
    return memory_access(f, (void *)from, length, offset, true);
}

const struct file_ops proc_memory_ops = {
    .name = "proc memory",
    .read = memory_read,
    .write = memory_write,
    .seek = file_seek,
    .stat = file_status,
    .release = file_release,
};

/* ---- /proc/PID/pagemap: 8 bytes for each page of the address space, as Linux describes them in
 * Documentation/admin-guide/mm/pagemap.rst; the frame numbers are the machine's ---- */

enum { PAGEMAP_SWAP_SHIFT = 5, PAGEMAP_ENTRY = 8 };
#define PAGEMAP_SHARED  (1ULL << 61) /* the page of a file or of shared memory */
#define PAGEMAP_SWAPPED (1ULL << 62)
#define PAGEMAP_PRESENT (1ULL << 63)

static uint64_t pagemap_entry(struct kernel *k, struct page_table *table, vpn_t page) {
    pte_t pte = table->ops->get(table, page);
    if (pte_is_swapped(pte))
        return PAGEMAP_SWAPPED | (uint64_t)pte_slot(pte).n << PAGEMAP_SWAP_SHIFT;
    if (!pte_is_present(pte))
        return 0;
    bool shared = page_id_is_object(vm_page_id(k->vm, pte_pfn(pte)));
    return PAGEMAP_PRESENT | (shared ? PAGEMAP_SHARED : 0) | pte_pfn(pte).n;
}

static ssize_t pagemap_read(struct file *f, struct thread *t, void *to, size_t length, uint64_t *offset) {
    struct proc_view v;
    if (*offset % PAGEMAP_ENTRY || length % PAGEMAP_ENTRY)
        return -EINVAL;
    if (proc_look(f->kernel, &((struct proc_file *)f->data)->node, &v) < 0 || !v.process->space)
        return 0;
    note_condition(f);
    struct page_table *table = space_page_table(v.process->space);
    uint64_t page = *offset / PAGEMAP_ENTRY, *entries = to;
    size_t n = 0;
    for (; n < length / PAGEMAP_ENTRY && page + n < USER_END_VPN.n; n++)
        entries[n] = pagemap_entry(f->kernel, table, (vpn_t){page + n});
    *offset += n * PAGEMAP_ENTRY;
    return (ssize_t)(n * PAGEMAP_ENTRY);
}

const struct file_ops proc_pagemap_ops = {
    .name = "proc pagemap",
    .read = pagemap_read,
    .seek = file_seek,
    .stat = file_status,
    .release = file_release,
};

int proc_file_create(struct kernel *k, const struct proc_node *node, int flags, struct file **ret_file) {
    const struct proc_entry *entry = node->chain[node->depth];
    char path[128];
    proc_path(node, path, sizeof(path));
    struct proc_file *p = inject_calloc(k->config.inject, 1, sizeof(*p));
    struct file *f = p ? file_create(k, entry->ops ? entry->ops : &text_ops, flags) : NULL;
    if (!f) {
        free(p);
        return -ENOMEM;
    }
    p->node = *node;
    f->data = p;
    f->path = inject_strdup(k->config.inject, path);
    if (!f->path) {
        file_unref(f);
        return -ENOMEM;
    }
    *ret_file = f;
    return 0;
}
