/* Inodes: see inode.h. A hash table of (device, inode number), chained.
 *
 * An inode outlives the last mapping as long as pages of the file are cached, or were: so they are the same
 * pages when they come back. Their identities (vm/object.h) are what policies and translated code go by, and
 * in a small machine no page of a compiler stays from one of its processes to the next. The files used last
 * are kept even without. All inodes together never take more than half of the host's descriptors.
 *
 * Invariants: an inode is in the table iff its object is alive and the table is; `host` is open for writing
 * iff `writable`, and never in append mode (pwrite would ignore the offset). Size and time are those of the
 * file when its pages were last known to agree with it. A host program that writes a mapped file meanwhile
 * goes unnoticed until the next open, mmap or exec of it. */
#include "kernel/files/inode.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/base.h"
#include "base/hostcopy.h"
#include "base/hostmap.h"
#include "kernel/process/process.h"
#include "kernel/sandbox/sandbox.h"

struct inode {
    LIST_ENTRY(inode) of_bucket; /* while the table is there */
    TAILQ_ENTRY(inode) of_kept;
    bool listed, kept;
    struct kernel *kernel;
    struct object *object; /* not counted: the object releases the inode */
    dev_t dev;
    ino_t ino;
    int host;
    bool writable;
    struct hostmap map; /* for reading pages; writing back by calls is cheaper than the host's page faults */
    uint64_t size;      /* bytes */
    struct timespec modified;
};

enum { INODE_BUCKETS = 1024, INODES_KEPT = 128 };

struct inodes {
    int root;
    uint64_t serial; /* the last one given out */
    uint64_t count;  /* of inodes in the table */
    LIST_HEAD(inode_bucket, inode) buckets[INODE_BUCKETS];
    TAILQ_HEAD(inode_queue, inode) kept; /* with a reference to their objects, the one used last in front */
    unsigned kept_count;                 /* <= INODES_KEPT */
};

int inodes_create(struct kernel *k) {
    struct inodes *inodes = inject_calloc(k->config.inject, 1, sizeof(*inodes));
    if (!inodes)
        return -ENOMEM;
    inodes->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (inodes->root < 0) {
        int error = -errno;
        free(inodes);
        return error;
    }
    for (unsigned i = 0; i < INODE_BUCKETS; i++)
        LIST_INIT(&inodes->buckets[i]);
    TAILQ_INIT(&inodes->kept);
    k->inodes = inodes;
    return 0;
}

/* ---- files that are kept though nobody uses them ---- */

/* The object, and with it the inode, may end. */
static void inode_let_go(struct inode *inode) {
    struct inodes *inodes = inode->kernel->inodes;
    TAILQ_REMOVE(&inodes->kept, inode, of_kept);
    inodes->kept_count--;
    inode->kept = false;
    object_unref(inode->object);
}

static void inodes_let_go(struct inodes *inodes, unsigned left) {
    while (inodes->kept_count > left)
        inode_let_go(TAILQ_LAST(&inodes->kept, inode_queue));
}

/* The file is being mapped or executed. */
static void inode_keep(struct inode *inode) {
    struct inodes *inodes = inode->kernel->inodes;
    if (inode->kept) {
        TAILQ_REMOVE(&inodes->kept, inode, of_kept);
    } else {
        inodes_let_go(inodes, INODES_KEPT - 1);
        object_ref(inode->object);
        inode->kept = true;
        inodes->kept_count++;
    }
    TAILQ_INSERT_HEAD(&inodes->kept, inode, of_kept);
}

void inodes_destroy(struct kernel *k) {
    if (!k->inodes)
        return;
    inodes_let_go(k->inodes, 0);
    for (unsigned i = 0; i < INODE_BUCKETS; i++) { /* cached pages may keep some until the VM ends */
        struct inode *inode, *next;
        LIST_FOREACH_SAFE(inode, &k->inodes->buckets[i], of_bucket, next)
            inode->listed = false;
    }
    close(k->inodes->root);
    free(k->inodes);
    k->inodes = NULL;
}

const char *inodes_check(const struct kernel *k) {
    uint64_t listed = 0, kept = 0;
    for (unsigned i = 0; i < INODE_BUCKETS; i++) {
        const struct inode *inode;
        LIST_FOREACH(inode, &k->inodes->buckets[i], of_bucket) {
            if (object_file(inode->object) != inode)
                return "an inode's object is another file's";
            if (!inode->listed || inode->kernel != k || inode->host < 0)
                return "an inode in the table is not of this machine";
            listed++;
            kept += inode->kept;
        }
    }
    if (kept != k->inodes->kept_count || kept > INODES_KEPT)
        return "the count of kept inodes is wrong";
    return listed == k->inodes->count ? NULL : "the count of inodes is wrong";
}

int inodes_root(const struct kernel *k) {
    return k->inodes->root;
}

uint64_t inodes_serial(struct kernel *k) {
    return ++k->inodes->serial;
}

