/* Messages: control messages between programs, sockets of the machine and sockets of the host. See message.h.
 *
 * Between programs of the machine every kind of open file can be passed on, and arrives as itself. With the
 * world outside only what the host knows can be exchanged: files, sockets, terminals
 * and pipes of the host. */
#include "kernel/network/message.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <unistd.h>

#include "base/base.h"
#include "kernel/files/descriptor.h"
#include "kernel/kinds.h"

void message_init(struct message *m, int flags) {
    m->flags = flags;
    m->result_flags = 0;
    m->has_address = false;
    m->address.given_length = m->address.host_length = 0;
    m->file_count = 0;
    m->has_credentials = false;
    m->control_user = 0;
    m->control_room = m->control_used = 0;
}

void message_end(struct message *m) {
    while (m->file_count)
        file_unref(m->files[--m->file_count]);
}

struct ucred message_credentials(const struct thread *t) {
    return (struct ucred){.pid = (pid_t)t->process->pid, .uid = getuid(), .gid = getgid()};
}

/* ---- sending ---- */

static int load_files(struct thread *t, struct message *m, const struct cmsghdr *c) {
    const int *fds = (const int *)(const void *)CMSG_DATA(c);
    size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    if (m->file_count + n > MESSAGE_FILES_MAX)
        return -EINVAL;
    for (size_t i = 0; i < n; i++) {
        struct file *f = descriptor_file(t->process, fds[i]);
        if (!f)
            return -EBADF;
        m->files[m->file_count++] = file_ref(f);
    }
    return 0;
}

/* A program may name another process or user only if it may everything. */
static int load_credentials(struct thread *t, struct message *m, const struct cmsghdr *c) {
    struct ucred u;
    if (c->cmsg_len != CMSG_LEN(sizeof(u)))
        return -EINVAL;
    memcpy(&u, CMSG_DATA(c), sizeof(u));
    bool other = (uint32_t)u.pid != t->process->pid;
    bool own_ids = (u.uid == getuid() || u.uid == geteuid()) && (u.gid == getgid() || u.gid == getegid());
    if ((other || !own_ids) && geteuid() != 0)
        return -EPERM;
    if (other && !process_find(t->process->kernel, (uint32_t)u.pid))
        return -ESRCH;
    m->credentials = u;
    m->has_credentials = true;
    return 0;
}

/* The header at `c` and its data lie within the buffer. */
static bool header_is_whole(const struct msghdr *all, const struct cmsghdr *c) {
    size_t before = (size_t)((const char *)c - (const char *)all->msg_control);
    return c->cmsg_len >= sizeof(*c) && c->cmsg_len <= all->msg_controllen - before;
}

/* Does something with each control header for sockets, until that fails. */
static int each_header(struct thread *t, struct message *m,
                       int (*visit)(struct thread *, struct message *, struct cmsghdr *)) {
    struct msghdr all = {.msg_control = m->control, .msg_controllen = m->control_room};
    int r = 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&all); r == 0 && c; c = CMSG_NXTHDR(&all, c)) {
        if (!header_is_whole(&all, c))
            return -EINVAL;
        if (c->cmsg_level == SOL_SOCKET)
            r = visit(t, m, c);
    }
    return r;
}

static int load_header(struct thread *t, struct message *m, struct cmsghdr *c) {
    if (c->cmsg_type == SCM_RIGHTS)
        return load_files(t, m, c);
    return c->cmsg_type == SCM_CREDENTIALS ? load_credentials(t, m, c) : -EINVAL;
}

int message_load_control(struct thread *t, struct message *m) {
    return each_header(t, m, load_header);
}

/* ---- receiving ---- */

static void store_header(struct thread *t, struct message *m, int type, size_t length) {
    struct cmsghdr header = {.cmsg_len = CMSG_LEN(length), .cmsg_level = SOL_SOCKET, .cmsg_type = type};
    (void)user_write(t->process->space, m->control_user + m->control_used, &header, sizeof(header));
}

/* One control message of the machine's; as Linux's put_cmsg(), it is cut where the buffer ends. */
static void store_value(struct thread *t, struct message *m, int type, const void *value, size_t length) {
    size_t left = m->control_room - m->control_used;
    if (left < sizeof(struct cmsghdr)) {
        m->result_flags |= MSG_CTRUNC;
        return;
    }
    if (left < CMSG_LEN(length)) {
        m->result_flags |= MSG_CTRUNC;
        length = left - sizeof(struct cmsghdr);
    }
    store_header(t, m, type, length);
    (void)user_write(t->process->space, m->control_user + m->control_used + CMSG_LEN(0), value, length);
    m->control_used += min_size(CMSG_SPACE(length), left);
}

