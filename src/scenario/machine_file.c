/* The machine of a machine file, and its parts in order. Programs, labels and pictures have files of their
 * own; machine_file_start() is in start.c.
 *
 * Only what would be nonsense in every machine is refused here; what cannot be built,
 * machine_create() says. */
#include "scenario/machine_file.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "hw/types.h"
#include "scenario/parts.h"

enum {
    DEFAULT_RESERVED = 3,
    DEFAULT_SWAP = 28, /* pages, as the lecture draws them */
    DEFAULT_TLB = 1024,
    CONTENTS_FRAMES = 64, /* up to so many frames can be looked into */
};

const uint32_t *numbers_read(const struct node *list, uint64_t max, size_t *ret_count) {
    *ret_count = node_count(list);
    uint32_t *numbers = reader_allocate(list->reader, *ret_count + 1, sizeof *numbers);
    for (size_t i = 0; numbers && i < *ret_count; i++) {
        const struct node n = node_at(list, i);
        numbers[i] = (uint32_t)node_number(&n, 0, max);
    }
    return numbers;
}

const char *const *texts_read(const struct node *list, size_t *ret_count) {
    *ret_count = node_count(list);
    const char **texts = reader_allocate(list->reader, *ret_count + 1, sizeof *texts);
    for (size_t i = 0; texts && i < *ret_count; i++) {
        const struct node n = node_at(list, i);
        texts[i] = node_text(&n);
    }
    return texts;
}

/* The copy of this name. NULL: there is none. */
static const struct file_copy *copy_find(const struct machine_file *f, const char *name) {
    for (size_t i = 0; i < f->copy_count; i++)
        if (!strcmp(f->copies[i].name, name))
            return &f->copies[i];
    return NULL;
}

const char *machine_file_path(struct machine_file *f, const char *name) {
    const struct file_copy *copy = copy_find(f, name);
    if (copy && f->workdir)
        return reader_format(f->reader, "%s/%s", workdir_path(f->workdir), name);
    if (copy)
        name = copy->from;
    return name[0] == '/' ? name : reader_format(f->reader, "%s%s", f->folder, name);
}

const char *machine_file_need(struct machine_file *f, const struct node *name) {
    const char *text = node_text(name), *path = machine_file_path(f, text);
    if (!*text)
        node_wrong(name, "the name of a file is empty");
    else if (path && access(path, F_OK) < 0)
        node_wrong(name, "%s: %s", path, strerror(errno));
    return text;
}

/* ---- the machine ---- */

static uint32_t find_number(const struct node *root, const char *key, uint64_t min, uint64_t max,
                            uint32_t otherwise) {
    struct node n;
    return node_find(root, key, &n) ? (uint32_t)node_number(&n, min, max) : otherwise;
}

static void memory_read(struct machine_file *f, const struct node *root) {
    struct machine_config *c = &f->config;
    struct node n;
    if (node_need(root, "frames", &n))
        c->frames = (uint32_t)node_number(&n, 1, UINT32_MAX - 1);
    c->reserved = find_number(root, "reserved", 0, UINT32_MAX - 1, DEFAULT_RESERVED);
    c->swap_pages = find_number(root, "swap", 0, UINT32_MAX - 1, DEFAULT_SWAP);
    if (node_find(root, "page_table", &n))
        c->page_table = node_text(&n);
    c->policy = node_find(root, "policy", &n) ? node_text(&n) : "clock";
}

static void run_read(struct machine_file *f, const struct node *root) {
    static const char *const levels[] = {"x86-64-v2", "x86-64-v3", NULL};
    static const enum cpu_level level_of[] = {CPU_LEVEL_V2, CPU_LEVEL_V3};
    struct machine_config *c = &f->config;
    struct node n;
    c->seed = node_find(root, "seed", &n) ? node_number(&n, 0, INT64_MAX) : 1;
    c->deterministic = node_find(root, "deterministic", &n) ? node_flag(&n) : true;
    c->level = node_find(root, "cpu", &n) ? level_of[node_choice(&n, levels)] : CPU_LEVEL_V3;
    c->tlb_entries = DEFAULT_TLB;
    c->max_instructions = node_find(root, "max_instructions", &n) ? node_number(&n, 1, INT64_MAX) : 0;
    c->record_contents = node_find(root, "contents", &n) ? node_flag(&n) : c->frames <= CONTENTS_FRAMES;
}

