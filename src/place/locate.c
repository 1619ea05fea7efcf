#include "place/locate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/map.h"
#include "place/key.h"

struct known_file {
    struct module *module;
    dev_t device;
    ino_t inode;
    struct timespec changed;
};

struct locator {
    struct machine *machine;
    const struct dw *dw;
    struct known_file *files; /* number - 1 */
    uint32_t count;
    size_t capacity;
    struct map objects; /* object number → module number; 0: none can be had */
};

int locator_create(struct machine *machine, const struct dw *dw, struct locator **ret_locator) {
    struct locator *l = calloc(1, sizeof *l);
    if (!l)
        return -ENOMEM;
    l->machine = machine;
    l->dw = dw;
    *ret_locator = l;
    return 0;
}

void locator_destroy(struct locator *l) {
    for (uint32_t i = 0; i < l->count; i++)
        module_destroy(l->files[i].module);
    free(l->files);
    map_free(&l->objects);
    free(l);
}

struct module *locator_module(const struct locator *l, uint32_t number) {
    return l->files[number - 1].module;
}

/* ---- files ---- */

/* A file whose object went and came again is the same. 0: not met yet. */
static uint32_t file_find(const struct locator *l, const struct stat *st) {
    for (uint32_t i = 0; i < l->count; i++) {
        const struct known_file *f = &l->files[i];
        if (f->device == st->st_dev && f->inode == st->st_ino && f->changed.tv_sec == st->st_mtim.tv_sec &&
            f->changed.tv_nsec == st->st_mtim.tv_nsec)
            return i + 1;
    }
    return 0;
}

/* The number of the file behind the descriptor, which is taken over. 0: there is no memory. */
static uint32_t file_add(struct locator *l, const char *path, int fd) {
    struct stat st;
    const uint32_t known = fstat(fd, &st) == 0 ? file_find(l, &st) : 0;
    struct module *module;
    if (known || l->count == KEY_MODULES - 1 ||
        array_reserve(&l->files, &l->capacity, l->count + 1ULL, sizeof *l->files)) {
        close(fd);
        return known;
    }
    if (module_create(l->dw, path, fd, &module))
        return 0;
    l->files[l->count++] = (struct known_file){module, st.st_dev, st.st_ino, st.st_mtim};
    return l->count;
}

static uint32_t file_of_object(struct locator *l, struct object *object) {
    uint64_t number = 0;
    if (map_get(&l->objects, object_number(object), &number))
        return (uint32_t)number;
    const int fd = machine_probe_file(l->machine, object);
    if (fd >= 0)
        number = file_add(l, object_name(object), fd);
    (void)map_put(&l->objects, object_number(object), number); /* else it is found again */
    return (uint32_t)number;
}

/* ---- addresses ---- */

/* What follows the last page of a program's data that is in the file: its zeros. */
static void locate_bss(struct locator *l, uint32_t space, uint64_t address, struct location *at) {
    struct mapping_view below;
    uint64_t end;
    /* The heap may be one mapping with them. */
    if (at->view.object || at->view.stack || at->view.start == 0 ||
        !machine_probe_mapping(l->machine, space, at->view.start - 1, &below) ||
        below.end != at->view.start || !below.object || below.shared || !(below.access & ACCESS_WRITE))
        return;
    const uint32_t number = file_of_object(l, below.object);
    if (!number || !module_address(locator_module(l, number), below.offset + (below.end - 1 - below.start),
                                   below.access, &end))
        return;
    const uint64_t in_file = end + 1 + (address - at->view.start);
    if (!module_contains(locator_module(l, number), in_file))
        return;
    at->module = number;
    at->in_bss = at->has_address = true;
    at->address = in_file;
}

void locate(struct locator *l, uint32_t space, uint64_t address, struct location *ret_location) {
    struct location at = {0};
    at.mapped = machine_probe_mapping(l->machine, space, address, &at.view) && at.view.start <= address;
    if (at.mapped && at.view.object)
        at.module = file_of_object(l, at.view.object);
    if (at.module)
        at.has_address =
            module_address(locator_module(l, at.module), at.view.offset + (address - at.view.start),
                           at.view.access, &at.address);
    else if (at.mapped)
        locate_bss(l, space, address, &at);
    *ret_location = at;
}

/* ---- names ---- */

/* What it is, without permissions; whether permissions tell more. */
static bool location_name(const struct locator *l, const struct location *at, char to[LOCATION_TEXT]) {
    const struct mapping_view *v = &at->view;
    if (!at->mapped)
        snprintf(to, LOCATION_TEXT, "[not mapped]");
    else if (at->module)
        snprintf(to, LOCATION_TEXT, "%s", module_path(locator_module(l, at->module)));
    else if (v->object && v->name)
        snprintf(to, LOCATION_TEXT, "[anon_shmem:%s]", v->name);
    else if (v->object)
        snprintf(to, LOCATION_TEXT, "[shared: %s]", object_name(v->object));
    else if (v->heap || v->stack)
        snprintf(to, LOCATION_TEXT, "%s", v->heap ? "[heap]" : "[stack]");
    else if (v->name)
        snprintf(to, LOCATION_TEXT, "[anon:%s]", v->name);
    else
        snprintf(to, LOCATION_TEXT, "[anon]");
    return at->module || (at->mapped && !v->heap && !v->stack);
}

char *location_file(const struct locator *l, const struct location *at, char to[LOCATION_TEXT]) {
    (void)location_name(l, at, to);
    return to;
}

char *location_mapping(const struct locator *l, const struct location *at, char to[LOCATION_TEXT]) {
    const struct mapping_view *v = &at->view;
    if (!location_name(l, at, to))
        return to;
    const size_t length = strlen(to);
    snprintf(to + length, LOCATION_TEXT - length, " %c%c%c%c%s", v->access & ACCESS_READ ? 'r' : '-',
             v->access & ACCESS_WRITE ? 'w' : '-', v->access & ACCESS_EXEC ? 'x' : '-', v->shared ? 's' : 'p',
             at->in_bss ? " (bss)" : "");
    return to;
}
