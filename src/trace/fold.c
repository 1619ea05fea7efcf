/* The fold: one function an event kind or family. See fold.h; fold-space.c has mappings and entries,
 * fold-show.c labels, contents and output, fold-save.c checkpoints, fold-check.c the checks.
 *
 * Each function first gets all the memory it needs and looks for contradictions, then changes the state. */
#include "trace/fold.h"

#include <errno.h>

#include "base/base.h"
#include "trace/fold-state.h"

struct fold *fold_create(struct inject *inject) {
    struct fold *f = inject_calloc(inject, 1, sizeof *f);
    if (!f)
        return NULL;
    f->inject = inject;
    f->strings.whole.inject = inject;
    f->counter.evicted.inject = inject;
    f->counter.objects.inject = inject;
    return f;
}

static void fold_free_frames(struct fold *f) {
    for (uint64_t i = 0; i < sparse_chunks(&f->frames); i++) {
        struct fold_frame *chunk = f->frames.chunks[i];
        for (size_t j = 0; chunk && j < SPARSE_CHUNK; j++)
            free(chunk[j].mappers);
    }
    sparse_free(&f->frames);
}

void fold_destroy(struct fold *f) {
    if (!f)
        return;
    while (f->spaces.count)
        fold_remove_space(f, f->spaces.entries[f->spaces.count - 1].value);
    for (size_t i = 0; i < f->processes.count; i++)
        free(f->processes.entries[i].value);
    for (size_t i = 0; i < f->objects.count; i++)
        free(f->objects.entries[i].value);
    free(f->spaces.entries);
    free(f->processes.entries);
    free(f->objects.entries);
    fold_free_frames(f);
    sparse_free(&f->slots);
    fold_free_shown(f);
    strings_free(&f->strings);
    tally_counter_free(&f->counter);
    free(f);
}

void fold_complain(struct fold *f, const char *what) {
    if (!f->complaints++)
        f->first_complaint = f->sequence;
    f->last_complaint = what;
}

/* ---- the machine ---- */

int fold_set_geometry(struct fold *f, uint64_t frames, uint64_t reserved, uint64_t swap_pages) {
    const struct {
        struct sparse *table;
        uint64_t limit;
        size_t element;
    } tables[] = {
        {&f->frames, frames, sizeof(struct fold_frame)},
        {&f->contents, frames, sizeof(uint8_t *)},
        {&f->slots, swap_pages, sizeof(struct fold_slot)},
        {&f->slot_contents, swap_pages, sizeof(uint8_t *)},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(tables); i++)
        if (sparse_create(tables[i].table, tables[i].limit, tables[i].element, f->inject))
            return -ENOMEM; /* the state is of no use any more; fold_destroy() frees them */
    f->frame_total = frames;
    f->reserved = reserved;
    f->swap_pages = swap_pages;
    f->frames_by_use[EVENT_FRAME_FREE] = frames - reserved;
    f->frames_by_use[EVENT_FRAME_RESERVED] = reserved;
    f->started = true;
    return 0;
}

static int apply_machine_start(struct fold *f, const struct event *e) {
    const uint64_t *a = e->args;
    if (f->started || a[0] > UINT32_MAX || a[1] > a[0] || a[2] > UINT32_MAX) {
        fold_complain(f, "the machine starts twice or with an impossible geometry");
        return 0;
    }
    int error = fold_set_geometry(f, a[0], a[1], a[2]);
    if (error)
        return error;
    f->page_table = a[3];
    f->policy = a[4];
    return 0;
}

static int apply_machine_stop(struct fold *f, const struct event *e) {
    f->stopped = true;
    f->exit_status = (int64_t)e->args[0];
    f->stopped_early = e->args[1] != 0;
    return 0;
}

/* ---- processes ---- */

struct fold_process *fold_add_process(struct fold *f, uint32_t pid) {
    struct fold_process *p = inject_calloc(f->inject, 1, sizeof *p);
    if (!p)
        return NULL;
    p->pid = pid;
    if (sorted_add(&f->processes, pid, p, f->inject)) {
        free(p);
        return NULL;
    }
    return p;
}

static struct fold_process *process_of(struct fold *f, const struct event *e) {
    struct fold_process *p = sorted_get(&f->processes, e->pid);
    if (!p)
        fold_complain(f, "an unknown process");
    return p;
}

