/* A folder for the run of a machine file: copies of files that the programs may change. */
#ifndef SCENARIO_SCRATCH_H
#define SCENARIO_SCRATCH_H

struct scratch;

/* A new folder below $TMPDIR (or /tmp). 0 or -errno. */
int scratch_create(struct scratch **ret_scratch);
/* Removes it with all that is in it, what programs have put there included. NULL is allowed. */
void scratch_destroy(struct scratch *);
const char *scratch_path(const struct scratch *);
/* Copies a regular file's contents and permissions; `name` has no '/'. 0 or -errno. */
int scratch_copy(struct scratch *, const char *from, const char *name);

#endif
