/* The job line of `thimble draw`: argp finds the options, this file gives them their meaning. Of options
 * that contradict each other the last one counts, so that a caller can put its own in front. */
#include <argp.h>
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ui/draw.h"
#include "ui/options.h"
#include "ui/size.h"

enum {
    KEY_STEP = 256,
    KEY_UNTIL,
    KEY_FORMAT,
    KEY_PALETTE,
    KEY_PROJECTOR,
    KEY_REAL_NUMBERS,
    KEY_LABELS,
    KEY_KIND,
    KEY_PIDS,
    KEY_CAPTION,
    KEY_BLANK,
    KEY_SEED,
    KEY_KEY,
    KEY_WIDTH,
    KEY_COLUMNS,
    KEY_ASCII,
    KEY_COLOUR,
};

enum { WIDTH_MOST = 32767, COLUMNS_LEAST = 20, COLUMNS_MOST = 1000, PATTERN_DIGITS = 2 };

static const struct argp_option known_options[] = {
    {NULL, 0, NULL, 0, "Which step:", 1},
    {"step", KEY_STEP, "N[..M]", 0, "The state after event N; or each step of events N to M, one file each",
     0},
    {"until", KEY_UNTIL, "GOAL", 0,
     "The first fault, fault=N, main, _start, syscall=NAME, kind=NAME, 0xADDRESS or watched symbol (default: "
     "the end)",
     0},
    {NULL, 0, NULL, 0, "Where to:", 2},
    {"output", 'o', "FILE", 0,
     "FILE.svg, .png, .txt or .json; - is standard output; of a series, %d is the step: s-%03d.svg", 0},
    {"format", KEY_FORMAT, "FORMAT", 0, "svg, png, txt or json, whatever the name of the file", 0},
    {"width", KEY_WIDTH, "PIXELS", 0, "Width of a PNG (default 1600, or the drawing's own if that is more)",
     0},
    {"columns", KEY_COLUMNS, "N", 0, "Width of a picture in characters (default 100)", 0},
    {"ascii", KEY_ASCII, NULL, 0, "Characters: ASCII only", 0},
    {"colour", KEY_COLOUR, NULL, 0, "Characters: with the 16 colours of a terminal", 0},
    {NULL, 0, NULL, 0, "What is drawn:", 3},
    {"kind", KEY_KIND, "KIND", 0,
     "auto (default), tables, regions, sharing, table, spaces, contexts, system, computer, memory, frames or "
     "pool",
     0},
    {"pids", KEY_PIDS, "PID[,PID...]", 0, "Only these processes, in this order", 0},
    {"process", 0, NULL, OPTION_ALIAS, NULL, 0},
    {"labels", KEY_LABELS, NULL, 0, "Symbolic page numbers: VPN0, VPN1 ... (default)", 0},
    {"real-numbers", KEY_REAL_NUMBERS, NULL, 0, "Real page numbers: 0x401 ...", 0},
    {"caption", KEY_CAPTION, "TEXT", 0, "The sentence of the picture (default: what happens in this step)",
     0},
    {"palette", KEY_PALETTE, "NAME", 0, "okabe-ito (default), lecture or mono", 0},
    {"projector", KEY_PROJECTOR, NULL, 0, "White, thick and large", 0},
    {NULL, 0, NULL, 0, "Exercises:", 4},
    {"blank", KEY_BLANK, "PART[,PART...]", 0,
     "Leave some of these blank: victim, ptes, frames, pool, swap, register", 0},
    {"seed", KEY_SEED, "N", 0, "Which of them: another seed, another exercise (default 1)", 0},
    {"key", KEY_KEY, "FILE", 0,
     "Write the answers there (default: the picture's name with .key.txt behind it)", 0},
    {0},
};

struct parse {
    struct draw_job *job;
    const char *format; /* as given, NULL: not */
    bool failed;
};

__attribute__((format(printf, 2, 3))) static error_t refuse(struct parse *p, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("thimble: ", stderr);
    vfprintf(stderr, format, arguments);
    fputs("\n", stderr);
    va_end(arguments);
    p->failed = true;
    return EINVAL;
}

static error_t take_number(struct parse *p, const char *option, const char *text, uint64_t min, uint64_t max,
                           uint64_t *ret_number) {
    const char *wrong = number_parse(text, min, max, ret_number);
    if (!wrong)
        return 0;
    return refuse(p, "%s: '%s' %s: give a whole number from %llu to %llu", option, text, wrong,
                  (unsigned long long)min, (unsigned long long)max);
}

