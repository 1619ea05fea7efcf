/* The way in of the line discipline: one typed character after another is mapped, obeyed, edited, echoed and
 * put where it can be read. */
#include <asm/ioctls.h>
#include <signal.h>

#include "base/base.h"
#include "kernel/terminal/discipline_parts.h"

static uint8_t *byte_at(struct discipline *d, size_t position) {
    return &d->line[position % DISCIPLINE_LINE];
}

static void put(struct discipline *d, uint8_t c) {
    d->ends[d->head % DISCIPLINE_LINE] = false;
    *byte_at(d, d->head++) = c;
}

/* A byte 255 is doubled where 255 begins the mark of an error. */
static void put_marked(struct discipline *d, uint8_t c) {
    if (c == 0xff && mode_input(d, PARMRK))
        put(d, c);
    put(d, c);
}

/* ---- echoes ---- */

static void echo_raw(struct discipline *d, uint8_t c) {
    echo_add(d, c == 0xff ? ECHO_VERBATIM : ECHO_PRINT, c);
}

static void echo_character(struct discipline *d, uint8_t c) {
    if (mode_local(d, ECHOCTL) && is_control(c) && c != '\t')
        echo_add(d, ECHO_CONTROL, c);
    else
        echo_raw(d, c);
}

/* Ends what ECHOPRT shows between \ and /. */
static void finish_erasing(struct discipline *d) {
    if (d->erasing)
        echo_raw(d, '/');
    d->erasing = false;
}

static void echo_typed(struct discipline *d, uint8_t c) {
    if (!mode_local(d, ECHO))
        return;
    finish_erasing(d);
    if (d->ready == d->head)
        echo_add(d, ECHO_MARK, 0);
    echo_character(d, c);
    echo_release_many(d);
}

/* ---- erasing: the last character, word, or the line ---- */

static void echo_rubout(struct discipline *d) {
    echo_raw(d, '\b');
    echo_raw(d, ' ');
    echo_raw(d, '\b');
}

/* How many columns the line has before a tab that was erased, from its beginning or from the tab before. */
static void echo_untab(struct discipline *d) {
    unsigned columns = 0;
    for (size_t at = d->head; at != d->ready;) {
        uint8_t c = *byte_at(d, --at);
        if (c == '\t') {
            echo_add(d, ECHO_UNTAB_TAB, columns % 8);
            return;
        }
        if (is_control(c))
            columns += mode_local(d, ECHOCTL) ? 2 : 0;
        else
            columns += !is_continuation(d, c);
    }
    echo_add(d, ECHO_UNTAB, columns % 8);
}

/* The character that stood at `head` in `length` bytes is shown as erased, on paper. */
static void echo_struck_out(struct discipline *d, size_t length) {
    if (!d->erasing)
        echo_raw(d, '\\');
    d->erasing = true;
    echo_character(d, *byte_at(d, d->head));
    for (size_t i = 1; i < length; i++) {
        echo_raw(d, *byte_at(d, d->head + i));
        echo_add(d, ECHO_BACK, 0);
    }
}

static void echo_erased(struct discipline *d, int key, size_t length) {
    uint8_t c = *byte_at(d, d->head);
    if (mode_local(d, ECHOPRT)) {
        echo_struck_out(d, length);
    } else if (key == VERASE && !mode_local(d, ECHOE)) {
        echo_character(d, d->modes.c_cc[VERASE]);
    } else if (c == '\t') {
        echo_untab(d);
    } else if (!is_control(c)) {
        echo_rubout(d);
    } else if (mode_local(d, ECHOCTL)) {
        echo_rubout(d);
        echo_rubout(d);
    }
}

/* Bytes of the last character; 0: only the end of one is there. */
static size_t last_length(struct discipline *d) {
    size_t at = d->head;
    do
        at--;
    while (is_continuation(d, *byte_at(d, at)) && at != d->ready);
    return is_continuation(d, *byte_at(d, at)) ? 0 : d->head - at;
}

static bool is_of_word(uint8_t c) {
    return letter_is_lower(c) || letter_is_upper(c) || (c >= '0' && c <= '9') || c == '_';
}

static void erase(struct discipline *d, int key) {
    bool in_word = false;
    while (d->head != d->ready) {
        size_t length = last_length(d);
        if (!length)
            break;
        bool of_word = is_of_word(*byte_at(d, d->head - length));
        if (key == VWERASE && in_word && !of_word)
            break;
        in_word |= of_word;
        d->head -= length;
        if (mode_local(d, ECHO))
            echo_erased(d, key, length);
        if (key == VERASE)
            break;
    }
    if (d->head == d->ready && mode_local(d, ECHO))
        finish_erasing(d);
}

/* The line goes, and nothing of it is taken back on the screen. */
static void kill_plainly(struct discipline *d) {
    d->head = d->ready;
    if (!mode_local(d, ECHO))
        return;
    finish_erasing(d);
    echo_character(d, d->modes.c_cc[VKILL]);
    if (mode_local(d, ECHOK))
        echo_raw(d, '\n');
}

static void edit(struct discipline *d, int key) {
    const tcflag_t visibly = ECHO | ECHOK | ECHOKE | ECHOE;
    if (d->head != d->ready) {
        if (key == VKILL && (d->modes.c_lflag & visibly) != visibly)
            kill_plainly(d);
        else
            erase(d, key);
    }
    echo_release_many(d);
}

/* ---- the other keys of canonical mode ---- */

