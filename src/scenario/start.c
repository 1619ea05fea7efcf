/* From a machine file to a machine that is ready to run: scratch folder, labels, programs. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/message.h"
#include "scenario/parts.h"

enum { LABEL_PAGES = 2 }; /* of EVENT_LABEL_FILE's arguments */

void machine_file_stop(struct machine_file *f) {
    for (size_t i = 0; i < f->program_count; i++)
        if (f->programs[i].opened) {
            close(f->programs[i].input_fd);
            f->programs[i].opened = false;
        }
    workdir_destroy(f->workdir);
    f->workdir = NULL;
}

static int make_workdir(struct machine_file *f, char **ret_message) {
    if (f->copy_count == 0)
        return 0;
    struct workdir *workdir;
    int error = workdir_create(&workdir);
    if (error)
        return message_fail(error, ret_message, "no scratch folder can be made: %s", strerror(-error));
    for (size_t i = 0; !error && i < f->copy_count; i++) {
        const char *from = machine_file_path(f, f->copies[i].name); /* there is no such folder yet */
        error = from ? workdir_copy(workdir, from, f->copies[i].name) : -ENOMEM;
        if (error)
            (void)message_fail(error, ret_message, "%s cannot be copied to a scratch folder: %s",
                               from ? from : "a file", strerror(-error));
    }
    if (error)
        workdir_destroy(workdir);
    else
        f->workdir = workdir;
    return error;
}

/* The file goes by the name that events know it by; until it is mapped, no event says how large it is. */
static int add_file_label(struct machine_file *f, const struct file_label *l, struct machine *m,
                          char **ret_message) {
    char path[PATH_MAX];
    struct stat status;
    struct machine_label label = l->label;
    const char *name = machine_file_path(f, l->file);
    if (!name || !realpath(name, path) || stat(path, &status) < 0)
        return message_fail(name ? -errno : -ENOMEM, ret_message, "%s: %s", l->file, strerror(errno));
    label.path = path;
    if (label.args[LABEL_PAGES] == 0)
        label.args[LABEL_PAGES] = ((uint64_t)status.st_size + PAGE_SIZE - 1) / PAGE_SIZE;
    return machine_add_label(m, &label);
}

static int add_label(struct machine_file *f, const struct file_label *l, struct machine *m,
                     char **ret_message) {
    if (l->label.what == EVENT_LABEL_FILE)
        return add_file_label(f, l, m, ret_message);
    return machine_add_label(m, &l->label);
}

static int open_input(struct machine_file *f, struct file_program *program, char **ret_message) {
    const char *path = machine_file_path(f, program->input);
    program->input_fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    program->opened = program->input_fd >= 0;
    return program->opened ? 0 : message_fail(-errno, ret_message, "%s: %s", program->input, strerror(errno));
}

static int add_program(struct machine_file *f, struct file_program *program, struct machine *m,
                       const int streams[3], char **ret_message) {
    struct machine_program *p = &program->program;
    const char *file = machine_file_path(f, program->file);
    /* With a '/' in it, so that it is not looked for in PATH; from the root, as the directory may change. */
    char path[PATH_MAX];
    if (!file || !realpath(file, path))
        return message_fail(file ? -errno : -ENOMEM, ret_message, "%s: %s", program->file, strerror(errno));
    p->file = reader_format(f->reader, "%s", path);
    p->directory = f->workdir ? workdir_path(f->workdir) : NULL;
    p->input = streams[0];
    p->output = streams[1];
    p->error = streams[2];
    if (!p->file)
        return -ENOMEM;
    int error = program->input ? open_input(f, program, ret_message) : 0;
    if (!error && program->input)
        p->input = program->input_fd;
    return error ? error : machine_add_program(m, p);
}

int machine_file_start(struct machine_file *f, struct machine *m, const int streams[3], char **ret_message) {
    *ret_message = NULL;
    machine_file_stop(f);
    int error = make_workdir(f, ret_message);
    for (size_t i = 0; !error && i < f->label_count; i++)
        error = add_label(f, &f->labels[i], m, ret_message);
    for (size_t i = 0; !error && i < f->program_count; i++)
        error = add_program(f, &f->programs[i], m, streams, ret_message);
    return error;
}
