/* /proc: a file system of the machine. It describes this machine's memory and processes, never the host's;
 * what the machine does not have is not there. */
#ifndef KERNEL_PROCFS_H
#define KERNEL_PROCFS_H

#include "kernel/files/file.h"

struct proc_entry; /* a name in /proc; procfs.c */

enum { PROC_DEPTH = 6 }; /* of /proc/PID/task/TID/fd/N */

/* A place in /proc. Nodes are values: they name things, which may be gone by the time they are used. */
struct proc_node {
    const struct proc_entry *chain[PROC_DEPTH]; /* from /proc itself, which is chain[0] */
    unsigned depth;                             /* the place's own entry is chain[depth] */
    uint32_t pid, tid;                          /* of the directories above, 0: none */
    int fd;                                     /* of /proc/PID/fd/N and fdinfo/N, else -1 */
};

struct proc_node proc_root(void);
/* Directories of the host's that are the machine's own: /proc, and those in /sys that tell of CPUs and
 * memory. The directory (a path below the root, "." for the root) where `name` is one of them, and its node;
 * NULL: there is none of that name. */
const char *proc_mount(const char *name, struct proc_node *ret_node);
/* The directory that such a one is in. */
const char *proc_outside(const struct proc_node *);
/* The name `name` in a directory. 0, -ENOENT or -ENOTDIR. */
int proc_child(struct kernel *, const struct proc_node *, const char *name, struct proc_node *ret_node);
/* False at the root of /proc and of its like. */
bool proc_parent(const struct proc_node *, struct proc_node *ret_node);
bool proc_is_directory(const struct proc_node *);
bool proc_is_link(const struct proc_node *);
/* A link that leads to a thing, whatever its text says: those to open files, exe,
 * cwd, root and namespaces. */
bool proc_is_magic(const struct proc_node *);
bool proc_exists(struct kernel *, const struct proc_node *);
/* The open file that /proc/PID/fd/N refers to, borrowed; NULL for other nodes. */
struct file *proc_node_file(struct kernel *, const struct proc_node *);
/* What a link says, without NUL: length or -errno. */
ssize_t proc_readlink(struct thread *, const struct proc_node *, char *to, size_t size);
/* The absolute path: its length, as snprintf. */
int proc_path(const struct proc_node *, char *to, size_t size);
void proc_stat(struct kernel *, const struct proc_node *, struct stat *ret_stat);
int proc_open(struct thread *, const struct proc_node *, int flags, struct file **ret_file);
/* The node of a file that proc_open made, or NULL. */
const struct proc_node *proc_file_node(const struct file *);

#endif