static struct inode_bucket *bucket_of(const struct kernel *k, dev_t dev, ino_t ino) {
    uint64_t hash = (ino ^ dev << 20) * 0x9e3779b97f4a7c15ULL;
    return &k->inodes->buckets[hash >> 54];
}

static struct inode *inode_lookup(const struct kernel *k, dev_t dev, ino_t ino) {
    struct inode *inode;
    LIST_FOREACH(inode, bucket_of(k, dev, ino), of_bucket) {
        if (inode->ino == ino && inode->dev == dev)
            return inode;
    }
    return NULL;
}

struct object *inode_find(const struct kernel *k, dev_t dev, ino_t ino) {
    struct inode *inode = inode_lookup(k, dev, ino);
    return inode ? inode->object : NULL;
}

static void inode_remember(struct inode *inode, const struct stat *st) {
    inode->size = (uint64_t)st->st_size;
    inode->modified = st->st_mtim;
}

/* ---- the page cache's way to the file ---- */

static int inode_read_page(void *file, uint64_t index, void *page) {
    struct inode *inode = file;
    const void *mapped = hostmap_bytes(&inode->map, inode->host, inode->size, index * PAGE_SIZE, PAGE_SIZE);
    if (likely(mapped && hostcopy(page, mapped, PAGE_SIZE) == 0))
        return 0;
    size_t done = 0;
    while (done < PAGE_SIZE) {
        ssize_t n =
            pread(inode->host, (char *)page + done, PAGE_SIZE - done, (off_t)(index * PAGE_SIZE + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            break;
        done += (size_t)n;
    }
    memset((char *)page + done, 0, PAGE_SIZE - done);
    return 0;
}

static int inode_write_page(void *file, uint64_t index, const void *page) {
    struct inode *inode = file;
    uint64_t start = index * PAGE_SIZE;
    struct stat st;
    if (fstat(inode->host, &st) < 0)
        return -errno;
    size_t length = start >= (uint64_t)st.st_size ? 0 : min_size(PAGE_SIZE, (uint64_t)st.st_size - start);
    for (size_t done = 0; done < length;) {
        ssize_t n = pwrite(inode->host, (const char *)page + done, length - done, (off_t)(start + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        done += (size_t)n;
    }
    if (fstat(inode->host, &st) == 0)
        inode_remember(inode, &st);
    return 0;
}

static uint64_t inode_size(void *file) {
    return ((struct inode *)file)->size;
}

static int inode_punch(void *file, uint64_t offset, uint64_t length) {
    struct inode *inode = file;
    const int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
    struct stat st;
    if (fallocate(inode->host, mode, (off_t)offset, (off_t)length) < 0)
        return -errno;
    if (fstat(inode->host, &st) == 0)
        inode_remember(inode, &st);
    return 0;
}

static void inode_release(void *file) {
    struct inode *inode = file;
    if (inode->listed) {
        LIST_REMOVE(inode, of_bucket);
        inode->kernel->inodes->count--;
    }
    hostmap_release(&inode->map);
    close(inode->host);
    free(inode);
}

static const struct object_backing inode_backing = {
    .read_page = inode_read_page,
    .write_page = inode_write_page,
    .size = inode_size,
    .punch = inode_punch,
    .release = inode_release,
};

/* ---- making them ---- */

/* An open file description of our own for the same file, or -errno. Where /proc is not to be had, or the
 * file's mode no longer allows it, a duplicate must do: it shares the offset (we use
 * none) and append mode. */
static int inode_reopen(int host, bool writable) {
    char path[64];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", host);
    int own = open(path, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC);
    if (own >= 0)
        return own;
    if (writable && fcntl(host, F_GETFL) & O_APPEND)
        return -EACCES;
    own = fcntl(host, F_DUPFD_CLOEXEC, 3);
    return own < 0 ? -errno : own;
}

static int inode_make_writable(struct inode *inode, int host) {
    int own = inode_reopen(host, true);
    if (own < 0)
        return own;
    close(inode->host);
    inode->host = own;
    inode->writable = true;
    return 0;
}

/* Gives up the cached pages of files that nobody maps, and with them the files' inodes. */
static void inodes_shrink(struct kernel *k) {
    inodes_let_go(k->inodes, 0);
    for (unsigned i = 0; i < INODE_BUCKETS; i++) {
        struct inode *inode, *next;
        LIST_FOREACH_SAFE(inode, &k->inodes->buckets[i], of_bucket, next) {
            struct object *object = inode->object;
            if (object_is_mapped(object))
                continue;
            object_ref(object);
            if (object_sync(object, 0, UINT64_MAX) == 0)
                object_invalidate(object);
            object_unref(object);
        }
    }
}

void inodes_drop_cache(struct kernel *k) {
    for (unsigned i = 0; i < INODE_BUCKETS; i++) {
        struct inode *inode, *next;
        LIST_FOREACH_SAFE(inode, &k->inodes->buckets[i], of_bucket, next) {
            struct object *object = object_ref(inode->object);
            if (!object_is_mapped(object))
                object_invalidate(object);
            object_unref(object);
        }
    }
}

/* Inodes may take half of the host's descriptors; the programs need the others. */
static bool inodes_are_many(const struct kernel *k) {
    struct rlimit limit;
    return getrlimit(RLIMIT_NOFILE, &limit) == 0 && k->inodes->count >= limit.rlim_cur / 2;
}

/* Where the file is now, for people and for maps. */
static void inode_path(const struct inode *inode, char *to, size_t size) {
    char link[64];
    snprintf(link, sizeof(link), "/proc/self/fd/%d", inode->host);
    ssize_t length = readlink(link, to, size - 1);
    to[length < 0 ? 0 : length] = '\0';
    if (inode->kernel->sandbox)
        sandbox_show_path(inode->kernel->sandbox, to);
}

static int inode_create(struct kernel *k, int host, bool writable, const struct stat *st,
                        struct object **ret_object) {
    struct inode *inode = inject_calloc(k->config.inject, 1, sizeof(*inode));
    if (!inode)
        return -ENOMEM;
    if (inodes_are_many(k))
        inodes_shrink(k);
    *inode = (struct inode){.kernel = k, .dev = st->st_dev, .ino = st->st_ino, .writable = writable};
    inode_remember(inode, st);
    inode->host = inode_reopen(host, writable);
    int r = inode->host < 0 ? inode->host : 0;
    if (r < 0)
        goto out_free;
    char path[PATH_MAX];
    inode_path(inode, path, sizeof(path));
    r = object_create_file(k->vm, &inode_backing, inode, path, &inode->object);
    if (r < 0)
        goto out_close;
    LIST_INSERT_HEAD(bucket_of(k, inode->dev, inode->ino), inode, of_bucket);
    inode->listed = true;
    k->inodes->count++;
    inode_keep(inode);
    *ret_object = inode->object;
    return 0;
out_close:
    close(inode->host);
out_free:
    free(inode);
    return r;
}

int inode_object(struct kernel *k, int host, bool writable, struct object **ret_object) {
    struct stat st;
    if (fstat(host, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode))
        return -ENODEV;
    struct inode *inode = inode_lookup(k, st.st_dev, st.st_ino);
    if (!inode)
        return inode_create(k, host, writable, &st, ret_object);
    inode_revalidate(k, &st);
    if (writable && !inode->writable) {
        int r = inode_make_writable(inode, host);
        if (r < 0)
            return r;
    }
    inode_keep(inode);
    *ret_object = object_ref(inode->object);
    return 0;
}

/* ---- staying in step with the file ---- */

static bool inode_agrees(const struct inode *inode, const struct stat *st) {
    return inode->size == (uint64_t)st->st_size && inode->modified.tv_sec == st->st_mtim.tv_sec &&
           inode->modified.tv_nsec == st->st_mtim.tv_nsec;
}

void inode_revalidate(struct kernel *k, const struct stat *st) {
    struct inode *inode = inode_lookup(k, st->st_dev, st->st_ino);
    if (!inode || inode_agrees(inode, st))
        return;
    struct object *object = object_ref(inode->object); /* dropping its pages may let go of it */
    uint64_t size = inode->size;
    inode_remember(inode, st);
    if ((uint64_t)st->st_size < size)
        (void)object_truncate(object, (uint64_t)st->st_size);
    object_invalidate(object);
    object_unref(object);
}

void inode_changed(struct kernel *k, const struct stat *st) {
    struct inode *inode = inode_lookup(k, st->st_dev, st->st_ino);
    if (!inode)
        return;
    struct object *object = object_ref(inode->object);
    uint64_t size = inode->size;
    inode_remember(inode, st);
    if ((uint64_t)st->st_size < size)
        (void)object_truncate(object, (uint64_t)st->st_size);
    object_unref(object);
}

void inode_unlinking(struct kernel *k, int directory, const char *name) {
    struct stat st;
    if (k->inodes->count == 0 || fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return;
    struct inode *inode = inode_lookup(k, st.st_dev, st.st_ino);
    if (!inode || st.st_nlink > 1)
        return;
    struct object *object = object_ref(inode->object);
    object_forget(object);
    if (inode->kept)
        inode_let_go(inode);
    object_unref(object);
}

int kernel_open_object(struct object *object) {
    const struct inode *inode = object_file(object);
    return inode ? inode_reopen(inode->host, false) : -ENODEV;
}

bool inode_describe(struct object *object, struct stat *ret_stat, char *ret_path, size_t size) {
    struct inode *inode = object_file(object);
    if (!inode)
        return false;
    *ret_stat = (struct stat){.st_dev = inode->dev, .st_ino = inode->ino};
    inode_path(inode, ret_path, size);
    return true;
}
