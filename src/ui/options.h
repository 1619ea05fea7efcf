/* The command line of `thimble run`, `thimble step` and `thimble web`, and of the commands that record or
 * analyse page references, as a configuration. */
#ifndef UI_OPTIONS_H
#define UI_OPTIONS_H

#include <argp.h>

#include "analysis/warm_up.h"
#include "machine/machine.h"
#include "scenario/machine_file.h"
#include "trace/goal.h"
#include "ui/confine.h"

enum options_command { OPTIONS_RUN, OPTIONS_STEP, OPTIONS_WEB, OPTIONS_ANALYSE };

enum stats_format { STATS_DEFAULT, STATS_TEXT, STATS_JSON, STATS_NONE };

struct options {
    enum options_command command;
    struct machine_config machine;     /* watch, report and context are left to the caller */
    struct confinement confinement;    /* already in `machine` */
    struct machine_file *machine_file; /* says what the machine is and what it runs; NULL: none */
    const char *trace_path;            /* NULL: no trace */
    enum stats_format stats;           /* STATS_DEFAULT: not said */
    const char *stats_path;            /* NULL: standard error */
    bool list_policies;                /* nothing is to be run */
    char **program;                    /* PROGRAM, its arguments, NULL; points into argv */
    int program_count;                 /* PROGRAM and its arguments */
    /* step and web: */
    const char *recording; /* a trace to be watched instead of a program; NULL: none */
    bool has_until;
    struct goal until;  /* valid when has_until */
    const char *title;  /* of what is watched; NULL: the command */
    const char *symbol; /* that `until` waits for; NULL: it does not wait for a symbol */
    /* web: */
    uint16_t port; /* 0: any free one */
    /* of options_parse_analysis(): */
    const char *references; /* a file of page references instead of a program; NULL: none */
    const char *format;     /* its format, as given; NULL: not said */
    double duration;        /* seconds of the host's time after which a program is ended; 0: never */
    double warm_up;         /* … that are not counted, nor in the duration; 0: none, or … */
    struct warm_up counted; /* … what follows from them, or instructions, for an analysis */
};

/* Exit statuses that are Thimble's own. */
enum {
    EXIT_POLICY_FAILED = 1, /* of curve and compare: a policy broke its contract; the others have results */
    EXIT_CUT = 1,           /* of analyses and conversions: a file of references is cut; the result is of its
                               beginning */
    EXIT_LIMIT = 124,       /* --max-instructions was reached */
    EXIT_MACHINE = 125,     /* the machine could not be built, or failed */
    EXIT_NOT_EXECUTABLE = 126, /* PROGRAM was found but cannot be executed */
    EXIT_NOT_FOUND = 127,
};

/* Parses what stands behind the subcommand (argv[0] is for messages). 0, or -EINVAL with *ret_message
 * (malloc'd) naming the value and what to do. --help, --usage and unknown options do not return: they print
 * and exit, with EXIT_MACHINE for a mistake. */
int options_parse(enum options_command, int argc, char **argv, struct options *ret_options,
                  char **ret_message);

/* A command that runs a program in order to learn its page references, or that reads them from a file. */
struct options_analysis {
    const char *name;                  /* "thimble curve" */
    const char *arguments, *doc;       /* for --help, as argp has them */
    const struct argp_option *options; /* its own; of those of `run`, one with the same name gives way */
    /* One of its own was given: 0, or -EINVAL with *ret_message (malloc'd). */
    int (*take)(void *context, int key, const char *value, char **ret_message);
    void *context;
    bool takes_file; /* FILE may stand in the place of PROGRAM */
    bool takes_none; /* neither need be there: `program` is NULL then */
};

/* Frames of a machine that is analysed, unless options say otherwise: ample. */
enum { OPTIONS_ANALYSIS_FRAMES = 1 << 20 };

/* As options_parse(). The machine is deterministic unless --real-clock is given; its policy makes no
 * difference to the references, so the options that choose one, and those that say what a run shows, are not
 * among them. */
int options_parse_analysis(const struct options_analysis *, int argc, char **argv,
                           struct options *ret_options, char **ret_message);

#endif
