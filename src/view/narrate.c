/* One sentence an event: see narrate.h. One function a kind or family; how things are named is in
 * narrate-name.c and narrate-call.c.
 *
 * The state is the one after the event, so what an event took away is named by the event's own arguments. An
 * event that contradicts the state still gets a sentence: nothing here relies on what
 * the fold did not check. */
#include "view/narrate.h"

#include "base/base.h"
#include "trace/syscall-name.h"
#include "view/narrate-name.h"
#include "view/plain.h"

enum { PATH_COLUMNS = 60, OUTPUT_COLUMNS = 48, MAPPERS_NAMED = 2 };

/* "PID 7's entry for VPN6". */
static void put_entry(struct text *t, const struct narrator *n, const struct event *e) {
    const uint32_t pid = name_owner(n, e->args[0]);
    name_pid(t, pid);
    text_put(t, "'s entry for ");
    name_vpn(t, n, pid, e->args[1]);
}

static bool in_syscall(const struct narrator *n, uint32_t pid) {
    const struct fold_process *p = fold_process(n->fold, pid);
    return p && (p->in_syscall || !p->path); /* no path: it is being started */
}

/* ---- the machine and its processes ---- */

static void put_machine_start(struct text *t, const struct event *e) {
    text_put(t, "The machine starts: ");
    text_number(t, e->args[0]);
    text_put(t, " page frames, ");
    text_number(t, e->args[1]);
    text_put(t, " of them reserved for the OS, and ");
    text_number(t, e->args[2]);
    text_put(t, " swap pages");
}

static void put_machine_stop(struct text *t, const struct event *e) {
    text_put(t, e->args[1] ? "The machine is stopped before its programs have ended"
                           : "The machine stops: its programs have ended");
}

static void put_process_create(struct text *t, const struct narrator *n, const struct event *e) {
    const struct fold_process *parent = fold_process(n->fold, (uint32_t)e->args[0]);
    if (!e->args[0]) {
        name_pid(t, e->pid);
        text_put(t, " is created");
        return;
    }
    name_pid(t, (uint32_t)e->args[0]);
    text_put(t, " creates ");
    name_pid(t, e->pid);
    if (parent && parent->space == e->args[1])
        text_put(t, ", which shares its address space");
}

static void put_process_exec(struct text *t, const struct narrator *n, const struct event *e) {
    const struct trace_text *path = fold_string(n->fold, e->args[0]);
    name_pid(t, e->pid);
    text_put(t, " runs ");
    if (path)
        plain_put(t, path->bytes, path->length, PATH_COLUMNS);
    else
        text_put(t, "a program");
    text_put(t, ": its pages are mapped to the file, to be loaded when they are touched");
}

static void put_switch(struct text *t, const struct narrator *n, const struct event *e) {
    const uint32_t owner = name_owner(n, e->args[0]);
    text_put(t, "The page-table register points at ");
    name_pid(t, owner);
    text_put(t, "'s table: ");
    name_pid(t, e->pid);
    text_put(t, " runs");
}

static void put_syscall_enter(struct text *t, const struct event *e) {
    name_pid(t, e->pid);
    text_put(t, " calls ");
    name_call(t, e);
}

static void put_syscall_exit(struct text *t, const struct event *e) {
    const int64_t result = (int64_t)e->args[0];
    text_put(t, syscall_name(e->flags));
    if (result < 0 && result >= -4095) {
        text_put(t, " fails for ");
        name_pid(t, e->pid);
        text_put(t, ": ");
        name_error(t, (uint64_t)-result);
        return;
    }
    text_put(t, " gives ");
    name_pid(t, e->pid);
    text_put(t, " ");
    if (name_call_gives_address(e->flags))
        name_hex(t, e->args[0]);
    else
        text_signed(t, result);
}

static void put_signal(struct text *t, const struct event *e) {
    enum { BUS = 7, SEGV = 11 };
    name_pid(t, e->pid);
    text_put(t, " gets ");
    name_signal(t, e->flags);
    if (e->args[2]) {
        text_put(t, " from ");
        name_pid(t, (uint32_t)e->args[2]);
    } else if (e->flags == SEGV || e->flags == BUS) {
        text_put(t, " for address ");
        name_hex(t, e->args[1]);
    }
}

static void put_oom(struct text *t, const struct event *e) {
    text_put(t, "Neither a frame nor a swap page is left: the OS ends ");
    name_pid(t, (uint32_t)e->args[0]);
    text_put(t, ", which has ");
    text_number(t, e->args[1]);
    text_put(t, " frames and ");
    text_number(t, e->args[2]);
    text_put(t, " swap pages");
}

