/* The host's file system as the machine shares it between processes: which files have pages in the page
 * cache, and the directory that paths begin at.
 *
 * An inode exists for each host file that was mapped or executed, as long as its object does: while it is
 * mapped or has cached pages, and beyond that for the files used last. It keeps a host descriptor of its own,
 * so that pages can be read and written back after the program closed the file, and what size and
 * modification time the cached pages stand for. */
#ifndef KERNEL_INODE_H
#define KERNEL_INODE_H

#include <sys/stat.h>

#include "kernel/process/process.h"

struct inodes; /* kernel->inodes */

int inodes_create(struct kernel *);              /* sets kernel->inodes; 0 or -errno */
void inodes_destroy(struct kernel *);            /* no object made here may be alive */
const char *inodes_check(const struct kernel *); /* NULL, or which invariant is broken */
int inodes_root(const struct kernel *);          /* an O_PATH descriptor of the host's root directory */

/* What threads sleep on that wait for a host FIFO or socket whose other end may be in the machine too:
 * whoever uses one wakes them, so that nobody depends on when the host is asked. */
static inline const void *inodes_channel(const struct kernel *k) {
    return k->inodes;
}

/* Numbers for what has no inode on the host: pipes and the like. Starts at 1. */
uint64_t inodes_serial(struct kernel *);

/* The object of the file behind the host descriptor `host`: a new reference. `writable`: pages may be written
 * back, which needs a descriptor open for writing. 0, -ENODEV (not a regular file) or -errno. */
int inode_object(struct kernel *, int host, bool writable, struct object **ret_object);

/* The object if the file has one, else NULL; borrowed. */
struct object *inode_find(const struct kernel *, dev_t, ino_t);

/* The file is being opened, mapped or executed: drops cached pages when a program outside the machine has
 * changed it since. */
void inode_revalidate(struct kernel *, const struct stat *);

/* A program of the machine changed the file through the descriptor: its new size and time are ours. */
void inode_changed(struct kernel *, const struct stat *);

/* A program of the machine takes this name away: the file is not kept for later, so that the host gets its
 * room back. */
void inode_unlinking(struct kernel *, int directory, const char *name);

/* Drops the clean cached pages of files that nobody maps. */
void inodes_drop_cache(struct kernel *);

/* What maps shows of an object made here: device and inode number, and where the file is now. False for
 * anonymous objects. */
bool inode_describe(struct object *, struct stat *ret_stat, char *ret_path, size_t size);

#endif