static int apply_process_create(struct fold *f, const struct event *e) {
    if (sorted_get(&f->processes, e->pid)) {
        fold_complain(f, "a process is created twice");
        return 0;
    }
    struct fold_process *p = fold_add_process(f, e->pid);
    if (!p)
        return -ENOMEM;
    p->parent = (uint32_t)e->args[0];
    p->space = e->args[1];
    return 0;
}

static int apply_process_exec(struct fold *f, const struct event *e) {
    struct fold_process *p = process_of(f, e);
    if (p) {
        p->path = e->args[0];
        p->command = e->args[1];
        p->space = e->args[2];
    }
    return 0;
}

static int apply_process_exit(struct fold *f, const struct event *e) {
    struct fold_process *p = process_of(f, e);
    if (p) {
        p->ended = true;
        p->wait_status = (uint32_t)e->args[0];
        p->in_syscall = false;
    }
    return 0;
}

static int apply_switch(struct fold *f, const struct event *e) {
    if (!sorted_get(&f->spaces, e->args[0]))
        fold_complain(f, "the page-table register points at no address space");
    f->has_table = true;
    f->current_space = e->args[0];
    f->running = e->pid;
    f->switches++;
    return 0;
}

static int apply_syscall(struct fold *f, const struct event *e, bool enter) {
    struct fold_process *p = process_of(f, e);
    f->syscalls += enter;
    if (p) {
        p->in_syscall = enter;
        p->syscall = e->flags;
        p->syscalls += enter;
    }
    return 0;
}

/* ---- address spaces ---- */

static struct fold_space *space_of(struct fold *f, const struct event *e) {
    struct fold_space *s = sorted_get(&f->spaces, e->args[0]);
    if (!s)
        fold_complain(f, "an unknown address space");
    return s;
}

static int apply_space_create(struct fold *f, const struct event *e) {
    if (e->args[0] >= FOLD_SPACE_LIMIT || sorted_get(&f->spaces, e->args[0])) {
        fold_complain(f, "an address space is created twice or has an impossible number");
        return 0;
    }
    struct fold_space *s = fold_add_space(f, e->args[0]);
    if (!s)
        return -ENOMEM;
    s->owner = (uint32_t)e->args[1];
    s->copied_from = e->args[2];
    return 0;
}

static int apply_space_destroy(struct fold *f, const struct event *e) {
    struct fold_space *s = space_of(f, e);
    if (!s)
        return 0;
    if (f->has_table && f->current_space == s->number)
        f->has_table = false;
    fold_remove_space(f, s);
    return 0;
}

static int apply_mapping(struct fold *f, const struct event *e) {
    const uint64_t *a = e->args;
    struct fold_space *s = space_of(f, e);
    if (!s)
        return 0;
    if (!a[2] || a[1] > FOLD_VPN_LIMIT || a[2] > FOLD_VPN_LIMIT - a[1]) {
        fold_complain(f, "a range outside the address space");
        return 0;
    }
    if (e->kind == EVENT_UNMAP)
        return fold_unmap(f, s, a[1], a[2]);
    if (e->kind == EVENT_PROTECT)
        return fold_protect(f, s, a[1], a[2], e->flags & EVENT_MAP_ACCESS);
    struct fold_mapping mapping = {.first = a[1], .pages = a[2], .object = a[3], .flags = e->flags};
    mapping.object_page = a[3] ? a[4] : 0;
    return fold_map(f, s, &mapping);
}

struct fold_object *fold_add_object(struct fold *f, uint64_t number) {
    struct fold_object *o = inject_calloc(f->inject, 1, sizeof *o);
    if (!o)
        return NULL;
    o->number = number;
    if (sorted_add(&f->objects, number, o, f->inject)) {
        free(o);
        return NULL;
    }
    return o;
}

static int apply_object(struct fold *f, const struct event *e) {
    struct fold_object *o = sorted_get(&f->objects, e->args[0]);
    if (o)
        fold_complain(f, "an object is announced twice");
    else
        o = fold_add_object(f, e->args[0]);
    if (!o)
        return -ENOMEM;
    *o = (struct fold_object){e->args[0], e->args[1], e->args[2], e->args[3]};
    return 0;
}

static int apply_object_gone(struct fold *f, const struct event *e) {
    struct fold_object *o = sorted_remove(&f->objects, e->args[0]);
    if (!o)
        fold_complain(f, "an unknown object");
    free(o);
    return 0;
}

/* ---- frames and slots ---- */

