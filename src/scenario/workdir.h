/* A folder for the run of a machine file: copies of files that the programs may change. */
#ifndef SCENARIO_WORKDIR_H
#define SCENARIO_WORKDIR_H

struct workdir;

/* A new folder below $TMPDIR (or /tmp). 0 or -errno. */
int workdir_create(struct workdir **ret_workdir);
/* Removes it with all that is in it, what programs have put there included. NULL is allowed. */
void workdir_destroy(struct workdir *);
const char *workdir_path(const struct workdir *);
/* Copies a regular file's contents and permissions; `name` has no '/'. 0 or -errno. */
int workdir_copy(struct workdir *, const char *from, const char *name);

#endif
