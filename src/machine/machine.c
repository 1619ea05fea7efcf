/* Builds a machine from its configuration, wires its parts together, takes it down.
 *
 *     disk ── vm ── engine ── kernel        built in this order
 *
 * The vm tells the engine what to forget (listener), the engine asks for pages (client), the vm reports
 * memory and I/O errors to the kernel (configuration): each of these calls passes through the machine here,
 * because a part must not know the parts above it. */
#include "machine/machine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/message.h"
#include "kernel/process/layout.h"
#include "machine/parts.h"

/* Instructions of a time slice: long enough that switching costs nothing, short enough (about 5 ms) that a
 * pipeline flows. */
enum { QUANTUM = 2000000 };

void machine_count_instructions(struct machine *m) {
    struct engine_counters counters;
    if (!m->trace.listening)
        return;
    m->engine_ops->get_counters(m->engine, &counters);
    m->instructions = counters.instructions;
}

/* ---- the engine's calls up ---- */

static enum fault_result client_fault(void *context, struct page_table *table, uint64_t address,
                                      unsigned access) {
    struct machine *m = context;
    machine_count_instructions(m);
    m->in_instruction = true;
    enum fault_result result = kernel_fault(m->kernel, table, address, access);
    m->in_instruction = false;
    machine_check_paced(m, true);
    return result;
}

static page_id_t client_page_id(void *context, pfn_t frame) {
    struct machine *m = context;
    return vm_page_id(m->vm, frame);
}

static void client_references(void *context, const struct reference_log *log) {
    struct machine *m = context;
    vm_references(m->vm, log);
}

static void client_reached(void *context, const struct page_table *table, uint64_t address) {
    struct machine *m = context;
    machine_count_instructions(m);
    m->in_instruction = true;
    kernel_reached(m->kernel, table, address);
    if (m->probe_client.reached)
        m->probe_client.reached(m->probe_client.context, table->space, address);
    m->in_instruction = false;
}

/* ---- the vm's calls to the engine and to the kernel ---- */

static void listener_forget_page(void *context, const struct page_table *table, vpn_t vpn) {
    struct machine *m = context;
    m->engine_ops->forget_page(m->engine, table, vpn);
}

static void listener_forget_table(void *context, const struct page_table *table) {
    struct machine *m = context;
    m->engine_ops->forget_table(m->engine, table);
    kernel_forget_table(m->kernel, table);
}

static uint64_t listener_now(void *context) {
    struct machine *m = context;
    struct engine_counters counters;
    m->engine_ops->get_counters(m->engine, &counters);
    return counters.instructions;
}

static void listener_forget_code(void *context, page_id_t page, unsigned offset, unsigned length) {
    struct machine *m = context;
    m->engine_ops->forget_code(m->engine, page, offset, length);
}

static bool vm_is_out_of_memory(void *context) {
    struct machine *m = context;
    return kernel_out_of_memory(m->kernel);
}

static void vm_refused_memory(void *context) {
    struct machine *m = context;
    kernel_refused_memory(m->kernel);
}

static void vm_had_io_error(void *context, struct space *space, int error, const char *what) {
    struct machine *m = context;
    char line[128];
    if (m->kernel) {
        kernel_io_error(m->kernel, space, error, what);
        return;
    }
    snprintf(line, sizeof line, "%s: %s", what, strerror(-error));
    m->config.report(m->config.context, line);
}

/* A list of decisions that the machine cannot follow makes no picture that anybody wanted. */
static void vm_choice_refused(void *context, const char *list, size_t index, uint32_t number,
                              const char *why) {
    struct machine *m = context;
    char line[256];
    snprintf(line, sizeof line, "choices: %s[%zu] = %u cannot be followed: it %s", list, index, number, why);
    if (m->failure) /* one message is enough: the next may follow from the first */
        return;
    m->config.report(m->config.context, line);
    machine_fail(m, -ENOTRECOVERABLE);
}

/* What a policy of the user's says. Why it cannot be made is the answer to who wants the machine. */
static void vm_policy_tells(void *context, enum policy_news news, const char *line) {
    struct machine *m = context;
    if (news == POLICY_REFUSES && !m->policy_refused)
        m->policy_refused = strdup(line);
    else
        m->config.report(m->config.context, line);
    if (news == POLICY_FAILED && !m->policy_failed)
        m->policy_failed = strdup(line);
}

void machine_fail(struct machine *m, int error) {
    m->failure = error;
    if (m->engine)
        m->engine_ops->kick(m->engine);
}

