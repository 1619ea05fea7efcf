/* See allocation.h.
 *
 *   a file with malloc is mapped ─► its functions are watched
 *   malloc is entered            ─► size and stack are noted, and the place is watched that it returns to
 *   it has returned              ─► the object is live, from rax on
 *   free is entered              ─► the object is gone
 *
 * Calls within calls (of a wrapper, of calloc by a malloc of its own) each come to their end; the outermost
 * one, whose result is the same object, is the last and stays. What a signal or an exception leaves undone is
 * forgotten when there are too many. A watched place is told once, so it is watched again each time. */
#include "place/allocation.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "base/array.h"
#include "base/base.h"
#include "place/ranges.h"
#include "trace/event.h"

enum function {
    FUNCTION_SIZE,    /* f(size) */
    FUNCTION_COUNT,   /* f(count, size) */
    FUNCTION_RESIZE,  /* f(object, size) */
    FUNCTION_RECOUNT, /* f(object, count, size) */
    FUNCTION_ALIGN,   /* f(alignment, size) */
    FUNCTION_STORE,   /* f(where the result goes, alignment, size) */
    FUNCTION_RELEASE, /* f(object …) */
};

static const struct {
    const char *name;
    enum function function;
} functions[] = {
    {"malloc", FUNCTION_SIZE},
    {"calloc", FUNCTION_COUNT},
    {"realloc", FUNCTION_RESIZE},
    {"reallocarray", FUNCTION_RECOUNT},
    {"aligned_alloc", FUNCTION_ALIGN},
    {"memalign", FUNCTION_ALIGN},
    {"posix_memalign", FUNCTION_STORE},
    {"valloc", FUNCTION_SIZE},
    {"pvalloc", FUNCTION_SIZE},
    {"free", FUNCTION_RELEASE},
    {"cfree", FUNCTION_RELEASE},
    /* C++: where they do not call malloc they are in the same file. */
    {"_Znwm", FUNCTION_SIZE},
    {"_Znam", FUNCTION_SIZE},
    {"_ZnwmRKSt9nothrow_t", FUNCTION_SIZE},
    {"_ZnamRKSt9nothrow_t", FUNCTION_SIZE},
    {"_ZnwmSt11align_val_t", FUNCTION_SIZE},
    {"_ZnamSt11align_val_t", FUNCTION_SIZE},
    {"_ZdlPv", FUNCTION_RELEASE},
    {"_ZdaPv", FUNCTION_RELEASE},
    {"_ZdlPvm", FUNCTION_RELEASE},
    {"_ZdaPvm", FUNCTION_RELEASE},
    {"_ZdlPvSt11align_val_t", FUNCTION_RELEASE},
    {"_ZdaPvSt11align_val_t", FUNCTION_RELEASE},
};

/* A call that has not returned. */
struct pending {
    uint64_t returns_to, stack_pointer; /* when it has */
    enum function function;
    uint64_t size, object, where;
    struct key stack;
};

enum { PENDING_MAX = 4096, HEADER = 16 /* bytes of an allocator's own in front of an object */ };
#define STACK_REACH (8ULL << 20) /* how far above the stack pointer a caller's frame is looked for */

struct allocation_space {
    struct ranges objects, mappings; /* of malloc; of mmap */
    struct map entries;              /* address of a watched function → enum function */
    struct pending *pending;
    size_t pending_count, pending_capacity;
    char *program; /* the first file that was mapped for execution; NULL: none yet */
};

/* A call of mmap or mremap, from its entry to its exit. */
struct mapping_call {
    uint64_t number; /* 0: none */
    uint32_t space;
    uint64_t length;
    struct key stack;
};

struct allocations {
    struct machine *machine;
    struct locator *locator;
    struct unwinder *unwinder;
    struct stacks *stacks;
    struct map spaces; /* number → struct allocation_space * */
    struct mapping_call call;
    struct texts blind; /* programs without a malloc that is known */
    int error;          /* of a call back, which cannot tell */
};

/* ---- spaces ---- */

