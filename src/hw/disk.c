/* See disk.h. Pages lie in the host file in order. `live` has a bit for each page whose content is wanted;
 * when none of 64 neighbours is, their range goes back to the host as a hole (one page at a time would cost a
 * host call for each swap-in).
 *
 * The file is also mapped, where the host lets us: a copy costs a tenth of a host call. A page that the host
 * has to find room for is written by a call all the same: that is cheaper than the host's page fault, and a
 * full host says so. What is copied is always a page in `stored`.
 *
 *     disk_write ─┬─ stored: copy ──── fails ──┐
 *                 └─ not stored ───────────────┴─ pwrite, stored from now on
 *     disk_read      copy, else pread
 *     disk_discard   no neighbour live: a hole, not stored */
#include "hw/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/base.h"
#include "base/bitmap.h"
#include "base/host_file.h"
#include "base/hostcopy.h"
#include "base/hostmap.h"

enum { HOLE_PAGES = 64 }; /* bits of one word of `live` */

struct disk {
    int fd; /* -1 iff pages == 0 */
    uint32_t pages;
    uint64_t *live;
    uint64_t *stored; /* written since the host was last given a hole there */
    struct hostmap map;
    struct inject *inject;
};

static off_t disk_offset(uint32_t page) {
    return (off_t)page * PAGE_SIZE;
}

/* Sets the file's size. A limit on sizes is an error like others: its signal, which would end us, is taken
 * away. */
static int file_resize(int fd, off_t bytes) {
    sigset_t too_large, before;
    sigemptyset(&too_large);
    sigaddset(&too_large, SIGXFSZ);
    sigprocmask(SIG_BLOCK, &too_large, &before);
    const int error = ftruncate(fd, bytes) < 0 ? -errno : 0;
    if (error == -EFBIG)
        sigtimedwait(&too_large, NULL, &(struct timespec){0});
    sigprocmask(SIG_SETMASK, &before, NULL);
    return error;
}

/* A file without a name in the first of the usual places that can hold `bytes`: its descriptor or -errno. */
static int temporary_create(off_t bytes) {
    const char *const directories[] = {getenv("TMPDIR"), "/var/tmp", "/tmp"};
    int error = -ENOENT;
    for (size_t i = 0; i < ARRAY_LENGTH(directories); i++) {
        if (!directories[i] || !*directories[i])
            continue;
        const int fd = host_file_unnamed(directories[i]);
        error = fd < 0 ? fd : file_resize(fd, bytes);
        if (!error)
            return fd;
        if (fd >= 0)
            close(fd);
    }
    return error;
}

/* Makes sure that the open file has room for `bytes` and is nobody else's swap area. */
static int file_claim(int fd, off_t bytes) {
    struct stat status;
    if (fstat(fd, &status) < 0)
        return -errno;
    if (flock(fd, LOCK_EX | LOCK_NB) < 0)
        return errno == EWOULDBLOCK ? -EBUSY : -errno;
    if (S_ISREG(status.st_mode))
        return status.st_size < bytes ? file_resize(fd, bytes) : 0;
    if (!S_ISBLK(status.st_mode))
        return -EINVAL;
    const off_t size = lseek(fd, 0, SEEK_END);
    return size < 0 ? -errno : size < bytes ? -ENOSPC : 0;
}

static int file_open(const char *path, off_t bytes) {
    const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);
    if (fd < 0)
        return -errno;
    const int error = file_claim(fd, bytes);
    if (error) {
        close(fd);
        return error;
    }
    return fd;
}

int disk_create(const char *path, uint32_t pages, struct inject *inject, struct disk **ret_disk) {
    struct disk *disk = inject_calloc(inject, 1, sizeof *disk);
    if (!disk)
        return -ENOMEM;
    *disk = (struct disk){.fd = -1, .pages = pages, .map.writable = true, .inject = inject};
    int error = 0;
    if (pages) {
        error = -ENOMEM;
        disk->live = inject_calloc(inject, bitmap_words(pages), sizeof *disk->live);
        disk->stored = inject_calloc(inject, bitmap_words(pages), sizeof *disk->stored);
        if (!disk->live || !disk->stored)
            goto out_free;
        disk->fd = path ? file_open(path, disk_offset(pages)) : temporary_create(disk_offset(pages));
        error = disk->fd < 0 ? disk->fd : 0;
        if (error)
            goto out_free;
    }
    *ret_disk = disk;
    return 0;

out_free:
    free(disk->stored);
    free(disk->live);
    free(disk);
    return error;
}

void disk_destroy(struct disk *disk) {
    if (!disk)
        return;
    hostmap_release(&disk->map);
    if (disk->fd >= 0)
        close(disk->fd);
    free(disk->stored);
    free(disk->live);
    free(disk);
}

uint32_t disk_pages(const struct disk *disk) {
    return disk->pages;
}

/* Where the page is in memory, or NULL if it must be transferred by a call. */
static void *disk_mapped(struct disk *disk, slot_t slot) {
    if (!bitmap_test(disk->stored, slot.n))
        return NULL;
    return hostmap_bytes(&disk->map, disk->fd, (uint64_t)disk_offset(disk->pages),
                         (uint64_t)disk_offset(slot.n), PAGE_SIZE);
}

static int disk_read_call(struct disk *disk, slot_t slot, void *page) {
    for (size_t done = 0; done < PAGE_SIZE;) {
        const ssize_t n =
            pread(disk->fd, (char *)page + done, PAGE_SIZE - done, disk_offset(slot.n) + (off_t)done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -EIO; /* the file was cut short behind our back */
        done += (size_t)n;
    }
    return 0;
}

int disk_read(struct disk *disk, slot_t slot, void *page) {
    if (slot.n >= disk->pages)
        return -ENXIO;
    if (inject_fails(disk->inject, INJECT_SWAP_READ))
        return -EIO;
    const void *mapped = disk_mapped(disk, slot);
    if (likely(mapped && hostcopy(page, mapped, PAGE_SIZE) == 0))
        return 0;
    return disk_read_call(disk, slot, page);
}

static int disk_write_call(struct disk *disk, slot_t slot, const void *page) {
    for (size_t done = 0; done < PAGE_SIZE;) {
        const ssize_t n =
            pwrite(disk->fd, (const char *)page + done, PAGE_SIZE - done, disk_offset(slot.n) + (off_t)done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -EIO;
        done += (size_t)n;
    }
    return 0;
}

int disk_write(struct disk *disk, slot_t slot, const void *page) {
    if (slot.n >= disk->pages)
        return -ENXIO;
    if (inject_fails(disk->inject, INJECT_SWAP_WRITE))
        return -EIO;
    void *mapped = disk_mapped(disk, slot);
    int error = mapped ? hostcopy(mapped, page, PAGE_SIZE) : -EFAULT;
    if (error)
        error = disk_write_call(disk, slot, page);
    if (error)
        return error;
    bitmap_set(disk->live, slot.n);
    bitmap_set(disk->stored, slot.n);
    return 0;
}

void disk_discard(struct disk *disk, slot_t slot) {
    if (slot.n >= disk->pages || !bitmap_test(disk->live, slot.n))
        return;
    bitmap_clear(disk->live, slot.n);
    if (disk->live[slot.n / HOLE_PAGES])
        return;
    const uint32_t first = slot.n / HOLE_PAGES * HOLE_PAGES;
    const uint32_t count = min_u32(HOLE_PAGES, disk->pages - first);
    fallocate(disk->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, disk_offset(first), disk_offset(count));
    disk->stored[slot.n / HOLE_PAGES] = 0;
}
