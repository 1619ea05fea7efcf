/* Requests (ioctl) on pseudo-terminals of the machine: modes, sizes, flow, flushing, and what only a master
 * knows. What concerns the names (numbers, the lock, exclusive use) is asked of the host's pair behind it.
 *
 * Most requests mean the slave at whichever end they are made. */
#include <asm/ioctls.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "kernel/files/descriptor.h"
#include "kernel/process/identity.h"
#include "kernel/signal/signal.h"
#include "kernel/terminal/pty.h"

/* One request, on its way through the functions below. */
struct request {
    struct pty *pty;
    struct file *file;
    struct thread *thread;
    unsigned number;
    uint64_t argument;
    bool from_master;
};

/* Each function below gives this for a request that is not its own. */
enum { NOT_MINE = INT_MIN };

static long give(const struct request *q, const void *value, size_t size) {
    return user_write(q->thread->process->space, q->argument, value, size);
}

static long give_number(const struct request *q, int value) {
    return give(q, &value, sizeof value);
}

static int get(const struct request *q, void *value, size_t size) {
    return user_read(q->thread->process->space, q->argument, value, size) < 0 ? -EFAULT : 0;
}

/* ---- modes ---- */

/* The oldest layout of the modes, which TCGETA and TCSETA have. */
struct old_modes {
    uint16_t c_iflag, c_oflag, c_cflag, c_lflag;
    uint8_t c_line, c_cc[8];
};

static long modes_get_old(const struct request *q) {
    const struct termios2 *now = discipline_modes(q->pty->discipline);
    struct old_modes old = {(uint16_t)now->c_iflag,
                            (uint16_t)now->c_oflag,
                            (uint16_t)now->c_cflag,
                            (uint16_t)now->c_lflag,
                            now->c_line,
                            {0}};
    memcpy(old.c_cc, now->c_cc, sizeof old.c_cc);
    return give(q, &old, 18); /* a byte at the end is padding */
}

static int modes_read_old(const struct request *q, struct termios2 *modes) {
    struct old_modes old;
    if (get(q, &old, 18) < 0)
        return -EFAULT;
    modes->c_iflag = (modes->c_iflag & 0xffff0000) | old.c_iflag;
    modes->c_oflag = (modes->c_oflag & 0xffff0000) | old.c_oflag;
    modes->c_cflag = (modes->c_cflag & 0xffff0000) | old.c_cflag;
    modes->c_lflag = (modes->c_lflag & 0xffff0000) | old.c_lflag;
    modes->c_line = old.c_line;
    memcpy(modes->c_cc, old.c_cc, sizeof old.c_cc);
    return 0;
}

/* Bits per second that the code in c_cflag stands for; `other` if it says that they are given as a number. */
static speed_t speed_of(tcflag_t code, speed_t other) {
    static const speed_t low[] = {0,   50,   75,   110,  134,  150,  200,   300,
                                  600, 1200, 1800, 2400, 4800, 9600, 19200, 38400};
    static const speed_t high[] = {57600,   115200,  230400,  460800,  500000,  576000,  921600, 1000000,
                                   1152000, 1500000, 2000000, 2500000, 3000000, 3500000, 4000000};
    if (code == BOTHER)
        return other;
    if (code & CBAUDEX)
        return high[min_size((code & 15) - 1, ARRAY_LENGTH(high) - 1)];
    return low[code & 15];
}

static void modes_set_speeds(struct termios2 *modes) {
    tcflag_t input = modes->c_cflag >> IBSHIFT & CBAUD;
    modes->c_ospeed = speed_of(modes->c_cflag & CBAUD, modes->c_ospeed);
    modes->c_ispeed = input == B0 ? modes->c_ospeed : speed_of(input, modes->c_ispeed);
}

static int modes_read(const struct request *q, struct termios2 *modes) {
    switch (q->number) {
    case TCSETA:
    case TCSETAW:
    case TCSETAF: return modes_read_old(q, modes);
    case TCSETS2:
    case TCSETSW2:
    case TCSETSF2: return get(q, modes, sizeof *modes);
    default: return get(q, modes, sizeof(struct termios));
    }
}

static long modes_set(const struct request *q) {
    struct termios2 modes = *discipline_modes(q->pty->discipline);
    int r = terminal_admit(q->pty->terminal, q->thread, SIGTTOU);
    if (r == 0)
        r = modes_read(q, &modes);
    if (r < 0)
        return r;
    modes_set_speeds(&modes);
    if (q->number == TCSETAF || q->number == TCSETSF || q->number == TCSETSF2)
        discipline_flush_input(q->pty->discipline);
    discipline_set_modes(q->pty->discipline, &modes);
    pty_changed(q->pty);
    return 0;
}

