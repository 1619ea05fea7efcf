/* What grading found, for people, for spreadsheets, for Gradescope. */
#ifndef GRADE_REPORT_H
#define GRADE_REPORT_H

#include <stdio.h>

#include "grade/class.h"

/* A line for each criterion, and one for the submission. */
void report_print(FILE *to, const struct class_submission *, bool many);
/* results.csv: a row a submission. 0 or -errno. */
int report_write_csv(const char *path, const struct spec *, const struct class_submission *, size_t count);
/* results.json as Gradescope's autograders leave it behind. 0 or -errno. */
int report_write_gradescope(const char *path, const struct class_submission *);

#endif
