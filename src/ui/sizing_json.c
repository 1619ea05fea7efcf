/* What `thimble size --json` says: one object. */
#include <errno.h>
#include <jansson.h>

#include "ui/size.h"
#include "ui/sizing.h"

enum { SIZING_SCHEMA = 1 };

static json_t *integer(uint64_t n) {
    return json_integer((json_int_t)n);
}

static json_t *point_json(const struct answer_point *p) {
    return json_pack("{s:o, s:b, s:o, s:o, s:o, s:o, s:f, s:f}", "pages", integer(p->frames), "out_of_memory",
                     p->out_of_memory, "misses", integer(p->misses), "cold", integer(p->cold), "reads",
                     integer(p->reads), "writes", integer(p->writes), "stall_seconds", p->stall, "slowdown",
                     p->slowdown);
}

static json_t *points_json(const struct sizing *s) {
    json_t *array = json_array();
    for (size_t i = 0; i < s->answer.count; i++)
        json_array_append_new(array, point_json(&s->answer.points[i]));
    return array;
}

static json_t *knees_json(const struct sizing *s) {
    json_t *array = json_array();
    for (size_t i = 0; i < s->knee_count; i++)
        json_array_append_new(array, integer(s->answer.points[s->knees[i]].frames));
    return array;
}

static json_t *answer_json(const struct sizing *s) {
    if (!sizing_has_answer(s))
        return json_null();
    json_t *answer = point_json(&s->answer.points[s->answer.chosen]);
    const uint32_t pages = s->answer.points[s->answer.chosen].frames, held = sizing_anonymous(s);
    json_t *split =
        json_pack("{s:o, s:o, s:o, s:o}", "anonymous", integer(held), "file", integer(pages - held),
                  "page_tables", sizing_page_tables(s) ? integer(sizing_page_tables(s)) : json_null(),
                  "bytes", integer(sizing_bytes(s)));
    if (json_object_update(answer, split))
        json_object_clear(answer);
    json_decref(split);
    return answer;
}

static json_t *reruns_json(const struct sizing *s) {
    json_t *array = json_array();
    for (size_t i = 0; i < s->rerun_count; i++) {
        const struct sizing_rerun *r = &s->reruns[i];
        json_array_append_new(
            array, r->started
                       ? json_pack("{s:o, s:b, s:i, s:o, s:o, s:f, s:b}", "pages", integer(r->pages),
                                   "finished", r->found.finished, "exit_status", r->found.status, "oom_kills",
                                   integer(r->found.oom_kills), "misses", integer(r->found.tally.misses),
                                   "slowdown", r->slowdown, "predicted", r->predicted)
                       : json_pack("{s:o, s:b}", "pages", integer(r->pages), "finished", 0));
    }
    return array;
}

static json_t *phases_json(const struct sizing *s) {
    json_t *array = json_array();
    for (size_t i = 0; i < s->phase_count; i++) {
        const struct phase *p = &s->phases[i];
        json_array_append_new(array, json_pack("{s:o, s:o, s:o, s:o, s:o, s:f}", "start", integer(p->start),
                                               "instructions", integer(p->instructions), "references",
                                               integer(p->counted.references), "misses",
                                               integer(p->counted.misses), "cold", integer(p->counted.cold),
                                               "slowdown", sizing_phase_slowdown(s, p)));
    }
    return array;
}

static json_t *sizing_json(const struct sizing *s, const struct subject *subject) {
    char hash[HASH_TEXT];
    const struct cost_disk *d = &s->config.disk;
    const struct floor_result *f = &s->answer.floor;
    json_t *root = json_pack("{s:i, s:s, s:s, s:o, s:o, s:s, s:s?}", "schema", SIZING_SCHEMA, "subject",
                             subject->title, "trace_hash", hash_format(s->totals.hash, hash), "references",
                             integer(s->totals.references), "pages", integer(s->totals.pages), "label",
                             s->condition ? "conditional" : "exact", "condition", s->condition);
    json_t *asked =
        json_pack("{s:s, s:s, s:{s:f, s:f, s:f, s:f}, s:f, s:f, s:s}", "policy", s->policy, "swap",
                  s->swap ? s->swap : "none", "disk", "latency", d->latency, "bandwidth", d->bandwidth,
                  "depth", d->depth, "writes", d->writes, "slowdown_asked", s->slowdown, "cpu_seconds",
                  s->config.cpu_seconds, "cpu_seconds_are", s->cpu_given ? "given" : "native");
    json_t *found = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "floor",
                              s->config.no_swap ? integer(f->floor) : json_null(), "all", integer(f->all),
                              "knees", knees_json(s), "answer", answer_json(s), "reruns", reruns_json(s),
                              "phases", phases_json(s), "points", points_json(s));
    if (!root || !asked || !found || json_object_update(root, asked) || json_object_update(root, found)) {
        json_decref(root);
        root = NULL;
    }
    json_decref(asked);
    json_decref(found);
    return root;
}

int sizing_print_json(const struct sizing *s, const struct subject *subject, FILE *to) {
    json_t *root = sizing_json(s, subject);
    if (!root)
        return -ENOMEM;
    errno = 0;
    const bool failed = json_dumpf(root, to, JSON_INDENT(2)) || fputc('\n', to) == EOF || fflush(to);
    json_decref(root);
    return failed ? -(errno ? errno : EIO) : 0;
}
