/* What is seen: the panes, top to bottom as stepper.h shows them. */
#include <curses.h>
#include <stdlib.h>
#include <string.h>

#include "terminal/lines.h"
#include "terminal/parts.h"
#include "view/draw.h"
#include "view/plain.h"

enum {
    NARRATION_ROWS = 2,
    MESSAGE_ROWS = 3,
    OUTPUT_LEAST = 4,
    OUTPUT_MOST = 16,
    OUTPUT_SHARE = 4,
    WORD_COLUMNS = 12
};

/* Rows of the screen. The output's first row is its heading. */
struct layout {
    int columns, picture, picture_rows, narration, output, output_rows, message, keys;
};

static struct layout layout_make(int rows, int columns) {
    int spare = rows - PANES_ROWS;
    int output_rows = OUTPUT_LEAST + spare / OUTPUT_SHARE;
    if (output_rows > OUTPUT_MOST)
        output_rows = OUTPUT_MOST;
    struct layout l = {.columns = columns, .picture = 1, .output_rows = output_rows};
    l.keys = rows - 1;
    l.message = rows - 2;
    l.output = l.message - output_rows;
    l.narration = l.output - NARRATION_ROWS;
    l.picture_rows = l.narration - l.picture;
    return l;
}

/* ---- single lines ---- */

static void put_line(struct stepper *s, int y, int columns, unsigned attributes, struct text *line) {
    if (!line->failed)
        paint_line(&s->paint, y, 0, columns, attributes, line->bytes, line->length);
    text_free(line);
}

static void put_sentence(struct stepper *s, int y, int columns, unsigned attributes, const char *sentence) {
    struct text line = {0};
    plain_put(&line, sentence, strlen(sentence), (size_t)columns);
    put_line(s, y, columns, attributes, &line);
}

/* Line ends instead of blanks, so that words stay whole. */
static void break_lines(const char *bytes, size_t length, size_t columns, struct text *t) {
    size_t used = 0;
    for (size_t at = 0, word; at < length; at += word + 1) {
        const char *end = memchr(bytes + at, ' ', length - at);
        word = end ? (size_t)(end - bytes) - at : length - at;
        size_t width = plain_columns(bytes + at, word);
        bool fits = used + (used > 0) + width <= columns;
        if (at)
            text_put(t, fits ? " " : "\n");
        used = at && fits ? used + 1 + width : width;
        text_bytes(t, bytes + at, word);
    }
}

/* A sentence, wrapped into at most `most` rows; how many. One that is too long is cut. */
static int wrap(const char *sentence, int most, int columns, struct text *ret_lines) {
    struct text plain = {0}, broken = {0};
    size_t room = (size_t)(most * (columns - WORD_COLUMNS) + WORD_COLUMNS);
    plain_put(&plain, sentence, strlen(sentence), room);
    break_lines(plain.bytes, plain.length, (size_t)columns, &broken);
    lines_put(broken.bytes, broken.length, (size_t)most, (size_t)columns, ret_lines);
    text_free(&plain);
    text_free(&broken);
    int rows = 1;
    for (size_t i = 0; i < ret_lines->length; i++)
        rows += ret_lines->bytes[i] == '\n';
    return rows;
}

static const char *state_name(const struct stepper *s) {
    static const char *const names[] = {
        [LIVE_RUNNING] = "running",
        [LIVE_PAUSED] = "paused",
        [LIVE_ENDED] = "ended",
    };
    return s->config.live ? names[live_state(s->config.live)] : "recorded";
}

/* What is watched on the left, where we are on the right. */
static void draw_title(struct stepper *s, const struct layout *l) {
    char place[128], score[32] = "";
    unsigned right, asked;
    nav_score(s->nav, &right, &asked);
    if (asked)
        snprintf(score, sizeof score, "%u of %u right  ", right, asked);
    int length = snprintf(place, sizeof place, " %sevent %llu of %llu, %s ", score,
                          (unsigned long long)nav_position(s->nav),
                          (unsigned long long)film_events(s->config.film), state_name(s));
    int room = l->columns - length;
    put_sentence(s, 0, l->columns, A_REVERSE, "");
    struct text title = {0};
    text_put(&title, " ");
    plain_put(&title, s->config.title, strlen(s->config.title), (size_t)room - 2);
    put_line(s, 0, room, A_REVERSE, &title);
    paint_line(&s->paint, 0, room, length, A_REVERSE, place, (size_t)length);
}

