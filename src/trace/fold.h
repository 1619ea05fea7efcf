/* The state of the machine after event n, computed from events 1 … n and nothing else.
 *
 * The terminal, the picture, the web page and a trace file's checkpoints all use this one fold. Readers may
 * look at every field and change none; what needs a search has a function. No input or output here.
 *
 * Events that contradict the state (an unknown address space, a frame beyond the end of memory …) are counted
 * as complaints and otherwise applied as far as they make sense, or not at all: for the same events the state
 * is always the same, so that a trace with a mistake in it can still be shown and looked into. */
#ifndef TRACE_FOLD_H
#define TRACE_FOLD_H

#include "hw/pte.h" /* values only: nothing of hw/ is called */
#include "trace/counter.h"
#include "trace/event.h"
#include "trace/sorted.h"
#include "trace/sparse.h"
#include "trace/strings.h"

/* ---- processes ---- */

struct fold_process {
    uint32_t pid, parent; /* parent 0: started by the machine */
    uint64_t space;
    uint64_t path, command; /* strings; 0 before the first exec */
    bool ended;
    uint32_t wait_status; /* as wait4 gives it; valid when ended */
    bool in_syscall;
    uint16_t syscall; /* number; valid when in_syscall */
    uint64_t syscalls;
    /* Of its address spaces: faults on their pages, whoever caused them; evictions of pages that they map (a
     * page that several map counts for the first of them). */
    struct tally tally;
};

/* ---- address spaces ---- */

/* VPNs first … first + pages - 1. Mappings of a space are disjoint; adjacent ones that continue each other
 * are one. */
struct fold_mapping {
    uint64_t first, pages;
    uint64_t object;      /* number, 0: anonymous */
    uint64_t object_page; /* of the first page; 0 when anonymous */
    uint16_t flags;       /* enum event_map_flags */
};

enum { FOLD_LEAF_PAGES = 256 };

struct fold_leaf { /* the entries of FOLD_LEAF_PAGES adjacent pages, at least one of them not empty */
    uint32_t used; /* entries that are not empty */
    pte_t entries[FOLD_LEAF_PAGES];
};

struct fold_space {
    uint64_t number, copied_from; /* copied_from: number + 1, or 0 */
    uint32_t owner;               /* pid */
    struct fold_mapping *mappings;
    size_t mapping_count, mapping_capacity;
    struct sorted leaves;      /* VPN / FOLD_LEAF_PAGES → struct fold_leaf * */
    uint64_t present, swapped; /* entries */
};

/* ---- frames, slots, objects ---- */

struct fold_frame {
    enum event_frame use;
    uint64_t page;  /* page identity, 0: none */
    uint64_t since; /* sequence of the event that gave it this use or filled it last, 0: never */
    /* Who maps it, in order: see fold_mapper_space(), fold_mapper_vpn(). */
    uint64_t *mappers;
    uint32_t mapper_count, mapper_capacity;
};

static inline uint64_t fold_mapper_space(uint64_t mapper) {
    return mapper >> 36;
}
static inline vpn_t fold_mapper_vpn(uint64_t mapper) {
    return (vpn_t){mapper & 0xfffffffffULL};
}

struct fold_slot {
    bool used;
    bool written;  /* holds data: a page was swapped out to it since it was assigned */
    uint64_t page; /* page identity; valid when used */
};

struct fold_object {
    uint64_t number, generation, path /* string */, pages;
};

/* How pictures name things (EVENT_LABEL), in the order of their events. */
struct fold_label {
    enum event_label what;
    uint64_t args[5];
};

enum { FOLD_OUTPUT = 16384 }; /* bytes of the programs' output that are kept, the last ones */

/* ---- the fault that is being served, or the last one ---- */

enum fold_step {
    FOLD_TRAPPED,  /* the access trapped; the entry was found as in `found` */
    FOLD_CHOSEN,   /* a victim was chosen */
    FOLD_WRITTEN,  /* the victim was written out */
    FOLD_UNMAPPED, /* an entry that mapped the victim was changed */
    FOLD_FILLED,   /* a frame has the page's content */
    FOLD_MAPPED,   /* the entry of the page was changed */
    FOLD_STEPS
};

struct fold_fault {
    bool active;     /* between FAULT and FAULT_DONE */
    uint64_t number; /* of the FAULT event; 0: there was none yet */
    uint32_t pid;
    uint16_t access; /* wanted: enum access bits */
    uint64_t space, address;
    pte_t found, now; /* `now` is valid when not active */
    enum fold_step step;
    uint32_t filled_frame; /* UINT32_MAX: none yet */
    bool major, miss;      /* valid when not active */
    uint16_t result;       /* enum event_fault; valid when not active */
};

/* The page that is being evicted. Set by VICTIM; ends when its frame gets another use. */
struct fold_victim {
    bool active;
    bool written;
    uint32_t frame;
    uint64_t page;
    enum event_victim how;
};

