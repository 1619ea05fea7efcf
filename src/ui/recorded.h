/* Runs a program for its page references: into a file that the user wants, or into a temporary one that a
 * command then analyses.
 *
 * The machine has the memory that the options say; what they say by default is ample. References do not
 * depend on it: a program that needs more swaps, and makes the same ones. */
#ifndef UI_RECORDED_H
#define UI_RECORDED_H

#include "refs/refs.h"
#include "ui/options.h"

struct recorded_request {
    const char *path;
    uint32_t reduce_to; /* record/reduce.h; 0: everything is kept */
    bool verbose;       /* says at the end how much was recorded */
    int streams[3];     /* of the host, for the programs */
    /* What SIGUSR1 asks for: prints what the references made up to now say. In a process of its own, whose
     * standard output is our standard error. NULL: a line about the progress says it all. */
    void (*report)(void *context, struct refs_source *);
    void *context;
};

/* The program's exit status, as `thimble run` has it (0 when it was stopped after the duration).
 * *ret_recorded: there is a recording, though it may be cut. What goes wrong is said on standard error.
 * SIGUSR1 has a line about the progress written there, and the report. The options' machine file and rules
 * are used up. */
int recorded_run(struct options *, char **envp, const struct recorded_request *, bool *ret_recorded);

/* The name of a new, empty file in TMPDIR, or /tmp (malloc'd); NULL, which was said: there is none. */
char *recorded_temporary(void);

/* A recording in a temporary file. */
struct recorded {
    struct refs_source *source;
    int exit_status;
};

/* Runs as is asked for, but for the path, and opens. False when there is nothing to be analysed (it was said
 * why): then exit_status is the command's, and nothing is to be closed. The file is
 * made in TMPDIR, or /tmp. */
bool recorded_open(struct options *, char **envp, const struct recorded_request *,
                   struct recorded *ret_recorded);
void recorded_close(struct recorded *);

#endif
