/* What the files of scenario/ share about a machine file: its parts as they were read. Strings and arrays
 * belong to the reader. Not for others: see machine_file.h. */
#ifndef SCENARIO_PARTS_H
#define SCENARIO_PARTS_H

#include "scenario/machine_file.h"
#include "scenario/reader.h"
#include "scenario/workdir.h"

struct file_program {
    struct machine_program program; /* but for file, directory, input, output, error, which
                                       machine_file_start() sets */
    const char *file;               /* as written */
    const char *input;              /* name of the file that is its standard input; NULL: the caller's */
    int input_fd;                   /* open on it until the next start; valid when `opened` */
    bool opened;
};

struct file_label {
    struct machine_label label; /* EVENT_LABEL_FILE: but for the path */
    const char *file;           /* as written */
};

/* A file in the scratch folder. */
struct file_copy {
    const char *name; /* there */
    const char *from; /* as written: in the machine file's folder */
};

struct machine_file {
    struct reader *reader;
    const char *folder; /* the machine file's own, ends in '/' unless it is "" (the working directory) */
    struct machine_config config;
    const char *title;
    struct file_program *programs;
    size_t program_count;
    struct file_label *labels;
    size_t label_count;
    struct file_copy *copies;
    size_t copy_count;
    struct machine_picture *pictures;
    size_t picture_count;
    struct machine_series series;
    struct workdir *workdir; /* NULL: not made, or not asked for */
};

/* Each reads one part. Mistakes are the reader's. */
void programs_read(struct machine_file *, const struct node *list);
void labels_read(struct machine_file *, const struct node *labels);
void scenario_read(struct machine_file *, const struct node *scenario);

/* Closes what machine_file_start() opened. */
void machine_file_stop(struct machine_file *);
/* The path of a file that is named in the machine file. */
const char *machine_file_path(struct machine_file *, const char *name);
/* The same, noting a mistake when there is no such file. */
const char *machine_file_need(struct machine_file *, const struct node *name);
/* The elements of a list, *ret_count of them; texts end with a NULL besides. */
const uint32_t *numbers_read(const struct node *list, uint64_t max, size_t *ret_count);
const char *const *texts_read(const struct node *list, size_t *ret_count);

#endif
