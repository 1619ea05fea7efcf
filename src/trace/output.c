/* See output.h. */
#include "trace/output.h"

#include <errno.h>
#include <unistd.h>

void output_cut(struct trace_output *o, int error) {
    if (o->error)
        return;
    o->error = error;
    if (o->report)
        o->report(o->report_context, error);
}

void output_write(struct trace_output *o, const void *bytes, size_t length) {
    const char *from = bytes;
    while (!o->error && length) {
        ssize_t done = o->write(o->context, from, length);
        if (done <= 0) {
            output_cut(o, done ? (int)done : -EIO);
            return;
        }
        from += done;
        length -= (size_t)done;
        o->written += (size_t)done;
    }
}

ssize_t output_to_descriptor(void *descriptor, const void *bytes, size_t length) {
    ssize_t done;
    do
        done = write(*(const int *)descriptor, bytes, length);
    while (done < 0 && errno == EINTR);
    return done < 0 ? -errno : done;
}
