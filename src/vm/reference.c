/* See reference.h. */
#include "vm/reference.h"

#include <errno.h>
#include <stdlib.h>

#include "base/base.h"
#include "vm/mapping.h"
#include "vm/space.h"
#include "vm/state.h"

int references_create(struct vm *vm) {
    struct references *r = &vm->references;
    *r = (struct references){.kernel = PFN_NONE, .space = UINT32_MAX};
    const struct vm_observer *o = &vm->config.observer;
    r->observed = o->appears || o->holds || o->references || o->runs;
    r->wanted = vm->policy->needs == POLICY_NEEDS_EVERY_REFERENCE && vm->policy->access;
    if (!vm->config.observe_bits || !r->wanted)
        return 0;
    r->touched = vm_alloc(vm, (size_t)vm->frames.pages.end * sizeof *r->touched);
    if (!r->touched)
        return -ENOMEM;
    r->period = r->next = vm->config.observe_bits;
    return 0;
}

void references_destroy(struct vm *vm) {
    free(vm->references.touched);
}

static uint64_t now(const struct vm *vm) {
    const struct vm_listener *listener = &vm->config.listener;
    return listener->now ? listener->now(listener->context) : 0;
}

uint64_t reference_now(void *context) {
    const struct vm *vm = context;
    return vm->references.delivering ? vm->references.at : now(vm);
}

static void policy_access(struct vm *vm, pfn_t pfn) {
    vm->policy->access(vm->policy_state, pfn, frame_of(vm, pfn)->id);
}

/* ---- bits only ---- */

static int touched_compare(const void *a, const void *b, void *context) {
    struct vm *vm = context;
    const uint64_t x = frame_of(vm, (pfn_t){*(const uint32_t *)a})->id.n;
    const uint64_t y = frame_of(vm, (pfn_t){*(const uint32_t *)b})->id.n;
    return (x > y) - (x < y);
}

static void bits_deliver(struct vm *vm) {
    uint32_t *touched = vm->references.touched;
    size_t count = 0;
    for (uint32_t n = vm->config.reserved; n < vm->frames.pages.fresh; n++) {
        struct frame *frame = frame_of(vm, (pfn_t){n});
        if (frame->flags & FRAME_TOUCHED)
            touched[count++] = n;
        frame->flags &= (uint8_t)~FRAME_TOUCHED;
    }
    qsort_r(touched, count, sizeof *touched, touched_compare, vm);
    for (size_t i = 0; i < count; i++)
        if (frame_of(vm, (pfn_t){touched[i]})->flags & FRAME_INSERTED)
            policy_access(vm, (pfn_t){touched[i]});
}

/* Before a reference that is made at this instruction. */
static void bits_due(struct vm *vm, uint64_t instruction) {
    struct references *r = &vm->references;
    if (likely(!r->period) || instruction < r->next)
        return;
    r->delivering = true;
    r->at = instruction;
    bits_deliver(vm);
    r->delivering = false;
    r->next = (instruction / r->period + 1) * r->period;
}

void reference_misses(struct vm *vm, page_id_t id) {
    if (unlikely(vm->references.period))
        bits_due(vm, now(vm));
    if (vm->policy->miss)
        vm->policy->miss(vm->policy_state, id);
}

/* ---- runs ---- */

/* A run begins on a page in a frame, and the policy wants to know. */
static void run_begin(struct vm *vm, pfn_t pfn, struct frame *frame, uint64_t instruction) {
    struct references *r = &vm->references;
    r->run = frame->id;
    if (!(frame->flags & FRAME_INSERTED))
        return;
    if (r->period) {
        bits_due(vm, instruction);
        frame->flags |= FRAME_TOUCHED;
        return;
    }
    r->delivering = true;
    r->at = instruction;
    policy_access(vm, pfn);
    r->delivering = false;
}

/* The policy hears of many at a time, and only of them. */
static void runs_begin(struct vm *vm, const struct reference_log *log) {
    const struct frame *frames = frame_of(vm, (pfn_t){0});
    const uint32_t end = vm->mem.frames;
    page_id_t run = vm->references.run;
    pfn_t accessed[POLICY_ACCESSES_MOST];
    uint32_t last = UINT32_MAX;
    size_t n = 0;
    for (size_t i = 0; i < log->count; i++) {
        const uint32_t f = log->pages[i] - log->base;
        if (f == last || f >= end)
            continue;
        last = f;
        if (page_id_eq(frames[f].id, run))
            continue;
        run = frames[f].id;
        accessed[n] = (pfn_t){f};
        n += (frames[f].flags & FRAME_INSERTED) != 0;
        if (n == POLICY_ACCESSES_MOST) {
            vm->policy->access_all(vm->policy_state, accessed, n);
            n = 0;
        }
    }
    if (n)
        vm->policy->access_all(vm->policy_state, accessed, n);
    vm->references.run = run;
}

static void runs_begin_one_by_one(struct vm *vm, const struct reference_log *log) {
    for (size_t i = 0; i < log->count; i++) {
        const struct reference reference = log_reference(log, i);
        const pfn_t pfn = {reference.frame};
        if (pfn.n >= vm->mem.frames)
            continue;
        struct frame *frame = frame_of(vm, pfn);
        if (!page_id_eq(frame->id, vm->references.run))
            run_begin(vm, pfn, frame, reference.instruction);
    }
}