/* ---- address spaces ---- */

static void put_space_create(struct text *t, const struct narrator *n, const struct event *e) {
    name_pid(t, (uint32_t)e->args[1]);
    text_put(t, " gets an empty address space");
    if (!e->args[2])
        return;
    text_put(t, ", to which that of ");
    name_pid(t, name_owner(n, e->args[2] - 1));
    text_put(t, " is copied");
}

static void put_map(struct text *t, const struct narrator *n, const struct event *e) {
    const uint64_t *a = e->args;
    const uint32_t pid = name_owner(n, a[0]);
    name_pid(t, pid);
    text_put(t, "'s ");
    name_vpns(t, n, pid, a[1], a[2]);
    text_put(t, a[2] == 1 ? " is mapped to " : " are mapped to ");
    if (a[3]) {
        text_put(t, a[2] == 1 ? "page " : "pages ");
        text_number(t, a[4]);
        if (a[2] > 1) {
            text_put(t, a[2] == 2 ? " and " : " to ");
            text_number(t, a[4] + a[2] - 1);
        }
        text_put(t, " of ");
        name_object(t, n, a[3]);
    } else {
        text_put(t, e->flags & EVENT_MAP_STACK  ? "the stack"
                    : e->flags & EVENT_MAP_HEAP ? "the heap"
                                                : "memory of no file");
    }
    text_put(t, ": ");
    name_access(t, e->flags & EVENT_MAP_ACCESS);
    text_put(t, e->flags & EVENT_MAP_SHARED ? ", shared" : "");
    text_put(t, a[3] ? "; nothing is read until it is touched" : "; filled with zeros when it is touched");
}

static void put_range(struct text *t, const struct narrator *n, const struct event *e) {
    const uint32_t pid = name_owner(n, e->args[0]);
    name_pid(t, pid);
    text_put(t, "'s ");
    name_vpns(t, n, pid, e->args[1], e->args[2]);
    if (e->kind == EVENT_UNMAP) {
        text_put(t, e->args[2] == 1 ? " is unmapped" : " are unmapped");
        return;
    }
    text_put(t, e->args[2] == 1 ? " becomes " : " become ");
    name_access(t, e->flags & EVENT_MAP_ACCESS);
}

static void put_object(struct text *t, const struct narrator *n, const struct event *e) {
    text_put(t, "The file ");
    name_object(t, n, e->args[0]);
    text_put(t, " has ");
    text_number(t, e->args[3]);
    text_put(t, e->args[3] == 1 ? " page" : " pages");
}

/* ---- faults ---- */

/* Why the access trapped. */
static void put_reason(struct text *t, const struct fold_mapping *mapping, unsigned access, pte_t found) {
    if (!mapping) {
        text_put(t, "nothing is mapped there");
    } else if (access & ~(mapping->flags & (unsigned)EVENT_MAP_ACCESS)) {
        text_put(t, "not permitted, it is ");
        name_access(t, mapping->flags & EVENT_MAP_ACCESS);
    } else if (pte_is_swapped(found)) {
        text_put(t, "not present, it is on ");
        name_slot(t, pte_slot(found).n);
    } else if (!pte_is_present(found)) {
        text_put(t, "not present");
    } else if (access & ACCESS_WRITE && pte_has(found, PTE_COW)) {
        text_put(t, "present, but copy-on-write");
    } else if (access & ACCESS_WRITE && mapping->flags & EVENT_MAP_SHARED) {
        text_put(t, "present, but not marked dirty yet");
    } else {
        text_put(t, "present, but its entry is ");
        name_access(t, pte_access(found));
    }
}

static void put_fault(struct text *t, const struct narrator *n, const struct event *e) {
    const uint64_t vpn = e->args[1] >> PAGE_SHIFT;
    const struct fold_space *space = fold_space(n->fold, e->args[0]);
    const struct fold_mapping *mapping = space ? fold_mapping(space, (vpn_t){vpn}) : NULL;
    if (in_syscall(n, e->pid)) {
        text_put(t, "For ");
        name_pid(t, e->pid);
        text_put(t, ", the OS ");
    } else {
        name_pid(t, e->pid);
        text_put(t, " ");
    }
    text_put(t, e->flags & ACCESS_WRITE ? "writes " : e->flags & ACCESS_EXEC ? "executes " : "reads ");
    name_hex(t, e->args[1]);
    if (mapping) {
        text_put(t, ", ");
        name_content(t, n, mapping, vpn);
    }
    text_put(t, ": ");
    put_reason(t, mapping, e->flags, (pte_t){e->args[2]});
}

