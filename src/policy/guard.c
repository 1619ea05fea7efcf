/* See guard.h.
 *
 * Every operation has the same shape: what the guard itself knows of frames is brought up to date, then the
 * policy is called, if it is still in charge, else CLOCK. A call that goes wrong comes out of sigsetjmp() a
 * second time; by then the guard's own account is complete, so that CLOCK can be filled from it. */
#include "policy/guard.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/plugin.h"
#include "policy/policies.h"
#include "policy/prefetch.h"

enum { WHY_LENGTH = 512, LINE_LENGTH = 1024 };

struct guard {
    struct rescue rescue;
    struct thimble_host host;
    const struct plugin *plugin;
    struct policy_config config;
    double *values; /* of the parameters, in their order */

    void *state;      /* the policy's; NULL: it has none (yet) */
    const char *call; /* that is under way, or was the last */
    bool failed;      /* CLOCK is in charge */
    void *clock;      /* its state, ready from the beginning: a failure must find no lack of memory */
    page_id_t *pages; /* by frame; PAGE_ID_NONE: nothing is inserted */
    uint32_t inserted;

    struct plugin_memory memory;      /* by malloc() and its like */
    struct plugin_memory host_memory; /* by the host's alloc() */
    char why[WHY_LENGTH];             /* guard_abandon() */
};

#define CONTAINER(pointer, type, member) ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

static struct guard *guard_of_rescue(struct rescue *rescue) {
    return CONTAINER(rescue, struct guard, rescue);
}

static struct guard *guard_of_host(const struct thimble_host *host) {
    return CONTAINER(host, struct guard, host);
}

struct plugin_memory *guard_memory(struct rescue *rescue) {
    return &guard_of_rescue(rescue)->memory;
}

void guard_abandon(struct rescue *rescue, const char *format, ...) {
    struct guard *g = guard_of_rescue(rescue);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(g->why, sizeof g->why, format, arguments);
    va_end(arguments);
    rescue_abandon(rescue);
}

/* ---- telling ---- */

__attribute__((format(printf, 3, 4))) static void guard_tell(const struct guard *g, enum policy_news news,
                                                             const char *format, ...) {
    char line[LINE_LENGTH];
    if (!g->config.tell)
        return;
    const int used = snprintf(line, sizeof line, "policy %s (%s) ", g->plugin->policy.name, g->plugin->path);
    va_list arguments;
    va_start(arguments, format);
    if (used > 0 && (size_t)used < sizeof line)
        vsnprintf(line + used, sizeof line - (size_t)used, format, arguments);
    va_end(arguments);
    g->config.tell(g->config.context, news, line);
}

/* Where in the file of the policy it was, for addr2line. "" if it was elsewhere. */
static const char *guard_where(const struct guard *g, char place[160]) {
    const struct rescue *r = &g->rescue;
    place[0] = '\0';
    if (r->instruction >= r->code_start && r->instruction < r->code_end)
        snprintf(place, 160, " (addr2line -f -e %.80s 0x%zx names the place)", g->plugin->path,
                 (size_t)(r->instruction - g->plugin->base));
    return place;
}

/* What the policy did, "called exit(1) in insert()". */
static void guard_describe(const struct guard *g, char line[WHY_LENGTH]) {
    const struct rescue *r = &g->rescue;
    char place[160];
    switch (r->cause) {
    case RESCUE_SIGNAL:
        if (r->signal == SIGSEGV || r->signal == SIGBUS)
            snprintf(line, WHY_LENGTH, "crashed in %s: %s at address 0x%zx%s", g->call, strsignal(r->signal),
                     (size_t)r->address, guard_where(g, place));
        else
            snprintf(line, WHY_LENGTH, "crashed in %s: %s%s", g->call, strsignal(r->signal),
                     guard_where(g, place));
        return;
    case RESCUE_TIME:
        snprintf(line, WHY_LENGTH, "did not come back from %s in time%s", g->call, guard_where(g, place));
        return;
    case RESCUE_GIVEN_UP: snprintf(line, WHY_LENGTH, "%.*s in %s", WHY_LENGTH - 32, g->why, g->call); return;
    }
}

