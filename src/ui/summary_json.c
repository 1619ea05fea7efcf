/* The summary for programs: one JSON object.
 *
 * Identities that hold, and are tested: faults.total = minor + major = zero_fill + file + swap_in + cow +
 * protection; evictions.total = clean + to_swap + to_file; frames.total = reserved + page_tables + anonymous
 * + page_cache + free. */
#include <stdlib.h>
#include <string.h>

#include "ui/json.h"
#include "ui/summary.h"

/* Raised when a key is renamed, removed or changes its meaning. */
enum { SUMMARY_SCHEMA = 1 };

/* Bytes that need not be UTF-8 as a string: a byte that is not part of it becomes U+00XX. */
static json_t *text(const char *bytes) {
    json_t *string = json_string(bytes);
    if (string)
        return string;
    char *latin = malloc(2 * strlen(bytes) + 1), *to = latin;
    if (!latin)
        return NULL;
    for (const unsigned char *at = (const unsigned char *)bytes; *at; at++) {
        if (*at < 0x80) {
            *to++ = (char)*at;
        } else {
            *to++ = (char)(0xc0 | *at >> 6);
            *to++ = (char)(0x80 | (*at & 0x3f));
        }
    }
    *to = '\0';
    string = json_string(latin);
    free(latin);
    return string;
}

static json_t *command_json(char *const *command) {
    json_t *array = json_array();
    for (; *command; command++)
        json_array_append_new(array, text(*command));
    return array;
}

static json_t *frames_json(const struct vm_frame_counts *f) {
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "total", json_count(f->total), "reserved",
                     json_count(f->reserved), "free", json_count(f->free), "page_tables",
                     json_count(f->page_tables), "anonymous", json_count(f->anonymous), "page_cache",
                     json_count(f->page_cache));
}

static json_t *faults_json(const struct tally *t) {
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "total", json_count(tally_faults(t)), "misses",
        json_count(t->misses), "minor", json_count(t->minor), "major", json_count(t->major), "zero_fill",
        json_count(t->faults[EVENT_FAULT_ZERO_FILL]), "file", json_count(t->faults[EVENT_FAULT_FILE]),
        "swap_in", json_count(t->faults[EVENT_FAULT_SWAP_IN]), "cow", json_count(t->faults[EVENT_FAULT_COW]),
        "protection", json_count(t->faults[EVENT_FAULT_PROTECTION]));
}

static json_t *evictions_json(const struct tally *t) {
    const uint64_t *e = t->evictions;
    return json_pack("{s:o, s:o, s:o, s:o}", "total",
                     json_count(e[EVENT_VICTIM_CLEAN] + e[EVENT_VICTIM_TO_SWAP] + e[EVENT_VICTIM_TO_FILE]),
                     "clean", json_count(e[EVENT_VICTIM_CLEAN]), "to_swap",
                     json_count(e[EVENT_VICTIM_TO_SWAP]), "to_file", json_count(e[EVENT_VICTIM_TO_FILE]));
}

static json_t *swap_json(const struct vm_swap_counts *s) {
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "pages", json_count(s->pages), "used", json_count(s->used),
                     "peak", json_count(s->peak), "in", json_count(s->in), "out", json_count(s->out));
}

static json_t *syscalls_json(const struct kernel_summary *k) {
    json_t *unimplemented = json_object();
    for (size_t i = 0; i < k->unimplemented_count; i++)
        json_object_set_new(unimplemented, k->unimplemented[i].name, json_count(k->unimplemented[i].count));
    return json_pack("{s:o, s:o}", "total", json_count(k->syscalls), "unimplemented", unimplemented);
}

static json_t *process_json(const struct process_summary *p) {
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "pid", json_count(p->pid), "parent",
                     json_count(p->parent), "command", text(p->command), "exit_status",
                     p->wait_status < 0 ? json_null() : json_integer(summary_exit_status(p->wait_status)),
                     "peak_resident", json_count(p->peak_resident), "faults", faults_json(&p->tally),
                     "refaults", json_count(p->tally.refaults), "evictions", evictions_json(&p->tally),
                     "syscalls", json_count(p->syscalls));
}

static json_t *processes_json(const struct kernel_summary *k) {
    json_t *array = json_array();
    for (size_t i = 0; i < k->process_count; i++)
        json_array_append_new(array, process_json(&k->processes[i]));
    return array;
}

/* What the limits on tasks, output and time count, and which of them ended the machine. */
static json_t *limits_json(const struct kernel_summary *k) {
    static const char *const names[] = {
        [LIMIT_INSTRUCTIONS] = "instructions", [LIMIT_OUTPUT] = "output", [LIMIT_TIME] = "time"};
    return json_pack("{s:o, s:o, s:o, s:o}", "reached",
                     k->limit == LIMIT_NONE ? json_null() : json_string(names[k->limit]), "output_bytes",
                     json_count(k->output_bytes), "processes_peak", json_count(k->tasks_peak),
                     "processes_refused", json_count(k->tasks_refused));
}

static json_t *conditions_json(const struct kernel_summary *k) {
    json_t *array = json_array();
    for (const char *const *name = k->conditions; name && *name; name++)
        json_array_append_new(array, text(*name));
    return array;
}

/* null when no page was to be brought along. */
static json_t *prefetch_json(const struct machine_summary *s) {
    const struct vm_prefetch_counts *p = &s->prefetched;
    if (!s->prefetch)
        return json_null();
    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o}", "name", s->prefetch, "pages",
                     json_count(p->prefetched), "useful", json_count(p->useful), "late", json_count(p->late),
                     "wasted", json_count(p->wasted), "waiting", json_count(p->waiting));
}

static json_t *summary_json(const struct machine_summary *s, const struct summary_context *context) {
    json_t *root = json_pack(
        "{s:i, s:s, s:o, s:b, s:s, s:s?, s:o, s:i, s:s, s:i, s:o, s:f}", "schema", SUMMARY_SCHEMA, "version",
        THIMBLE_VERSION, "command", command_json(context->command), "complete", s->complete, "policy",
        s->policy, "policy_failed", s->policy_failed, "seed", json_count(s->seed), "page_size", PAGE_SIZE,
        "page_table", s->page_table, "exit_status", context->exit_status, "instructions",
        json_count(s->kernel.instructions), "wall_seconds", s->wall_seconds);
    json_t *rest =
        json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:{s:o}, s:o, s:o, s:b, s:o, s:o, s:o, s:o}",
                  "prefetch", prefetch_json(s), "frames", frames_json(&s->vm.frames), "frames_peak",
                  frames_json(&s->vm.frames_peak), "faults", faults_json(&s->vm.tally), "refaults",
                  json_count(s->vm.tally.refaults), "evictions", evictions_json(&s->vm.tally), "swap",
                  swap_json(&s->vm.swap), "tlb", "misses", json_count(s->engine.tlb_misses),
                  "context_switches", json_count(s->kernel.context_switches), "oom_kills",
                  json_count(s->kernel.oom_kills), "limits_of_determinism", s->kernel.limits_of_determinism,
                  "syscalls", syscalls_json(&s->kernel), "limits", limits_json(&s->kernel), "conditions",
                  conditions_json(&s->kernel), "processes", processes_json(&s->kernel));
    if (!root || !rest || json_object_update(root, rest)) {
        json_decref(root);
        root = NULL;
    }
    json_decref(rest);
    return root;
}

int summary_print_json(FILE *to, const struct machine_summary *s, const struct summary_context *context) {
    return json_print(summary_json(s, context), to);
}
