/* What the numbers of an event mean: for each kind its name and, for its flags and arguments, a name and a
 * type. Writers of text, the documentation and user interfaces go by this table; trace/event.h defines the
 * events. */
#ifndef TRACE_SCHEMA_H
#define TRACE_SCHEMA_H

#include "trace/event.h"

enum event_field_type {
    FIELD_NONE, /* not used by this kind */
    FIELD_NUMBER,
    FIELD_SIGNED,
    FIELD_BOOL,
    FIELD_ADDRESS, /* or anything best read in hexadecimal */
    FIELD_VPN,
    FIELD_FRAME, /* all ones in 32 or 64 bits: none */
    FIELD_SLOT,
    FIELD_PAGE_ID, /* 0: none */
    FIELD_PTE,
    FIELD_SPACE,         /* number of an address space */
    FIELD_COPIED_SPACE,  /* number + 1; 0: none */
    FIELD_OBJECT,        /* 0: none */
    FIELD_STRING,        /* number of a string */
    FIELD_ARGUMENTS,     /* number of a string that holds NUL-separated strings */
    FIELD_ACCESS,        /* enum access bits */
    FIELD_MAP_FLAGS,     /* enum event_map_flags */
    FIELD_FAULT_KIND,    /* enum event_fault */
    FIELD_VICTIM_KIND,   /* enum event_victim */
    FIELD_FRAME_USE,     /* enum event_frame */
    FIELD_SLOT_ASSIGNED, /* 1 assigned, 0 released */
    FIELD_REACHED,       /* enum event_reached */
    FIELD_LABEL,         /* enum event_label */
    FIELD_LINE,          /* offset in a page / 32 */
    FIELD_BYTES,         /* this argument and those behind it: bytes in the order of memory */
};

struct event_field {
    const char *name; /* NULL iff the type is FIELD_NONE */
    enum event_field_type type;
};

struct event_schema {
    const char *name;
    struct event_field flags, args[5];
};

/* NULL for a kind that does not exist (or EVENT_NONE). */
const struct event_schema *event_schema(unsigned kind);
/* The same for this event: the arguments of a label depend on which it is. */
const struct event_schema *event_schema_of(const struct event *);

/* Names as in the summary; NULL for a value that does not exist. */
const char *event_fault_name(unsigned kind);  /* EVENT_FAULT_FAILED included */
const char *event_victim_name(unsigned kind); /* "clean", "to_swap", "to_file" */
const char *event_frame_name(unsigned use);
const char *event_reached_name(unsigned place);
const char *event_label_name(unsigned what);

#endif