/* ---- when it goes wrong ---- */

static void guard_hand_over(struct guard *g) {
    g->failed = true;
    for (uint32_t f = 0; f < g->config.frames; f++)
        if (g->pages[f].n)
            policy_clock.insert(g->clock, (pfn_t){f}, g->pages[f]);
}

/* After a rescue. The policy is never called again: nobody knows what state it is in. */
static void guard_rescued(struct guard *g) {
    char what[WHY_LENGTH];
    guard_describe(g, what);
    guard_hand_over(g);
    guard_tell(g, POLICY_FAILED, "%s" POLICY_GOES_ON, what);
}

/* Calls the policy; `statement` may set nothing that lives outside. */
#define GUARDED(g, name, statement)                                                                          \
    do {                                                                                                     \
        (g)->call = name "()";                                                                               \
        if (sigsetjmp((g)->rescue.place, 0) == 0) {                                                          \
            rescue_arm(&(g)->rescue);                                                                        \
            statement;                                                                                       \
            rescue_disarm();                                                                                 \
        } else {                                                                                             \
            guard_rescued(g);                                                                                \
        }                                                                                                    \
    } while (0)

/* ---- the host's functions ---- */

/* The call comes from the policy, so its rescue is armed; what is asked for a frame must be about a page. */
static struct guard *host_enter(const struct thimble_host *host) {
    (void)rescue_pause();
    return guard_of_host(host);
}

static void host_check_frame(struct guard *g, uint32_t frame, const char *function) {
    if (frame >= g->config.frames)
        guard_abandon(&g->rescue, "called host->%s() for frame %u, where numbers are below %u,", function,
                      frame, g->config.frames);
    if (!g->pages[frame].n)
        guard_abandon(&g->rescue, "called host->%s() for frame %u, which holds no page,", function, frame);
}

static bool host_test_and_clear(const struct thimble_host *host, uint32_t frame) {
    struct guard *g = host_enter(host);
    if (g->plugin->policy.needs == THIMBLE_NEEDS_NOTHING)
        guard_abandon(&g->rescue,
                      "called host->test_and_clear_referenced(), but says that it needs nothing,");
    host_check_frame(g, frame, "test_and_clear_referenced");
    const bool referenced = g->config.test_and_clear_referenced(g->config.context, (pfn_t){frame});
    rescue_resume(&g->rescue);
    return referenced;
}

static bool host_is_dirty(const struct thimble_host *host, uint32_t frame) {
    struct guard *g = host_enter(host);
    host_check_frame(g, frame, "is_dirty");
    const bool dirty = g->config.is_dirty && g->config.is_dirty(g->config.context, (pfn_t){frame});
    rescue_resume(&g->rescue);
    return dirty;
}

static uint64_t host_now(const struct thimble_host *host) {
    struct guard *g = host_enter(host);
    const uint64_t now = g->config.now ? g->config.now(g->config.context) : 0;
    rescue_resume(&g->rescue);
    return now;
}

static double host_parameter(const struct thimble_host *host, const char *name) {
    struct guard *g = host_enter(host);
    const struct plugin *plugin = g->plugin;
    for (size_t i = 0; i < plugin->parameter_count; i++)
        if (!strcmp(plugin->policy.parameters[i].name, name)) {
            rescue_resume(&g->rescue);
            return g->values[i];
        }
    guard_abandon(&g->rescue, "asked for its parameter '%.40s', which it has not declared,", name);
}

static void *host_alloc(const struct thimble_host *host, size_t count, size_t size) {
    struct guard *g = host_enter(host);
    size_t bytes;
    void *block = NULL;
    if (!__builtin_mul_overflow(count, size, &bytes))
        block = plugin_memory_alloc(&g->host_memory, 0, bytes);
    if (block)
        memset(block, 0, bytes);
    rescue_resume(&g->rescue);
    return block;
}

