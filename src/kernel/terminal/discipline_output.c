/* The way out of the line discipline: post-processing (OPOST), echoes, and stopping.
 *
 * The column of the cursor is kept in both, because tabs are printed, and erased, by it. */
#include <asm/ioctls.h>

#include "base/base.h"
#include "kernel/terminal/discipline_parts.h"

enum {
    TAB = 8,
    ECHO_MANY = 256,                         /* they are done before the piece that was typed ends */
    ECHO_MOST = DISCIPLINE_ECHOES - 256 - 32 /* more are not kept: the oldest go */
};

bool letter_is_lower(uint8_t c) {
    return (c >= 'a' && c <= 'z') || (c >= 0xdf && c != 0xf7);
}

bool letter_is_upper(uint8_t c) {
    return (c >= 'A' && c <= 'Z') || (c >= 0xc0 && c <= 0xde && c != 0xd7);
}

size_t output_room(const struct discipline *d) {
    return d->stopped || d->held ? 0 : d->printed.size - d->printed.count;
}

static void print(struct discipline *d, uint8_t byte) {
    queue_put(&d->printed, &byte, 1); /* there is room: the callers asked */
}

/* ---- post-processing: each returns false, and has done nothing, when there is no room ---- */

static bool print_newline(struct discipline *d) {
    bool adds_return = mode_output(d, ONLCR);
    if (adds_return && output_room(d) < 2)
        return false;
    if (adds_return)
        print(d, '\r');
    if (adds_return || mode_output(d, ONLRET))
        d->column = 0;
    d->line_column = d->column;
    print(d, '\n');
    return true;
}

static bool print_return(struct discipline *d) {
    if (mode_output(d, ONOCR) && d->column == 0)
        return true;
    bool becomes_newline = mode_output(d, OCRNL);
    if (!becomes_newline || mode_output(d, ONLRET))
        d->line_column = d->column = 0;
    print(d, becomes_newline ? '\n' : '\r');
    return true;
}

static bool print_tab(struct discipline *d) {
    unsigned columns = TAB - d->column % TAB;
    bool becomes_spaces = (d->modes.c_oflag & TABDLY) == XTABS;
    if (becomes_spaces && output_room(d) < columns)
        return false;
    d->column += columns;
    if (!becomes_spaces)
        print(d, '\t');
    for (unsigned i = 0; becomes_spaces && i < columns; i++)
        print(d, ' ');
    return true;
}

static bool print_processed(struct discipline *d, uint8_t c) {
    if (!output_room(d))
        return false;
    switch (c) {
    case '\n': return print_newline(d);
    case '\r': return print_return(d);
    case '\t': return print_tab(d);
    case '\b': d->column -= d->column > 0; break;
    default:
        if (mode_output(d, OLCUC) && letter_is_lower(c))
            c = (uint8_t)(c - ('a' - 'A'));
        if (!is_control(c) && !is_continuation(d, c))
            d->column++;
    }
    print(d, c);
    return true;
}

size_t discipline_write(struct discipline *d, const void *from, size_t length) {
    const uint8_t *bytes = from;
    size_t done = 0;
    echo_perform(d);
    if (!mode_output(d, OPOST))
        return queue_put(&d->printed, bytes, min_size(length, output_room(d)));
    while (done < length && print_processed(d, bytes[done]))
        done++;
    return done;
}

bool discipline_writable(const struct discipline *d) {
    return output_room(d) > 0;
}

/* ---- echoes ---- */

static struct echo *echo_at(struct discipline *d, size_t position) {
    return &d->echoes[position % DISCIPLINE_ECHOES];
}

void echo_add(struct discipline *d, enum echo_kind kind, uint8_t byte) {
    if (d->echo_head - d->echo_tail == DISCIPLINE_ECHOES) {
        d->echo_tail++;
        d->echo_ready = max_size(d->echo_ready, d->echo_tail);
    }
    *echo_at(d, d->echo_head++) = (struct echo){(uint8_t)kind, byte};
}

static bool print_pair(struct discipline *d, uint8_t first, uint8_t second) {
    if (output_room(d) < 2)
        return false;
    print(d, first);
    print(d, second);
    d->column += 2;
    return true;
}

static bool print_untab(struct discipline *d, unsigned used) {
    unsigned columns = TAB - used % TAB;
    if (output_room(d) < columns)
        return false;
    d->column -= min_u32(d->column, columns);
    while (columns--)
        print(d, '\b');
    return true;
}

static bool print_verbatim(struct discipline *d, uint8_t byte) {
    if (!output_room(d))
        return false;
    print(d, byte);
    return true;
}

/* False: there is no room for it. */
static bool echo_do(struct discipline *d, struct echo e) {
    switch ((enum echo_kind)e.kind) {
    case ECHO_PRINT: return mode_output(d, OPOST) ? print_processed(d, e.byte) : print_verbatim(d, e.byte);
    case ECHO_VERBATIM:
        if (!print_verbatim(d, e.byte))
            return false;
        d->column++;
        return true;
    case ECHO_CONTROL: return print_pair(d, '^', e.byte ^ 0100);
    case ECHO_MARK: d->line_column = d->column; return true;
    case ECHO_BACK: d->column -= d->column > 0; return true;
    case ECHO_UNTAB: return print_untab(d, e.byte + d->line_column);
    case ECHO_UNTAB_TAB: return print_untab(d, e.byte);
    }
    return true;
}

void echo_perform(struct discipline *d) {
    while (d->echo_tail != d->echo_ready && echo_do(d, *echo_at(d, d->echo_tail)))
        d->echo_tail++;
    if (d->echo_ready - d->echo_tail > ECHO_MOST)
        d->echo_tail = d->echo_ready - ECHO_MOST;
}

void echo_release(struct discipline *d) {
    d->echo_ready = d->echo_head;
    echo_perform(d);
}

void echo_release_many(struct discipline *d) {
    if (d->echo_head - d->echo_ready >= ECHO_MANY)
        echo_release(d);
}

void echo_drop(struct discipline *d) {
    d->echo_tail = d->echo_ready = d->echo_head;
}

/* ---- stopping ---- */

void output_stop(struct discipline *d) {
    if (d->stopped)
        return;
    d->stopped = true;
    d->client.changed(d->client.context, TIOCPKT_STOP);
}

void output_start(struct discipline *d) {
    if (!d->stopped || d->held)
        return;
    d->stopped = false;
    d->client.changed(d->client.context, TIOCPKT_START);
}

void discipline_stop(struct discipline *d) {
    d->held = true;
    output_stop(d);
}

void discipline_start(struct discipline *d) {
    if (!d->held)
        return;
    d->held = false;
    output_start(d);
}

void discipline_send(struct discipline *d, uint8_t byte) {
    queue_put(&d->printed, &byte, 1);
    d->client.changed(d->client.context, 0);
}
