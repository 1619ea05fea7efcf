/* Judges what a test's command did. */
#ifndef GRADE_JUDGE_H
#define GRADE_JUDGE_H

#include "grade/run.h"

/* {"name", "passed", "score", "max_score", "visibility", "output",
 *  "criteria": [{"name", "passed", "detail", "score", "max_score"}]}. NULL: no memory. */
json_t *judge_test(const struct spec_test *, const struct run_result *);
/* The same for a test that could not be run. */
json_t *judge_not_run(const struct spec_test *, const char *why);
/* Why the command came to no proper end, or NULL when it did; malloc'd. */
char *judge_end(const struct run_result *);
/* Bytes as a JSON string of at most `most` bytes: what is not UTF-8 becomes '?'. */
json_t *judge_text(const char *bytes, size_t length, size_t most);

#endif
