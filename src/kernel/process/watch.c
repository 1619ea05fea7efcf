#include "kernel/process/watch.h"

#include <bsd/sys/queue.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/base.h"
#include "kernel/process/symbol.h"

/* One that has not been reached. */
struct watch {
    LIST_ENTRY(watch) of_list;
    const struct page_table *table;
    uint64_t address;
    enum event_reached kind;
    const char *name; /* the configuration's, or a constant */
};

struct watch_list {
    LIST_HEAD(, watch) open;
    size_t wanted_count; /* of kernel_config.watch */
    const char **names;  /* "main" and those of kernel_config.watch */
    uint64_t *values;    /* of the names, in the program at hand */
    bool *missed;        /* it was reported that a program has no such symbol */
};

/* ---- the list ---- */

int watches_create(struct kernel *k) {
    const char *const *wanted = k->config.watch;
    size_t count = 0;
    while (wanted && wanted[count])
        count++;
    struct inject *inject = k->config.inject;
    struct watch_list *list = inject_calloc(inject, 1, sizeof *list);
    if (!list)
        return -ENOMEM;
    k->watches = list;
    LIST_INIT(&list->open);
    list->wanted_count = count;
    list->names = inject_calloc(inject, count + 1, sizeof *list->names);
    list->values = inject_calloc(inject, count + 1, sizeof *list->values);
    list->missed = inject_calloc(inject, count + 1, sizeof *list->missed);
    if (!list->names || !list->values || !list->missed)
        return -ENOMEM; /* watches_destroy() takes what is there */
    list->names[0] = "main";
    for (size_t i = 0; i < count; i++)
        list->names[i + 1] = wanted[i];
    return 0;
}

static void watch_close(struct watch *w) {
    LIST_REMOVE(w, of_list);
    free(w);
}

void watches_destroy(struct kernel *k) {
    struct watch_list *list = k->watches;
    if (!list)
        return;
    while (!LIST_EMPTY(&list->open))
        watch_close(LIST_FIRST(&list->open));
    free(list->names);
    free(list->values);
    free(list->missed);
    free(list);
}

static void watch_open(struct kernel *k, const struct watch *template) {
    struct watch *w = inject_calloc(k->config.inject, 1, sizeof *w);
    if (!w)
        return;
    *w = *template;
    if (k->engine_ops->watch(k->engine, w->table, w->address) < 0)
        free(w);
    else
        LIST_INSERT_HEAD(&k->watches->open, w, of_list);
}

/* ---- what is watched ---- */

/* An address as it is written, "0x401000": false for a name. */
static bool watch_parse_address(const char *text, uint64_t *ret_address) {
    char *end;
    if (strncmp(text, "0x", 2) != 0)
        return false;
    errno = 0;
    *ret_address = strtoull(text, &end, 16);
    return errno == 0 && *end == '\0' && end > text + 2;
}

static void watch_wanted(struct process *p, size_t i, const struct elf_image *image) {
    struct kernel *k = p->kernel;
    struct watch_list *list = k->watches;
    struct watch w = {
        .table = space_page_table(p->space), .kind = EVENT_REACHED_WATCHED, .name = list->names[i]};
    if (watch_parse_address(w.name, &w.address)) {
        watch_open(k, &w);
    } else if (list->values[i]) {
        w.address = list->values[i] + image->bias;
        watch_open(k, &w);
    } else if (!list->missed[i]) {
        list->missed[i] = true;
        kernel_report(k, "%s has no symbol '%s': it is not watched there", p->exe ? p->exe : p->comm, w.name);
    }
}

void watch_exec(struct process *p, struct file *file, const struct elf_image *image) {
    struct kernel *k = p->kernel;
    struct watch_list *list = k->watches;
    const bool listening = k->trace && k->trace->listening;
    if (!listening && list->wanted_count == 0)
        return;
    struct watch w = {.table = space_page_table(p->space), .address = image->entry, .name = "_start"};
    symbols_find(file, list->names, list->wanted_count + 1, list->values);
    w.kind = EVENT_REACHED_ENTRY;
    watch_open(k, &w);
    if (list->values[0]) {
        w.kind = EVENT_REACHED_MAIN;
        w.address = list->values[0] + image->bias;
        w.name = "main";
        watch_open(k, &w);
    }
    for (size_t i = 1; i <= list->wanted_count; i++)
        watch_wanted(p, i, image);
}

void watch_fork(struct kernel *k, const struct page_table *from, const struct page_table *to) {
    const struct watch *w;
    LIST_FOREACH(w, &k->watches->open, of_list) { /* new ones come before it */
        if (w->table != from)
            continue;
        struct watch copy = *w;
        copy.table = to;
        watch_open(k, &copy);
    }
}

/* ---- from the engine and from virtual memory ---- */

void kernel_reached(struct kernel *k, const struct page_table *table, uint64_t address) {
    struct watch *w, *next;
    vm_tell_contents(k->vm);
    LIST_FOREACH_SAFE(w, &k->watches->open, of_list, next) {
        if (w->table != table || w->address != address)
            continue;
        uint64_t name = trace_string(k->trace, w->name, strlen(w->name));
        trace_emit(k->trace, EVENT_REACHED, w->kind, address, table->space, name, 0, 0);
        watch_close(w);
    }
}

void kernel_forget_table(struct kernel *k, const struct page_table *table) {
    struct watch *w, *next;
    LIST_FOREACH_SAFE(w, &k->watches->open, of_list, next)
        if (w->table == table)
            watch_close(w);
}