/* ---- the picture and its sentence ---- */

static void draw_narration(struct stepper *s, const struct layout *l, const char *sentence) {
    struct text lines = {0};
    wrap(sentence, NARRATION_ROWS, l->columns, &lines);
    paint_lines(&s->paint, l->narration, NARRATION_ROWS, l->columns, A_BOLD, lines.bytes, lines.length);
    text_free(&lines);
}

static void draw_picture(struct stepper *s, const struct layout *l) {
    struct picture *picture = nav_picture(s->nav, &(struct picture_options){0});
    struct text drawing = {0};
    const struct draw_options options = {
        .columns = (unsigned)l->columns,
        .rows = (unsigned)l->picture_rows,
        .ascii = s->tty.ascii,
        .colour = s->paint.colour,
    };
    if (picture)
        draw_text(picture, &options, &drawing);
    else
        text_put(&drawing, "This place cannot be drawn: memory is out, or the trace is damaged here.");
    paint_lines(&s->paint, l->picture, l->picture_rows, l->columns, A_NORMAL, drawing.bytes, drawing.length);
    text_free(&drawing);
    const char *narration = picture ? picture->narration : "";
    if (!nav_position(s->nav))
        narration = "Nothing has happened yet.";
    draw_narration(s, l, narration);
    if (picture)
        picture_destroy(picture);
}

/* ---- the programs' terminal ---- */

static void tail_append(struct output_tail *tail, const char *bytes, size_t length) {
    if (length > sizeof tail->bytes) {
        bytes += length - sizeof tail->bytes;
        length = sizeof tail->bytes;
    }
    size_t kept = sizeof tail->bytes - length;
    if (kept > tail->length)
        kept = tail->length;
    memmove(tail->bytes, tail->bytes + tail->length - kept, kept);
    memcpy(tail->bytes + kept, bytes, length);
    tail->length = kept + length;
}

static void tail_take(struct output_tail *tail, struct live *live) {
    char bytes[4096];
    size_t got;
    uint64_t offset;
    while ((got = live_output(live, tail->next, bytes, sizeof bytes, &offset)) > 0) {
        tail_append(tail, bytes, got);
        tail->next = offset + got;
    }
}

/* What the programs had written: by now when they run, by the place that is shown when they were recorded. */
static const char *output_bytes(struct stepper *s, size_t *ret_length) {
    const struct fold *fold;
    *ret_length = 0;
    if (s->config.live) {
        tail_take(&s->output, s->config.live);
        *ret_length = s->output.length;
        return s->output.bytes;
    }
    return film_state(s->config.film, nav_position(s->nav), &fold) ? NULL : fold_output(fold, ret_length);
}

static void draw_heading(struct stepper *s, const struct layout *l) {
    struct text line = {0};
    const char *bar = s->tty.ascii ? "-" : "─";
    text_put(&line, bar);
    text_put(&line, bar);
    text_put(&line, s->mode == MODE_TYPE
                        ? " typing into the program's terminal: Esc goes back to the keys below "
                        : " the program's terminal ");
    size_t used = plain_columns(line.bytes, line.length);
    for (size_t i = used; i < (size_t)l->columns; i++)
        text_put(&line, bar);
    put_line(s, l->output, l->columns, s->mode == MODE_TYPE ? A_BOLD : A_NORMAL, &line);
}

struct place {
    int y, x;
};

/* Behind the last character, where the program goes on. */
static struct place end_of(const struct layout *l, const struct text *shown) {
    struct place end = {.y = l->output + 1};
    size_t line = 0;
    for (size_t i = 0; i < shown->length; i++) {
        if (shown->bytes[i] == '\n') {
            end.y++;
            line = i + 1;
        }
    }
    end.x = (int)plain_columns(shown->bytes + line, shown->length - line);
    if (end.x >= l->columns)
        end.x = l->columns - 1;
    return end;
}

static struct place draw_output(struct stepper *s, const struct layout *l) {
    struct text shown = {0};
    size_t length;
    const char *bytes = output_bytes(s, &length);
    draw_heading(s, l);
    if (s->config.live)
        live_set_size(s->config.live, (unsigned)l->output_rows - 1, (unsigned)l->columns);
    lines_put(bytes, length, (size_t)l->output_rows - 1, (size_t)l->columns, &shown);
    paint_lines(&s->paint, l->output + 1, l->output_rows - 1, l->columns, A_NORMAL, shown.bytes,
                shown.length);
    struct place end = end_of(l, &shown);
    text_free(&shown);
    return end;
}

