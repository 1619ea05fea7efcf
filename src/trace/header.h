/* What a trace says about its machine before the first event. Both kinds of trace file begin with it, as a
 * JSON object of one line. */
#ifndef TRACE_HEADER_H
#define TRACE_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/text.h"

/* Of the header's members and of the events' meaning; files of another version are refused. */
enum { TRACE_VERSION = 1 };

struct trace_header {
    const char *thimble; /* version of the program that wrote it */
    uint64_t frames, reserved, swap_pages;
    uint32_t page_size;     /* bytes */
    const char *page_table; /* name of the format */
    const char *policy;     /* as it was asked for, with its parameters */
    uint64_t seed;
    bool deterministic;
    const char *cpu; /* the CPU's level, "x86-64-v3" */
    int argument_count;
    const char *const *arguments; /* the command, argument_count strings */
};

/* Appends the JSON object, without a newline. */
void trace_header_put(struct text *, const struct trace_header *);

/* Reads it back; the result and everything that it points at is one block, released with free(). Members that
 * this version does not know are ignored. 0, -ENOMEM, -EBADMSG (not such an object), -EPROTO (of another
 * version). */
int trace_header_parse(const char *json, size_t length, struct trace_header **ret_header);
/* The version that a header's JSON names, ours or another; 0: it names none. */
uint64_t trace_header_version(const char *json, size_t length);

#endif
