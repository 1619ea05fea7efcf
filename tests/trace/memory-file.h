/* A file in memory for tests: written by a trace_output, read by a trace_source; it may fill up. */
#ifndef TESTS_TRACE_MEMORY_FILE_H
#define TESTS_TRACE_MEMORY_FILE_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "trace/output.h"
#include "trace/reader.h"

struct memory_file {
    char *bytes;
    size_t size, capacity;
    size_t limit; /* the disk is full after so many bytes; 0: never */
    int error;    /* what it says then */
    int reports;  /* how often the writer reported, … */
    int reported; /* … and what */
};

static inline ssize_t memory_file_write(void *context, const void *bytes, size_t length) {
    struct memory_file *f = context;
    if (f->limit && f->size == f->limit)
        return f->error;
    if (f->limit)
        length = min_size(length, f->limit - f->size);
    length = min_size(length, 100000); /* writes may be short */
    if (f->size + length > f->capacity) {
        f->capacity = (f->size + length) * 2;
        f->bytes = realloc(f->bytes, f->capacity);
        if (!f->bytes)
            abort();
    }
    memcpy(f->bytes + f->size, bytes, length);
    f->size += length;
    return (ssize_t)length;
}

static inline void memory_file_report(void *context, int error) {
    struct memory_file *f = context;
    f->reports++;
    f->reported = error;
}

static inline struct trace_output memory_file_output(struct memory_file *f) {
    return (struct trace_output){memory_file_write, f, memory_file_report, f, 0, 0};
}

static inline int memory_file_read(void *context, uint64_t offset, void *bytes, size_t length) {
    const struct memory_file *f = context;
    if (offset > f->size || length > f->size - offset)
        return -ENODATA;
    if (length)
        memcpy(bytes, f->bytes + offset, length);
    return 0;
}

static inline struct trace_source memory_file_source(struct memory_file *f) {
    return (struct trace_source){memory_file_read, f, f->size};
}

static inline void memory_file_free(struct memory_file *f) {
    free(f->bytes);
    *f = (struct memory_file){0};
}

#endif
