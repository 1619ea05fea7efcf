/* See catalogue.h. A machine file says itself what pictures it has: the catalogue reads them all, which for
 * some twenty small files is quicker than anybody notices. */
#include "scenario/catalogue.h"

#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/base.h"

struct catalogue {
    struct catalogue_entry *entries; /* strings are ours */
    size_t entry_count, entry_room;
    char **problems;
    size_t problem_count, problem_room;
};

/* ---- where ---- */

int catalogue_folder(char *path, size_t size) {
    static const char *const places[] = {"../lib/thimble/scenarios", "examples"};
    const char *told = getenv("THIMBLE_SCENARIOS");
    char self[PATH_MAX];
    if (told && *told)
        return snprintf(path, size, "%s", told) < (int)size ? 0 : -ENAMETOOLONG;
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length < 0)
        return -errno;
    self[length] = '\0';
    *strrchr(self, '/') = '\0';
    for (size_t i = 0; i < ARRAY_LENGTH(places); i++) {
        if (snprintf(path, size, "%s/%s", self, places[i]) >= (int)size)
            return -ENAMETOOLONG;
        if (access(path, R_OK | X_OK) == 0)
            return 0;
    }
    return -ENOENT;
}

/* ---- reading ---- */

/* Takes the message over. */
static int add_problem(struct catalogue *c, char *message) {
    if (!message ||
        array_reserve(&c->problems, &c->problem_room, c->problem_count + 1, sizeof *c->problems)) {
        free(message);
        return -ENOMEM;
    }
    c->problems[c->problem_count++] = message;
    return 0;
}

static int add_entry(struct catalogue *c, const char *folder, size_t folder_length, const char *path,
                     const struct machine_picture *picture, size_t index) {
    if (array_reserve(&c->entries, &c->entry_room, c->entry_count + 1, sizeof *c->entries))
        return -ENOMEM;
    char *name = NULL, *title = strdup(picture->title), *copy = strdup(path);
    if (asprintf(&name, "%.*s/%s", (int)folder_length, folder, picture->name) < 0)
        name = NULL;
    if (!name || !title || !copy) {
        free(name);
        free(title);
        free(copy);
        return -ENOMEM;
    }
    c->entries[c->entry_count++] =
        (struct catalogue_entry){.name = name, .title = title, .path = copy, .picture = index};
    return 0;
}

static int add_file(struct catalogue *c, const char *path) {
    struct machine_file *file;
    char *message;
    int error = machine_file_read(path, &file, &message);
    if (error)
        return add_problem(c, message);
    const char *name = strrchr(path, '/'), *folder = name;
    while (folder > path && folder[-1] != '/')
        folder--;
    size_t count;
    const struct machine_picture *pictures = machine_file_pictures(file, &count);
    for (size_t i = 0; !error && i < count; i++)
        error = add_entry(c, folder, (size_t)(name - folder), path, &pictures[i], i);
    machine_file_destroy(file);
    return error;
}

static int compare_entries(const void *a, const void *b) {
    const struct catalogue_entry *x = a, *y = b;
    return strcmp(x->name, y->name);
}

int catalogue_open(const char *folder, struct catalogue **ret_catalogue) {
    char pattern[PATH_MAX];
    glob_t found = {0};
    if (snprintf(pattern, sizeof pattern, "%s/*/*.json", folder) >= (int)sizeof pattern)
        return -ENAMETOOLONG;
    struct catalogue *c = calloc(1, sizeof *c);
    if (!c)
        return -ENOMEM;
    int error = 0;
    switch (glob(pattern, 0, NULL, &found)) {
    case 0:
    case GLOB_NOMATCH: break;
    case GLOB_NOSPACE: error = -ENOMEM; break;
    default: error = -EIO;
    }
    for (size_t i = 0; !error && i < found.gl_pathc; i++)
        error = add_file(c, found.gl_pathv[i]);
    globfree(&found);
    if (error) {
        catalogue_close(c);
        return error;
    }
    if (c->entry_count > 0)
        qsort(c->entries, c->entry_count, sizeof *c->entries, compare_entries);
    *ret_catalogue = c;
    return 0;
}

void catalogue_close(struct catalogue *c) {
    if (!c)
        return;
    for (size_t i = 0; i < c->entry_count; i++) {
        free((char *)c->entries[i].name);
        free((char *)c->entries[i].title);
        free((char *)c->entries[i].path);
    }
    for (size_t i = 0; i < c->problem_count; i++)
        free(c->problems[i]);
    free(c->entries);
    free(c->problems);
    free(c);
}

/* ---- looking ---- */

const struct catalogue_entry *catalogue_entries(const struct catalogue *c, size_t *ret_count) {
    *ret_count = c->entry_count;
    return c->entries;
}

const struct catalogue_entry *catalogue_find(const struct catalogue *c, const char *name) {
    for (size_t i = 0; i < c->entry_count; i++)
        if (!strcmp(c->entries[i].name, name))
            return &c->entries[i];
    return NULL;
}

const char *catalogue_problem(const struct catalogue *c, size_t index) {
    return index < c->problem_count ? c->problems[index] : NULL;
}

/* ---- names that are nearly right ---- */

enum { NAME_LENGTH = 64 };

/* How many characters must be inserted, left out or replaced to make one of the other (Levenshtein 1966).
 * Longer names are compared by their beginnings. */
static unsigned distance(const char *a, const char *b) {
    unsigned row[NAME_LENGTH + 1];
    const size_t rows = strnlen(a, NAME_LENGTH), columns = strnlen(b, NAME_LENGTH);
    for (size_t j = 0; j <= columns; j++)
        row[j] = (unsigned)j;
    for (size_t i = 1; i <= rows; i++) {
        unsigned diagonal = row[0];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= columns; j++) {
            const unsigned replace = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            row[j] = min_u32(replace, min_u32(row[j], row[j - 1]) + 1);
        }
    }
    return row[columns];
}

/* A name without its folder is as good. */
static unsigned name_distance(const char *name, const char *given) {
    const char *slash = strrchr(name, '/');
    return min_u32(distance(name, given), distance(slash + 1, given));
}

size_t catalogue_suggest(const struct catalogue *c, const char *name, const char **names, size_t count) {
    const unsigned far = 1 + (unsigned)strnlen(name, NAME_LENGTH) / 3;
    size_t found = 0;
    for (unsigned d = 0; d <= far; d++)
        for (size_t i = 0; i < c->entry_count && found < count; i++)
            if (name_distance(c->entries[i].name, name) == d)
                names[found++] = c->entries[i].name;
    return found;
}
