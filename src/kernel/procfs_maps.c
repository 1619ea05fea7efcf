/* /proc/PID/maps, smaps and smaps_rollup: the mappings of an address space, in Linux's format
 * (fs/proc/task_mmu.c of Linux 6.1). How many processes share a page is not told apart: a file's page counts
 * as shared, an anonymous one as private, and the proportional size is the resident one. */
#include <string.h>
#include <sys/sysmacros.h>

#include "kernel/inode.h"
#include "kernel/procfs_entry.h"

enum { NAME_COLUMN = 73, KIB_PER_PAGE = PAGE_SIZE / 1024 };

/* What stands behind the inode number: a path, [heap], [stack], or nothing. */
static void mapping_name(const struct mapping_view *m, struct stat *ret_stat, char *to, size_t size) {
    *ret_stat = (struct stat){0};
    to[0] = '\0';
    if (m->object && inode_describe(m->object, ret_stat, to, size))
        return;
    const char *name = m->object ? object_name(m->object) : m->heap ? "[heap]" : m->stack ? "[stack]" : "";
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

/* Sums of smaps, in pages. */
struct sums {
    uint64_t resident, shared_clean, shared_dirty, private_clean, private_dirty, referenced, anonymous,
        swapped, locked;
};

static void sums_add(struct sums *s, const struct mapping_view *m) {
    uint64_t file = m->resident - m->anonymous;
    uint64_t file_dirty = m->shared ? (m->dirty < file ? m->dirty : file) : 0;
    s->resident += m->resident;
    s->anonymous += m->anonymous;
    s->private_dirty += m->anonymous;
    s->shared_dirty += file_dirty;
    s->shared_clean += file - file_dirty;
    s->referenced += m->referenced;
    s->swapped += m->swapped;
    s->locked += m->locked ? m->resident : 0;
}

static void show_line(FILE *out, const char *name, uint64_t pages) {
    char label[32];
    snprintf(label, sizeof(label), "%s:", name);
    fprintf(out, "%-16s %7lu kB\n", label, pages * KIB_PER_PAGE);
}

static void show_sums(const struct sums *s, FILE *out) {
    show_line(out, "Shared_Clean", s->shared_clean);
    show_line(out, "Shared_Dirty", s->shared_dirty);
    show_line(out, "Private_Clean", s->private_clean);
    show_line(out, "Private_Dirty", s->private_dirty);
    show_line(out, "Referenced", s->referenced);
    show_line(out, "Anonymous", s->anonymous);
    show_line(out, "Swap", s->swapped);
    show_line(out, "SwapPss", s->swapped);
    show_line(out, "Locked", s->locked);
}

static void show_flags(const struct mapping_view *m, FILE *out) {
    fprintf(out, "VmFlags: %s%s%s%smr mw me %s%s\n", m->access & ACCESS_READ ? "rd " : "",
            m->access & ACCESS_WRITE ? "wr " : "", m->access & ACCESS_EXEC ? "ex " : "",
            m->shared ? "sh " : "", m->grows_down ? "gd " : "", m->locked ? "lo " : "");
}

void proc_show_smaps(const struct proc_view *v, FILE *out) {
    struct mapping_view m = {0};
    while (v->process->space && space_next_mapping(v->process->space, m.end, true, &m)) {
        struct sums s = {0};
        sums_add(&s, &m);
        show_mapping(&m, out);
        show_line(out, "Size", (m.end - m.start) / PAGE_SIZE);
        show_line(out, "KernelPageSize", 1);
        show_line(out, "MMUPageSize", 1);
        show_line(out, "Rss", s.resident);
        show_line(out, "Pss", s.resident);
        show_sums(&s, out);
        show_flags(&m, out);
    }
}

void proc_show_smaps_rollup(const struct proc_view *v, FILE *out) {
    struct mapping_view m = {0};
    struct sums s = {0};
    uint64_t start = UINT64_MAX;
    while (v->process->space && space_next_mapping(v->process->space, m.end, true, &m)) {
        start = start == UINT64_MAX ? m.start : start;
        sums_add(&s, &m);
    }
    if (start == UINT64_MAX)
        return;
    fprintf(out, "%08lx-%08lx ---p 00000000 00:00 0 %*s[rollup]\n", start, m.end, 25, "");
    show_line(out, "Rss", s.resident);
    show_line(out, "Pss", s.resident);
    show_sums(&s, out);
}
