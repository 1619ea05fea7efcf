/* See file.h. */
#include "trace/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "trace/jsonl.h"
#include "trace/reader.h"
#include "trace/writer.h"

struct trace_file {
    int descriptor; /* -1 when closed */
    /* exactly one of them */
    struct trace_writer *native;
    struct jsonl_writer *jsonl;
    void (*report)(void *report_context, int error);
    void *report_context;
};

static bool ends_with(const char *string, const char *end) {
    size_t length = strlen(string), end_length = strlen(end);
    return length >= end_length && strcmp(string + length - end_length, end) == 0;
}

enum trace_format trace_format_of(const char *path) {
    return ends_with(path, ".jsonl")       ? TRACE_JSONL
           : ends_with(path, ".jsonl.zst") ? TRACE_JSONL_ZST
                                           : TRACE_NATIVE;
}

int trace_file_create(const char *path, const struct trace_header *header,
                      void (*report)(void *report_context, int error), void *report_context,
                      struct inject *inject, struct trace_file **ret_file) {
    enum trace_format format = trace_format_of(path);
    struct trace_file *file = inject_calloc(inject, 1, sizeof *file);
    if (!file)
        return -ENOMEM;
    file->descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    int error = file->descriptor < 0 ? -errno : 0;
    struct trace_output output = {.write = output_to_descriptor,
                                  .context = &file->descriptor,
                                  .report = report,
                                  .report_context = report_context};
    if (!error && format == TRACE_NATIVE)
        error = trace_writer_create(header, &output, inject, &file->native);
    else if (!error)
        error = jsonl_writer_create(header, &output, format == TRACE_JSONL_ZST, inject, &file->jsonl);
    if (error) {
        trace_file_destroy(file);
        return error;
    }
    file->report = report;
    file->report_context = report_context;
    *ret_file = file;
    return 0;
}

struct trace_sink *trace_file_sink(struct trace_file *file) {
    return file->native ? trace_writer_sink(file->native) : jsonl_writer_sink(file->jsonl);
}

int trace_file_flush(struct trace_file *file) {
    return file->native ? trace_writer_flush(file->native) : jsonl_writer_flush(file->jsonl);
}

void trace_file_rescue(struct trace_file *file) {
    if (file->native)
        trace_writer_rescue(file->native);
    else
        jsonl_writer_rescue(file->jsonl);
}

int trace_file_finish(struct trace_file *file, bool limits_of_determinism) {
    int error = file->native ? trace_writer_finish(file->native, limits_of_determinism)
                             : jsonl_writer_finish(file->jsonl, limits_of_determinism);
    if (close(file->descriptor) && !error && errno != EINTR) { /* some file systems say only now */
        error = -errno;
        if (file->report)
            file->report(file->report_context, error);
    }
    file->descriptor = -1;
    return error;
}

void trace_file_destroy(struct trace_file *file) {
    if (!file)
        return;
    trace_writer_destroy(file->native);
    jsonl_writer_destroy(file->jsonl);
    if (file->descriptor >= 0)
        close(file->descriptor);
    free(file);
}

/* ---- conversion ---- */

/* Gives every event of the reader to the file. 0 or -errno. */
static int copy_events(struct trace_reader *reader, struct trace_sink *to) {
    struct event e;
    int more;
    while ((more = trace_reader_next(reader, &e)) > 0)
        to->receive(to, &e);
    return more;
}

static int convert(struct trace_reader *reader, const char *jsonl_path) {
    struct trace_file *file;
    int error = trace_file_create(jsonl_path, trace_reader_header(reader), NULL, NULL, NULL, &file);
    if (error)
        return error;
    error = copy_events(reader, trace_file_sink(file));
    if (!error)
        error = trace_reader_is_complete(reader)
                    ? trace_file_finish(file, trace_reader_limits_of_determinism(reader))
                    : trace_file_flush(file);
    trace_file_destroy(file);
    return error;
}

/* Writing over the trace would destroy it while it is read. */
static bool same_file(const char *a, const char *b) {
    struct stat x, y;
    return !stat(a, &x) && !stat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

int trace_convert(const char *native_path, const char *jsonl_path) {
    struct trace_reader *reader;
    if (trace_format_of(jsonl_path) == TRACE_NATIVE)
        return -EINVAL;
    if (same_file(native_path, jsonl_path))
        return -EEXIST;
    int error = trace_reader_open(native_path, &reader);
    if (error)
        return error;
    error = convert(reader, jsonl_path);
    trace_reader_destroy(reader);
    return error;
}