void vm_references(struct vm *vm, const struct reference_log *log) {
    const struct vm_observer *observer = &vm->config.observer;
    vm->references.kernel = PFN_NONE;
    if (observer->references)
        observer->references(observer->context, log);
    if (!vm->references.wanted)
        return;
    if (vm->policy->access_all && !vm->references.period)
        runs_begin(vm, log);
    else
        runs_begin_one_by_one(vm, log);
}

static void observe_one(struct vm *vm, pfn_t pfn, unsigned access, uint64_t instruction) {
    const struct vm_observer *observer = &vm->config.observer;
    const uint32_t rest = log_rest(0, access);
    const struct reference_log log = {
        .pages = &pfn.n, .rests = &rest, .count = 1, .end = (uint16_t)instruction, .start = instruction};
    if (observer->references)
        observer->references(observer->context, &log);
}

void reference_make(struct vm *vm, pfn_t pfn, unsigned access) {
    struct references *r = &vm->references;
    if (pfn_eq(pfn, r->kernel) && !(access & ~r->kernel_kind))
        return;
    r->kernel_kind = pfn_eq(pfn, r->kernel) ? r->kernel_kind | access : access;
    r->kernel = pfn;
    if (!vm->config.observer.references && !r->wanted)
        return;
    const uint64_t instruction = now(vm);
    observe_one(vm, pfn, access, instruction);
    struct frame *frame = frame_of(vm, pfn);
    if (r->wanted && !page_id_eq(frame->id, r->run))
        run_begin(vm, pfn, frame, instruction);
}

/* ---- pages that come ---- */

/* Whether the page is the heap's, which may be one mapping with the program's zeros below it. */
static bool is_in_heap(const struct arrival *a) {
    const struct mapping *m = a->mapping;
    const uint64_t address = vpn_address(a->vpn);
    return m && !m->object &&
           (m->flags & MAPPING_HEAP || (address >= m->space->brk_start && address < m->space->brk_end));
}

static void observe_appearance(struct vm *vm, const struct frame *frame, const struct arrival *a) {
    const struct vm_observer *observer = &vm->config.observer;
    const struct mapping *m = a->mapping;
    const struct vm_place place = {
        .object = frame->object,
        .index = frame->object ? page_id_index(frame->id) : 0,
        .vpn = a->vpn,
        .space = m ? m->space->number : vm->references.space,
        .stack = m && m->flags & (MAPPING_STACK | MAPPING_GROWS_DOWN),
        .heap = is_in_heap(a),
    };
    observer->appears(observer->context, frame->id, &place);
}

static void observe_arrival(struct vm *vm, pfn_t pfn, const struct arrival *a) {
    const struct vm_observer *observer = &vm->config.observer;
    const struct frame *frame = frame_of(vm, pfn);
    if (a->mapping)
        reference_in_space(vm, a->mapping->space->number);
    if (a->is_new && observer->appears)
        observe_appearance(vm, frame, a);
    if (observer->holds)
        observer->holds(observer->context, pfn, frame->id);
    if (observer->references)
        observe_one(vm, pfn, a->access, now(vm));
}

void reference_insert(struct vm *vm, pfn_t pfn, const struct arrival *arrival) {
    struct references *r = &vm->references;
    if (unlikely(r->observed))
        observe_arrival(vm, pfn, arrival);
    r->run = frame_of(vm, pfn)->id;
    r->kernel = pfn;
    r->kernel_kind = arrival->access;
    frame_insert(vm, pfn);
}

void reference_in_space(struct vm *vm, uint32_t space) {
    const struct vm_observer *observer = &vm->config.observer;
    if (likely(!observer->runs) || space == vm->references.space)
        return;
    vm->references.space = space;
    observer->runs(observer->context, space);
}

/* ---- what else becomes of pages ---- */

/* What happens to any page stands between two references, even of the same page: else a record of them could
 * not say whether a write came before or after. */
static void run_end(struct vm *vm) {
    vm->references.run = PAGE_ID_NONE;
    vm->references.kernel = PFN_NONE;
}

void reference_page_dies(struct vm *vm, page_id_t id, enum policy_remove reason) {
    const struct vm_observer *observer = &vm->config.observer;
    run_end(vm);
    if (observer->dies)
        observer->dies(observer->context, id, reason);
}

void reference_page_cleaned(struct vm *vm, page_id_t id) {
    const struct vm_observer *observer = &vm->config.observer;
    run_end(vm);
    if (observer->cleaned)
        observer->cleaned(observer->context, id);
}

void reference_page_cooled(struct vm *vm, page_id_t id) {
    const struct vm_observer *observer = &vm->config.observer;
    run_end(vm);
    if (observer->cooled)
        observer->cooled(observer->context, id);
}

void reference_page_given_up(struct vm *vm, page_id_t id) {
    const struct vm_observer *observer = &vm->config.observer;
    run_end(vm);
    if (observer->given_up)
        observer->given_up(observer->context, id);
}
