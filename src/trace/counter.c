/* See counter.h. */
#include "trace/counter.h"

#include "base/base.h"
#include "hw/types.h"

void tally_counter_free(struct tally_counter *c) {
    map_free(&c->evicted);
    map_free(&c->objects);
    *c = (struct tally_counter){.evicted = c->evicted, .objects = c->objects};
}

/* The identity of page `index` of an object; PAGE_ID_NONE when the object is unknown. */
static page_id_t object_page_id(const struct tally_counter *c, uint64_t object, uint64_t index) {
    uint64_t generation;
    if (!map_get(&c->objects, object, &generation))
        return PAGE_ID_NONE;
    return page_id_of_object((uint32_t)generation, index);
}

/* Whether FILE_READ brings an evicted page back. Traces of old do not say which page it is. */
static bool is_refault(const struct tally_counter *c, const struct event *e) {
    const page_id_t id = {e->args[3] ? e->args[3] : object_page_id(c, e->args[1], e->args[2]).n};
    return map_get(&c->evicted, id.n, NULL);
}

static void counter_fill(struct tally_counter *c, bool refault) {
    if (c->in_fault && c->filled)
        return;
    c->filled = c->in_fault;
    c->refault = refault;
}

/* `refault` is kept from FAULT to FAULT_DONE; tally_add() reads it. */
static int counter_follow(struct tally_counter *c, const struct event *e) {
    switch ((enum event_kind)e->kind) {
    case EVENT_OBJECT: return map_put(&c->objects, e->args[0], e->args[1]);
    case EVENT_OBJECT_GONE: map_remove(&c->objects, e->args[0], NULL); return 0;
    case EVENT_FAULT:
        c->refault = c->filled = false;
        c->in_fault = true;
        return 0;
    case EVENT_FAULT_DONE: c->in_fault = false; return 0;
    case EVENT_SWAP_IN: counter_fill(c, true); return 0;
    case EVENT_FILE_READ: counter_fill(c, is_refault(c, e)); return 0;
    case EVENT_ZERO_FILL:
    case EVENT_COPY: c->filled = c->in_fault; return 0;
    case EVENT_VICTIM:
        return page_id_is_object((page_id_t){e->args[1]}) ? map_put(&c->evicted, e->args[1], 0) : 0;
    case EVENT_NONE:
    case EVENT_STRING:
    case EVENT_STRING_DATA:
    case EVENT_MACHINE_START:
    case EVENT_MACHINE_STOP:
    case EVENT_PROCESS_CREATE:
    case EVENT_PROCESS_EXEC:
    case EVENT_PROCESS_EXIT:
    case EVENT_SWITCH:
    case EVENT_SYSCALL_ENTER:
    case EVENT_SYSCALL_EXIT:
    case EVENT_SIGNAL:
    case EVENT_OOM:
    case EVENT_SPACE_CREATE:
    case EVENT_SPACE_DESTROY:
    case EVENT_MAP:
    case EVENT_UNMAP:
    case EVENT_PROTECT:
    case EVENT_SWAP_OUT:
    case EVENT_WRITE_BACK:
    case EVENT_FRAME:
    case EVENT_PTE:
    case EVENT_SLOT:
    case EVENT_REACHED:
    case EVENT_OUTPUT:
    case EVENT_CONTENT:
    case EVENT_LABEL:
    case EVENT_KINDS: return 0;
    }
    return 0; /* a kind that this version does not know */
}

int tally_counter_add(struct tally_counter *c, const struct event *e) {
    int error = counter_follow(c, e);
    if (!error)
        tally_add(&c->tally, c, e);
    return error;
}

static void tally_fault(struct tally *t, const struct tally_counter *c, const struct event *e) {
    if (e->flags >= EVENT_FAULT_KINDS)
        return;
    t->faults[e->flags]++;
    if (e->args[3])
        t->major++;
    else
        t->minor++;
    t->misses += e->args[4] != 0;
    t->refaults += e->args[4] != 0 && c->refault;
}

/* A page is brought in for the kernel. */
static void tally_fill(struct tally *t, const struct tally_counter *c, const struct event *e) {
    t->misses++;
    t->refaults += e->kind != EVENT_ZERO_FILL && c->refault;
}

static bool event_fills(const struct event *e) {
    return e->kind == EVENT_ZERO_FILL || e->kind == EVENT_FILE_READ || e->kind == EVENT_SWAP_IN;
}

void tally_add(struct tally *t, const struct tally_counter *c, const struct event *e) {
    if (event_fills(e) && !c->in_fault)
        tally_fill(t, c, e);
    if (e->kind == EVENT_FAULT_DONE)
        tally_fault(t, c, e);
    else if (e->kind == EVENT_VICTIM && e->flags < ARRAY_LENGTH(t->evictions))
        t->evictions[e->flags]++;
    else if (e->kind == EVENT_SWAP_IN)
        t->swap_in++;
    else if (e->kind == EVENT_SWAP_OUT)
        t->swap_out++;
}
