/* Runs one command of a submission in a machine of its own: `thimble run` as a child process. */
#ifndef GRADE_RUN_H
#define GRADE_RUN_H

#include <jansson.h>

#include "grade/capture.h"

struct run_request {
    const struct spec *spec;
    const char *submission; /* its directory, absolute: where the command runs */
    char *const *command;
    const struct spec_machine *machine; /* NULL: a large one, as builds want */
    const struct spec_limits *limits;
    const struct spec_text *input;
    const char *scratch; /* directory of the scratch copy, with what earlier commands wrote */
    const char *work;    /* directory above it, for our own files: all that is in it counts as disk */
};

struct run_result {
    struct capture capture;
    json_t *summary; /* NULL: the machine did not come to its end */
};

/* 0 or -errno: no machine could be started. */
int run_command_in_machine(const struct run_request *, struct run_result *ret_result);
void run_result_free(struct run_result *);
/* A number of the summary by its path ("faults.total"). 0 if it is not there. */
uint64_t run_number(const struct run_result *, const char *path);

#endif
