/* Events: everything visible that happens in the machine, as fixed-size records.
 *
 * The state of the machine after event n is a pure function of events 1 … n (trace/fold.h). Emitting costs
 * one predictable branch when nobody listens. Arguments are plain 64-bit numbers (frames, page numbers,
 * slots, logical PTEs as in hw/pte.h); strings are records of their own, referred to by number. */
#ifndef TRACE_EVENT_H
#define TRACE_EVENT_H

#include <stdbool.h>
#include <stdint.h>

enum event_kind {
    EVENT_NONE,
    /* A string: args[0] its number (from 1), args[1] its whole length; the bytes follow in as many records of
     * kind EVENT_STRING_DATA as needed, 40 each in args (of any byte value, zero-padded). */
    EVENT_STRING,
    EVENT_STRING_DATA,

    /* machine: [frames, reserved, swap pages, page-table format (string), policy (string)] */
    EVENT_MACHINE_START,
    /* [exit status of the first process, 0 whole | 1 stopped early] */
    EVENT_MACHINE_STOP,

    /* processes (pid is in the record) */
    EVENT_PROCESS_CREATE, /* [parent pid, space number] also for the first one (parent 0) */
    EVENT_PROCESS_EXEC,   /* [path (string), command line (string, arguments NUL-separated), space number] */
    EVENT_PROCESS_EXIT,   /* [wait status as wait4 gives it] */
    EVENT_SWITCH,         /* the page-table register is loaded: [space number] */
    EVENT_SYSCALL_ENTER,  /* flags = number; the first five arguments */
    EVENT_SYSCALL_EXIT,   /* flags = number; [result] */
    EVENT_SIGNAL, /* flags = signal; delivered to a handler or default action: [si_code, address, sender pid]
                   */
    EVENT_OOM,    /* [pid chosen, its resident frames, its swap slots] */

    /* address spaces */
    EVENT_SPACE_CREATE,  /* [space, pid, space copied from + 1 or 0]; empty even so: what is copied follows as
                            EVENT_MAP and EVENT_PTE of the new space */
    EVENT_SPACE_DESTROY, /* [space] every mapping and entry that it still has is gone with it */
    EVENT_MAP,   /* flags = enum event_map_flags; [space, first VPN, pages, object number or 0, object page];
                    replaces what was mapped there. A move is UNMAP and MAP */
    EVENT_UNMAP, /* [space, first VPN, pages]; the entries' changes are EVENT_PTE of their own */
    EVENT_PROTECT,     /* flags = new access bits; [space, first VPN, pages] */
    EVENT_OBJECT,      /* a file or shared memory is known by this number from now: [object, generation, path
                          (string), pages] */
    EVENT_OBJECT_GONE, /* [object] */

    /* faults: FAULT … the steps … FAULT_DONE, all with the same pid */
    EVENT_FAULT,      /* flags = access wanted; [space, address, PTE found] */
    EVENT_FAULT_DONE, /* flags = enum event_fault; [space, address, PTE now, 1 = major, 1 = a frame was filled
                         (miss)] */
    EVENT_VICTIM,     /* flags = enum event_victim; [frame, page id] */
    EVENT_SWAP_OUT,   /* [frame, slot, page id] */
    EVENT_SWAP_IN,    /* [frame, slot, page id] */
    EVENT_FILE_READ,  /* [frame, object, object page, page identity (0 in old traces)] */
    EVENT_WRITE_BACK, /* [frame, object, object page] */
    EVENT_ZERO_FILL,  /* [frame, page id] */
    EVENT_COPY,       /* [frame, frame copied from or ~0 (directly from disk), page id of the copy] */

    /* frames, entries, slots */
    EVENT_FRAME, /* flags = enum event_frame: what the frame is from now: [frame, page id] */
    EVENT_PTE,   /* [space, VPN, old PTE, new PTE] also referenced/dirty bits as the OS changes them */
    EVENT_SLOT,  /* flags = 1 assigned, 0 released: [slot, page id] */

