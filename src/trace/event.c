/* The emitting end: numbers an event, stamps it and hands it to every sink.
 *
 * It keeps nothing and formats nothing; what becomes of an event is its sinks' business. The pieces of a
 * string are emitted without anything between them: a sink may rely on that. */
#include "trace/event.h"

#include <assert.h>
#include <string.h>

#include "trace/sink.h"

enum { STRING_PIECE = sizeof(((struct event *)0)->args) };

void trace_record(struct trace *t, enum event_kind kind, unsigned flags, const uint64_t args[5]) {
    assert(kind > EVENT_NONE && kind < EVENT_KINDS && flags <= UINT16_MAX);
    struct event event = {
        .sequence = ++t->sequence,
        .instruction = t->instruction ? *t->instruction : 0,
        .pid = t->pid,
        .kind = (uint16_t)kind,
        .flags = (uint16_t)flags,
    };
    memcpy(event.args, args, sizeof event.args);
    /* A sink may take itself off the list while it receives. */
    for (struct trace_sink *sink = t->sinks, *next; sink; sink = next) {
        next = sink->next;
        sink->receive(sink, &event);
    }
}

uint64_t trace_string(struct trace *t, const void *bytes, uint64_t length) {
    if (!t || !t->listening)
        return 0;
    uint64_t number = ++t->strings;
    trace_record(t, EVENT_STRING, 0, (const uint64_t[5]){number, length, 0, 0, 0});
    for (uint64_t done = 0; done < length; done += STRING_PIECE) {
        uint64_t piece[5] = {0};
        uint64_t left = length - done;
        memcpy(piece, (const char *)bytes + done, left < STRING_PIECE ? left : STRING_PIECE);
        trace_record(t, EVENT_STRING_DATA, 0, piece);
    }
    return number;
}

void trace_add_sink(struct trace *t, struct trace_sink *sink) {
    sink->next = t->sinks;
    t->sinks = sink;
    t->listening = true;
}

void trace_remove_sink(struct trace *t, struct trace_sink *sink) {
    for (struct trace_sink **link = &t->sinks; *link; link = &(*link)->next) {
        if (*link == sink) {
            *link = sink->next;
            sink->next = NULL;
            break;
        }
    }
    t->listening = t->sinks != NULL;
}