static void end_line(struct discipline *d, uint8_t c) {
    d->ends[d->head % DISCIPLINE_LINE] = true;
    *byte_at(d, d->head++) = c;
    d->ready = d->head;
}

static void quote_next(struct discipline *d) {
    d->quoted = true;
    if (!mode_local(d, ECHO))
        return;
    finish_erasing(d);
    if (!mode_local(d, ECHOCTL))
        return;
    echo_raw(d, '^');
    echo_raw(d, '\b');
    echo_release_many(d);
}

static void reprint(struct discipline *d, uint8_t c) {
    finish_erasing(d);
    echo_character(d, c);
    echo_raw(d, '\n');
    for (size_t at = d->ready; at != d->head; at++)
        echo_character(d, *byte_at(d, at));
    echo_release_many(d);
}

static void end_line_visibly(struct discipline *d, uint8_t c) {
    if (mode_local(d, ECHO)) {
        if (d->ready == d->head)
            echo_add(d, ECHO_MARK, 0);
        echo_character(d, c);
        echo_release_many(d);
    }
    if (c == 0xff && mode_input(d, PARMRK))
        put(d, c);
    end_line(d, c);
}

/* Whether the character was a key of canonical mode. */
static bool obey_canonical(struct discipline *d, uint8_t c) {
    bool extended = mode_local(d, IEXTEN);
    if (is_special(d, c, VERASE)) {
        edit(d, VERASE);
    } else if (is_special(d, c, VWERASE) && (extended || is_special(d, c, VKILL))) {
        edit(d, VWERASE);
    } else if (is_special(d, c, VKILL)) {
        edit(d, VKILL);
    } else if (extended && is_special(d, c, VLNEXT)) {
        quote_next(d);
    } else if (extended && is_special(d, c, VREPRINT) && mode_local(d, ECHO)) {
        reprint(d, c);
    } else if (c == '\n') {
        if (d->modes.c_lflag & (ECHO | ECHONL))
            echo_raw(d, '\n');
        echo_release_many(d);
        end_line(d, c);
    } else if (is_special(d, c, VEOF)) {
        end_line(d, '\0');
    } else if (is_special(d, c, VEOL) || (extended && is_special(d, c, VEOL2))) {
        end_line_visibly(d, c);
    } else {
        return false;
    }
    return true;
}

/* ---- keys of every mode ---- */

static bool obey_flow(struct discipline *d, uint8_t c) {
    if (!mode_input(d, IXON))
        return false;
    if (is_special(d, c, VSTART)) {
        output_start(d);
        echo_release(d);
        return true;
    }
    if (is_special(d, c, VSTOP)) {
        output_stop(d);
        return true;
    }
    return false;
}

static void make_signal(struct discipline *d, int signal, uint8_t c) {
    d->client.signal(d->client.context, signal);
    if (!mode_local(d, NOFLSH)) {
        echo_drop(d);
        discipline_flush_output(d);
        discipline_flush_input(d);
    }
    if (mode_input(d, IXON))
        output_start(d);
    if (mode_local(d, ECHO)) {
        echo_character(d, c);
        echo_release_many(d);
    } else {
        echo_release(d);
    }
}

static bool obey_signal(struct discipline *d, uint8_t c) {
    static const struct { int key, signal; } keys[] = {{VINTR, SIGINT}, {VQUIT, SIGQUIT}, {VSUSP, SIGTSTP}};
    if (!mode_local(d, ISIG))
        return false;
    for (size_t i = 0; i < ARRAY_LENGTH(keys); i++) {
        if (is_special(d, c, keys[i].key)) {
            make_signal(d, keys[i].signal, c);
            return true;
        }
    }
    return false;
}

static void start_by_any(struct discipline *d) {
    if (!d->stopped || d->held || !mode_input(d, IXON) || !mode_input(d, IXANY))
        return;
    output_start(d);
    echo_release(d);
}

/* A character that means itself. */
static void take_literally(struct discipline *d, uint8_t c) {
    start_by_any(d);
    echo_typed(d, c);
    put_marked(d, c);
}

/* Carriage return and newline as one is to be the other. False: the character is ignored. */
static bool map_newline(struct discipline *d, uint8_t *c) {
    if (*c == '\r' && mode_input(d, IGNCR))
        return false;
    if (*c == '\r' && mode_input(d, ICRNL))
        *c = '\n';
    else if (*c == '\n' && mode_input(d, INLCR))
        *c = '\r';
    return true;
}

static void take_character(struct discipline *d, uint8_t typed) {
    uint8_t c = typed;
    if (obey_flow(d, c) || obey_signal(d, c))
        return;
    start_by_any(d);
    if (!map_newline(d, &c))
        return;
    if (mode_local(d, ICANON) && obey_canonical(d, c))
        return;
    if (c == '\n' && typed == '\r' && mode_local(d, ECHO)) { /* not ^J, even with ECHOCTL */
        finish_erasing(d);
        echo_raw(d, '\n');
        echo_release_many(d);
    } else {
        echo_typed(d, c);
    }
    put_marked(d, c);
}

void discipline_character(struct discipline *d, uint8_t c) {
    if (mode_input(d, ISTRIP))
        c &= 0x7f;
    if (mode_input(d, IUCLC) && mode_local(d, IEXTEN) && letter_is_upper(c))
        c = (uint8_t)(c + ('a' - 'A'));
    if (mode_local(d, EXTPROC)) {
        put(d, c);
    } else if (d->quoted) {
        d->quoted = false;
        take_literally(d, c);
    } else {
        take_character(d, c);
    }
}
