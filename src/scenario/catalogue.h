/* The scenarios that come with Thimble, by name: "lecture/012" is the picture 012 of a machine file in the
 * folder lecture. */
#ifndef SCENARIO_CATALOGUE_H
#define SCENARIO_CATALOGUE_H

#include "scenario/machine_file.h"

struct catalogue;

struct catalogue_entry {
    const char *name, *title;
    const char *path; /* of the machine file */
    size_t picture;   /* index into its pictures */
};

/* Where they are: THIMBLE_SCENARIOS if that is set; else beside the running program, in lib/thimble/scenarios
 * of the prefix that it was installed in, or in examples of its build folder. 0 or -errno: -ENOENT when there
 * is no such folder. */
int catalogue_folder(char *path, size_t size);
/* Reads every machine file (*.json) in the folders of `folder`. One that is wrong is left out: see
 * catalogue_problem(). 0 or -errno. */
int catalogue_open(const char *folder, struct catalogue **ret_catalogue);
void catalogue_close(struct catalogue *); /* NULL is allowed */

/* In alphabetical order. */
const struct catalogue_entry *catalogue_entries(const struct catalogue *, size_t *ret_count);
/* NULL: there is none of this name. */
const struct catalogue_entry *catalogue_find(const struct catalogue *, const char *name);
/* Up to `count` names that are spelled nearly like this one, nearest first; how many. */
size_t catalogue_suggest(const struct catalogue *, const char *name, const char **names, size_t count);
/* What was wrong with the index-th file that was left out; NULL: there are no more. */
const char *catalogue_problem(const struct catalogue *, size_t index);

#endif
