/* Looking paths up: component by component, so that the machine's /proc is found whichever way a path leads
 * there (relative, through "..", through a symbolic link such as /dev/fd). */
#ifndef KERNEL_LOOKUP_H
#define KERNEL_LOOKUP_H

#include "kernel/files/file.h"
#include "kernel/procfs/procfs.h"
#include "kernel/sandbox/sandbox.h"

enum {
    LOOKUP_FOLLOW = 1,       /* also the last component is followed when it is a symbolic link */
    LOOKUP_ENTRY = 2,        /* the last component is a name to be made, removed or renamed: never followed,
                                not even with a '/' behind it */
    LOOKUP_RESOLVE_SHIFT = 8 /* openat2's RESOLVE_* flags are above */
};

enum lookup_kind {
    LOOKUP_HOST, /* `name` in the host directory `directory`; it need not exist */
    LOOKUP_PROC, /* `node`; it exists */
    LOOKUP_FILE, /* an open file, by its name in /proc/PID/fd */
};

struct lookup {
    enum lookup_kind kind;
    int directory; /* host descriptor, O_PATH */
    bool owned;    /* `directory` is closed by lookup_end() */
    struct proc_node node;
    struct file *file;       /* a reference */
    char name[NAME_MAX + 2]; /* with a '/' behind it when the path demands a directory */
    /* In a sandbox: the directory's guest path (malloc'd), and in which layer the name is. `directory` is
     * that layer's; nothing may be changed in it before lookup_change(). NULL: no sandbox. */
    char *inside;
    enum sandbox_layer layer;
};

/* `directory` is a descriptor of the process or AT_FDCWD. 0; -ENOENT, -ENOTDIR, -EBADF, -ELOOP,
 * -ENAMETOOLONG, -EACCES, … (-EXDEV, -ELOOP: what RESOLVE_* forbids). After success, lookup_end() must
 * follow. */
int lookup_path(struct thread *, int directory, const char *path, unsigned flags, struct lookup *ret_lookup);
/* The same for a path in user memory, also -EFAULT. With AT_EMPTY_PATH in `at_flags` an empty path means
 * `directory` itself (LOOKUP_FILE, or the working directory). AT_SYMLINK_NOFOLLOW there keeps the last
 * component from being followed. */
int lookup_user(struct thread *, int directory, uint64_t user, int at_flags, struct lookup *ret_lookup);
void lookup_end(struct lookup *);

/* The name will be changed, made or given a new content by the caller's host call in `directory`: prepares
 * that in a sandbox. 0, or -errno: -EROFS, -EEXIST … Nothing happens for other kinds. */
int lookup_change(struct thread *, struct lookup *, enum sandbox_change);
/* A lookup of an open file whose status will be changed: by its descriptor (LOOKUP_FILE), or in a sandbox by
 * its path, ready to be changed there. */
int lookup_open_file(struct thread *, struct file *, struct lookup *ret_lookup);

/* For host calls that want a path: "/proc/self/fd/N/NAME". */
void lookup_host_path(const struct lookup *, char *to, size_t size);

#endif
