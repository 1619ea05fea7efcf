/* What an analysis is about: a program that is run for its page references, or a file of them.
 *
 *   subject_parse → subject_open → the analysis reads `source` → subject_close
 *
 * Each step says on standard error what went wrong and returns false; `exit_status` is then the command's. */
#ifndef UI_SUBJECT_H
#define UI_SUBJECT_H

#include "refs/refs.h"
#include "ui/recorded.h"

struct subject {
    struct options options;
    void (*report)(void *job); /* prints what `source` says, of a run that goes on: see recorded.h */
    void *job;
    struct refs_source *source; /* NULL before subject_open() */
    struct recorded recorded;   /* of the program; its source is `source` */
    char *title;                /* the command, or the name of the file, for headings */
    bool tells_status;          /* the report says how the program ended: nobody else need */
    int exit_status;            /* EXIT_MACHINE until the caller knows better */
};

/* Fills an empty subject. The standard output of programs goes to ours for errors: what the analysis says is
 * not to be mixed with it. */
bool subject_parse(struct subject *, const struct options_analysis *, int argc, char **argv);
bool subject_open(struct subject *, char **envp);
void subject_close(struct subject *);
/* "thimble: SUBJECT: " and the rest on standard error. */
void subject_report(const struct subject *, const char *what);

#endif
