/* Pseudo-terminals: making, reading, writing and closing both ends. Requests are pty_request.c's.
 *
 * A pair lives as long as its master or one of its slaves is open. Closing the master hangs the slaves up:
 * they read an end and can write nothing. Closing the last slave gives EIO at the master, once everything
 * printed was read, until a slave is opened again. */
#include "kernel/terminal/pty.h"

#include <asm/ioctls.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/base.h"

static const uint64_t TENTH = 100000000; /* of a second, in ns */

struct slave {
    struct pty *pty;
    unsigned hangups; /* of the pair when it was opened */
};

struct pty *pty_find(const struct kernel *k, dev_t device) {
    struct pty *pty;
    LIST_FOREACH(pty, &k->terminals->ptys, of_machine)
        if (pty->terminal->device == device)
            return pty;
    return NULL;
}

struct pty *pty_of_slave(const struct file *f) {
    const struct slave *s = f->data;
    return s->hangups == s->pty->hangups ? s->pty : NULL;
}

void pty_changed(struct pty *pty) {
    pty->news_slave++;
    pty->news_master++;
    sched_wake(pty->kernel, pty);
}

static long pty_wait(struct pty *pty, const struct file *f, struct thread *t) {
    if (f->flags & O_NONBLOCK)
        return -EAGAIN;
    sched_sleep_channel(t, pty);
    return SYS_SLEEP;
}

/* ---- the slave ---- */

/* How a read that does not find lines waits: VMIN bytes, or VTIME tenths of a second. */
struct patience {
    size_t least;
    uint64_t interval; /* ns */
};

static struct patience patience_of(const struct discipline *d, size_t length) {
    const struct termios2 *modes = discipline_modes(d);
    if (modes->c_lflag & ICANON)
        return (struct patience){.least = 1};
    return (struct patience){.least = min_size(modes->c_cc[VMIN], length),
                             .interval = modes->c_cc[VTIME] * TENTH};
}

/* Too little is there to be read. True: the read ends now with what there is. With VMIN the time runs anew
 * from each byte (call.scratch: how many there were), without it from the beginning. */
static bool patience_ends(struct thread *t, const struct discipline *d, const struct patience *patience) {
    struct kernel *k = t->process->kernel;
    struct call *call = &t->call;
    const bool by_lines = discipline_modes(d)->c_lflag & ICANON;
    const size_t there = by_lines ? 0 : discipline_readable_bytes(d);
    if (by_lines)
        return false;
    if (!patience->least && !patience->interval)
        return true;
    if (t->call.interrupted)
        return there > 0;
    bool starts = patience->least ? there != call->scratch : call->deadline == 0;
    if (patience->interval && starts)
        call->deadline = clock_now(k) + patience->interval;
    call->scratch = there;
    if (!call->deadline)
        return false;
    sched_sleep_until(t, call->deadline);
    return clock_now(k) >= call->deadline;
}

/* Nothing that satisfies a read is there. */
static ssize_t slave_starve(struct pty *pty, struct file *f, struct thread *t, void *to, size_t length,
                            const struct patience *patience) {
    bool ends = patience_ends(t, pty->discipline, patience);
    long wait = ends ? 0 : pty_wait(pty, f, t);
    if (wait == SYS_SLEEP)
        return SYS_SLEEP;
    ssize_t n = discipline_read(pty->discipline, to, length);
    if (n >= 0)
        pty_changed(pty);
    return n < 0 ? wait : n;
}

static ssize_t slave_read(struct file *f, struct thread *t, void *to, size_t length, uint64_t *offset) {
    struct pty *pty = pty_of_slave(f);
    if (!pty) /* whoever waited is told what happened */
        return t->call.attempted ? -EIO : 0;
    int r = terminal_admit(pty->terminal, t, SIGTTIN);
    if (r < 0 || !length)
        return r;
    struct patience patience = patience_of(pty->discipline, length);
    if (!discipline_readable(pty->discipline, max_size(patience.least, 1)))
        return slave_starve(pty, f, t, to, length, &patience);
    ssize_t n = discipline_read(pty->discipline, to, length);
    pty_changed(pty);
    return n;
}