/* ---- building ---- */

static int build_swap(struct machine *m, char **ret_message) {
    const struct machine_config *c = &m->config;
    int error = disk_create(c->swap_path, c->swap_pages, c->inject, &m->swap);
    if (error)
        return message_fail(error, ret_message, "the swap area of %u pages cannot be made in %s: %s",
                            c->swap_pages, c->swap_path ? c->swap_path : "a temporary file",
                            strerror(-error));
    return 0;
}

static int build_vm(struct machine *m, char **ret_message) {
    const struct machine_config *c = &m->config;
    struct vm_config config = {
        .frames = c->frames,
        .available = c->available,
        .reserved = c->reserved,
        .format = m->geometry.format,
        .policy = m->geometry.policy,
        .policy_parameters = m->geometry.policy_parameters,
        .prefetcher = &m->geometry.prefetcher,
        .seed = c->seed,
        .map_lowered = layout_make(c->layout_seed).mappings,
        .swap = m->swap,
        .slot_at_first_touch = c->slot_at_first_touch,
        .choices = c->choices,
        .choice_refused = vm_choice_refused,
        .trace = &m->trace,
        .record_contents = c->record_contents,
        .inject = c->inject,
        .out_of_memory = vm_is_out_of_memory,
        .refused = vm_refused_memory,
        .io_error = vm_had_io_error,
        .policy_tells = vm_policy_tells,
        .observer = c->observer,
        .deterministic = c->deterministic,
        .observe_bits = c->observe_bits,
        .told_pages = c->told_pages,
        .context = m,
    };
    int error = vm_create(&config, &m->vm);
    if (error && m->policy_refused)
        return message_fail(error, ret_message, "%s", m->policy_refused);
    if (error == -EINVAL && m->geometry.policy_parameters)
        return message_fail(error, ret_message, "policy %s cannot be used with '%s': see --policy list",
                            m->geometry.policy->name, m->geometry.policy_parameters);
    if (error)
        return message_fail(error, ret_message, "memory of %u frames cannot be made: %s",
                            c->frames ? c->frames : c->available, strerror(-error));
    return 0;
}

static int build_engine(struct machine *m, char **ret_message) {
    bool every_reference =
        m->geometry.policy->needs == POLICY_NEEDS_EVERY_REFERENCE || m->config.observer.references;
    struct engine_config config = {
        .mem = vm_physmem(m->vm),
        .client =
            {
                .context = m,
                .fault = client_fault,
                .page_id = client_page_id,
                .references = every_reference ? client_references : NULL,
                .reached = client_reached,
            },
        .level = m->config.level,
        .tlb_entries = m->config.tlb_entries,
    };
    m->engine_ops = &engine_soft;
    int error = m->engine_ops->create(&config, &m->engine);
    if (error)
        return message_fail(error, ret_message, "the %s engine cannot offer an x86-64-v%d CPU: %s",
                            m->engine_ops->name, (int)m->config.level, strerror(-error));
    struct vm_listener listener = {
        .context = m,
        .forget_page = listener_forget_page,
        .forget_table = listener_forget_table,
        .forget_code = listener_forget_code,
        .now = listener_now,
    };
    vm_set_listener(m->vm, &listener);
    return 0;
}