/* The number under which the file was installed is at `user`; 0 or -errno, then it is not installed. */
static int store_file(struct thread *t, struct file *f, uint64_t user, bool close_on_exec) {
    int fd = descriptor_install(t->process, file_ref(f), 0, close_on_exec);
    if (fd < 0) {
        file_unref(f);
        return fd;
    }
    int r = user_write(t->process->space, user, &fd, sizeof(fd));
    if (r < 0)
        descriptor_close(t->process, fd);
    return r;
}

static void store_files(struct thread *t, struct message *m, bool close_on_exec) {
    size_t left = m->control_room - m->control_used, n = 0;
    size_t room = left <= sizeof(struct cmsghdr) ? 0 : (left - sizeof(struct cmsghdr)) / sizeof(int);
    uint64_t first = m->control_user + m->control_used + CMSG_LEN(0);
    while (n < room && n < m->file_count &&
           store_file(t, m->files[n], first + n * sizeof(int), close_on_exec) == 0)
        n++;
    if (n) {
        store_header(t, m, SCM_RIGHTS, n * sizeof(int));
        m->control_used += min_size(CMSG_SPACE(n * sizeof(int)), left);
    }
    if (n < m->file_count)
        m->result_flags |= MSG_CTRUNC;
}

void message_store_control(struct thread *t, struct message *m, bool close_on_exec) {
    if (!m->control_user && (m->has_credentials || m->file_count)) {
        m->result_flags |= MSG_CTRUNC;
        return;
    }
    if (m->has_credentials)
        store_value(t, m, SCM_CREDENTIALS, &m->credentials, sizeof(m->credentials));
    if (m->file_count)
        store_files(t, m, close_on_exec);
}

/* ---- the host ---- */

static int files_to_host(struct thread *t, struct cmsghdr *c) {
    int *fds = (int *)(void *)CMSG_DATA(c);
    size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < n; i++) {
        struct file *f = descriptor_file(t->process, fds[i]);
        if (!f)
            return -EBADF;
        if (f->host < 0 || f->ops->host_helps)
            return -EOPNOTSUPP;
        if (f->ops->object && f->ops->seek) /* the receiver goes on where it is now */
            lseek(f->host, f->ops->seek(f, 0, SEEK_CUR), SEEK_SET);
        fds[i] = f->host;
    }
    return 0;
}

static int header_to_host(struct thread *t, struct message *m, struct cmsghdr *c) {
    if (c->cmsg_type == SCM_RIGHTS)
        return files_to_host(t, c);
    if (c->cmsg_type == SCM_CREDENTIALS && c->cmsg_len == CMSG_LEN(sizeof(struct ucred)))
        ((struct ucred *)(void *)CMSG_DATA(c))->pid = getpid(); /* outside, all of us are one process */
    return 0;
}

int message_control_to_host(struct thread *t, struct message *m) {
    return each_header(t, m, header_to_host);
}

/* How many of the descriptors could be installed; the others are closed. */
static size_t files_from_host(struct thread *t, int *fds, size_t n, bool close_on_exec) {
    size_t installed = 0;
    for (size_t i = 0; i < n; i++) {
        struct file *f;
        int host = fds[i];
        if (installed < i || file_from_host(t->process->kernel, host, fcntl(host, F_GETFL), true, &f) < 0) {
            close(host);
            continue;
        }
        fds[i] = descriptor_install_or_drop(t->process, f, close_on_exec);
        installed += fds[i] >= 0;
    }
    return installed;
}

void message_control_from_host(struct thread *t, struct message *m, size_t length, bool close_on_exec) {
    struct msghdr all = {.msg_control = m->control, .msg_controllen = length};
    struct cmsghdr *c;
    for (c = CMSG_FIRSTHDR(&all); c; c = CMSG_NXTHDR(&all, c)) {
        if (c->cmsg_level != SOL_SOCKET)
            continue;
        if (c->cmsg_type == SCM_CREDENTIALS) /* processes outside have no number here */
            ((struct ucred *)(void *)CMSG_DATA(c))->pid = 0;
        if (c->cmsg_type != SCM_RIGHTS)
            continue;
        size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        size_t installed = files_from_host(t, (int *)(void *)CMSG_DATA(c), n, close_on_exec);
        if (installed == n)
            continue;
        m->result_flags |= MSG_CTRUNC;
        c->cmsg_len = CMSG_LEN(installed * sizeof(int));
        length = (size_t)((char *)c - m->control) + (installed ? CMSG_SPACE(installed * sizeof(int)) : 0);
        break; /* descriptors come last */
    }
    m->control_used = length;
    (void)user_write(t->process->space, m->control_user, m->control, length);
}