static ssize_t slave_write(struct file *f, struct thread *t, const void *from, size_t length,
                           uint64_t *offset) {
    struct pty *pty = pty_of_slave(f);
    if (!pty)
        return -EIO;
    bool may_stop = discipline_modes(pty->discipline)->c_lflag & TOSTOP;
    int r = may_stop && !t->call.progress ? terminal_admit(pty->terminal, t, SIGTTOU) : 0;
    if (r < 0)
        return r;
    size_t n = discipline_write(pty->discipline, from, length);
    if (n)
        pty_changed(pty);
    return n || !length ? (ssize_t)n : pty_wait(pty, f, t);
}

static short slave_poll(struct file *f, struct thread *sleeper, short events) {
    struct pty *pty = pty_of_slave(f);
    short ready = 0;
    if (!pty)
        return (events & (POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM)) | POLLERR | POLLHUP;
    const struct termios2 *modes = discipline_modes(pty->discipline);
    bool by_count = !modes->c_cc[VTIME] && modes->c_cc[VMIN];
    if (discipline_readable(pty->discipline, by_count ? modes->c_cc[VMIN] : 1))
        ready |= POLLIN | POLLRDNORM;
    if (discipline_writable(pty->discipline))
        ready |= POLLOUT | POLLWRNORM;
    ready &= events;
    if (!ready && sleeper)
        sched_sleep_channel(sleeper, pty);
    return ready;
}

static void pty_free_if_unused(struct pty *pty) {
    if (pty->master || pty->slaves)
        return;
    LIST_REMOVE(pty, of_machine);
    terminal_unref(pty->terminal);
    discipline_destroy(pty->discipline);
    free(pty);
}

static void slave_release(struct file *f) {
    struct slave *s = f->data;
    struct pty *pty = s->pty;
    if (--pty->slaves == 0) {
        pty->abandoned = true;
        pty_changed(pty);
    }
    pty_free_if_unused(pty);
    free(s);
}

/* ---- the master ---- */

static ssize_t master_read(struct file *f, struct thread *t, void *to, size_t length, uint64_t *offset) {
    struct pty *pty = f->data;
    uint8_t *bytes = to;
    if (!length)
        return 0;
    if (pty->packets && pty->happened) {
        *bytes = (uint8_t)pty->happened;
        pty->happened = 0;
        return 1;
    }
    if (!discipline_printed(pty->discipline))
        return pty->abandoned ? -EIO : pty_wait(pty, f, t);
    size_t mark = pty->packets ? 1 : 0;
    if (mark)
        *bytes = TIOCPKT_DATA;
    size_t n = discipline_take(pty->discipline, bytes + mark, length - mark);
    pty_changed(pty);
    return (ssize_t)(mark + n);
}

static ssize_t master_write(struct file *f, struct thread *t, const void *from, size_t length,
                            uint64_t *offset) {
    struct pty *pty = f->data;
    size_t n = pty->master_held ? 0 : discipline_type(pty->discipline, from, length);
    if (n)
        pty_changed(pty);
    return n || !length ? (ssize_t)n : pty_wait(pty, f, t);
}

static short master_poll(struct file *f, struct thread *sleeper, short events) {
    struct pty *pty = f->data;
    short ready = 0;
    if (discipline_printed(pty->discipline))
        ready |= POLLIN | POLLRDNORM;
    if (pty->packets && pty->happened)
        ready |= POLLPRI | POLLIN | POLLRDNORM;
    if (!pty->master_held && discipline_type_room(pty->discipline))
        ready |= POLLOUT | POLLWRNORM;
    ready &= events;
    if (pty->abandoned)
        ready |= POLLHUP;
    if (!ready && sleeper)
        sched_sleep_channel(sleeper, pty);
    return ready;
}

void pty_hang_up(struct pty *pty) {
    pty->hangups++;
    discipline_flush_input(pty->discipline);
    terminal_hang_up(pty->terminal);
    pty_changed(pty);
}

static void master_release(struct file *f) {
    struct pty *pty = f->data;
    close(f->host); /* the name goes first */
    f->host = -1;
    pty->master = NULL;
    pty_hang_up(pty);
    pty_free_if_unused(pty);
}