static error_t take_unsigned(struct parse *p, const char *option, const char *text, uint64_t min,
                             uint64_t max, unsigned *ret_number) {
    uint64_t number = 0;
    const error_t error = take_number(p, option, text, min, max, &number);
    *ret_number = (unsigned)number;
    return error;
}

/* "N" or "N..M". */
static error_t take_steps(struct parse *p, const char *text) {
    struct draw_job *c = p->job;
    char first[32];
    const char *dots = strstr(text, "..");
    const size_t length = dots ? (size_t)(dots - text) : strlen(text);
    if (length >= sizeof first)
        return refuse(p, "--step: '%s' is not a step: give N or N..M", text);
    memcpy(first, text, length);
    first[length] = 0;
    error_t error = take_number(p, "--step", first, 1, INT64_MAX, &c->first);
    c->last = c->first;
    if (!error && dots)
        error = take_number(p, "--step", dots + 2, 1, INT64_MAX, &c->last);
    if (!error && c->last < c->first)
        error = refuse(p, "--step: '%s' ends before it begins", text);
    c->has_steps = true;
    c->has_until = false;
    return error;
}

static error_t take_until(struct parse *p, const char *text) {
    const char *wrong = goal_parse(text, &p->job->until, &p->job->until_symbol);
    if (wrong)
        return refuse(p, "--until: '%s': %s", text, wrong);
    p->job->until_text = text;
    p->job->has_until = p->job->until.kind != GOAL_END;
    p->job->has_steps = false;
    return 0;
}

static error_t take_kind(struct parse *p, const char *text) {
    p->job->kind = picture_kind_parse(text);
    if (p->job->kind < PICTURE_KINDS)
        return 0;
    return refuse(
        p,
        "--kind: '%s' is no kind of picture: there are auto, tables, regions, sharing, table, spaces, "
        "contexts, system, computer, memory, frames and pool",
        text);
}

static error_t take_palette(struct parse *p, const char *text) {
    p->job->draw.palette = palette_parse(text);
    if (p->job->draw.palette < PALETTES)
        return 0;
    return refuse(p, "--palette: '%s' is not a palette: there are okabe-ito, lecture and mono", text);
}

static error_t take_pids(struct parse *p, const char *text) {
    struct draw_job *c = p->job;
    c->pid_count = 0;
    for (const char *word = text;; word++) {
        char pid[16] = "";
        uint64_t number;
        const size_t length = strcspn(word, ",");
        memcpy(pid, word, length < sizeof pid ? length : sizeof pid - 1);
        const char *wrong = number_parse(pid, 1, UINT32_MAX, &number);
        if (wrong)
            return refuse(p, "--pids: '%s' %s: give numbers of processes: --pids 21,7", pid, wrong);
        if (c->pid_count == DRAW_PIDS)
            return refuse(p, "--pids: more than %d processes", DRAW_PIDS);
        c->pids[c->pid_count++] = (uint32_t)number;
        word += length;
        if (!*word)
            return 0;
    }
}

static error_t take_blank(struct parse *p, const char *text) {
    const char *wrong;
    if (!blank_parse(text, &p->job->blank_parts, &wrong))
        return 0;
    return refuse(
        p, "--blank: '%.*s' cannot be left blank: there are victim, ptes, frames, pool, swap and register",
        (int)strcspn(wrong, ","), wrong);
}

/* ---- the name of the file ---- */

/* Finds the one %d, perhaps with a number of digits ("%03d"). Any other % would make a name that nobody
 * meant. */
static error_t find_pattern(struct parse *p) {
    struct draw_job *c = p->job;
    const char *at = strchr(c->output, '%');
    if (!at)
        return 0;
    const char *end = at + 1;
    int width = 0;
    while (isdigit((unsigned char)*end) && end - at <= PATTERN_DIGITS)
        width = width * 10 + (*end++ - '0');
    if (*end != 'd' || strchr(end, '%'))
        return refuse(p, "-o: '%s': a name may have one %%d, with digits if you like (%%03d), for the step",
                      c->output);
    c->pattern = (struct draw_pattern){true, (size_t)(at - c->output), (size_t)(end + 1 - at), width};
    return 0;
}

