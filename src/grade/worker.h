/* Grades one submission: builds it, runs every test in a machine of its own. */
#ifndef GRADE_WORKER_H
#define GRADE_WORKER_H

#include <jansson.h>

#include "grade/spec.h"

/* `submission` is an absolute path, `work` an empty directory of ours. {"built", "message", "score",
 * "max_score", "seconds", "peak_memory", "tests": [judge.h]}. NULL: no memory. */
json_t *worker_grade(const struct spec *, const char *submission, const char *work);

#endif
