/* The sandbox: which files of the host the machine's programs see, and what becomes of what they write.
 *
 * Every path is walked component by component (lookup.c). In a sandbox the walk keeps the *guest path* of the
 * directory that it is in: absolute, without links and "..", and asks here what stands behind each name. So
 * nothing is ever left to the host to follow, and a descriptor of a directory gives no more than its path.
 *
 *     guest path ─► zone (the longest that fits) ─► mode ─► layer: the host's tree, or the scratch copy
 *
 * A directory above a zone that is not hidden can be seen, with just the names that lead there. */
#ifndef KERNEL_SANDBOX_H
#define KERNEL_SANDBOX_H

#include <linux/limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/inject.h"

enum sandbox_mode {
    SANDBOX_NONE,      /* not there */
    SANDBOX_READ_ONLY, /* the host's; changes give EROFS */
    SANDBOX_OVERLAY,   /* the host's; changes go to the scratch copy */
    SANDBOX_EMPTY,     /* empty at first; lives in the scratch copy alone */
    SANDBOX_HOST,      /* the host's, changes included */
};

struct sandbox_rule {
    const char *path; /* a directory or file of the host, relative to Thimble's own directory or absolute */
    enum sandbox_mode mode;
};

struct sandbox_config {
    bool wanted;             /* false: the host's files as they are, whatever else is said */
    enum sandbox_mode files; /* of all that no rule is about */
    const struct sandbox_rule *rules;
    size_t rule_count;
    /* An existing directory for the scratch copy, which then stays: further machines may go on with it, one
     * after the other. NULL: a temporary one that vanishes with the machine. */
    const char *scratch;
};

struct sandbox;

/* 0 or -errno; *ret_wrong (may point into the config) is the path that could not be had, or NULL. */
int sandbox_create(const struct sandbox_config *, struct inject *, struct sandbox **ret_sandbox,
                   const char **ret_wrong);
void sandbox_destroy(struct sandbox *); /* NULL is nothing */

/* The program that is to be started may be read, and so may the interpreter that it names, where nothing else
 * may: mode SANDBOX_NONE. `path` is the host's; one that is not executable is left alone. 0 or -ENOMEM. */
int sandbox_admit_program(struct sandbox *, const char *path);

/* ---- places: a directory's guest path, and a name in it ---- */

/* The guest path of a directory or file of the host. 0; -ENOENT: it has none (any more), or it is hidden. */
int sandbox_where(const struct sandbox *, int host, char ret_path[PATH_MAX]);
/* A host path as the guest may read it: the scratch copy's name is taken off. In place; its length. */
size_t sandbox_show_path(const struct sandbox *, char *path);
/* Goes to the parent directory, in place; of the root: the root. */
void sandbox_go_up(char path[PATH_MAX]);
/* Goes to a name in the directory, in place. 0 or -ENAMETOOLONG. */
int sandbox_go_down(char path[PATH_MAX], const char *name);

enum sandbox_layer { SANDBOX_MISSING, SANDBOX_LOWER, SANDBOX_UPPER };
/* What the name in the directory stands for; *ret_type its type (S_IFMT bits), 0 if it is missing. 0 or
 * -errno (-EACCES: the host does not let us look). */
int sandbox_look(const struct sandbox *, const char *directory, const char *name,
                 enum sandbox_layer *ret_layer, mode_t *ret_type);
/* A host descriptor (O_PATH) of the directory in that layer; for SANDBOX_MISSING of one where nothing is and
 * nothing can be made. -errno. */
int sandbox_open_directory(const struct sandbox *, const char *directory, enum sandbox_layer);
enum sandbox_layer sandbox_top_layer(const struct sandbox *, const char *directory);
/* A link's text in the layer that sandbox_look() named: length or -errno. */
ssize_t sandbox_read_link(const struct sandbox *, const char *directory, const char *name, enum sandbox_layer,
                          char text[PATH_MAX]);

/* ---- opening ---- */

/* Whether what is there may be opened at all: 0, or -EACCES for what would reach out of the sandbox (FIFOs,
 * sockets and devices of the host). *ret_device: it is /dev/null or its like, or a terminal: its content is
 * not the file system's, and may be written to anywhere. */
int sandbox_may_open(const struct sandbox *, const char *directory, const char *name, enum sandbox_layer,
                     bool *ret_device);

/* ---- changing. All give -EROFS where nothing can be changed, -EBUSY for a zone's own directory. ---- */

enum sandbox_change {
    SANDBOX_MAKE,    /* it must not be there: else -EEXIST */
    SANDBOX_MODIFY,  /* its content; it is made if it is not there */
    SANDBOX_STATUS,  /* what is known about it */
    SANDBOX_REPLACE, /* all of its content */
};
/* Prepares a change of the name: a host descriptor (O_PATH) of the directory where the host's call will do
 * the right thing. `name` may be "." (unless it is to be made). -errno. */
int sandbox_change(const struct sandbox *, const char *directory, const char *name, enum sandbox_change);
/* Whether what is there may be written to: -EROFS; 0: the host knows; 1: yes, a copy of it would be. */
int sandbox_may_write(const struct sandbox *, const char *directory, const char *name, enum sandbox_layer);
/* A directory of that name was made: nothing of the host's shines through. 0 or -errno. */
int sandbox_made_directory(const struct sandbox *, const char *directory, const char *name);
/* unlinkat(): `flags` is 0 or AT_REMOVEDIR. */
int sandbox_remove(const struct sandbox *, const char *directory, const char *name, int flags);
/* renameat2(). -EXDEV between zones that do not belong together. */
int sandbox_rename(const struct sandbox *, const char *from_directory, const char *from,
                   const char *to_directory, const char *to, unsigned flags);
/* Whether the first may get a further name in the second directory: 0 or -EXDEV. */
int sandbox_may_link(const struct sandbox *, const char *from_directory, const char *from,
                     const char *to_directory, const char *to);
/* May the open file's own status be changed through its descriptor? 0; 1: by its path instead, which is
 * stored; -EROFS. */
int sandbox_file_change(const struct sandbox *, int host, char ret_path[PATH_MAX]);
/* The same for an open file that gets a name. */
int sandbox_file_may_link(const struct sandbox *, int host, const char *to_directory, const char *to);
/* Whether programs may connect to, or make, a socket there: 0 or -EACCES. */
int sandbox_may_connect(const struct sandbox *, const char *directory, const char *name, enum sandbox_layer);

/* ---- listing ---- */

/* Whether a listing of the directory is the host's own, unchanged. */
bool sandbox_lists_as_host(const struct sandbox *, const char *directory);
struct sandbox_name {
    char *name;
    ino_t ino;
    unsigned char type; /* DT_… */
};
/* All names in the directory, sorted, "." and ".." first. 0 or -errno; free with sandbox_free_names(). */
int sandbox_list(const struct sandbox *, const char *directory, struct sandbox_name **ret_names,
                 size_t *ret_count);
void sandbox_free_names(struct sandbox_name *, size_t count);

/* Keeps the descriptor open until the next call of this, or the end: a socket's address names it. */
void sandbox_hold(struct sandbox *, int host);

#endif