static void host_free(const struct thimble_host *host, void *block) {
    struct guard *g = host_enter(host);
    if (block && !plugin_memory_has(&g->host_memory, block))
        guard_abandon(&g->rescue, "gave host->free() what host->alloc() had not given,");
    plugin_memory_free(&g->host_memory, block);
    rescue_resume(&g->rescue);
}

__attribute__((format(printf, 2, 3))) static void host_log(const struct thimble_host *host,
                                                           const char *format, ...) {
    struct guard *g = host_enter(host);
    char line[WHY_LENGTH];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    guard_tell(g, POLICY_SAYS, "says: %s", line);
    rescue_resume(&g->rescue);
}

static const struct thimble_host host_functions = {
    .size = sizeof host_functions,
    .parameter = host_parameter,
    .test_and_clear_referenced = host_test_and_clear,
    .is_dirty = host_is_dirty,
    .now = host_now,
    .alloc = host_alloc,
    .free = host_free,
    .log = host_log,
};

/* ---- creation ---- */

/* Blocks of the host's allocator are surely ours to give back: nobody else can have done so. */
static void host_memory_free(struct guard *g) {
    size_t cursor = 0;
    uint64_t block, size;
    while (map_next(&g->host_memory.sizes, &cursor, &block, &size))
        free((void *)(uintptr_t)block); /* NOLINT: it was one */
    plugin_memory_end(&g->host_memory);
}

static void guard_free(struct guard *g) {
    host_memory_free(g);
    plugin_memory_end(&g->memory);
    if (g->clock)
        policy_clock.destroy(g->clock);
    free(g->pages);
    free(g->values);
    free(g);
}

static int guard_alloc(const struct plugin *plugin, const struct policy_config *config,
                       struct guard **ret_guard) {
    struct guard *g = calloc(1, sizeof *g);
    if (!g)
        return -ENOMEM;
    *g = (struct guard){
        .rescue = {.code_start = plugin->code_start, .code_end = plugin->code_end},
        .host = host_functions,
        .plugin = plugin,
        .config = *config,
        .pages = calloc((size_t)config->frames + 1, sizeof *g->pages),
        .values = calloc(plugin->parameter_count + 1, sizeof *g->values),
    };
    g->host.frames = config->frames;
    g->host.capacity = config->capacity;
    g->host.seed = config->seed;
    const struct policy_config clock = {
        .frames = config->frames,
        .capacity = config->capacity,
        .test_and_clear_referenced = config->test_and_clear_referenced,
        .context = config->context,
    };
    int error = g->pages && g->values ? rescue_prepare() : -ENOMEM;
    if (!error)
        error = policy_clock.create(&clock, &g->clock);
    if (error) {
        guard_free(g);
        return error;
    }
    *ret_guard = g;
    return 0;
}

static int guard_parse(struct guard *g) {
    char *message = NULL;
    const int error = plugin_parse(g->plugin, g->config.parameters, g->values, &message);
    if (error)
        guard_tell(g, POLICY_REFUSES, "%s", message ? message : strerror(-error));
    free(message);
    return error;
}

/* A policy that fails at once is no policy: there is nothing to go on from. */
static int guard_call_create(struct guard *g) {
    char what[WHY_LENGTH];
    g->call = "create()";
    if (sigsetjmp(g->rescue.place, 0) == 0) {
        rescue_arm(&g->rescue);
        g->state = g->plugin->policy.create(&g->host);
        rescue_disarm();
        if (g->state)
            return 0;
        guard_tell(g, POLICY_REFUSES, "could not be made: its create() returned NULL");
        return -EINVAL;
    }
    guard_describe(g, what);
    guard_tell(g, POLICY_REFUSES, "%s", what);
    return -EINVAL;
}

