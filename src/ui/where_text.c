/* `thimble where` for people: tables. */
#include <errno.h>
#include <string.h>

#include "ui/size.h"
#include "ui/where.h"

/* Formatted numbers live until the end of the statement that they stand in. */
#define NUMBER(n) number_format((n), (char[SIZE_TEXT]){0})

enum { FRAMES_OF_ROW = 6, FRAMES_OF_PAIR = 2, TEMPLATE_MOST = 24 };

static void print_head(FILE *to, const struct place_report *r, const struct where_context *c) {
    char size[SIZE_TEXT];
    const struct place_counts *t = &r->totals;
    const uint64_t frames = c->available ? c->available : c->frames;
    fprintf(to, "%s misses, %s of them on pages evicted before; %s frames%s (%s), policy %s\n",
            NUMBER(t->misses), NUMBER(t->refaults), NUMBER(frames), c->available ? " for pages" : " in all",
            size_format(frames * 4096, size), c->policy);
    fprintf(to, "pages: %s from swap, %s to swap; %s from files, %s to files\n", NUMBER(t->swap_in),
            NUMBER(t->swap_out), NUMBER(t->file_in), NUMBER(t->file_out));
    if (!c->evicted)
        fputs("Nothing was evicted: each miss is the first touch of a page. --sizes N gives less memory.\n",
              to);
    for (size_t i = 0; i < r->note_count; i++)
        fprintf(to, "note: %s\n", r->notes[i]);
}

/* What comes before main says nothing about the program. */
static size_t frames_of_interest(const struct place_row *row) {
    for (size_t i = 0; i < row->frame_count; i++)
        if (!strncmp(row->frames[i], "main ", 5))
            return i + 1;
    return row->frame_count;
}

/* How many bytes "<…>" at `text` takes; 0: it does not end. */
static size_t template_length(const char *text) {
    int depth = 0;
    for (size_t i = 0; text[i]; i++) {
        depth += text[i] == '<' ? 1 : text[i] == '>' && text[i - 1] != '-' ? -1 : 0;
        if (depth == 0)
            return i + 1;
    }
    return 0;
}

/* A function and where it is; long arguments of templates are left out. Not where "<" may be an operator. */
static void print_frame(FILE *to, const char *frame) {
    while (*frame) {
        const size_t length = *frame == '<' && !strstr(frame, "operator") ? template_length(frame) : 0;
        if (length > TEMPLATE_MOST)
            fputs("<…>", to);
        else
            fwrite(frame, 1, length ? length : 1, to);
        frame += length ? length : 1;
    }
}

/* The C++ library's own, between the one that counts and the program's. */
static bool is_library_template(const char *frame) {
    return !strncmp(frame, "std::", 5) || !strncmp(frame, "__gnu_cxx::", 11);
}

static void print_place(FILE *to, const struct place_row *row, size_t most) {
    const size_t frames = frames_of_interest(row);
    size_t printed = 0, i;
    for (i = 0; i < frames && printed < most; i++) {
        if (i > 0 && i + 1 < frames && is_library_template(row->frames[i]))
            continue;
        fputs(printed++ ? " < " : "", to);
        print_frame(to, row->frames[i]);
    }
    if (i < frames)
        fputs(" < …", to);
}

static void print_counts(FILE *to, const struct place_counts *c, const struct place_counts *totals) {
    const double share = totals->misses ? 100.0 * (double)c->misses / (double)totals->misses : 0;
    fprintf(to, "%11s %5.1f%% %11s %9s %9s %9s %9s  ", NUMBER(c->misses), share, NUMBER(c->refaults),
            NUMBER(c->swap_in), NUMBER(c->swap_out), NUMBER(c->file_in), NUMBER(c->file_out));
}

static size_t shown(size_t count, unsigned top) {
    return top && top < count ? top : count;
}

static void print_rows(FILE *to, const struct place_table *t, const struct where_context *c,
                       const struct place_counts *totals) {
    struct place_counts rest = {0};
    const size_t rows = shown(t->row_count, c->top);
    fprintf(to, "\n%s\n%11s %6s %11s %9s %9s %9s %9s  %s\n", t->title, "misses", "", "refaults", "swap-in",
            "swap-out", "file-in", "file-out", t->name);
    for (size_t i = 0; i < rows; i++) {
        print_counts(to, &t->rows[i].counts, totals);
        print_place(to, &t->rows[i], FRAMES_OF_ROW);
        fputc('\n', to);
    }
    for (size_t i = rows; i < t->row_count; i++)
        place_counts_add(&rest, &t->rows[i].counts);
    if (rows < t->row_count) {
        print_counts(to, &rest, totals);
        fprintf(to, "%s more\n", NUMBER(t->row_count - rows));
    }
    print_counts(to, totals, totals);
    fputs("in all\n", to);
}

static void print_pairs(FILE *to, const struct place_table *t, const struct where_context *c,
                        uint64_t refaults) {
    const size_t pairs = shown(t->pair_count, c->top);
    uint64_t rest = t->unpaired;
    if (!refaults)
        return;
    fprintf(to, "\nwho drove out what was missed later: evicted by → refaulted in\n%11s\n", "refaults");
    for (size_t i = 0; i < t->pair_count; i++) {
        const struct place_pair *p = &t->pairs[i];
        if (i >= pairs) {
            rest += p->count;
            continue;
        }
        fprintf(to, "%11s %5.1f%%  ", NUMBER(p->count), 100.0 * (double)p->count / (double)refaults);
        print_place(to, &t->rows[p->evictor], FRAMES_OF_PAIR);
        fputs(" → ", to);
        print_place(to, &t->rows[p->evicted], FRAMES_OF_PAIR);
        fputc('\n', to);
    }
    if (rest)
        fprintf(to, "%11s %5.1f%%  others\n", NUMBER(rest), 100.0 * (double)rest / (double)refaults);
}

int where_print_text(FILE *to, const struct place_report *r, const struct where_context *c) {
    print_head(to, r, c);
    for (size_t i = 0; i < r->table_count; i++) {
        print_rows(to, &r->tables[i], c, &r->totals);
        print_pairs(to, &r->tables[i], c, r->totals.refaults);
    }
    return fflush(to) || ferror(to) ? -(errno ? errno : EIO) : 0;
}