struct fold_frame *fold_touch_frame(struct fold *f, uint64_t frame) {
    bool fresh = !sparse_get(&f->frames, frame);
    struct fold_frame *touched = sparse_touch(&f->frames, frame, f->inject);
    if (touched && fresh) {
        struct fold_frame *chunk = f->frames.chunks[frame / SPARSE_CHUNK];
        uint64_t first = frame / SPARSE_CHUNK * SPARSE_CHUNK;
        for (uint64_t i = 0; i < SPARSE_CHUNK && first + i < f->reserved; i++)
            chunk[i].use = EVENT_FRAME_RESERVED;
    }
    return touched;
}

bool fold_frame_is_pristine(const struct fold *f, uint64_t frame) {
    struct fold_frame state = fold_frame(f, (uint32_t)frame);
    return state.use == (frame < f->reserved ? EVENT_FRAME_RESERVED : EVENT_FRAME_FREE) && !state.page &&
           !state.since;
}

int fold_set_frame(struct fold *f, uint64_t frame, enum event_frame use, uint64_t page, uint64_t since) {
    struct fold_frame *touched = fold_touch_frame(f, frame);
    if (!touched)
        return -ENOMEM;
    f->frames_by_use[touched->use]--;
    f->frames_by_use[use]++;
    touched->use = use;
    touched->page = page;
    touched->since = since;
    return 0;
}

int fold_set_slot(struct fold *f, uint64_t slot, struct fold_slot state) {
    struct fold_slot *touched = sparse_touch(&f->slots, slot, f->inject);
    if (!touched)
        return -ENOMEM;
    f->slots_used += state.used;
    f->slots_used -= touched->used;
    *touched = state;
    return 0;
}

static int apply_frame(struct fold *f, const struct event *e) {
    if (e->args[0] >= f->frame_total || e->flags >= EVENT_FRAME_KINDS) {
        fold_complain(f, "a frame beyond the end of memory, or an unknown use");
        return 0;
    }
    if (f->victim.active && f->victim.frame == e->args[0])
        f->victim.active = false;
    if (e->flags != EVENT_FRAME_ANONYMOUS && e->flags != EVENT_FRAME_CACHE)
        fold_forget_content(f, e->args[0]);
    return fold_set_frame(f, e->args[0], (enum event_frame)e->flags, e->args[1], e->sequence);
}

/* Whether the event's slot exists; `used` is what it must be. */
static bool slot_agrees(struct fold *f, uint64_t slot, bool used) {
    if (slot >= f->swap_pages) {
        fold_complain(f, "a slot beyond the end of the swap area");
        return false;
    }
    if (fold_slot(f, (uint32_t)slot).used != used)
        fold_complain(f, used ? "a slot that is not assigned" : "a slot that is assigned already");
    return true;
}

static int apply_slot(struct fold *f, const struct event *e) {
    bool assigned = e->flags != 0;
    if (!slot_agrees(f, e->args[0], !assigned))
        return 0;
    fold_forget_slot_content(f, e->args[0]);
    struct fold_slot state = {.used = assigned, .page = assigned ? e->args[1] : 0};
    return fold_set_slot(f, e->args[0], state);
}

/* ---- faults and their steps ---- */

static int apply_fault(struct fold *f, const struct event *e) {
    if (f->fault.active)
        fold_complain(f, "a fault within a fault");
    f->fault = (struct fold_fault){
        .active = true,
        .number = e->sequence,
        .pid = e->pid,
        .access = e->flags,
        .space = e->args[0],
        .address = e->args[1],
        .found = {e->args[2]},
        .step = FOLD_TRAPPED,
        .filled_frame = UINT32_MAX,
    };
    f->victim.active = false;
    return 0;
}

static int apply_fault_done(struct fold *f, const struct event *e) {
    struct fold_fault *fault = &f->fault;
    if (!fault->active || fault->space != e->args[0] || fault->address != e->args[1])
        fold_complain(f, "the end of a fault that did not begin");
    fault->active = false;
    fault->result = e->flags;
    fault->now = (pte_t){e->args[2]};
    fault->major = e->args[3] != 0;
    fault->miss = e->args[4] != 0;
    return 0;
}

static void fold_step(struct fold *f, enum fold_step step) {
    if (f->fault.active)
        f->fault.step = step;
}