static int guard_create(const struct policy_config *config, void **ret_state) {
    struct guard *g;
    if (!config->self || !config->test_and_clear_referenced)
        return -EINVAL;
    int error = guard_alloc(plugin_of(config->self), config, &g);
    if (error)
        return error;
    error = guard_parse(g);
    if (!error)
        error = guard_call_create(g);
    if (error) {
        guard_free(g);
        return error;
    }
    *ret_state = g;
    return 0;
}

/* ---- the operations ---- */

/* Instances may move to another thread between two calls; one without memory for its own stack of handlers
 * is guarded as far as it goes. */
static bool guard_in_charge(struct guard *g) {
    (void)rescue_prepare();
    return !g->failed;
}

static void guard_miss(void *state, page_id_t page) {
    struct guard *g = state;
    if (guard_in_charge(g))
        GUARDED(g, "miss", g->plugin->policy.miss(g->state, page.n));
}

static void guard_insert(void *state, pfn_t f, page_id_t page) {
    struct guard *g = state;
    g->pages[f.n] = page;
    g->inserted++;
    if (guard_in_charge(g))
        GUARDED(g, "insert", g->plugin->policy.insert(g->state, f.n, page.n));
    else
        policy_clock.insert(g->clock, f, page);
}

static void guard_insert_prefetched(void *state, pfn_t f, page_id_t page) {
    struct guard *g = state;
    g->pages[f.n] = page;
    g->inserted++;
    if (guard_in_charge(g))
        GUARDED(g, "insert_prefetched", g->plugin->policy.insert_prefetched(g->state, f.n, page.n));
    else
        policy_clock.insert(g->clock, f, page);
}

/* Takes what the policy wrote, in its own form. */
static size_t wishes_take(struct guard *g, const struct thimble_wish *from, size_t count, size_t room,
                          struct prefetch_wish *wishes) {
    static const enum prefetch_by by[] = {[THIMBLE_BY_ADDRESS] = PREFETCH_BY_ADDRESS,
                                          [THIMBLE_BY_INDEX] = PREFETCH_BY_INDEX,
                                          [THIMBLE_BY_SLOT] = PREFETCH_BY_SLOT};
    (void)rescue_pause();
    if (count > room)
        guard_abandon(&g->rescue, "says that it wrote %zu wishes where there is room for %zu,", count, room);
    for (size_t i = 0; i < count; i++) {
        if (from[i].by >= sizeof by / sizeof *by)
            guard_abandon(&g->rescue, "wished for a page by %u: there are 0, 1 and 2,", from[i].by);
        wishes[i] = (struct prefetch_wish){by[from[i].by], from[i].number};
    }
    return count;
}

static size_t guard_prefetch(void *state, const struct prefetch_miss *miss, struct prefetch_wish *wishes,
                             size_t room) {
    struct guard *g = state;
    struct thimble_wish written[PREFETCH_WISHES] = {0};
    const struct thimble_miss told = {
        .size = sizeof told,
        .place = (miss->from_file ? THIMBLE_MISS_FILE : 0U) | (miss->from_swap ? THIMBLE_MISS_SWAP : 0U) |
                 (!miss->from_file && !miss->from_swap ? THIMBLE_MISS_NEW : 0U),
        .page = miss->page.n,
        .virtual_page = miss->vpn.n,
        .space = miss->space,
        .object = miss->object,
        .index = miss->index,
        .slot = miss->slot.n,
        .free_frames = miss->free_frames,
    };
    volatile size_t count = 0;
    if (guard_in_charge(g))
        GUARDED(g, "prefetch", {
            const size_t wished = g->plugin->policy.prefetch(g->state, &told, written, (uint32_t)room);
            count = wishes_take(g, written, wished, room, wishes);
        });
    return g->failed ? 0 : count;
}

static void guard_access(void *state, pfn_t f, page_id_t page) {
    struct guard *g = state;
    if (guard_in_charge(g))
        GUARDED(g, "access", g->plugin->policy.access(g->state, f.n, page.n));
}