static void put_fault_done(struct text *t, const struct narrator *n, const struct event *e) {
    const bool failed = e->flags == EVENT_FAULT_FAILED;
    if (failed) {
        text_put(t, "The access of ");
        name_pid(t, e->pid);
        text_put(t, " to ");
        name_hex(t, e->args[1]);
        text_put(t,
                 in_syscall(n, e->pid) ? " fails: the system call will say so" : " fails: a signal follows");
    } else if (in_syscall(n, e->pid)) {
        text_put(t, "The OS goes on for ");
        name_pid(t, e->pid);
    } else {
        name_pid(t, e->pid);
        text_put(t, " resumes");
    }
}

static void put_victim(struct text *t, const struct narrator *n, const struct event *e) {
    const struct fold_frame frame = fold_frame(n->fold, (uint32_t)e->args[0]);
    text_put(t, "The OS picks a victim: ");
    name_frame(t, e->args[0]);
    for (uint32_t i = 0; i < frame.mapper_count && i < MAPPERS_NAMED; i++) {
        text_put(t, i ? " and " : ", ");
        name_page(t, n, fold_mapper_space(frame.mappers[i]), fold_mapper_vpn(frame.mappers[i]).n);
    }
    if (frame.mapper_count > MAPPERS_NAMED) {
        text_put(t, " and ");
        text_number(t, frame.mapper_count - MAPPERS_NAMED);
        text_put(t, " more");
    }
    if (!frame.mapper_count) {
        text_put(t, ", ");
        name_page_id(t, n, e->args[1]);
        text_put(t, ", which no entry points at");
    }
    if (e->flags == EVENT_VICTIM_CLEAN)
        text_put(t, ": it is clean and need not be written");
}

static bool is_victim(const struct narrator *n, uint64_t frame) {
    return n->fold->victim.active && n->fold->victim.frame == frame;
}

/* SWAP_OUT and WRITE_BACK. */
static void put_written(struct text *t, const struct narrator *n, const struct event *e) {
    name_frame(t, e->args[0]);
    text_put(t, is_victim(n, e->args[0]) ? " is dirty: it is written to " : " is written to ");
    if (e->kind == EVENT_SWAP_OUT) {
        name_slot(t, e->args[1]);
        return;
    }
    text_put(t, "page ");
    text_number(t, e->args[2]);
    text_put(t, " of ");
    name_object(t, n, e->args[1]);
}

/* SWAP_IN and FILE_READ. */
static void put_read(struct text *t, const struct narrator *n, const struct event *e) {
    if (e->kind == EVENT_SWAP_IN) {
        text_put(t, "Swap page ");
        text_number(t, e->args[1]);
    } else {
        text_put(t, "File page ");
        text_number(t, e->args[2]);
        text_put(t, " of ");
        name_object(t, n, e->args[1]);
    }
    text_put(t, " is read into ");
    name_frame(t, e->args[0]);
}

static void put_zero_fill(struct text *t, const struct event *e) {
    name_frame(t, e->args[0]);
    text_put(t, " is filled with zeros");
}

static void put_copy(struct text *t, const struct narrator *n, const struct event *e) {
    if (e->args[1] == UINT64_MAX) {
        text_put(t, "A private copy of the page is read from the disk into ");
        name_frame(t, e->args[0]);
        return;
    }
    name_frame(t, e->args[1]);
    text_put(t, " is copied into ");
    name_frame(t, e->args[0]);
    text_put(t, ", which will be private");
}

/* ---- entries, frames, slots ---- */

static void put_empty_entry(struct text *t, const struct narrator *n, const struct event *e) {
    const struct fold_space *space = fold_space(n->fold, e->args[0]);
    const struct fold_mapping *mapping = space ? fold_mapping(space, (vpn_t){e->args[1]}) : NULL;
    const pte_t old = {e->args[2]};
    put_entry(t, n, e);
    if (!pte_is_present(old) || !is_victim(n, pte_pfn(old).n)) {
        text_put(t, " is emptied");
        return;
    }
    text_put(t, " becomes ---");
    if (mapping && mapping->object) {
        text_put(t, " and points at ");
        name_content(t, n, mapping, e->args[1]);
    }
}

/* What the entry allows as people read it: what the mapping does, where the MMU asks only to learn of the
 * first write. */