/* ---- below ---- */

/* A text that ends in row `y`, and begins above it when it is long. */
static void put_above(struct stepper *s, int y, int most, int columns, unsigned attributes,
                      const char *text) {
    struct text lines = {0};
    int rows = wrap(text, most, columns, &lines);
    paint_lines(&s->paint, y - rows + 1, rows, columns, attributes, lines.bytes, lines.length);
    text_free(&lines);
}

static void draw_message(struct stepper *s, const struct layout *l) {
    struct text advice = {0};
    const char *message = s->notice[0] ? s->notice : nav_message(s->nav);
    if (!*message && nav_put_advice(s->nav, &advice)) {
        text_bytes(&advice, "", 1);
        message = advice.failed ? "" : advice.bytes;
    }
    put_above(s, l->message, MESSAGE_ROWS, l->columns, A_NORMAL, message);
    text_free(&advice);
}

static void draw_keys(struct stepper *s, const struct layout *l) {
    const char *keys = s->tty.ascii
                           ? " s step  Left back  n fault  c continue  g go to  p predict  ? help  q quit"
                           : " → step  ← back  n fault  c continue  g go to  p predict  ? help  q quit";
    struct text line = {0};
    text_put(&line, keys);
    if (s->config.live && l->columns >= PANES_COLUMNS + 8)
        text_put(&line, "  i type");
    put_line(s, l->keys, l->columns, A_REVERSE, &line);
}

/* The question takes the message's line, and lines above it if it is long; its answer that of the keys. */
static void draw_question(struct stepper *s, const struct layout *l) {
    char answer[PROMPT_LENGTH + 4];
    const char *message = nav_message(s->nav);
    if (*message)
        draw_narration(s, l, message);
    put_above(s, l->message, MESSAGE_ROWS, l->columns, A_BOLD, nav_question(s->nav));
    int length = snprintf(answer, sizeof answer, "> %s", s->prompt.line);
    put_sentence(s, l->keys, l->columns, A_NORMAL, answer);
    move(l->keys, length < l->columns ? length : l->columns - 1);
}

static void draw_help(struct stepper *s, int rows, int columns) {
    struct text help = {0}, lines = {0};
    nav_put_help(&help);
    text_put(&help, "i Tab    type into the program's terminal; Esc comes back\n"
                    "Ctrl-L   draw the screen anew\n"
                    "Ctrl-Z   stop Thimble for a while; fg lets it go on\n"
                    "\n"
                    "Any key goes back to the picture.\n");
    lines_put(help.bytes, help.length, (size_t)rows, (size_t)columns, &lines);
    paint_lines(&s->paint, 0, rows, columns, A_NORMAL, lines.bytes, lines.length);
    text_free(&help);
    text_free(&lines);
}

static void draw_too_small(struct stepper *s, int rows, int columns) {
    char sentence[96];
    snprintf(sentence, sizeof sentence, "This terminal is %d x %d. Make it 80 x 24 or more. q quits.",
             columns, rows);
    struct text lines = {0};
    lines_put(sentence, strlen(sentence), (size_t)rows, (size_t)columns, &lines);
    paint_lines(&s->paint, 0, rows, columns, A_NORMAL, lines.bytes, lines.length);
    text_free(&lines);
}

static void draw_all(struct stepper *s, const struct layout *l) {
    draw_title(s, l);
    draw_picture(s, l);
    struct place end = draw_output(s, l);
    draw_keys(s, l);
    if (s->mode == MODE_ASK)
        draw_question(s, l);
    else
        draw_message(s, l);
    if (s->mode == MODE_TYPE)
        move(end.y, end.x);
}

void panes_draw(struct stepper *s) {
    int rows, columns;
    getmaxyx(stdscr, rows, columns);
    bool fits = rows >= PANES_ROWS && columns >= PANES_COLUMNS;
    if (!fits) {
        draw_too_small(s, rows, columns);
    } else if (s->mode == MODE_HELP) {
        draw_help(s, rows, columns);
    } else {
        const struct layout l = layout_make(rows, columns);
        draw_all(s, &l);
    }
    curs_set(fits && (s->mode == MODE_TYPE || s->mode == MODE_ASK));
    refresh();
}
