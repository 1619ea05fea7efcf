/* The line discipline: its modes, and what can be read at either end. Editing is discipline_edit.c's,
 * printing discipline_output.c's. */
#include "kernel/terminal/discipline.h"

#include <asm/ioctls.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/base.h"
#include "kernel/terminal/discipline_parts.h"

/* The other end has a line discipline of its own on Linux: what has got there, a flush does not reach. */
enum { DELIVERED = DISCIPLINE_LINE - 1 };

static const struct termios2 modes_at_first = {
    .c_iflag = ICRNL | IXON,
    .c_oflag = OPOST | ONLCR,
    .c_cflag = B38400 | CS8 | CREAD,
    .c_lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
    .c_cc = {[VINTR] = 3,
             [VQUIT] = 28,
             [VERASE] = 127,
             [VKILL] = 21,
             [VEOF] = 4,
             [VMIN] = 1,
             [VSTART] = 17,
             [VSTOP] = 19,
             [VSUSP] = 26,
             [VREPRINT] = 18,
             [VDISCARD] = 15,
             [VWERASE] = 23,
             [VLNEXT] = 22},
    .c_ispeed = 38400,
    .c_ospeed = 38400,
};

/* ---- bytes in a circle ---- */

size_t queue_put(struct byte_queue *q, const uint8_t *from, size_t length) {
    length = min_size(length, q->size - q->count);
    size_t at = (q->first + q->count) % q->size, before_end = min_size(length, q->size - at);
    memcpy(q->bytes + at, from, before_end);
    memcpy(q->bytes, from + before_end, length - before_end);
    q->count += length;
    return length;
}

size_t queue_take(struct byte_queue *q, uint8_t *to, size_t length) {
    length = min_size(length, q->count);
    size_t before_end = min_size(length, q->size - q->first);
    memcpy(to, q->bytes + q->first, before_end);
    memcpy(to + before_end, q->bytes, length - before_end);
    q->first = (q->first + length) % q->size;
    q->count -= length;
    return length;
}

/* ---- making ---- */

int discipline_create(struct inject *inject, const struct discipline_client *client,
                      struct discipline **ret_discipline) {
    struct discipline *d = inject_calloc(inject, 1, sizeof *d);
    uint8_t *bytes = d ? inject_malloc(inject, DISCIPLINE_TYPED + DISCIPLINE_PRINTED) : NULL;
    if (!bytes) {
        free(d);
        return -ENOMEM;
    }
    d->client = *client;
    d->modes = modes_at_first;
    d->typed = (struct byte_queue){.bytes = bytes, .size = DISCIPLINE_TYPED};
    d->printed = (struct byte_queue){.bytes = bytes + DISCIPLINE_TYPED, .size = DISCIPLINE_PRINTED};
    *ret_discipline = d;
    return 0;
}

void discipline_destroy(struct discipline *d) {
    if (d)
        free(d->typed.bytes);
    free(d);
}

/* ---- modes ---- */

const struct termios2 *discipline_modes(const struct discipline *d) {
    return &d->modes;
}

/* The bytes that are there are lines no more, or become one. */
static void change_canonical(struct discipline *d) {
    memset(d->ends, 0, sizeof d->ends);
    bool becomes_line = mode_local(d, ICANON) && d->head != d->tail;
    d->ready = becomes_line ? d->head : d->tail;
    if (becomes_line)
        d->ends[(d->head - 1) % DISCIPLINE_LINE] = true;
    d->erasing = d->quoted = false;
}

static bool has_usual_flow_control(const struct termios2 *modes) {
    return modes->c_iflag & IXON && modes->c_cc[VSTOP] == 19 && modes->c_cc[VSTART] == 17;
}

/* What a master in packet mode is told. */
static unsigned change_of(const struct termios2 *before, const struct termios2 *after) {
    bool now = has_usual_flow_control(after), external = (before->c_lflag | after->c_lflag) & EXTPROC;
    unsigned flow = now == has_usual_flow_control(before) ? 0 : now ? TIOCPKT_DOSTOP : TIOCPKT_NOSTOP;
    return flow | (external ? TIOCPKT_IOCTL : 0);
}

void discipline_set_modes(struct discipline *d, const struct termios2 *modes) {
    const struct termios2 before = d->modes;
    d->modes = *modes;
    d->modes.c_cflag &= ~(tcflag_t)(CSIZE | PARENB);
    d->modes.c_cflag |= CS8 | CREAD;
    if ((before.c_lflag ^ d->modes.c_lflag) & (ICANON | EXTPROC))
        change_canonical(d);
    if (before.c_iflag & IXON && !mode_input(d, IXON) && !d->held) {
        output_start(d);
        echo_release(d);
    }
    d->client.changed(d->client.context, change_of(&before, &d->modes));
}

/* ---- typed ---- */

/* How many characters may be processed now. A line that is too long is still edited: its last byte is
 * replaced again and again. */
