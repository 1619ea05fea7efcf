/* The command line of `thimble draw`. */
#ifndef UI_DRAW_H
#define UI_DRAW_H

#include "trace/goal.h"
#include "ui/export.h"

enum { DRAW_PIDS = 64 };

/* The one %d of the name of a series: "s-%03d.svg". */
struct draw_pattern {
    bool conversion;      /* there is one */
    size_t begin, length; /* bytes of the name */
    int width;            /* digits, padded with zeroes */
};

struct draw_job {
    const char *trace, *output, *caption, *key, *until_text; /* caption, key: NULL: not given */
    bool has_steps, has_until;                               /* neither: the end */
    uint64_t first, last;
    struct goal until;
    const char *until_symbol; /* --until names a place by its symbol; NULL: by .until */
    enum export_format format;
    struct draw_pattern pattern;
    unsigned width; /* of a PNG, 0: its own */
    enum picture_kind kind;
    bool real_numbers;
    uint32_t pids[DRAW_PIDS];
    size_t pid_count;
    unsigned blank_parts; /* 0: no exercise */
    uint64_t seed;
    struct draw_options draw; /* .blank is left to the caller */
};

/* False: standard error was told what is wrong. --help does not return. */
bool draw_options_parse(int argc, char **argv, struct draw_job *);

#endif
