/* The names in a directory as a sandbox shows them: those of both layers, once each, without what is hidden.
 * They are sorted, so that a program sees them in the same order on every host. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "kernel/files/beneath.h"
#include "kernel/sandbox/sandbox_parts.h"

struct list {
    const struct sandbox *box;
    const char *directory;
    struct sandbox_name *names;
    size_t count, room;
};

void sandbox_free_names(struct sandbox_name *names, size_t count) {
    for (size_t i = 0; i < count; i++)
        free(names[i].name);
    free(names);
}

static int list_add(struct list *l, const char *name, ino_t ino, unsigned char type) {
    struct inject *inject = l->box->inject;
    if (l->count == l->room) {
        size_t room = l->room ? 2 * l->room : 64;
        struct sandbox_name *grown = inject_realloc(inject, l->names, room, sizeof(*grown));
        if (!grown)
            return -ENOMEM;
        l->names = grown;
        l->room = room;
    }
    char *copy = inject_strdup(inject, name);
    if (!copy)
        return -ENOMEM;
    l->names[l->count++] = (struct sandbox_name){copy, ino, type};
    return 0;
}

/* A name of one layer: added if that layer's is what the guest sees. */
static int list_consider(struct list *l, const struct dirent *d, enum sandbox_layer layer) {
    enum sandbox_layer seen;
    mode_t type;
    if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
        return 0;
    int r = sandbox_look(l->box, l->directory, d->d_name, &seen, &type);
    if (r < 0 || seen != layer)
        return r == -ENAMETOOLONG || r == -EACCES ? 0 : r;
    return list_add(l, d->d_name, d->d_ino, (unsigned char)IFTODT(type));
}

/* A layer that does not have the directory adds nothing. */
static int list_layer(struct list *l, int root, enum sandbox_layer layer) {
    int place = beneath_open_directory(root, l->directory), r = 0;
    if (place < 0)
        return place == -ENOENT || place == -ENOTDIR || place == -ELOOP ? 0 : place;
    int fd = openat(place, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    if (!stream) {
        r = -errno;
        if (fd >= 0)
            close(fd);
    }
    for (struct dirent *d; r == 0 && stream && (d = readdir(stream));)
        r = list_consider(l, d, layer);
    if (stream)
        closedir(stream);
    close(place);
    return r;
}

static int compare_names(const void *a, const void *b) {
    return strcmp(((const struct sandbox_name *)a)->name, ((const struct sandbox_name *)b)->name);
}

static int list_dots(struct list *l) {
    int r = list_add(l, ".", 1, DT_DIR);
    return r < 0 ? r : list_add(l, "..", 1, DT_DIR);
}

/* The machine's own /proc is there even where nothing of the host's is. */
static int list_proc(struct list *l) {
    for (size_t i = 0; i < l->count; i++) {
        if (strcmp(l->names[i].name, "proc") == 0)
            return 0;
    }
    return list_add(l, "proc", 1, DT_DIR);
}

int sandbox_list(const struct sandbox *box, const char *directory, struct sandbox_name **ret_names,
                 size_t *ret_count) {
    struct list l = {.box = box, .directory = directory};
    int r = list_dots(&l);
    if (r == 0 && box->upper_length)
        r = list_layer(&l, box->overlay.upper, SANDBOX_UPPER);
    if (r == 0)
        r = list_layer(&l, box->root, SANDBOX_LOWER);
    if (r == 0 && strcmp(directory, "/") == 0)
        r = list_proc(&l);
    if (r < 0) {
        sandbox_free_names(l.names, l.count);
        return r;
    }
    qsort(l.names + 2, l.count - 2, sizeof(*l.names), compare_names);
    *ret_names = l.names;
    *ret_count = l.count;
    return 0;
}

bool sandbox_lists_as_host(const struct sandbox *box, const char *directory) {
    enum sandbox_mode mode = sandbox_zone_of(box, directory)->mode;
    if (mode != SANDBOX_READ_ONLY && mode != SANDBOX_HOST)
        return false;
    for (size_t i = 1; i < box->zone_count; i++) {
        if (strncmp(box->zones[i].path, directory, strlen(directory)) == 0 &&
            strcmp(box->zones[i].path, directory) != 0)
            return false;
    }
    return true;
}