static size_t receive_room(struct discipline *d) {
    size_t free_bytes = DISCIPLINE_LINE - (d->head - d->tail);
    size_t room = mode_input(d, PARMRK) ? (free_bytes + 2) / 3 : free_bytes;
    if (room > 1)
        return room - 1;
    if (!mode_local(d, ICANON) || d->ready != d->tail)
        return 0;
    if (room == 0)
        d->head--;
    return 1;
}

void discipline_receive(struct discipline *d) {
    while (d->typed.count) {
        size_t piece = min_size(d->typed.count, receive_room(d));
        if (!piece)
            return;
        for (uint8_t c; piece && queue_take(&d->typed, &c, 1); piece--)
            discipline_character(d, c);
        if (d->modes.c_lflag & (ECHO | ECHONL))
            echo_release(d);
    }
}

size_t discipline_type(struct discipline *d, const void *from, size_t length) {
    const uint8_t *bytes = from;
    size_t done = 0, taken;
    while (done < length && (taken = queue_put(&d->typed, bytes + done, length - done))) {
        done += taken;
        discipline_receive(d);
    }
    return done;
}

size_t discipline_type_room(const struct discipline *d) {
    return d->typed.size - d->typed.count;
}

void discipline_flush_typed(struct discipline *d) {
    d->typed.count = 0;
}

/* ---- read by programs ---- */

/* A line, or as much of it as `length` holds. An end of file behind exactly that much belongs to it. */
static size_t read_line(struct discipline *d, uint8_t *to, size_t length) {
    size_t done = 0;
    while (done < length && d->tail != d->ready) {
        size_t at = d->tail++ % DISCIPLINE_LINE;
        if (!d->ends[at] || d->line[at])
            to[done++] = d->line[at];
        if (d->ends[at])
            return done;
    }
    size_t next = d->tail % DISCIPLINE_LINE;
    if (d->tail != d->ready && d->ends[next] && !d->line[next])
        d->tail++;
    return done;
}

static size_t read_bytes(struct discipline *d, uint8_t *to, size_t length) {
    size_t n = min_size(length, d->head - d->tail);
    for (size_t i = 0; i < n; i++)
        to[i] = d->line[d->tail++ % DISCIPLINE_LINE];
    bool end_of_file = mode_local(d, EXTPROC) && mode_local(d, ICANON) && n == 1 && d->head == d->tail &&
                       to[0] == d->modes.c_cc[VEOF];
    return end_of_file ? 0 : n;
}

ssize_t discipline_read(struct discipline *d, void *to, size_t length) {
    if (!length)
        return 0;
    if (!discipline_readable(d, 1))
        return -EAGAIN;
    size_t n = reads_lines(d) ? read_line(d, to, length) : read_bytes(d, to, length);
    discipline_receive(d);
    return (ssize_t)n;
}

bool discipline_readable(const struct discipline *d, size_t least) {
    return reads_lines(d) ? d->ready != d->tail : d->head - d->tail >= least;
}

size_t discipline_readable_bytes(const struct discipline *d) {
    if (!reads_lines(d))
        return d->head - d->tail;
    size_t count = 0;
    for (size_t at = d->tail; at != d->ready; at++)
        count += !d->ends[at % DISCIPLINE_LINE] || d->line[at % DISCIPLINE_LINE];
    return count;
}

void discipline_flush_input(struct discipline *d) {
    d->tail = d->ready = d->head;
    d->erasing = false;
    memset(d->ends, 0, sizeof d->ends);
    d->client.changed(d->client.context, TIOCPKT_FLUSHREAD);
}

void discipline_flush_output(struct discipline *d) {
    d->printed.count = min_size(d->printed.count, DELIVERED);
    d->client.changed(d->client.context, TIOCPKT_FLUSHWRITE);
}

/* ---- read by the other end ---- */

size_t discipline_take(struct discipline *d, void *to, size_t length) {
    size_t n = queue_take(&d->printed, to, length);
    echo_perform(d);
    return n;
}

size_t discipline_printed(const struct discipline *d) {
    return d->printed.count;
}

void discipline_flush_printed(struct discipline *d) {
    d->printed.count = 0;
    echo_perform(d);
}

const char *discipline_check(const struct discipline *d) {
    if (d->head - d->tail > DISCIPLINE_LINE)
        return "a line discipline holds more input than it has room for";
    if (reads_lines(d) && d->ready - d->tail > d->head - d->tail)
        return "a line discipline gives out a line that is not there";
    if (d->typed.count > d->typed.size || d->printed.count > d->printed.size)
        return "a queue of a line discipline is longer than its room";
    if (d->echo_head - d->echo_tail > DISCIPLINE_ECHOES ||
        d->echo_ready - d->echo_tail > d->echo_head - d->echo_tail)
        return "the echoes of a line discipline are out of order";
    return NULL;
}
