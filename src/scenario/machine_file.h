/* A machine file: a machine, the programs that start on it and how pictures name things, as a teacher writes
 * them down (JSON; docs/TEACHING.md describes every key), and the pictures of a scenario where there are any.
 *
 * Names of files in it are relative to its own folder. Files that the programs may change are copied to a
 * scratch folder, which is then the programs' working directory, and which vanishes with the machine file. */
#ifndef SCENARIO_MACHINE_FILE_H
#define SCENARIO_MACHINE_FILE_H

#include "machine/machine.h"
#include "trace/goal.h"
#include "view/picture.h"

/* A moment of the run that is worth a picture. */
struct machine_picture {
    const char *name;    /* "012" */
    const char *title;   /* one line */
    const char *caption; /* what is to be seen, and where it departs from what one might expect; may be "" */
    /* Where it is: each goal is looked for behind the one before; none: the state before the first event. */
    const struct goal *goals;
    size_t goal_count;
    enum picture_kind kind;
    bool real_numbers;
    const uint32_t *pids; /* processes to show, in this order; NULL: those that are alive */
    size_t pid_count;
};

/* Runs of the same programs on machines that differ, to be compared: every policy with every number of
 * frames. */
struct machine_series {
    const uint32_t *frames; /* empty: the machine's own */
    const char *const *policies;
    size_t frame_count, policy_count;
};

struct machine_file;

/* 0 or -errno with *ret_message (malloc'd, one line that names the place; NULL: memory is out). */
int machine_file_read(const char *path, struct machine_file **ret_file, char **ret_message);
void machine_file_destroy(struct machine_file *); /* removes the scratch folder; NULL is allowed */

/* All that these give lives as long as the machine file. */

/* Complete but for report, context, check and inject. */
const struct machine_config *machine_file_config(const struct machine_file *);
const char *machine_file_title(const struct machine_file *); /* one line, "" when there is none */
const struct machine_picture *machine_file_pictures(const struct machine_file *, size_t *ret_count);
const struct machine_series *machine_file_series(const struct machine_file *);
/* The programs, for messages and for the header of a trace. */
size_t machine_file_programs(const struct machine_file *);
const char *machine_file_program(const struct machine_file *, size_t index); /* its name, argv[0] */

/* Makes the scratch folder anew, if the file asks for one, and adds programs and labels to a machine that was
 * made from the configuration. `streams`: descriptors of the host that become 0, 1 and 2 of programs whose
 * standard input is not a file. 0 or -errno with a message. */
int machine_file_start(struct machine_file *, struct machine *, const int streams[3], char **ret_message);

#endif
