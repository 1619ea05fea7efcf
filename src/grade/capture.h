/* Runs a command of the host with its output taken down, and watches what it takes of the host. */
#ifndef GRADE_CAPTURE_H
#define GRADE_CAPTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "grade/spec.h"

struct capture_request {
    char *const *argv, *const *envp; /* argv[0] is executed as it stands */
    const char *directory;           /* the command's */
    int input;                       /* becomes descriptor 0; stays the caller's */
    /* The command is killed beyond these: */
    uint64_t output; /* bytes, of standard output and error together */
    uint64_t milliseconds;
    uint64_t memory; /* bytes of the host's that it has in use */
    uint64_t disk;   /* bytes of what is below `scratch`, and of deleted files that it has open */
    const char *scratch;
};

enum capture_end { CAPTURE_ENDED, CAPTURE_OUTPUT, CAPTURE_TIME, CAPTURE_MEMORY, CAPTURE_DISK };

struct capture {
    struct spec_text output, error; /* malloc'd; what came before the end */
    int wait_status;
    enum capture_end end; /* anything but CAPTURE_ENDED: killed for that */
    uint64_t peak_memory; /* bytes of the host's */
};

/* 0 or -errno when it could not be started. */
int capture_run(const struct capture_request *, struct capture *ret_capture);
void capture_free(struct capture *);

#endif