static int build_sandbox(struct machine *m, char **ret_message) {
    const char *wrong;
    if (!m->config.sandbox.wanted)
        return 0;
    int error = sandbox_create(&m->config.sandbox, m->config.inject, &m->sandbox, &wrong);
    if (!error)
        return 0;
    if (wrong)
        return message_fail(error, ret_message, "--allow %s: %s", wrong, strerror(-error));
    return message_fail(error, ret_message, "no temporary directory can be made in %s for the sandbox: %s",
                        getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp", strerror(-error));
}

static int build_kernel(struct machine *m, char **ret_message) {
    int error = host_signals_create(&m->signals);
    if (error)
        return message_fail(error, ret_message, "signals cannot be received: %s", strerror(-error));
    const struct machine_config *c = &m->config;
    struct kernel_config config = {
        .vm = m->vm,
        .engine_ops = m->engine_ops,
        .engine = m->engine,
        .trace = &m->trace,
        .inject = c->inject,
        .level = c->level,
        .deterministic = c->deterministic,
        .seed = c->seed,
        .layout_seed = c->layout_seed,
        .quantum = QUANTUM,
        .max_instructions = c->max_instructions,
        .limits = c->limits,
        .sandbox = m->sandbox,
        .cache_all = c->cache_all,
        .no_network = c->no_network,
        .watch = c->watch,
        .resumable = !c->keep_host_signals && !host_group_is_orphaned(),
        .unblock_signals = c->keep_host_signals,
        .wake_fd = host_signals_fd(m->signals),
        .report = c->report,
        .context = c->context,
    };
    error = kernel_create(&config, &m->kernel);
    return error ? message_fail(error, ret_message, "the kernel cannot be made: %s", strerror(-error)) : 0;
}

int machine_create(const struct machine_config *config, struct machine **ret_machine, char **ret_message) {
    *ret_message = NULL;
    struct machine *m = calloc(1, sizeof *m);
    if (!m)
        return -ENOMEM;
    m->config = *config;
    int error = geometry_resolve(config, &m->geometry, ret_message);
    if (!error)
        error = build_swap(m, ret_message);
    if (!error)
        error = build_vm(m, ret_message);
    if (!error)
        error = build_engine(m, ret_message);
    if (!error)
        error = build_sandbox(m, ret_message);
    m->descriptors = config->check ? machine_count_descriptors() : 0;
    if (!error)
        error = build_kernel(m, ret_message);
    if (error) {
        machine_destroy(m);
        return error;
    }
    m->trace.instruction = &m->instructions;
    *ret_machine = m;
    return 0;
}

static void kernel_take_down(struct machine *m) {
    if (m->kernel)
        kernel_destroy(m->kernel);
    m->kernel = NULL;
}

/* What lives longer than the kernel, and may have files open. */
static void rest_take_down(struct machine *m) {
    host_signals_destroy(m->signals);
    m->signals = NULL;
    if (m->engine) {
        vm_set_listener(m->vm, &(struct vm_listener){0});
        m->engine_ops->destroy(m->engine);
    }
    m->engine = NULL;
    if (m->vm)
        vm_destroy(m->vm);
    m->vm = NULL;
    sandbox_destroy(m->sandbox);
    m->sandbox = NULL;
}

int machine_end(struct machine *m) {
    const bool check = m->config.check && !m->failure;
    kernel_take_down(m);
    int error = check ? machine_check_memory_left(m) : 0;
    rest_take_down(m);
    return error || !check ? error : machine_check_descriptors_left(m);
}

void machine_destroy(struct machine *m) {
    kernel_take_down(m);
    rest_take_down(m);
    if (m->swap)
        disk_destroy(m->swap);
    geometry_release(&m->geometry);
    machine_free_programs(m);
    free(m->policy_failed);
    free(m->policy_refused);
    free(m);
}

void machine_get_geometry(const struct machine *m, struct machine_geometry *ret_geometry) {
    *ret_geometry = (struct machine_geometry){
        .frames = vm_physmem(m->vm)->frames,
        .reserved = m->config.reserved,
        .swap_pages = m->config.swap_pages,
        .page_table = m->geometry.format->name,
        .policy = m->geometry.policy->name,
    };
}

void machine_add_sink(struct machine *m, struct trace_sink *sink) {
    trace_add_sink(&m->trace, sink);
}

void machine_request_stop(struct machine *m) {
    atomic_store(&m->stopped, true);
    host_signals_wake(m->signals);
    m->engine_ops->kick(m->engine);
}

void machine_set_terminal(struct machine *m, int terminal) {
    m->terminal = terminal;
}

void machine_send_signal(struct machine *m, int signal) {
    host_signals_send(m->signals, signal);
    m->engine_ops->kick(m->engine);
}

void machine_get_summary(struct machine *m, struct machine_summary *ret_summary) {
    struct machine_summary s = {
        .complete = kernel_stop_reason(m->kernel) == KERNEL_FINISHED,
        .wait_status = kernel_exit_status(m->kernel),
        .host_signal = m->host_signal,
        .stop = kernel_stop_reason(m->kernel),
        .policy = m->geometry.policy->name,
        .policy_failed = m->policy_failed,
        .page_table = m->geometry.format->name,
        .seed = m->config.seed,
        .wall_seconds = m->wall_seconds,
    };
    s.prefetch = m->geometry.prefetcher.count ? m->config.prefetch : NULL;
    vm_get_prefetch_counts(m->vm, &s.prefetched);
    vm_get_counts(m->vm, &s.vm);
    m->engine_ops->get_counters(m->engine, &s.engine);
    kernel_get_summary(m->kernel, &s.kernel);
    *ret_summary = s;
}