static void choices_read(struct machine_file *f, const struct node *root) {
    static const char *const assignments[] = {"evict", "touch", NULL};
    struct machine_config *c = &f->config;
    struct vm_choices *choices = &c->choices;
    const uint64_t last_frame = c->frames ? c->frames - 1 : 0,
                   last_slot = c->swap_pages ? c->swap_pages - 1 : 0;
    struct node n;
    c->slot_at_first_touch = node_find(root, "swap_assignment", &n) && node_choice(&n, assignments) == 1;
    if (node_find(root, "frame_order", &n))
        choices->frames = numbers_read(&n, last_frame, &choices->frame_count);
    if (node_find(root, "slot_order", &n))
        choices->slots = numbers_read(&n, last_slot, &choices->slot_count);
    if (node_find(root, "victims", &n))
        choices->victims = numbers_read(&n, last_frame, &choices->victim_count);
}

static void watch_read(struct machine_file *f, const struct node *root) {
    struct node n;
    size_t count;
    if (node_find(root, "watch", &n))
        f->config.watch = texts_read(&n, &count);
}

/* "numbers.bin", or {"file": "hello", "name": "hello-2"}. */
static struct file_copy copy_read(struct machine_file *f, const struct node *n) {
    static const char *const known[] = {"file", "name", NULL};
    struct file_copy copy = {.name = "", .from = ""};
    struct node file = *n, name = *n;
    if (json_is_object(n->value)) {
        if (!node_is_object(n, known) || !node_need(n, "file", &file) || !node_need(n, "name", &name))
            return copy;
    }
    copy = (struct file_copy){.name = node_text(&name), .from = machine_file_need(f, &file)};
    if (strchr(copy.name, '/') || !strcmp(copy.name, ".") || !strcmp(copy.name, ".."))
        node_wrong(&name, "'%s' is not a plain name of a file", copy.name);
    if (copy_find(f, copy.name))
        node_wrong(&name, "there is another '%s'", copy.name);
    return copy;
}

static void copies_read(struct machine_file *f, const struct node *root) {
    struct node list;
    if (!node_find(root, "scratch", &list))
        return;
    const size_t count = node_count(&list);
    struct file_copy *copies = reader_allocate(f->reader, count + 1, sizeof *copies);
    f->copies = copies;
    for (size_t i = 0; copies && i < count; i++) {
        const struct node n = node_at(&list, i);
        copies[i] = copy_read(f, &n);
        f->copy_count++;
    }
}

static void root_read(struct machine_file *f) {
    static const char *const known[] = {"title",
                                        "about",
                                        "frames",
                                        "reserved",
                                        "swap",
                                        "page_table",
                                        "policy",
                                        "seed",
                                        "deterministic",
                                        "cpu",
                                        "max_instructions",
                                        "contents",
                                        "watch",
                                        "swap_assignment",
                                        "frame_order",
                                        "slot_order",
                                        "victims",
                                        "scratch",
                                        "programs",
                                        "labels",
                                        "scenario",
                                        NULL};
    const struct node root = reader_root(f->reader);
    struct node n;
    if (!node_is_object(&root, known))
        return;
    f->title = node_find(&root, "title", &n) ? node_text(&n) : "";
    if (node_find(&root, "about", &n))
        (void)node_text(&n); /* for people who read the file */
    memory_read(f, &root);
    run_read(f, &root);
    choices_read(f, &root);
    watch_read(f, &root);
    copies_read(f, &root);
    if (node_need(&root, "programs", &n))
        programs_read(f, &n);
    if (node_find(&root, "labels", &n))
        labels_read(f, &n);
    if (node_find(&root, "scenario", &n))
        scenario_read(f, &n);
}

int machine_file_read(const char *path, struct machine_file **ret_file, char **ret_message) {
    struct reader *reader;
    int error = reader_open(path, &reader, ret_message);
    if (error)
        return error;
    const char *slash = strrchr(path, '/');
    struct machine_file *f = reader_allocate(reader, 1, sizeof *f);
    const char *folder = f ? reader_format(reader, "%.*s", slash ? (int)(slash + 1 - path) : 0, path) : NULL;
    if (folder) {
        f->reader = reader;
        f->folder = folder;
        root_read(f);
    }
    error = reader_finish(reader, ret_message);
    if (error)
        reader_close(reader);
    else
        *ret_file = f;
    return error;
}

void machine_file_destroy(struct machine_file *f) {
    if (!f)
        return;
    machine_file_stop(f);
    reader_close(f->reader); /* which f belongs to */
}

/* ---- looking ---- */

const struct machine_config *machine_file_config(const struct machine_file *f) {
    return &f->config;
}

const char *machine_file_title(const struct machine_file *f) {
    return f->title;
}

const struct machine_picture *machine_file_pictures(const struct machine_file *f, size_t *ret_count) {
    *ret_count = f->picture_count;
    return f->pictures;
}

const struct machine_series *machine_file_series(const struct machine_file *f) {
    return &f->series;
}

size_t machine_file_programs(const struct machine_file *f) {
    return f->program_count;
}

const char *machine_file_program(const struct machine_file *f, size_t index) {
    return f->programs[index].program.argv[0];
}