static long request_modes(const struct request *q) {
    const struct termios2 *now = discipline_modes(q->pty->discipline);
    switch (q->number) {
    case TCGETS: return give(q, now, sizeof(struct termios));
    case TCGETS2: return give(q, now, sizeof *now);
    case TCGETA: return modes_get_old(q);
    case TCSETS:
    case TCSETSW:
    case TCSETSF:
    case TCSETS2:
    case TCSETSW2:
    case TCSETSF2:
    case TCSETA:
    case TCSETAW:
    case TCSETAF: return modes_set(q);
    default: return NOT_MINE;
    }
}

/* ---- flow and flushing ---- */

/* On a master these mean the way from it to the slave. */
static int request_admitted(const struct request *q) {
    return q->from_master ? 0 : terminal_admit(q->pty->terminal, q->thread, SIGTTOU);
}

/* A stop or start character goes where this end's output goes. */
static void flow_send(const struct request *q, int key) {
    uint8_t byte = discipline_modes(q->pty->discipline)->c_cc[key];
    if (q->from_master)
        byte = key == VSTOP ? 19 : 17;
    if (q->from_master)
        discipline_type(q->pty->discipline, &byte, 1);
    else if (byte)
        discipline_send(q->pty->discipline, byte);
}

static long flow(const struct request *q) {
    struct discipline *d = q->pty->discipline;
    bool stop = q->argument == TCOOFF;
    switch (q->argument) {
    case TCOOFF:
    case TCOON:
        if (q->from_master)
            q->pty->master_held = stop;
        else if (stop)
            discipline_stop(d);
        else
            discipline_start(d);
        break;
    case TCIOFF: flow_send(q, VSTOP); break;
    case TCION: flow_send(q, VSTART); break;
    default: return -EINVAL;
    }
    pty_changed(q->pty);
    return 0;
}

static long flush(const struct request *q) {
    struct discipline *d = q->pty->discipline;
    bool in = q->argument == TCIFLUSH || q->argument == TCIOFLUSH;
    bool out = q->argument == TCOFLUSH || q->argument == TCIOFLUSH;
    if (!in && !out)
        return -EINVAL;
    if (in && q->from_master)
        discipline_flush_printed(d);
    else if (in) {
        discipline_flush_typed(d);
        discipline_flush_input(d);
    }
    if (out && q->from_master)
        discipline_flush_typed(d);
    else if (out)
        discipline_flush_output(d);
    pty_changed(q->pty);
    return 0;
}

static long request_flow(const struct request *q) {
    int r;
    switch (q->number) {
    case TCXONC: r = request_admitted(q); return r < 0 ? r : flow(q);
    case TCFLSH: r = request_admitted(q); return r < 0 ? r : flush(q);
    case TCSBRK: /* there is no line to break, and nothing to drain */
    case TCSBRKP:
    case TIOCSBRK:
    case TIOCCBRK:
        r = request_admitted(q);
        return r < 0 ? r : q->number == TIOCSBRK || q->number == TIOCCBRK ? -ENOTTY : 0;
    default: return NOT_MINE;
    }
}

/* ---- sizes and numbers ---- */

static long set_size(const struct request *q) {
    struct winsize size;
    if (get(q, &size, sizeof size) < 0)
        return -EFAULT;
    if (memcmp(&size, &q->pty->size, sizeof size) == 0)
        return 0;
    q->pty->size = size;
    terminal_signal_group(q->pty->terminal, SIGWINCH);
    return 0;
}

static long readable_bytes(const struct request *q) {
    struct discipline *d = q->pty->discipline;
    return give_number(q, (int)(q->from_master ? discipline_printed(d) : discipline_readable_bytes(d)));
}

/* Only the usual line discipline can be had. */
static long set_discipline(const struct request *q) {
    int number, r = request_admitted(q);
    if (r == 0)
        r = get(q, &number, sizeof number);
    return r < 0 ? r : number == 0 ? 0 : -EINVAL;
}

static long request_numbers(const struct request *q) {
    switch (q->number) {
    case TIOCGWINSZ: return give(q, &q->pty->size, sizeof q->pty->size);
    case TIOCSWINSZ: return set_size(q);
    case FIONREAD: return readable_bytes(q);
    case TIOCOUTQ: return give_number(q, 0);
    case TIOCGETD: return give_number(q, 0);
    case TIOCSETD: return set_discipline(q);
    default: return NOT_MINE;
    }
}

/* ---- as if it had been typed ---- */