/* ---- the machine ---- */

struct fold {
    uint64_t sequence, instruction; /* of the last event; 0 before the first */
    uint32_t last_pid;              /* of the last event */
    bool started, stopped, stopped_early;
    uint64_t frame_total, reserved, swap_pages;
    uint64_t page_table, policy; /* strings */
    int64_t exit_status;         /* valid when stopped */

    bool has_table;         /* the page-table register was loaded, and its table still exists */
    uint64_t current_space; /* what it points at; valid when has_table */
    uint32_t running;       /* pid that runs: that of the last SWITCH; 0: none */

    struct fold_fault fault;
    struct fold_victim victim;

    struct sorted processes; /* pid → struct fold_process *; ended ones stay */
    struct sorted spaces;    /* number → struct fold_space * */
    struct sorted objects;   /* number → struct fold_object * */
    struct sparse frames;    /* struct fold_frame; see fold_frame() */
    struct sparse slots;     /* struct fold_slot; see fold_slot() */
    struct trace_strings strings;

    struct fold_label *labels;
    size_t label_count, label_capacity;
    struct sparse contents;      /* pointers to the PAGE_SIZE bytes of a frame; see fold_content() */
    struct sparse slot_contents; /* the same of a slot; see fold_slot_content() */
    char *output;                /* the last bytes written; see fold_output() */
    size_t output_length;        /* of them */
    uint64_t output_total;       /* bytes written in all */
    uint64_t output_string;      /* of the last EVENT_OUTPUT; those before it are forgotten */

    uint64_t frames_by_use[EVENT_FRAME_KINDS];
    uint64_t slots_used;
    uint64_t switches, syscalls, signals, oom_kills;
    struct tally_counter counter; /* counter.tally is the machine's */

    uint64_t complaints;        /* events that contradicted the state */
    uint64_t first_complaint;   /* sequence of the first, 0: none */
    const char *last_complaint; /* what was wrong with the last; not part of a checkpoint */
    struct inject *inject;
};

/* The state before the first event. NULL when there is no memory. `inject` may be NULL. */
struct fold *fold_create(struct inject *);
void fold_destroy(struct fold *); /* NULL is allowed */

/* Applies the next event. 0, or -ENOMEM: then the state is of no use any more. */
int fold_apply(struct fold *, const struct event *);

/* ---- looking ---- */
const struct fold_process *fold_process(const struct fold *, uint32_t pid); /* NULL: none */
const struct fold_space *fold_space(const struct fold *, uint64_t number);  /* NULL: none */
const struct fold_object *fold_object(const struct fold *, uint64_t number);
/* By value: frames and slots that no event has mentioned are there too. */
struct fold_frame fold_frame(const struct fold *, uint32_t frame);
struct fold_slot fold_slot(const struct fold *, uint32_t slot);
/* The entry of a page; empty where there is none. */
pte_t fold_entry(const struct fold_space *, vpn_t);
/* The first entry at or after *vpn that is not empty: true, *vpn is its page. False: there is none. */
bool fold_next_entry(const struct fold_space *, vpn_t *vpn, pte_t *ret_entry);
/* The mapping that covers a page; NULL: none. */
const struct fold_mapping *fold_mapping(const struct fold_space *, vpn_t);
/* The PAGE_SIZE bytes of a frame as EVENT_CONTENT gave them; NULL: not known. They follow the frame: one that
 * is freed or filled anew has unknown bytes until they are said again; swapped out they stay with the slot
 * and come back at swap-in. */
const uint8_t *fold_content(const struct fold *, uint32_t frame);
/* The bytes of a page in the swap area; NULL: not known. */
const uint8_t *fold_slot_content(const struct fold *, uint32_t slot);
/* The end of what the programs wrote to standard output and error: *ret_length bytes. */
const char *fold_output(const struct fold *, size_t *ret_length);
/* A string; NULL: none of this number. */
const struct trace_text *fold_string(const struct fold *, uint64_t number);

/* ---- checking ---- */

/* What holds after every event, whatever the events were: the fold's own invariants. NULL, or what is
 * broken. */
const char *fold_check(const struct fold *);
/* What must hold besides when the machine is between two steps (a program runs, no fault or memory call is
 * under way): the agreement of page tables, frames, slots and mappings. NULL, or what is broken. */
const char *fold_check_machine(const struct fold *);

/* ---- checkpoints ---- */

/* The whole state as bytes (malloc'd; the same state gives the same bytes). 0 or -ENOMEM. */
int fold_save(const struct fold *, void **ret_bytes, size_t *ret_size);
/* 0, -ENOMEM, -EPROTO (of another version of this code: replay the events instead), -EBADMSG (damaged). */
int fold_load(const void *bytes, size_t size, struct inject *, struct fold **ret_fold);

#endif
