/* ioctl() on files and directories of the host: what file systems have (attributes, sizes, clones). Each
 * request is in a table with what passes between the program and the host; others do not reach the host. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/base.h"
#include "kernel/files/inode.h"
#include "kernel/kinds.h"

#ifndef FIOQSIZE
#define FIOQSIZE 0x5460 /* asm-generic/ioctls.h; libc does not name it */
#endif

struct control {
    unsigned request, size;
    bool reads, writes; /* from and to the program's memory */
    bool changes;       /* what the sandbox keeps as it is */
};

static const struct control controls[] = {
    {FS_IOC_GETFLAGS, sizeof(int), .writes = true},
    {FS_IOC_SETFLAGS, sizeof(int), .reads = true, .changes = true},
    {FS_IOC_GETVERSION, sizeof(int), .writes = true},
    {FS_IOC_FSGETXATTR, sizeof(struct fsxattr), .writes = true},
    {FS_IOC_FSSETXATTR, sizeof(struct fsxattr), .reads = true, .changes = true},
    {FIOQSIZE, sizeof(int64_t), .writes = true},
    {FIGETBSZ, sizeof(int), .writes = true},
    {FIBMAP, sizeof(int), .reads = true, .writes = true},
};

static long pass_on(struct file *f, struct thread *t, const struct control *c, uint64_t user) {
    struct space *space = t->process->space;
    char bytes[sizeof(struct fsxattr)] = {0};
    if (c->changes && f->kernel->sandbox)
        return -EPERM;
    int r = c->reads ? user_read(space, user, bytes, c->size) : 0;
    if (r < 0)
        return r;
    if (ioctl(f->host, c->request, bytes) < 0)
        return -errno;
    return c->writes ? user_write(space, user, bytes, c->size) : 0;
}

/* `range` gets the host's number in the place of the program's. */
static long clone(struct file *f, struct thread *t, struct file_clone_range *range) {
    struct file *source = descriptor_file(t->process, (int)range->src_fd);
    struct stat st;
    if (!source || source->flags & O_PATH)
        return -EBADF;
    if (source->host < 0 || !source->ops->object)
        return -EXDEV;
    struct object *object =
        fstat(source->host, &st) == 0 ? inode_find(f->kernel, st.st_dev, st.st_ino) : NULL;
    if (object)
        object_sync(object, 0, UINT64_MAX);
    range->src_fd = source->host;
    if (ioctl(f->host, FICLONERANGE, range) < 0)
        return -errno;
    if (fstat(f->host, &st) == 0)
        inode_revalidate(f->kernel, &st);
    return 0;
}

static long clone_range(struct file *f, struct thread *t, uint64_t user) {
    struct file_clone_range range;
    int r = user_read(t->process->space, user, &range, sizeof(range));
    return r < 0 ? r : clone(f, t, &range);
}

long hostfile_control(struct file *f, struct thread *t, unsigned request, uint64_t argument) {
    if (request == FICLONE)
        return clone(f, t, &(struct file_clone_range){.src_fd = (int)argument});
    if (request == FICLONERANGE)
        return clone_range(f, t, argument);
    for (size_t i = 0; i < ARRAY_LENGTH(controls); i++) {
        if (controls[i].request == request)
            return pass_on(f, t, &controls[i], argument);
    }
    return -ENOTTY;
}
