/* The same program again, to see what is true of it: in a machine with another amount of memory, or natively.
 *
 * Each run is a child process, so that nothing of it is left in this one. What the program writes goes into a
 * pipe, and from there nowhere: programs are different runs on a terminal, or for /dev/null (grep ends at the
 * first match then), so the first run must have had a pipe as well (rerun_pipe_begin). Standard input is the
 * caller's if that is a file that can be read from the same place again, else it is empty. What else a
 * program does it does again: files that it changes are changed again. */
#ifndef UI_RERUN_H
#define UI_RERUN_H

#include "trace/tally.h"
#include "ui/options.h"

struct rerun_machine {
    uint32_t available; /* frames for pages */
    const char *policy;
    uint32_t swap_pages;   /* 0: none */
    uint64_t instructions; /* after which it is stopped; 0: as the options say */
};

struct rerun_result {
    bool finished; /* the first process ended, and was not stopped by a limit */
    int status;    /* exit status as a shell tells it */
    uint64_t oom_kills, instructions;
    struct tally tally;
    struct vm_frame_counts peak; /* each on its own */
    struct vm_swap_counts swap;
};

/* From here to rerun_pipe_end() standard error is a pipe, and what is written there comes out at the place of
 * standard error: for the first run of a program that is to be run again. 0 or -errno. */
struct rerun_pipe {
    int standard_error; /* what it was */
    pid_t copier;       /* the process that reads the pipe */
};
int rerun_pipe_begin(struct rerun_pipe *);
void rerun_pipe_end(struct rerun_pipe *);

/* Where standard input stands now, to be called before anything reads it; -1: it cannot be read again. */
off_t rerun_input(void);

/* Runs what the options say on the other machine. `input`: as rerun_input() said. 0 or -errno (-ENOEXEC: it
 * could not be started). */
int rerun(const struct options *, const struct rerun_machine *, off_t input, char **envp,
          struct rerun_result *ret_result);

/* Processor time (user and system, its children's included) that the program takes natively: the least of
 * several runs, fewer if they are long. A run that has not ended after so many seconds is killed: -ETIME. 0
 * or -errno (-ENOEXEC: it could not be started). */
int rerun_native(const struct options *, off_t input, double longest, double *ret_seconds);

#endif
