/* The summary for programs: one JSON object.
 *
 * Identities that hold, and are tested: faults.total = minor + major = zero_fill + file + swap_in + cow +
 * protection; evictions.total = clean + to_swap + to_file; frames.total = reserved + page_tables + anonymous
 * + page_cache + free. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "ui/summary.h"

/* Raised when a key is renamed, removed or changes its meaning. */
enum { SUMMARY_SCHEMA = 1 };

static json_t *integer(uint64_t n) {
    return json_integer((json_int_t)n);
}

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
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "total", integer(f->total), "reserved",
                     integer(f->reserved), "free", integer(f->free), "page_tables", integer(f->page_tables),
                     "anonymous", integer(f->anonymous), "page_cache", integer(f->page_cache));
}

static json_t *faults_json(const struct tally *t) {
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "total", integer(tally_faults(t)),
                     "misses", integer(t->misses), "minor", integer(t->minor), "major", integer(t->major),
                     "zero_fill", integer(t->faults[EVENT_FAULT_ZERO_FILL]), "file",
                     integer(t->faults[EVENT_FAULT_FILE]), "swap_in", integer(t->faults[EVENT_FAULT_SWAP_IN]),
                     "cow", integer(t->faults[EVENT_FAULT_COW]), "protection",
                     integer(t->faults[EVENT_FAULT_PROTECTION]));
}

static json_t *evictions_json(const struct tally *t) {
    const uint64_t *e = t->evictions;
    return json_pack("{s:o, s:o, s:o, s:o}", "total",
                     integer(e[EVENT_VICTIM_CLEAN] + e[EVENT_VICTIM_TO_SWAP] + e[EVENT_VICTIM_TO_FILE]),
                     "clean", integer(e[EVENT_VICTIM_CLEAN]), "to_swap", integer(e[EVENT_VICTIM_TO_SWAP]),
                     "to_file", integer(e[EVENT_VICTIM_TO_FILE]));
}

static json_t *swap_json(const struct vm_swap_counts *s) {
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "pages", integer(s->pages), "used", integer(s->used),
                     "peak", integer(s->peak), "in", integer(s->in), "out", integer(s->out));
}

static json_t *syscalls_json(const struct kernel_summary *k) {
    json_t *unimplemented = json_object();
    for (size_t i = 0; i < k->unimplemented_count; i++)
        json_object_set_new(unimplemented, k->unimplemented[i].name, integer(k->unimplemented[i].count));
    return json_pack("{s:o, s:o}", "total", integer(k->syscalls), "unimplemented", unimplemented);
}

static json_t *process_json(const struct process_summary *p) {
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "pid", integer(p->pid), "parent",
                     integer(p->parent), "command", text(p->command), "exit_status",
                     p->wait_status < 0 ? json_null() : json_integer(summary_exit_status(p->wait_status)),
                     "peak_resident", integer(p->peak_resident), "faults", faults_json(&p->tally), "refaults",
                     integer(p->tally.refaults), "evictions", evictions_json(&p->tally), "syscalls",
                     integer(p->syscalls));
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
                     integer(k->output_bytes), "processes_peak", integer(k->tasks_peak), "processes_refused",
                     integer(k->tasks_refused));
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
    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o}", "name", s->prefetch, "pages", integer(p->prefetched),
                     "useful", integer(p->useful), "late", integer(p->late), "wasted", integer(p->wasted),
                     "waiting", integer(p->waiting));
}

static json_t *summary_json(const struct machine_summary *s, const struct summary_context *context) {
    json_t *root = json_pack(
        "{s:i, s:s, s:o, s:b, s:s, s:s?, s:o, s:i, s:s, s:i, s:o, s:f}", "schema", SUMMARY_SCHEMA, "version",
        THIMBLE_VERSION, "command", command_json(context->command), "complete", s->complete, "policy",
        s->policy, "policy_failed", s->policy_failed, "seed", integer(s->seed), "page_size", PAGE_SIZE,
        "page_table", s->page_table, "exit_status", context->exit_status, "instructions",
        integer(s->kernel.instructions), "wall_seconds", s->wall_seconds);
    json_t *rest =
        json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:{s:o}, s:o, s:o, s:b, s:o, s:o, s:o, s:o}",
                  "prefetch", prefetch_json(s), "frames", frames_json(&s->vm.frames), "frames_peak",
                  frames_json(&s->vm.frames_peak), "faults", faults_json(&s->vm.tally), "refaults",
                  integer(s->vm.tally.refaults), "evictions", evictions_json(&s->vm.tally), "swap",
                  swap_json(&s->vm.swap), "tlb", "misses", integer(s->engine.tlb_misses), "context_switches",
                  integer(s->kernel.context_switches), "oom_kills", integer(s->kernel.oom_kills),
                  "limits_of_determinism", s->kernel.limits_of_determinism, "syscalls",
                  syscalls_json(&s->kernel), "limits", limits_json(&s->kernel), "conditions",
                  conditions_json(&s->kernel), "processes", processes_json(&s->kernel));
    if (!root || !rest || json_object_update(root, rest)) {
        json_decref(root);
        root = NULL;
    }
    json_decref(rest);
    return root;
}

int summary_print_json(FILE *to, const struct machine_summary *s, const struct summary_context *context) {
    json_t *root = summary_json(s, context);
    if (!root)
        return -ENOMEM;
    errno = 0;
    bool failed = json_dumpf(root, to, JSON_INDENT(2)) || fputc('\n', to) == EOF || fflush(to);
    json_decref(root);
    return failed || ferror(to) ? -(errno ? errno : EIO) : 0;
}