static struct allocation_space *space_get(const struct allocations *a, uint32_t number) {
    uint64_t value = 0;
    (void)map_get(&a->spaces, number, &value);
    return (struct allocation_space *)value;
}

static void space_free(struct allocation_space *s) {
    ranges_clear(&s->objects);
    ranges_clear(&s->mappings);
    map_free(&s->entries);
    free(s->pending);
    free(s->program);
    free(s);
}

static int space_forget(struct allocations *a, uint32_t number) {
    struct allocation_space *s = space_get(a, number);
    uint32_t name;
    int error = 0;
    if (!s)
        return 0;
    if (s->program && map_count(&s->entries) == 0)
        error = texts_add(&a->blind, s->program, &name);
    map_remove(&a->spaces, number, NULL);
    space_free(s);
    return error;
}

static int space_begin(struct allocations *a, uint32_t number, uint64_t from) {
    int error = space_forget(a, number);
    struct allocation_space *s = error ? NULL : calloc(1, sizeof *s);
    if (!s)
        return -ENOMEM;
    if (map_put(&a->spaces, number, (uint64_t)s)) {
        free(s);
        return -ENOMEM;
    }
    const struct allocation_space *parent = from ? space_get(a, (uint32_t)from - 1) : NULL;
    if (!parent)
        return 0;
    error = ranges_copy(&s->objects, &parent->objects);
    return error ? error : ranges_copy(&s->mappings, &parent->mappings);
}

/* ---- files with malloc ---- */

static int watch_function(struct allocations *a, uint32_t number, struct allocation_space *s,
                          uint64_t address, enum function function) {
    int error = map_put(&s->entries, address, function);
    return error ? error : machine_probe_watch(a->machine, number, address);
}

/* What is mapped there for execution has just come. */
static int watch_file(struct allocations *a, uint32_t number, struct allocation_space *s, uint64_t address) {
    struct location at;
    locate(a->locator, number, address, &at);
    if (!at.has_address)
        return 0;
    struct module *module = locator_module(a->locator, at.module);
    if (!s->program)
        s->program = strdup(module_path(module));
    const struct module_symbol *malloc_symbol = module_symbol_named(module, "malloc");
    if (!malloc_symbol || !malloc_symbol->function)
        return 0;
    int error = 0;
    for (size_t i = 0; !error && i < ARRAY_LENGTH(functions); i++) {
        const struct module_symbol *symbol = module_symbol_named(module, functions[i].name);
        const uint64_t place = symbol ? address + (symbol->address - at.address) : 0;
        if (symbol && symbol->function && place >= at.view.start && place < at.view.end)
            error = watch_function(a, number, s, place, functions[i].function);
    }
    return error;
}

/* ---- calls ---- */

/* The innermost call of the thread that has not returned: the one with the nearest
 * frame above. NULL: none. */
static struct pending *pending_of(struct allocation_space *s, uint64_t stack_pointer) {
    struct pending *found = NULL;
    for (size_t i = 0; i < s->pending_count; i++) {
        struct pending *p = &s->pending[i];
        if (p->stack_pointer > stack_pointer && p->stack_pointer - stack_pointer < STACK_REACH &&
            (!found || p->stack_pointer < found->stack_pointer))
            found = p;
    }
    return found;
}

static int pending_add(struct allocation_space *s, const struct pending *new) {
    if (s->pending_count == PENDING_MAX) {
        memmove(s->pending, s->pending + 1, --s->pending_count * sizeof *s->pending);
    } else if (array_reserve(&s->pending, &s->pending_capacity, s->pending_count + 1, sizeof *s->pending)) {
        return -ENOMEM;
    }
    s->pending[s->pending_count++] = *new;
    return 0;
}

/* The sizes and objects that the arguments say. */
static void pending_describe(struct pending *p, const struct cpu_registers *r) {
    const uint64_t first = r->general[CPU_RDI], second = r->general[CPU_RSI], third = r->general[CPU_RDX];
    switch (p->function) {
    case FUNCTION_SIZE: p->size = first; break;
    case FUNCTION_COUNT: p->size = first * second; break;
    case FUNCTION_RESIZE:
        p->object = first;
        p->size = second;
        break;
    case FUNCTION_RECOUNT:
        p->object = first;
        p->size = second * third;
        break;
    case FUNCTION_ALIGN: p->size = second; break;
    case FUNCTION_STORE:
        p->where = first;
        p->size = third;
        break;
    case FUNCTION_RELEASE: break;
    }
}

