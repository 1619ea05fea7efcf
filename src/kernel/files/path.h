/* Where a process is in the file system: its working directory and its umask. */
#ifndef KERNEL_PATH_H
#define KERNEL_PATH_H

#include "kernel/files/file.h"
#include "kernel/procfs/procfs.h"

struct pathfs {
    unsigned references; /* processes made with CLONE_FS share one */
    int directory;       /* host descriptor (O_PATH) of the working directory; -1: it is `node` */
    struct proc_node node;
    mode_t umask;
};

/* Takes over the host descriptor. */
void pathfs_set_host(struct pathfs *, int directory);
void pathfs_set_proc(struct pathfs *, const struct proc_node *);
/* The working directory's absolute path with its NUL: bytes with it, -ENOENT (removed), -ERANGE. */
ssize_t pathfs_name(const struct kernel *, const struct pathfs *, char *to, size_t size);

#endif
