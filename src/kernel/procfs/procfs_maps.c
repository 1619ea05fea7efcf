/* /proc/PID/maps, smaps and smaps_rollup: the mappings of an address space, in Linux's format
 * (fs/proc/task_mmu.c of Linux 6.1), and numa_maps. */
#include <string.h>
#include <sys/sysmacros.h>

#include "kernel/files/inode.h"
#include "kernel/procfs/procfs_entry.h"

enum { NAME_COLUMN = 73, KIB_PER_PAGE = PAGE_SIZE / 1024 };

/* What stands behind the inode number: a path, [heap], [stack], a name that the program gave, or nothing. */
static void mapping_name(const struct mapping_view *m, struct stat *ret_stat, char *to, size_t size) {
    *ret_stat = (struct stat){0};
    to[0] = '\0';
    if (m->object && inode_describe(m->object, ret_stat, to, size))
        return;
    const char *name = m->object ? object_name(m->object) : m->heap ? "[heap]" : m->stack ? "[stack]" : "";
    if (m->name && (m->object || !*name))
        snprintf(to, size, m->object ? "[anon_shmem:%s]" : "[anon:%s]", m->name);
    else
        snprintf(to, size, "%s", name ? name : "");
}

static void show_mapping(const struct mapping_view *m, FILE *out) {
    struct stat st;
    char name[PATH_MAX + 16];
    mapping_name(m, &st, name, sizeof(name));
    int width = fprintf(out, "%08lx-%08lx %c%c%c%c %08lx %02x:%02x %lu ", m->start, m->end,
                        m->access & ACCESS_READ ? 'r' : '-', m->access & ACCESS_WRITE ? 'w' : '-',
                        m->access & ACCESS_EXEC ? 'x' : '-', m->shared ? 's' : 'p', m->object ? m->offset : 0,
                        major(st.st_dev), minor(st.st_dev), st.st_ino);
    if (name[0])
        fprintf(out, "%*s%s", width < NAME_COLUMN ? NAME_COLUMN - width : 0, "", name);
    fputc('\n', out);
}

void proc_show_maps(const struct proc_view *v, FILE *out) {
    struct mapping_view m = {0};
    while (v->process->space && space_next_mapping(v->process->space, m.end, false, &m))
        show_mapping(&m, out);
}

static void show_line(FILE *out, const char *name, uint64_t pages) {
    char label[32];
    snprintf(label, sizeof(label), "%s:", name);
    fprintf(out, "%-16s %7lu kB\n", label, pages * KIB_PER_PAGE);
}

static void show_share(FILE *out, const char *name, uint64_t share) {
    char label[32];
    snprintf(label, sizeof(label), "%s:", name);
    fprintf(out, "%-16s %7lu kB\n", label, share / (PAGE_SHARE / KIB_PER_PAGE));
}

static void usage_add(struct mapping_usage *sum, const struct mapping_usage *u) {
    const uint64_t *from = (const uint64_t *)u;
    uint64_t *to = (uint64_t *)sum;
    for (size_t i = 0; i < sizeof(*u) / sizeof(uint64_t); i++)
        to[i] += from[i];
}

static void show_usage(const struct mapping_usage *u, uint64_t locked, FILE *out) {
    show_line(out, "Rss", u->resident);
    show_share(out, "Pss", u->share);
    show_share(out, "Pss_Dirty", u->share_dirty);
    show_line(out, "Shared_Clean", u->shared_clean);
    show_line(out, "Shared_Dirty", u->shared_dirty);
    show_line(out, "Private_Clean", u->private_clean);
    show_line(out, "Private_Dirty", u->private_dirty);
    show_line(out, "Referenced", u->referenced);
    show_line(out, "Anonymous", u->anonymous);
    show_line(out, "KSM", 0);
    show_line(out, "LazyFree", u->lazily_free);
    show_line(out, "AnonHugePages", 0);
    show_line(out, "ShmemPmdMapped", 0);
    show_line(out, "FilePmdMapped", 0);
    show_line(out, "Shared_Hugetlb", 0);
    show_line(out, "Private_Hugetlb", 0);
    show_line(out, "Swap", u->swapped);
    show_share(out, "SwapPss", u->swapped_share);
    show_share(out, "Locked", locked);
}

static void show_flags(const struct mapping_view *m, FILE *out) {
    fprintf(out, "VmFlags: %s%s%s%smr mw me %s%s\n", m->access & ACCESS_READ ? "rd " : "",
            m->access & ACCESS_WRITE ? "wr " : "", m->access & ACCESS_EXEC ? "ex " : "",
            m->shared ? "sh " : "", m->grows_down ? "gd " : "", m->locked ? "lo " : "");
}

void proc_show_smaps(const struct proc_view *v, FILE *out) {
    struct mapping_view m = {0};
    struct mapping_usage u;
    while (v->process->space && space_next_mapping(v->process->space, m.end, false, &m)) {
        space_get_usage(v->process->space, m.start, m.end, &u);
        show_mapping(&m, out);
        show_line(out, "Size", (m.end - m.start) / PAGE_SIZE);
        show_line(out, "KernelPageSize", 1);
        show_line(out, "MMUPageSize", 1);
        show_usage(&u, m.locked ? u.share : 0, out);
        fprintf(out, "THPeligible:           0\n");
        show_flags(&m, out);
    }
}

void proc_show_smaps_rollup(const struct proc_view *v, FILE *out) {
    struct mapping_view m = {0};
    struct mapping_usage sum = {0}, u;
    uint64_t start = UINT64_MAX, locked = 0;
    while (v->process->space && space_next_mapping(v->process->space, m.end, false, &m)) {
        start = start == UINT64_MAX ? m.start : start;
        space_get_usage(v->process->space, m.start, m.end, &u);
        usage_add(&sum, &u);
        locked += m.locked ? u.share : 0;
    }
    if (start == UINT64_MAX)
        return;
    fprintf(out, "%08lx-%08lx ---p 00000000 00:00 0 %*s[rollup]\n", start, m.end, 25, "");
    show_usage(&sum, locked, out);
}

/* One node has all the memory. */
static void show_numa_counts(const struct mapping_view *m, const struct mapping_usage *u, FILE *out) {
    if (u->anonymous)
        fprintf(out, " anon=%lu", u->anonymous);
    if (u->resident && u->anonymous != u->resident)
        fprintf(out, " mapped=%lu", u->resident);
    if (u->private_dirty + u->shared_dirty)
        fprintf(out, " dirty=%lu", u->private_dirty + u->shared_dirty);
    if (u->resident)
        fprintf(out, " N0=%lu kernelpagesize_kB=4", u->resident);
}

void proc_show_numa_maps(const struct proc_view *v, FILE *out) {
    struct mapping_view m = {0};
    struct mapping_usage u;
    char name[PATH_MAX + 16];
    struct stat st;
    while (v->process->space && space_next_mapping(v->process->space, m.end, false, &m)) {
        space_get_usage(v->process->space, m.start, m.end, &u);
        mapping_name(&m, &st, name, sizeof(name));
        fprintf(out, "%08lx default", m.start);
        if (m.heap || m.stack)
            fprintf(out, " %s", m.heap ? "heap" : "stack");
        else if (name[0])
            fprintf(out, " file=%s", name);
        show_numa_counts(&m, &u, out);
        fputc('\n', out);
    }
}