static int call_begins(struct allocations *a, uint32_t number, struct allocation_space *s,
                       const struct probe_worker *worker, enum function function) {
    struct pending p = {.function = function, .stack_pointer = worker->registers.general[CPU_RSP] + 8};
    if (function == FUNCTION_RELEASE) {
        (void)ranges_remove(&s->objects, worker->registers.general[CPU_RDI]);
        return 0;
    }
    pending_describe(&p, &worker->registers);
    if (machine_probe_memory(a->machine, number, p.stack_pointer - 8, &p.returns_to, sizeof p.returns_to) !=
        sizeof p.returns_to)
        return 0; /* it will not return */
    p.stack = unwind_callers(a->unwinder, worker);
    const int error = pending_add(s, &p);
    return error ? error : machine_probe_watch(a->machine, number, p.returns_to);
}

static int call_returned(struct allocations *a, uint32_t number, struct allocation_space *s,
                         const struct pending *p, uint64_t result) {
    uint64_t object = result;
    if (p->function == FUNCTION_STORE &&
        ((uint32_t)result != 0 ||
         machine_probe_memory(a->machine, number, p->where, &object, sizeof object) != sizeof object))
        return 0;
    if (p->object && (object || p->size == 0)) /* moved, or freed */
        (void)ranges_remove(&s->objects, p->object);
    if (!object || object + p->size < object)
        return 0;
    return ranges_add(&s->objects, object, object + max_u64(p->size, 1), p->stack);
}

/* Calls that return to the address: the one whose stack pointer this is has returned. */
static int calls_return(struct allocations *a, uint32_t number, struct allocation_space *s, uint64_t address,
                        const struct probe_worker *worker) {
    bool others = false;
    int error = 0;
    for (size_t i = 0; i < s->pending_count;) {
        struct pending p = s->pending[i];
        if (p.returns_to == address && p.stack_pointer == worker->registers.general[CPU_RSP]) {
            memmove(s->pending + i, s->pending + i + 1, (--s->pending_count - i) * sizeof *s->pending);
            if (!error)
                error = call_returned(a, number, s, &p, worker->registers.general[CPU_RAX]);
        } else {
            others |= p.returns_to == address;
            i++;
        }
    }
    return !error && others ? machine_probe_watch(a->machine, number, address) : error;
}

static void allocations_reached(void *context, uint32_t number, uint64_t address) {
    struct allocations *a = context;
    struct allocation_space *s = space_get(a, number);
    struct probe_worker worker;
    uint64_t function;
    if (!s)
        return;
    machine_probe_worker(a->machine, &worker);
    int error = calls_return(a, number, s, address, &worker);
    if (!error && map_get(&s->entries, address, &function)) {
        error = call_begins(a, number, s, &worker, (enum function)function);
        if (!error)
            error = machine_probe_watch(a->machine, number, address);
    }
    if (error && !a->error)
        a->error = error;
}

/* ---- mmap ---- */

static void mapping_begins(struct allocations *a, const struct event *e) {
    struct probe_worker worker;
    a->call.number = 0;
    machine_probe_worker(a->machine, &worker);
    struct allocation_space *s = space_get(a, worker.space);
    /* What an allocator maps is not what its caller asked for. */
    if (!s || worker.work != PROBE_CALL || pending_of(s, worker.registers.general[CPU_RSP]))
        return;
    if (e->flags == SYS_mremap) {
        const struct range *old = ranges_find(&s->mappings, e->args[0]);
        if (old)
            a->call = (struct mapping_call){SYS_mremap, worker.space, e->args[2], old->key};
    } else if (e->args[3] & MAP_ANONYMOUS) {
        a->call = (struct mapping_call){SYS_mmap, worker.space, e->args[1],
                                        unwind_stack(a->unwinder, &worker, false)};
    }
}