/* Where the host does not let programs pretend to type, neither do we. */
static bool may_pretend(void) {
    FILE *file = fopen("/proc/sys/dev/tty/legacy_tiocsti", "re");
    int allowed = 1;
    if (file && fscanf(file, "%d", &allowed) != 1)
        allowed = 1;
    if (file)
        fclose(file);
    return allowed != 0;
}

static long pretend_typing(const struct request *q) {
    uint8_t byte;
    bool may_all = identity_capable(CAP_SYS_ADMIN);
    if (!may_all && !may_pretend())
        return -EIO;
    if (!may_all && (q->from_master || q->thread->process->terminal != q->pty->terminal))
        return -EPERM;
    if (get(q, &byte, sizeof byte) < 0)
        return -EFAULT;
    if (q->from_master)
        discipline_send(q->pty->discipline, byte);
    else
        discipline_type(q->pty->discipline, &byte, 1);
    pty_changed(q->pty);
    return 0;
}

static long hang_up(const struct request *q) {
    if (!identity_capable(CAP_SYS_ADMIN))
        return -EPERM;
    pty_hang_up(q->pty);
    return 0;
}

/* ---- what the host's pair behind it knows ---- */

static long ask_host(const struct request *q) {
    int value = 0;
    bool tells = q->number != TIOCEXCL && q->number != TIOCNXCL;
    if (q->number == TIOCSPTLCK && get(q, &value, sizeof value) < 0)
        return -EFAULT;
    if (ioctl(q->file->host, q->number, tells ? &value : NULL) < 0)
        return -errno;
    return tells && q->number != TIOCSPTLCK ? give_number(q, value) : 0;
}

static long request_host(const struct request *q) {
    switch (q->number) {
    case TIOCSTI: return pretend_typing(q);
    case TIOCVHANGUP: return hang_up(q);
    case TIOCEXCL:
    case TIOCNXCL:
    case TIOCGEXCL:
    case TIOCGDEV: return ask_host(q);
    case TIOCGPTN:
    case TIOCSPTLCK:
    case TIOCGPTLCK: return q->from_master ? ask_host(q) : -ENOTTY;
    default: return NOT_MINE;
    }
}

/* ---- the master's own ---- */

static long set_packets(const struct request *q) {
    int on;
    if (get(q, &on, sizeof on) < 0)
        return -EFAULT;
    if (on && !q->pty->packets)
        q->pty->happened = 0;
    q->pty->packets = on != 0;
    return 0;
}

/* The slave, by a way that needs no path. */
static long open_peer(const struct request *q) {
    int flags = (int)q->argument, host = ioctl(q->file->host, TIOCGPTPEER, flags | O_NOCTTY | O_CLOEXEC);
    struct file *f;
    if (host < 0)
        return -errno;
    int r = terminal_open_file(q->thread, host, flags, &f);
    if (r < 0) {
        close(host);
        return r;
    }
    return descriptor_install_or_drop(q->thread->process, f, flags & O_CLOEXEC);
}

static long send_signal(const struct request *q) {
    int signal = (int)q->argument;
    if (signal != SIGINT && signal != SIGQUIT && signal != SIGTSTP)
        return -EINVAL;
    terminal_signal_group(q->pty->terminal, signal);
    return 0;
}

static long request_master(const struct request *q) {
    if (!q->from_master)
        return NOT_MINE;
    switch (q->number) {
    case TIOCPKT: return set_packets(q);
    case TIOCGPKT: return give_number(q, q->pty->packets);
    case TIOCGPTPEER: return open_peer(q);
    case TIOCSIG: return send_signal(q);
    default: return NOT_MINE;
    }
}

static long perform(const struct request *q) {
    static long (*const kinds[])(const struct request *) = {request_modes, request_numbers, request_flow,
                                                            request_host, request_master};
    long result;
    bool readable = (q->file->flags & O_ACCMODE) != O_WRONLY;
    if (terminal_job_request(q->pty->terminal, q->thread, q->number, q->argument, q->from_master, readable,
                             &result))
        return result;
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++)
        if ((result = kinds[i](q)) != NOT_MINE)
            return result;
    return -ENOTTY;
}

long pty_slave_ioctl(struct file *f, struct thread *t, unsigned number, uint64_t argument) {
    struct pty *pty = pty_of_slave(f);
    if (!pty)
        return number == TIOCSPGRP ? -ENOTTY : -EIO;
    return perform(&(struct request){pty, f, t, number, argument, false});
}

long pty_master_ioctl(struct file *f, struct thread *t, unsigned number, uint64_t argument) {
    return perform(&(struct request){f->data, f, t, number, argument, true});
}