static void guard_remove(void *state, pfn_t f, page_id_t page, enum policy_remove reason) {
    struct guard *g = state;
    g->pages[f.n] = PAGE_ID_NONE;
    g->inserted--;
    if (guard_in_charge(g))
        GUARDED(g, "remove", g->plugin->policy.remove(g->state, f.n, page.n, (uint32_t)reason));
    else
        policy_clock.remove(g->clock, f, page, reason);
}

static void victim_judge(struct guard *g, uint32_t frame) {
    (void)rescue_pause();
    if (frame == THIMBLE_NO_FRAME)
        guard_abandon(&g->rescue, "named no frame, although %u hold pages,", g->inserted);
    if (frame >= g->config.frames)
        guard_abandon(&g->rescue, "named frame %u, where numbers are below %u,", frame, g->config.frames);
    if (!g->pages[frame].n)
        guard_abandon(&g->rescue, "named frame %u, which holds no page,", frame);
}

static pfn_t guard_victim(void *state) {
    struct guard *g = state;
    volatile uint32_t frame = THIMBLE_NO_FRAME;
    if (g->inserted == 0)
        return PFN_NONE;
    if (guard_in_charge(g))
        GUARDED(g, "victim", {
            frame = g->plugin->policy.victim(g->state);
            victim_judge(g, frame);
        });
    return g->failed ? policy_clock.victim(g->clock) : (pfn_t){frame};
}

static const char *guard_check(const void *state) {
    struct guard *g = (struct guard *)state; /* NOLINT: a failure changes it */
    const char *volatile wrong = NULL;
    if (!g->failed && !g->plugin->policy.check)
        return NULL;
    if (guard_in_charge(g))
        GUARDED(g, "check", wrong = g->plugin->policy.check(g->state));
    return g->failed ? policy_clock.check(g->clock) : wrong;
}

static size_t guard_bytes(const void *state) {
    const struct guard *g = state;
    return g->memory.bytes + g->host_memory.bytes;
}

static void guard_tell_leak(struct guard *g) {
    const size_t bytes = guard_bytes(g);
    const size_t blocks = map_count(&g->memory.sizes) + map_count(&g->host_memory.sizes);
    if (blocks > 0)
        guard_tell(g, POLICY_LEAKS,
                   "kept %zu block%s of memory (%zu bytes): its destroy() must free what it has allocated",
                   blocks, blocks == 1 ? "" : "s", bytes);
}

/* What is in frames is nobody's concern any more: no CLOCK goes on, so a failure is told otherwise. */
static void guard_destroy(void *state) {
    struct guard *g = state;
    char what[WHY_LENGTH];
    if (guard_in_charge(g)) {
        g->call = "destroy()";
        if (sigsetjmp(g->rescue.place, 0) == 0) {
            rescue_arm(&g->rescue);
            g->plugin->policy.destroy(g->state);
            rescue_disarm();
            guard_tell_leak(g);
        } else {
            guard_describe(g, what);
            guard_tell(g, POLICY_FAILED, "%s", what);
        }
    }
    guard_free(g);
}

void guard_make_ops(const struct thimble_policy *policy, struct policy_ops *ops) {
    const bool every_reference = policy->needs == THIMBLE_NEEDS_EVERY_REFERENCE;
    ops->create = guard_create;
    ops->destroy = guard_destroy;
    ops->insert = guard_insert;
    ops->access = every_reference ? guard_access : NULL;
    ops->remove = guard_remove;
    ops->victim = guard_victim;
    ops->check = guard_check;
    ops->bytes = guard_bytes;
    ops->miss = policy->miss ? guard_miss : NULL;
    ops->insert_prefetched = policy->insert_prefetched ? guard_insert_prefetched : NULL;
    ops->prefetch = policy->prefetch ? guard_prefetch : NULL;
}