static unsigned shown_access(const struct narrator *n, const struct event *e, bool *ret_later) {
    const struct fold_space *space = fold_space(n->fold, e->args[0]);
    const struct fold_mapping *mapping = space ? fold_mapping(space, (vpn_t){e->args[1]}) : NULL;
    const unsigned now = pte_access((pte_t){e->args[3]});
    const unsigned mapped = mapping ? mapping->flags & (unsigned)EVENT_MAP_ACCESS : now;
    *ret_later = (mapped & ~now) == ACCESS_WRITE;
    return now & ~mapped ? now : mapped;
}

/* "PID 21's VPN4 becomes rw- and points at PP3". */
static void put_present_entry(struct text *t, const struct narrator *n, const struct event *e) {
    const pte_t new = {e->args[3]};
    bool later;
    const unsigned access = shown_access(n, e, &later);
    name_page(t, n, e->args[0], e->args[1]);
    text_put(t, " becomes ");
    name_access(t, access);
    text_put(t, " and points at ");
    name_frame(t, pte_pfn(new).n);
    if (later && pte_has(new, PTE_COW))
        text_put(t, " (copy-on-write)");
}

/* The entry still names the same frame or slot. */
static void put_same_place(struct text *t, const struct narrator *n, const struct event *e) {
    const pte_t old = {e->args[2]}, new = {e->args[3]};
    name_page(t, n, e->args[0], e->args[1]);
    if (pte_access(old) != pte_access(new) || pte_has(old, PTE_COW) != pte_has(new, PTE_COW)) {
        text_put(t, " becomes ");
        name_access(t, pte_access(new));
        if (pte_has(new, PTE_COW) && !pte_has(old, PTE_COW))
            text_put(t, ", copy-on-write");
        else if (pte_has(old, PTE_COW) && !pte_has(new, PTE_COW))
            text_put(t, ": nobody else has the page, and it need not be copied");
    } else if (pte_has(old, PTE_DIRTY) != pte_has(new, PTE_DIRTY)) {
        text_put(t, pte_has(new, PTE_DIRTY) ? " is marked dirty" : " is marked clean");
    } else if (pte_has(old, PTE_REFERENCED) != pte_has(new, PTE_REFERENCED)) {
        text_put(t,
                 pte_has(new, PTE_REFERENCED) ? " is marked referenced" : " is no longer marked referenced");
    } else {
        text_put(t, pte_has(new, PTE_LAZY) ? " may be dropped" : " is noted again");
    }
}

static void put_pte(struct text *t, const struct narrator *n, const struct event *e) {
    const pte_t old = {e->args[2]}, new = {e->args[3]};
    const bool same =
        pte_kind(old) == pte_kind(new) && old.v >> PTE_NUMBER_SHIFT == new.v >> PTE_NUMBER_SHIFT;
    if (!pte_is_present(new) && !pte_is_swapped(new)) {
        put_empty_entry(t, n, e);
    } else if (same) {
        put_same_place(t, n, e);
    } else if (pte_is_present(new)) {
        put_present_entry(t, n, e);
    } else {
        put_entry(t, n, e);
        text_put(t, " becomes --- and points at ");
        name_slot(t, pte_slot(new).n);
    }
}

static void put_frame(struct text *t, const struct narrator *n, const struct event *e) {
    name_frame(t, e->args[0]);
    switch ((enum event_frame)e->flags) {
    case EVENT_FRAME_FREE: text_put(t, " is in the free pool"); return;
    case EVENT_FRAME_RESERVED: text_put(t, " is reserved for the OS"); return;
    case EVENT_FRAME_TABLE: text_put(t, " holds a page table"); return;
    case EVENT_FRAME_ANONYMOUS: text_put(t, " holds a page of no file"); return;
    case EVENT_FRAME_CACHE:
        text_put(t, " holds ");
        name_page_id(t, n, e->args[1]);
        return;
    case EVENT_FRAME_KINDS: break;
    }
    text_put(t, " changes its use");
}

static void put_slot(struct text *t, const struct event *e) {
    text_put(t, "Swap page ");
    text_number(t, e->args[0]);
    text_put(t, e->flags ? " is set aside for a page" : " is free again");
}

/* ---- what people want to see besides ---- */

