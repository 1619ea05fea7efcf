/* What the files of the line discipline have in common: its state. */
#ifndef KERNEL_DISCIPLINE_PARTS_H
#define KERNEL_DISCIPLINE_PARTS_H

#include "kernel/terminal/discipline.h"

enum {
    DISCIPLINE_LINE = 4096,     /* bytes that can be read, or edited; a power of two */
    DISCIPLINE_TYPED = 8192,    /* bytes typed that wait for room there */
    DISCIPLINE_PRINTED = 12288, /* bytes that wait for the other end */
    DISCIPLINE_ECHOES = 4096,   /* echoes that wait for room there; a power of two */
};

/* Bytes in a circle. */
struct byte_queue {
    uint8_t *bytes;
    size_t size, first, count;
};

/* An echo is decided when a character is typed and done when there is room, because it depends on the column
 * that the cursor is in by then. */
enum echo_kind {
    ECHO_PRINT,    /* the byte, post-processed as output is */
    ECHO_VERBATIM, /* the byte itself */
    ECHO_CONTROL,  /* ^ and a letter */
    ECHO_MARK,     /* the line that is edited begins in this column */
    ECHO_BACK,     /* a column back, without printing */
    ECHO_UNTAB,    /* back over a tab: `byte` columns were used since the line began */
    ECHO_UNTAB_TAB /* … since another tab */
};
struct echo {
    uint8_t kind, byte;
};

struct discipline {
    struct discipline_client client;
    struct termios2 modes;

    /* Input. Positions count on for ever; a byte is at position % DISCIPLINE_LINE.
     *   tail <= ready <= head, head - tail <= DISCIPLINE_LINE
     * In canonical mode the bytes from `ready` to `head` are the line that is edited. */
    struct byte_queue typed;
    uint8_t line[DISCIPLINE_LINE];
    bool ends[DISCIPLINE_LINE]; /* a line ends with this byte; a NUL here is the end of file */
    size_t tail, ready, head;
    bool quoted;  /* the next character is literal (VLNEXT) */
    bool erasing; /* erased characters are being shown (ECHOPRT) */

    /* Output. Echoes from echo_tail to echo_ready may be done, those behind are of the piece that is just
     * being typed. */
    struct byte_queue printed;
    struct echo echoes[DISCIPLINE_ECHOES];
    size_t echo_tail, echo_ready, echo_head;
    unsigned column, line_column; /* of the cursor; where the edited line begins */
    bool stopped;                 /* by a stop character, or: */
    bool held;                    /* by discipline_stop() */
};

static inline bool mode_input(const struct discipline *d, tcflag_t mode) {
    return d->modes.c_iflag & mode;
}

static inline bool mode_output(const struct discipline *d, tcflag_t mode) {
    return d->modes.c_oflag & mode;
}

static inline bool mode_local(const struct discipline *d, tcflag_t mode) {
    return d->modes.c_lflag & mode;
}

/* Whether the byte is this special character; NUL means that there is none. */
static inline bool is_special(const struct discipline *d, uint8_t c, int which) {
    return c && d->modes.c_cc[which] == c;
}

/* Lines are what is read. Not so when somebody outside edits (EXTPROC). */
static inline bool reads_lines(const struct discipline *d) {
    return mode_local(d, ICANON) && !mode_local(d, EXTPROC);
}

/* Character classes are those of Linux: Latin-1, without its second set of control characters. */
static inline bool is_control(uint8_t c) {
    return c < ' ' || c == 0x7f;
}

/* Not the first byte of a character, as far as the terminal speaks UTF-8. */
static inline bool is_continuation(const struct discipline *d, uint8_t c) {
    return mode_input(d, IUTF8) && (c & 0xc0) == 0x80;
}

/* ---- discipline.c ---- */
size_t queue_put(struct byte_queue *, const uint8_t *from, size_t length); /* how many were taken */
size_t queue_take(struct byte_queue *, uint8_t *to, size_t length);
/* Processes typed bytes as far as there is room for them. */
void discipline_receive(struct discipline *);

/* ---- discipline_edit.c ---- */
/* One character that was typed. */
void discipline_character(struct discipline *, uint8_t c);

/* ---- discipline_output.c ---- */
bool letter_is_lower(uint8_t c);
bool letter_is_upper(uint8_t c);
size_t output_room(const struct discipline *); /* bytes; 0 while output is stopped */
void echo_add(struct discipline *, enum echo_kind, uint8_t byte);
/* What was echoed so far may be done now, in full or if it has grown long. */
void echo_release(struct discipline *);
void echo_release_many(struct discipline *);
void echo_perform(struct discipline *);
void echo_drop(struct discipline *);
void output_stop(struct discipline *);
void output_start(struct discipline *);

#endif