    /* what people want to see besides */
    EVENT_REACHED, /* flags = enum event_reached; a thread is about to execute a place that is watched, for
                      the first time since its exec: [address, space, its name (string) or 0] */
    EVENT_OUTPUT,  /* flags = 1 or 2: written to the standard output or error that the machine was started
                      with:  [string]; a large write gives several */
    EVENT_CONTENT, /* flags = offset in the frame / 32; [frame, four words]: 32 bytes of a frame as they are
                      from now on. Only when the machine records contents; what was never said is zero */
    EVENT_LABEL,   /* flags = enum event_label: how pictures name things; from a machine file */
    EVENT_KINDS
};

enum event_reached {
    EVENT_REACHED_ENTRY,   /* the executable's entry point, _start */
    EVENT_REACHED_MAIN,    /* its main, where it has a symbol table */
    EVENT_REACHED_WATCHED, /* what the user asked for */
};

enum event_label {
    EVENT_LABEL_STRIP, /* [pid, cells]: its address space is drawn as so many cells, VPN0 … */
    EVENT_LABEL_VPN,   /* [pid, real VPN, cell]: this page is drawn as VPN<cell> */
    EVENT_LABEL_FILE, /* [real path (string), name to show (string), pages, position, colour]: a file is drawn
                         on the disk, mapped or not, at this position (0, 1, …); pages 0: as many as it has;
                         colour: an index into the palette + 1, or 0 for the next free one */
    EVENT_LABELS
};

enum event_fault {
    EVENT_FAULT_ZERO_FILL,
    EVENT_FAULT_FILE,
    EVENT_FAULT_SWAP_IN,
    EVENT_FAULT_COW,
    EVENT_FAULT_PROTECTION, /* permission or dirty bookkeeping, no frame filled */
    EVENT_FAULT_KINDS,
    EVENT_FAULT_FAILED = EVENT_FAULT_KINDS, /* the program gets a signal; not counted as a fault served */
};

enum event_victim { EVENT_VICTIM_CLEAN, EVENT_VICTIM_TO_SWAP, EVENT_VICTIM_TO_FILE };

enum event_frame {
    EVENT_FRAME_FREE,
    EVENT_FRAME_RESERVED,
    EVENT_FRAME_TABLE,
    EVENT_FRAME_ANONYMOUS,
    EVENT_FRAME_CACHE,
    EVENT_FRAME_KINDS
};

enum event_map_flags {
    EVENT_MAP_ACCESS = 7, /* enum access bits */
    EVENT_MAP_SHARED = 8,
    EVENT_MAP_STACK = 16,
    EVENT_MAP_HEAP = 32,
};

struct event {
    uint64_t sequence;    /* 1, 2, … */
    uint64_t instruction; /* guest instructions executed by the machine when it was emitted */
    uint32_t pid;         /* 0: the machine itself */
    uint16_t kind;        /* enum event_kind */
    uint16_t flags;       /* by kind */
    uint64_t args[5];
};
_Static_assert(sizeof(struct event) == 64, "an event is one cache line");

/* The emitting end. Counting and recording are apart: `listening` is false in an ordinary run. */
struct trace {
    bool listening;
    uint32_t pid;                /* the process on whose behalf things happen now; set by the scheduler */
    uint64_t sequence;           /* of the last event */
    const uint64_t *instruction; /* where the count of executed instructions stands; may be NULL */
    uint64_t strings;            /* number of the last string */
    struct trace_sink *sinks;    /* list; see trace/sink.h */
};

/* Delivers one record to every sink. Do not call directly. */
void trace_record(struct trace *, enum event_kind, unsigned flags, const uint64_t args[5]);
/* Emits a string, returns its number; 0 when nobody listens. */
uint64_t trace_string(struct trace *, const void *bytes, uint64_t length);

static inline void trace_emit(struct trace *t, enum event_kind kind, unsigned flags, uint64_t a, uint64_t b,
                              uint64_t c, uint64_t d, uint64_t e) {
    if (__builtin_expect(t && t->listening, false))
        trace_record(t, kind, flags, (const uint64_t[5]){a, b, c, d, e});
}

#endif