/* ---- both ---- */

static int end_stat(struct file *f, struct stat *ret_stat) {
    return fstat(f->host, ret_stat) < 0 ? -errno : 0;
}

static const struct file_ops slave_ops = {
    .name = "tty",
    .host_helps = true,
    .read = slave_read,
    .write = slave_write,
    .poll = slave_poll,
    .ioctl = pty_slave_ioctl,
    .stat = end_stat,
    .release = slave_release,
};

static const struct file_ops master_ops = {
    .name = "ptmx",
    .host_helps = true,
    .read = master_read,
    .write = master_write,
    .poll = master_poll,
    .ioctl = pty_master_ioctl,
    .stat = end_stat,
    .release = master_release,
};

/* ---- what the line discipline tells ---- */

static void typed_signal(void *context, int signal) {
    const struct pty *pty = context;
    terminal_signal_group(pty->terminal, signal);
}

/* Opposites replace each other. */
static void discipline_told(void *context, unsigned how) {
    struct pty *pty = context;
    if (how & (TIOCPKT_STOP | TIOCPKT_START))
        pty->happened &= ~(unsigned)(TIOCPKT_STOP | TIOCPKT_START);
    if (how & (TIOCPKT_DOSTOP | TIOCPKT_NOSTOP))
        pty->happened &= ~(unsigned)(TIOCPKT_DOSTOP | TIOCPKT_NOSTOP);
    pty->happened = pty->packets ? pty->happened | how : 0;
    pty_changed(pty);
}

/* ---- opening ---- */

/* The device of the slave that belongs to a master of the host. */
static int slave_device(int host, dev_t *ret_device) {
    unsigned device;
    if (ioctl(host, TIOCGDEV, &device) < 0)
        return -errno;
    *ret_device = makedev(device >> 8 & 0xfff, (device & 0xff) | (device >> 12 & 0xfff00));
    return 0;
}

static int pty_create(struct kernel *k, int host, struct pty **ret_pty) {
    struct pty *pty = inject_calloc(k->config.inject, 1, sizeof *pty);
    const struct discipline_client client = {typed_signal, discipline_told, pty};
    dev_t device = 0;
    int r = pty ? slave_device(host, &device) : -ENOMEM;
    if (r == 0)
        r = discipline_create(k->config.inject, &client, &pty->discipline);
    if (r < 0)
        goto out_free;
    pty->kernel = k;
    pty->terminal = terminal_get(k, device);
    if (!pty->terminal) {
        r = -ENOMEM;
        goto out_free;
    }
    LIST_INSERT_HEAD(&k->terminals->ptys, pty, of_machine);
    *ret_pty = pty;
    return 0;
out_free:
    if (pty)
        discipline_destroy(pty->discipline);
    free(pty);
    return r;
}

int pty_open_master(struct kernel *k, int host, int flags, struct file **ret_file) {
    struct pty *pty;
    struct file *f = file_create(k, &master_ops, flags);
    int r = f ? pty_create(k, host, &pty) : -ENOMEM;
    if (r < 0) {
        free(f); /* not yet an end: master_release() must not see it */
        return r;
    }
    f->data = pty;
    f->host = host;
    f->activity = f->activity_out = &pty->news_master;
    pty->master = f;
    *ret_file = f;
    return 0;
}

int pty_open_slave(struct pty *pty, int host, int flags, struct file **ret_file) {
    struct inject *inject = pty->kernel->config.inject;
    if (!pty->master)
        return -EIO;
    struct slave *s = inject_malloc(inject, sizeof *s);
    struct file *f = s ? file_create(pty->kernel, &slave_ops, flags) : NULL;
    if (!f) {
        free(s);
        return -ENOMEM;
    }
    *s = (struct slave){.pty = pty, .hangups = pty->hangups};
    f->data = s;
    f->host = host;
    f->activity = f->activity_out = &pty->news_slave;
    pty->slaves++;
    pty->abandoned = false;
    pty_changed(pty);
    *ret_file = f;
    return 0;
}