static int apply_victim(struct fold *f, const struct event *e) {
    if (e->args[0] >= f->frame_total || e->flags > EVENT_VICTIM_TO_FILE) {
        fold_complain(f, "a victim beyond the end of memory, or an unknown kind of eviction");
        return 0;
    }
    f->victim = (struct fold_victim){
        .active = true,
        .frame = (uint32_t)e->args[0],
        .page = e->args[1],
        .how = (enum event_victim)e->flags,
    };
    fold_step(f, FOLD_CHOSEN);
    return 0;
}

/* SWAP_OUT and WRITE_BACK; the latter also happens to pages that stay. */
static int apply_written(struct fold *f, const struct event *e) {
    if (f->victim.active && f->victim.frame == e->args[0]) {
        f->victim.written = true;
        fold_step(f, FOLD_WRITTEN);
    }
    if (e->kind == EVENT_WRITE_BACK || !slot_agrees(f, e->args[1], true))
        return 0;
    int error = fold_content_to_slot(f, e->args[0], e->args[1]);
    if (error)
        return error;
    return fold_set_slot(f, e->args[1],
                         (struct fold_slot){.used = true, .written = true, .page = e->args[2]});
}

/* What was in the frame is gone; what comes from a slot is known if it was when it went there. */
static int fill_frame(struct fold *f, const struct event *e, bool from_slot) {
    struct fold_frame *frame = fold_touch_frame(f, e->args[0]);
    if (!frame)
        return -ENOMEM;
    frame->since = e->sequence;
    if (from_slot)
        return fold_content_from_slot(f, e->args[1], e->args[0]);
    fold_forget_content(f, e->args[0]);
    return 0;
}

/* SWAP_IN, FILE_READ, ZERO_FILL and COPY. */
static int apply_filled(struct fold *f, const struct event *e) {
    if (e->args[0] >= f->frame_total) {
        fold_complain(f, "a frame beyond the end of memory");
        return 0;
    }
    bool from_slot = e->kind == EVENT_SWAP_IN && slot_agrees(f, e->args[1], true);
    if (from_slot && !fold_slot(f, (uint32_t)e->args[1]).written)
        fold_complain(f, "a page read from a slot that was never written");
    if (f->fault.active)
        f->fault.filled_frame = (uint32_t)e->args[0];
    fold_step(f, FOLD_FILLED);
    return fill_frame(f, e, from_slot);
}

static int apply_pte(struct fold *f, const struct event *e) {
    const uint64_t mmu = PTE_REFERENCED | PTE_DIRTY; /* the MMU sets these without an event */
    const uint64_t *a = e->args;
    struct fold_space *s = space_of(f, e);
    if (!s)
        return 0;
    if (a[1] >= FOLD_VPN_LIMIT) {
        fold_complain(f, "a page outside the address space");
        return 0;
    }
    pte_t old = fold_entry(s, (vpn_t){a[1]}), new = {a[3]};
    if ((old.v & ~mmu) != (a[2] & ~mmu))
        fold_complain(f, "an entry was not what its change says");
    if (f->victim.active && pte_is_present(old) && pte_pfn(old).n == f->victim.frame)
        fold_step(f, FOLD_UNMAPPED);
    if (f->fault.space == a[0] && f->fault.address >> PAGE_SHIFT == a[1])
        fold_step(f, FOLD_MAPPED);
    return fold_set_entry(f, s, a[1], new);
}

/* ---- all of them ---- */

static int apply_label(struct fold *f, const struct event *e) {
    struct fold_label label = {.what = (enum event_label)e->flags};
    if (e->flags >= EVENT_LABELS) {
        fold_complain(f, "a label of an unknown kind");
        return 0;
    }
    memcpy(label.args, e->args, sizeof label.args);
    return fold_add_label(f, &label);
}

static int apply_string(struct fold *f, const struct event *e) {
    int error = strings_receive(&f->strings, e);
    if (error == -EBADMSG)
        fold_complain(f, "a string that is not whole");
    return error == -ENOMEM ? error : 0;
}

