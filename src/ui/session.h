/* A machine with its programs, from the command line to the exit status: what `run`, `step` and `web` have in
 * common.
 *
 *   session_parse → session_build → session_add_programs → the machine runs → session_ended → session_close
 *
 * Each step says on standard error what went wrong and returns false; then session_close() is what remains to
 * be done, and gives the exit status. Files that were asked for are opened before anything runs, so that a
 * wrong name is found at once, and are close-on-exec, so that no guest inherits them. */
#ifndef UI_SESSION_H
#define UI_SESSION_H

#include <stdio.h>

#include "base/inject.h"
#include "trace/header.h"
#include "ui/options.h"

struct session {
    struct options options;
    struct machine *machine;
    int exit_status; /* until something better is known: EXIT_MACHINE */
    /* private */
    FILE *stats;                       /* NULL: no summary */
    struct trace_file *trace;          /* NULL: no trace */
    struct machine_file *machine_file; /* of the command line: ours to give back; NULL: none */
    char *words[2];                    /* stand for a command line of programs where there is none */
    const char *watch[2];              /* of machine_config; NULL at the end */
    char address[24];                  /* one that is watched, as text */
    struct inject inject;              /* what THIMBLE_FAIL asks for: failures.h */
};

/* Fills an empty session. Also false, with success as exit status, where the answer is a list and nothing is
 * to be run. */
bool session_parse(struct session *, enum options_command, int argc, char **argv);
/* The same for a command with options of its own, whose subject is run and not read from a file. */
bool session_parse_analysis(struct session *, const struct options_analysis *, int argc, char **argv);
/* Before that: the machine ends with --duration, as it is to, unless a limit ends it before. */
void session_limit_time(struct session *);
/* The machine, the summary's file and the trace. */
bool session_build(struct session *);
/* What a trace of this machine begins with; points into the session. */
void session_get_header(const struct session *, struct trace_header *ret_header);
/* A standard stream for the programs; -1: the caller closed it, and what stands
 * there now is close-on-exec. */
int session_stream(int fd);
/* streams: descriptors of the host that become the programs' 0, 1 and 2. */
bool session_add_programs(struct session *, const int streams[3], char **envp);
/* After the machine has run: what machine_run_programs() returned, which program failed, and the signal that
 * an interface stands for when it ends the machine before the programs end (0: it never does). Decides the
 * exit status and writes the summary. */
void session_ended(struct session *, int error, size_t failed, int ended_by);
/* Ends the trace, takes the machine down; the exit status. */
int session_close(struct session *);

#endif
