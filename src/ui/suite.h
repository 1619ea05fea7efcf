/* A suite of programs: a file with one command a line.
 *
 *     # comments and empty lines are skipped
 *     NAME [seed=N] [sizes=LIST] : COMMAND [ARGUMENT...]
 *
 * The command is split as a shell would, with quotes, $VARIABLES and patterns of file names, but runs no
 * shell: say sh -c '...' for that. */
#ifndef UI_SUITE_H
#define UI_SUITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct suite_entry {
    char *name;
    char *command; /* as it stands in the file */
    char **words;  /* of the command, NULL at the end */
    char *sizes;   /* NULL: those of the command line */
    bool has_seed;
    uint64_t seed;
};

struct suite {
    struct suite_entry *entries;
    size_t count;
};

struct suite_run {
    uint64_t seed, layout;    /* of address spaces, 0 for the fixed one */
    double warm_up, duration; /* seconds; 0: none, and to the end */
};

/* 0, or -errno with *ret_message, which names the line. */
int suite_read(const char *path, struct suite *ret_suite, char **ret_message);
void suite_free(struct suite *);

/* Runs the command in a machine of its own, in another process, and records its references into the file
 * `trace`. Its input is empty, its output goes nowhere. 0, or -errno with *ret_message, which holds what was
 * said on standard error. */
int suite_record(const struct suite_entry *, const struct suite_run *, const char *trace, char **ret_message);

#endif