static int apply_kind(struct fold *f, const struct event *e) {
    switch ((enum event_kind)e->kind) {
    case EVENT_STRING:
    case EVENT_STRING_DATA: return apply_string(f, e);
    case EVENT_MACHINE_START: return apply_machine_start(f, e);
    case EVENT_MACHINE_STOP: return apply_machine_stop(f, e);
    case EVENT_PROCESS_CREATE: return apply_process_create(f, e);
    case EVENT_PROCESS_EXEC: return apply_process_exec(f, e);
    case EVENT_PROCESS_EXIT: return apply_process_exit(f, e);
    case EVENT_SWITCH: return apply_switch(f, e);
    case EVENT_SYSCALL_ENTER: return apply_syscall(f, e, true);
    case EVENT_SYSCALL_EXIT: return apply_syscall(f, e, false);
    case EVENT_SIGNAL: f->signals++; return 0;
    case EVENT_OOM: f->oom_kills++; return 0;
    case EVENT_SPACE_CREATE: return apply_space_create(f, e);
    case EVENT_SPACE_DESTROY: return apply_space_destroy(f, e);
    case EVENT_MAP:
    case EVENT_UNMAP:
    case EVENT_PROTECT: return apply_mapping(f, e);
    case EVENT_OBJECT: return apply_object(f, e);
    case EVENT_OBJECT_GONE: return apply_object_gone(f, e);
    case EVENT_FAULT: return apply_fault(f, e);
    case EVENT_FAULT_DONE: return apply_fault_done(f, e);
    case EVENT_VICTIM: return apply_victim(f, e);
    case EVENT_SWAP_OUT:
    case EVENT_WRITE_BACK: return apply_written(f, e);
    case EVENT_SWAP_IN:
    case EVENT_FILE_READ:
    case EVENT_ZERO_FILL:
    case EVENT_COPY: return apply_filled(f, e);
    case EVENT_FRAME: return apply_frame(f, e);
    case EVENT_PTE: return apply_pte(f, e);
    case EVENT_SLOT: return apply_slot(f, e);
    case EVENT_REACHED: return 0;
    case EVENT_OUTPUT: return fold_print(f, e->args[0]);
    case EVENT_CONTENT: return fold_say_content(f, e->args[0], e->flags, e->args + 1);
    case EVENT_LABEL: return apply_label(f, e);
    case EVENT_NONE:
    case EVENT_KINDS: break;
    }
    fold_complain(f, "an event of an unknown kind");
    return 0;
}

static struct fold_process *owner_of(const struct fold *f, uint64_t space) {
    const struct fold_space *s = sorted_get(&f->spaces, space);
    return s ? sorted_get(&f->processes, s->owner) : NULL;
}

/* Whose tally the event belongs to; NULL: nobody's. */
static struct fold_process *process_charged(const struct fold *f, const struct event *e) {
    if (e->kind == EVENT_FAULT_DONE)
        return owner_of(f, e->args[0]);
    if (e->kind == EVENT_SWAP_IN)
        return f->fault.active ? owner_of(f, f->fault.space) : NULL;
    if (e->kind == EVENT_VICTIM || e->kind == EVENT_SWAP_OUT) {
        const struct fold_frame *frame = sparse_get(&f->frames, e->args[0]);
        return frame && frame->mapper_count ? owner_of(f, fold_mapper_space(frame->mappers[0])) : NULL;
    }
    return NULL;
}

int fold_apply(struct fold *f, const struct event *e) {
    f->sequence = e->sequence;
    f->instruction = e->instruction;
    f->last_pid = e->pid;
    int error = tally_counter_add(&f->counter, e);
    if (error)
        return error;
    struct fold_process *p = process_charged(f, e);
    if (p)
        tally_add(&p->tally, &f->counter, e);
    return apply_kind(f, e);
}

/* ---- looking ---- */

const struct fold_process *fold_process(const struct fold *f, uint32_t pid) {
    return sorted_get(&f->processes, pid);
}

const struct fold_space *fold_space(const struct fold *f, uint64_t number) {
    return sorted_get(&f->spaces, number);
}

const struct fold_object *fold_object(const struct fold *f, uint64_t number) {
    return sorted_get(&f->objects, number);
}

struct fold_frame fold_frame(const struct fold *f, uint32_t frame) {
    const struct fold_frame *touched = sparse_get(&f->frames, frame);
    if (touched)
        return *touched;
    return (struct fold_frame){.use = frame < f->reserved ? EVENT_FRAME_RESERVED : EVENT_FRAME_FREE};
}

struct fold_slot fold_slot(const struct fold *f, uint32_t slot) {
    const struct fold_slot *touched = sparse_get(&f->slots, slot);
    return touched ? *touched : (struct fold_slot){0};
}

const struct trace_text *fold_string(const struct fold *f, uint64_t number) {
    return strings_get(&f->strings, number);
}
