/* Grades a class: each submission in a process of its own, several at a time. */
#ifndef GRADE_CLASS_H
#define GRADE_CLASS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "grade/spec.h"

struct class_submission {
    char *directory; /* absolute */
    char *name;      /* unlike all others; good as a file's name */
    json_t *graded;  /* worker.h; afterwards never NULL */
};

struct class_request {
    const struct spec *spec;
    struct class_submission *submissions;
    size_t count;
    unsigned jobs;
    /* Called for each submission in their order, as soon as it and all before it are graded. */
    void (*graded)(void *context, const struct class_submission *);
    void *context;
};

/* 0; -EINTR when a signal asked to end (nothing is left behind); -errno when nothing could be graded. */
int class_grade(const struct class_request *);
bool class_submission_passed(const struct class_submission *);
void class_submission_free(struct class_submission *);

#endif
