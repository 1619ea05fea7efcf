/* How pictures name what they show. In a machine file:
 *
 *     "labels": {
 *         "strips": [{"pid": 21, "cells": 10, "pages": {"1": "0x401000", "3": "0x405000"}}],
 *         "files":  [{"file": "mypgm", "name": "/home/jovyan/mypgm", "colour": 1, "pages": 9}]
 *     }
 *
 * The order of the files is their position on the disk. */
#include <stdlib.h>

#include "hw/types.h"
#include "scenario/parts.h"

enum { CELLS = 64, COLOURS = 64, FILE_PAGES = 1 << 20 };

/* NULL: memory is out. */
static struct file_label *label_add(struct machine_file *f, size_t room) {
    return f->labels && f->label_count < room ? &f->labels[f->label_count++] : NULL;
}

static void cell_read(struct machine_file *f, size_t room, const struct node *pages, const char *key,
                      uint32_t pid, uint64_t cells) {
    struct node n;
    char *end;
    (void)node_find(pages, key, &n);
    const unsigned long cell = strtoul(key, &end, 10);
    if (!*key || *end || cell >= cells)
        node_wrong(&n, "is not a cell from 0 to %llu", (unsigned long long)cells - 1);
    const uint64_t address = node_number(&n, 0, USER_END - 1);
    if (address % PAGE_SIZE)
        node_wrong(&n, "%llu is not the address of a page: it is not a multiple of %d",
                   (unsigned long long)address, PAGE_SIZE);
    struct file_label *label = label_add(f, room);
    if (label)
        label->label =
            (struct machine_label){.what = EVENT_LABEL_VPN, .args = {pid, address / PAGE_SIZE, cell}};
}

static void strip_read(struct machine_file *f, size_t room, const struct node *strip) {
    static const char *const known[] = {"pid", "cells", "pages", NULL};
    struct node n;
    const char *key;
    json_t *value;
    if (!node_is_object(strip, known))
        return;
    const uint32_t pid = node_need(strip, "pid", &n) ? (uint32_t)node_number(&n, 1, UINT32_MAX) : 0;
    const uint64_t cells = node_need(strip, "cells", &n) ? node_number(&n, 1, CELLS) : 1;
    struct file_label *label = label_add(f, room);
    if (label)
        label->label = (struct machine_label){.what = EVENT_LABEL_STRIP, .args = {pid, cells}};
    if (!node_need(strip, "pages", &n))
        return;
    if (!json_is_object(n.value))
        node_wrong(&n, "is not an object of cells and addresses");
    json_object_foreach(n.value, key, value) cell_read(f, room, &n, key, pid, cells);
}

static void file_read(struct machine_file *f, size_t room, const struct node *file, size_t position) {
    static const char *const known[] = {"file", "name", "pages", "colour", NULL};
    struct node n;
    if (!node_is_object(file, known))
        return;
    const char *name = node_need(file, "file", &n) ? machine_file_need(f, &n) : "";
    const char *shown = node_find(file, "name", &n) ? node_text(&n) : name;
    const uint64_t pages = node_find(file, "pages", &n) ? node_number(&n, 1, FILE_PAGES) : 0;
    const uint64_t colour = node_find(file, "colour", &n) ? node_number(&n, 1, COLOURS) : 0;
    struct file_label *label = label_add(f, room);
    if (label)
        *label = (struct file_label){
            .file = name,
            .label = {.what = EVENT_LABEL_FILE, .args = {0, 0, pages, position, colour}, .name = shown},
        };
}

/* How many labels there will be at most: strips, their pages, files. */
static size_t labels_count(const struct node *strips, const struct node *files) {
    size_t count = json_array_size(strips->value) + json_array_size(files->value);
    for (size_t i = 0; i < json_array_size(strips->value); i++)
        count += json_object_size(json_object_get(json_array_get(strips->value, i), "pages"));
    return count;
}

void labels_read(struct machine_file *f, const struct node *labels) {
    static const char *const known[] = {"strips", "files", NULL};
    struct node strips, files;
    if (!node_is_object(labels, known))
        return;
    const bool has_strips = node_find(labels, "strips", &strips);
    const bool has_files = node_find(labels, "files", &files);
    const size_t room = labels_count(&strips, &files);
    f->labels = reader_allocate(f->reader, room + 1, sizeof *f->labels);
    for (size_t i = 0, count = has_strips ? node_count(&strips) : 0; i < count; i++) {
        const struct node n = node_at(&strips, i);
        strip_read(f, room, &n);
    }
    for (size_t i = 0, count = has_files ? node_count(&files) : 0; i < count; i++) {
        const struct node n = node_at(&files, i);
        file_read(f, room, &n, i);
    }
}
