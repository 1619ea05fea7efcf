/* The swap disk: a device of numbered pages, kept in a host file. Slots are not
 * allocated here (vm/swap.h). */
#ifndef HW_DISK_H
#define HW_DISK_H

#include "base/inject.h"
#include "hw/types.h"

struct disk;

/* A disk of `pages` pages in the file at `path` (created, or used as it is; must not be shorter than an
 * existing regular file claims when it cannot be extended), or in an unlinked temporary file when path is
 * NULL (in $TMPDIR, /var/tmp or /tmp, sparse). pages == 0 makes a disk without pages: every transfer fails
 * with -ENXIO. 0, or -errno of the host call. `inject` may be NULL. */
int disk_create(const char *path, uint32_t pages, struct inject *inject, struct disk **ret_disk);
void disk_destroy(struct disk *);

uint32_t disk_pages(const struct disk *);

/* Transfer one page. 0, or -EIO/-ENOSPC/… of the host, or -ENXIO outside the disk. A short transfer is -EIO,
 * except that pages never written read as zeros.
 * Where SIGBUS goes to hostcopy_signal() pages are copied from and to a mapping of the file: then bytes that
 * are cut off the file behind our back are noticed by whole pages only. */
int disk_read(struct disk *, slot_t slot, void *page);
int disk_write(struct disk *, slot_t slot, const void *page);
/* The content is no longer needed: the host may punch a hole. Best effort. */
void disk_discard(struct disk *, slot_t slot);

#endif