static int mapping_ends(struct allocations *a, const struct event *e) {
    struct allocation_space *s = space_get(a, a->call.space);
    const uint64_t start = e->args[0];
    const bool done = a->call.number == e->flags && s && start < USER_END;
    a->call.number = 0;
    return done ? ranges_add(&s->mappings, start, start + page_round_up(a->call.length), a->call.stack) : 0;
}

int allocations_receive(struct allocations *a, const struct event *e) {
    struct allocation_space *s;
    const bool mapping = e->flags == SYS_mmap || e->flags == SYS_mremap;
    if (a->error)
        return a->error;
    /* The others are not about what is mapped. */
    if (e->kind == EVENT_SPACE_CREATE)
        return space_begin(a, (uint32_t)e->args[0], e->args[2]);
    if (e->kind == EVENT_SPACE_DESTROY)
        return space_forget(a, (uint32_t)e->args[0]);
    if (e->kind == EVENT_MAP && e->flags & ACCESS_EXEC && e->args[3] &&
        (s = space_get(a, (uint32_t)e->args[0])))
        return watch_file(a, (uint32_t)e->args[0], s, vpn_address((vpn_t){e->args[1]}));
    if (e->kind == EVENT_UNMAP && (s = space_get(a, (uint32_t)e->args[0])))
        return ranges_cut(&s->mappings, vpn_address((vpn_t){e->args[1]}),
                          vpn_address((vpn_t){e->args[1] + e->args[2]}));
    if (e->kind == EVENT_SYSCALL_ENTER && mapping)
        mapping_begins(a, e);
    if (e->kind == EVENT_SYSCALL_EXIT && mapping)
        return mapping_ends(a, e);
    return 0;
}

/* ---- looking up ---- */

struct key allocations_find(struct allocations *a, uint32_t space, uint64_t address,
                            const struct location *at) {
    struct allocation_space *s = space_get(a, space);
    if (!s || !at->mapped || at->view.object || at->view.stack || at->in_bss)
        return (struct key){0};
    const struct range *found = ranges_find(&s->objects, address);
    if (!found)
        found = ranges_find(&s->objects, address + HEADER);
    if (found)
        return found->key;
    struct probe_worker worker;
    machine_probe_worker(a->machine, &worker);
    const struct pending *call = worker.work != PROBE_MACHINE && worker.space == space
                                     ? pending_of(s, worker.registers.general[CPU_RSP])
                                     : NULL;
    if (call) /* the allocator's own, touched for an object that is being made */
        return call->stack;
    found = ranges_find(&s->mappings, address);
    return found ? found->key : (struct key){0};
}

int allocations_notes(const struct allocations *a, struct place_report *report) {
    if (a->error)
        return a->error;
    report->notes = calloc((size_t)a->blind.count + 1, sizeof *report->notes);
    if (!report->notes)
        return -ENOMEM;
    for (uint32_t i = 0; i < a->blind.count; i++) {
        if (asprintf(&report->notes[report->note_count],
                     "%s has no symbol for malloc (is it static and stripped?): its heap counts as [heap]",
                     texts_get(&a->blind, i)) < 0)
            return -ENOMEM;
        report->note_count++;
    }
    return 0;
}

int allocations_create(struct machine *machine, struct locator *locator, struct unwinder *unwinder,
                       struct stacks *stacks, struct allocations **ret_allocations) {
    struct allocations *a = calloc(1, sizeof *a);
    if (!a)
        return -ENOMEM;
    a->machine = machine;
    a->locator = locator;
    a->unwinder = unwinder;
    a->stacks = stacks;
    machine_probe_set_client(machine, &(struct probe_client){a, allocations_reached});
    *ret_allocations = a;
    return 0;
}

void allocations_destroy(struct allocations *a) {
    size_t cursor = 0;
    uint64_t number, space;
    machine_probe_set_client(a->machine, &(struct probe_client){0});
    while (map_next(&a->spaces, &cursor, &number, &space))
        space_free((struct allocation_space *)space);
    map_free(&a->spaces);
    texts_free(&a->blind);
    free(a);
}