static void put_reached(struct text *t, const struct narrator *n, const struct event *e) {
    const struct trace_text *name = fold_string(n->fold, e->args[2]);
    name_pid(t, e->pid);
    text_put(t, " reaches ");
    if (name && name->length) {
        plain_put(t, name->bytes, name->length, OUTPUT_COLUMNS);
        text_put(t, " at ");
    } else if (e->flags == EVENT_REACHED_ENTRY) {
        text_put(t, "its entry point at ");
    } else if (e->flags == EVENT_REACHED_MAIN) {
        text_put(t, "main at ");
    }
    name_hex(t, e->args[0]);
}

static void put_output(struct text *t, const struct narrator *n, const struct event *e) {
    const struct trace_text *bytes = fold_string(n->fold, e->args[0]);
    name_pid(t, e->pid);
    text_put(t, e->flags == 2 ? " writes to its standard error: " : " writes to its standard output: ");
    if (bytes)
        plain_put(t, bytes->bytes, bytes->length, OUTPUT_COLUMNS);
}

static void put_content(struct text *t, const struct event *e) {
    enum { LINE = 32 };
    text_put(t, "Bytes ");
    text_number(t, e->flags * (uint64_t)LINE);
    text_put(t, " to ");
    text_number(t, e->flags * (uint64_t)LINE + LINE - 1);
    text_put(t, " of ");
    name_frame(t, e->args[0]);
    text_put(t, " are known");
}

static void put_pid_then(struct text *t, uint32_t pid, const char *what) {
    name_pid(t, pid);
    text_put(t, what);
}

static void put_event(struct text *t, const struct narrator *n, const struct event *e) {
    switch ((enum event_kind)e->kind) {
    case EVENT_STRING:
    case EVENT_STRING_DATA: text_put(t, "A name is recorded"); return;
    case EVENT_MACHINE_START: put_machine_start(t, e); return;
    case EVENT_MACHINE_STOP: put_machine_stop(t, e); return;
    case EVENT_PROCESS_CREATE: put_process_create(t, n, e); return;
    case EVENT_PROCESS_EXEC: put_process_exec(t, n, e); return;
    case EVENT_PROCESS_EXIT:
        put_pid_then(t, e->pid, " ");
        name_wait_status(t, e->args[0]);
        return;
    case EVENT_SWITCH: put_switch(t, n, e); return;
    case EVENT_SYSCALL_ENTER: put_syscall_enter(t, e); return;
    case EVENT_SYSCALL_EXIT: put_syscall_exit(t, e); return;
    case EVENT_SIGNAL: put_signal(t, e); return;
    case EVENT_OOM: put_oom(t, e); return;
    case EVENT_SPACE_CREATE: put_space_create(t, n, e); return;
    case EVENT_SPACE_DESTROY: text_put(t, "An address space is destroyed, with its page table"); return;
    case EVENT_MAP: put_map(t, n, e); return;
    case EVENT_UNMAP:
    case EVENT_PROTECT: put_range(t, n, e); return;
    case EVENT_OBJECT: put_object(t, n, e); return;
    case EVENT_OBJECT_GONE: text_put(t, "A file is used by nobody any more"); return;
    case EVENT_FAULT: put_fault(t, n, e); return;
    case EVENT_FAULT_DONE: put_fault_done(t, n, e); return;
    case EVENT_VICTIM: put_victim(t, n, e); return;
    case EVENT_SWAP_OUT:
    case EVENT_WRITE_BACK: put_written(t, n, e); return;
    case EVENT_SWAP_IN:
    case EVENT_FILE_READ: put_read(t, n, e); return;
    case EVENT_ZERO_FILL: put_zero_fill(t, e); return;
    case EVENT_COPY: put_copy(t, n, e); return;
    case EVENT_FRAME: put_frame(t, n, e); return;
    case EVENT_PTE: put_pte(t, n, e); return;
    case EVENT_SLOT: put_slot(t, e); return;
    case EVENT_REACHED: put_reached(t, n, e); return;
    case EVENT_OUTPUT: put_output(t, n, e); return;
    case EVENT_CONTENT: put_content(t, e); return;
    case EVENT_LABEL: text_put(t, "The picture gets a label"); return;
    case EVENT_NONE:
    case EVENT_KINDS: break;
    }
    text_put(t, "Something of an unknown kind happens");
}

void narrate_numbered(const struct fold *fold, const struct event *e, const struct narrate_numbers *numbers,
                      struct text *t) {
    put_event(t, &(struct narrator){fold, numbers}, e);
}

void narrate(const struct fold *fold, const struct event *e, struct text *t) {
    static const struct narrate_numbers labels = {0};
    narrate_numbered(fold, e, &labels, t);
}
