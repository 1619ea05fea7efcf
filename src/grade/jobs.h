/* How many submissions this computer, or the container that we are in, can grade at a time. */
#ifndef GRADE_JOBS_H
#define GRADE_JOBS_H

#include <stdint.h>

/* At least 1. `memory` is what one of them takes, in bytes. */
unsigned jobs_possible(uint64_t memory);

#endif
