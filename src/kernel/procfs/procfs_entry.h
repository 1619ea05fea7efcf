/* What /proc is made of: shared by the files procfs*.c. */
#ifndef KERNEL_PROCFS_ENTRY_H
#define KERNEL_PROCFS_ENTRY_H

#include <stdio.h>

#include "kernel/procfs/procfs.h"

/* Directories whose names are numbers. */
enum proc_numbers { PROC_NO_NUMBERS, PROC_PIDS, PROC_TIDS, PROC_DESCRIPTORS };

/* What a file says of memory that depends on how much there is: a condition of the run. */
enum proc_tells {
    PROC_TELLS_NOTHING,
    PROC_TELLS_COUNTS, /* how much there is or is in use: what vm_get_told_counts() tells */
    PROC_TELLS_PAGES,  /* which pages are in memory: always the truth */
};

/* What somebody looks at. */
struct proc_view {
    struct kernel *kernel;
    struct process *process; /* NULL outside /proc/PID */
    struct thread *thread;   /* of /proc/PID/task/TID, else the first one; NULL for zombies */
    const struct proc_node *node;
};

struct proc_entry {
    const char *name; /* NULL: a number */
    mode_t mode;      /* type and permissions */

    /* directories */
    const struct proc_entry *children; /* ended by a name NULL */
    const struct proc_entry *more;     /* further children, likewise, or NULL */
    enum proc_numbers numbers;         /* further names */
    const struct proc_entry *number;   /* what each of them is */

    /* files: writes the content; or it is always `text` */
    void (*show)(const struct proc_view *, FILE *);
    const char *text;
    /* What a program writes to it; NULL: not writable. 0 or -errno. */
    int (*store)(const struct proc_view *, const char *text, size_t length);
    const struct file_ops *ops; /* a file that is not shown as text; NULL: the usual */

    bool inspects; /* shows memory: not of a process that has forbidden it */
    enum proc_tells tells;

    /* links: length or -errno; NULL for those to open files */
    ssize_t (*link)(struct thread *looking, const struct proc_view *, char *to, size_t size);
};

#define PROC_FILE(file_name, shower)                                                                         \
    { .name = (file_name), .mode = S_IFREG | 0444, .show = (shower) }
#define PROC_MEMORY_FILE(file_name, permissions, shower)                                                     \
    { .name = (file_name), .mode = S_IFREG | (permissions), .inspects = true, .show = (shower) }
/* … of how much memory there is or is in use. */
#define PROC_COUNTS(file_name, shower)                                                                       \
    { .name = (file_name), .mode = S_IFREG | 0444, .tells = PROC_TELLS_COUNTS, .show = (shower) }
#define PROC_MEMORY_PAGES(file_name, shower)                                                                 \
    {                                                                                                        \
        .name = (file_name), .mode = S_IFREG | 0444, .inspects = true, .tells = PROC_TELLS_PAGES,            \
        .show = (shower)                                                                                     \
    }
#define PROC_TEXT(file_name, content)                                                                        \
    { .name = (file_name), .mode = S_IFREG | 0444, .text = (content) }
#define PROC_DIRECTORY(directory_name, entries)                                                              \
    { .name = (directory_name), .mode = S_IFDIR | 0555, .children = (entries) }

/* The view of a node now. 0, or -ESRCH when its process or thread is gone. */
int proc_look(struct kernel *, const struct proc_node *, struct proc_view *ret_view);
/* procfs_file.c */
int proc_file_create(struct kernel *, const struct proc_node *, int flags, struct file **ret_file);

/* Copies a text file of the host, as far as it can be read. */
void proc_copy_host(const char *path, FILE *);

/* Names below ... */
extern const struct proc_entry proc_process_entries[],
    proc_task_entries[],                                   /* /proc/PID, task/TID: procfs_process.c */
    proc_more_process_entries[], proc_more_task_entries[], /* and procfs_task.c */
    proc_net_entries[],                                    /* /proc/PID/net: procfs_net.c */
    proc_machine_entries[], /* /proc itself, beside numbers: procfs_machine.c */
    proc_sys_entries[];     /* /proc/sys: procfs_sys.c */
extern const struct proc_entry sysfs_cpu, sysfs_node, sysfs_cgroup; /* sysfs.c */
extern const struct file_ops proc_memory_ops, proc_pagemap_ops;     /* /proc/PID/mem, pagemap */

/* procfs_sysvipc.c */
extern const struct proc_entry proc_sysvipc_entries[];

/* procfs_maps.c */
void proc_show_maps(const struct proc_view *, FILE *);
void proc_show_smaps(const struct proc_view *, FILE *);
void proc_show_smaps_rollup(const struct proc_view *, FILE *);
void proc_show_numa_maps(const struct proc_view *, FILE *);

#endif
