/* `thimble import` and `thimble export`: page references from one format into another. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "ui/commands.h"
#include "ui/exported.h"
#include "ui/options.h"

/* What is wrong was said; the rest is right. As an exit status. */

struct conversion {
    const char *from, *to;
    enum refs_format format; /* of what is imported, or to be exported */
    bool exports;
};

#define FORMATS "thimble, oracleGeneral, csv, lackey, perf-script or ostep"
#define OUTPUT                                                                                               \
    { "output", 'o', "FILE", 0, "The file to write; one that is there is replaced", 0 }

static const struct argp_option import_options[] = {
    {"format", 'F', "FORMAT", 0, "What FILE is: " FORMATS " (default: by its content)", 0}, OUTPUT, {0}};
static const struct argp_option export_options[] = {
    {"format", 'F', "FORMAT", 0, "What to write: " FORMATS " (default: as the name of -o's FILE ends)", 0},
    OUTPUT,
    {0}};

static void check_request(const struct conversion *c, struct argp_state *state) {
    if (!c->from)
        argp_error(state, "which file? %s",
                   c->exports ? "thimble record -o FILE PROGRAM makes one"
                              : "one of references: docs/FORMATS.md says which there are");
    if (!c->to)
        argp_error(state, "-o FILE: where to?");
    if (c->exports && c->format == REFS_FORMAT_ANY)
        argp_error(state,
                   "-o %s: which format? give --format (thimble, oracleGeneral, csv, lackey, perf-script, "
                   "ostep), or a name that ends in .refs, .csv, .lackey, .oracleGeneral or "
                   ".oracleGeneral.zst",
                   c->to);
}

static error_t take_option(int key, char *value, struct argp_state *state) {
    struct conversion *c = state->input;
    char *message = NULL;
    switch (key) {
    case 'F':
        if (exported_take_format(value, &c->format, &message))
            argp_error(state, "%s", message ? message : strerror(ENOMEM));
        return 0;
    case 'o': c->to = exported_path(value, "/dev/stdout"); return 0;
    case ARGP_KEY_ARG:
        if (c->from)
            argp_error(state, "%s: one file at a time, and %s was given", value, c->from);
        c->from = exported_path(value, "/dev/stdin");
        return 0;
    case ARGP_KEY_END:
        if (c->exports && c->to && c->format == REFS_FORMAT_ANY)
            c->format = exported_format(c->to);
        check_request(c, state);
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static bool same_file(const char *a, const char *b) {
    struct stat x, y;
    return !stat(a, &x) && !stat(b, &y) && S_ISREG(x.st_mode) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static int convert(const struct conversion *c) {
    const enum refs_format from = c->exports ? REFS_FORMAT_ANY : c->format;
    const enum refs_format to = c->exports ? c->format : REFS_FORMAT_THIMBLE;
    bool whole;
    if (same_file(c->from, c->to)) {
        fprintf(stderr, "thimble: -o %s is the file itself: give another name\n", c->to);
        return EXIT_MACHINE;
    }
    if (!exported_write(c->from, from, c->to, to, &whole))
        return EXIT_MACHINE;
    return whole ? EXIT_SUCCESS : EXIT_CUT;
}

static int command(struct conversion *c, const struct argp *argp, int argc, char **argv) {
    argp_err_exit_status = EXIT_MACHINE;
    return argp_parse(argp, argc, argv, 0, NULL, c) ? EXIT_MACHINE : convert(c);
}

int import_command(int argc, char **argv, char **envp) {
    static const struct argp argp = {
        .options = import_options,
        .parser = take_option,
        .args_doc = "FILE",
        .doc = "Turn page references of another tool into Thimble's own format.",
    };
    struct conversion c = {.format = REFS_FORMAT_ANY};
    return command(&c, &argp, argc, argv);
}

int export_command(int argc, char **argv, char **envp) {
    static const struct argp argp = {
        .options = export_options,
        .parser = take_option,
        .args_doc = "FILE",
        .doc = "Turn page references, recorded or of any tool, into the format of another one.",
    };
    struct conversion c = {.exports = true};
    return command(&c, &argp, argc, argv);
}