static error_t find_format(struct parse *p) {
    struct draw_job *c = p->job;
    c->format = p->format ? export_format_parse(p->format) : export_format_of(c->output);
    if (c->format < EXPORT_FORMATS)
        return 0;
    if (p->format)
        return refuse(p, "--format: '%s' is not a format: there are svg, png, txt and json", p->format);
    if (!strcmp(c->output, "-"))
        return refuse(p, "-o -: say what to write to standard output: --format svg, png, txt or json");
    return refuse(p, "-o: '%s' ends in none of .svg, .png, .txt and .json: name it so, or say --format",
                  c->output);
}

static error_t finish(struct parse *p) {
    struct draw_job *c = p->job;
    const bool series = c->has_steps && c->last > c->first;
    if (!c->trace)
        return refuse(p, "which trace? record one: thimble run --trace FILE PROGRAM");
    if (!c->output)
        return refuse(p, "say where the picture goes: -o FILE.svg, .png, .txt or .json");
    error_t error = find_pattern(p);
    if (!error)
        error = find_format(p);
    if (error)
        return error;
    if (series && !c->pattern.conversion)
        return refuse(p, "--step %llu..%llu is a series: name its files with a %%d, as in -o s-%%03d.svg",
                      (unsigned long long)c->first, (unsigned long long)c->last);
    if (c->blank_parts && !strcmp(c->output, "-") && !c->key)
        return refuse(p, "-o - with --blank: say where the answers go: --key FILE");
    if (c->blank_parts && series && c->key)
        return refuse(
            p, "--key is one file, and each exercise of a series has answers of its own: leave it out");
    if (c->key && !c->blank_parts)
        return refuse(p, "--key without --blank: nothing is asked");
    return 0;
}

/* ---- argp ---- */

static error_t take_drawing_option(int key, char *value, struct parse *p) {
    struct draw_job *c = p->job;
    switch (key) {
    case KEY_KIND: return take_kind(p, value);
    case KEY_PIDS: return take_pids(p, value);
    case KEY_PALETTE: return take_palette(p, value);
    case KEY_PROJECTOR: c->draw.projector = true; return 0;
    case KEY_REAL_NUMBERS: c->real_numbers = true; return 0;
    case KEY_LABELS: c->real_numbers = false; return 0;
    case KEY_CAPTION: c->caption = value; return 0;
    case KEY_ASCII: c->draw.ascii = true; return 0;
    case KEY_COLOUR: c->draw.colour = true; return 0;
    case KEY_WIDTH: return take_unsigned(p, "--width", value, 1, WIDTH_MOST, &c->width);
    case KEY_COLUMNS:
        return take_unsigned(p, "--columns", value, COLUMNS_LEAST, COLUMNS_MOST, &c->draw.columns);
    default: return ARGP_ERR_UNKNOWN;
    }
}

static error_t take_option(int key, char *value, struct argp_state *state) {
    struct parse *p = state->input;
    struct draw_job *c = p->job;
    switch (key) {
    case KEY_STEP: return take_steps(p, value);
    case KEY_UNTIL: return take_until(p, value);
    case 'o': c->output = value; return *value ? 0 : refuse(p, "-o: the name of the file is empty");
    case KEY_FORMAT: p->format = value; return 0;
    case KEY_BLANK: return take_blank(p, value);
    case KEY_SEED: return take_number(p, "--seed", value, 0, INT64_MAX, &c->seed);
    case KEY_KEY: c->key = value; return *value ? 0 : refuse(p, "--key: the name of the file is empty");
    case ARGP_KEY_ARG:
        if (c->trace)
            return refuse(p, "'%s' is one argument too many: one trace is drawn at a time, and %s was given",
                          value, c->trace);
        c->trace = value;
        return 0;
    default: return take_drawing_option(key, value, p);
    }
}

bool draw_options_parse(int argc, char **argv, struct draw_job *job) {
    static const struct argp argp = {
        .options = known_options,
        .parser = take_option,
        .args_doc = "TRACE -o FILE",
        .doc = "Draw the state of the machine at a step of a recorded run.\v"
               "The exit status is 0, or 125 when something could not be drawn. See also: man thimble-draw",
    };
    *job = (struct draw_job){.seed = 1};
    struct parse p = {.job = job};
    argp_err_exit_status = EXIT_MACHINE;
    return !argp_parse(&argp, argc, argv, 0, NULL, &p) && !p.failed && !finish(&p);
}
