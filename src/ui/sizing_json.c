/* What `thimble size --json` says: one object. */

#include "ui/json.h"
#include "ui/size.h"
#include "ui/sizing.h"

enum { SIZING_SCHEMA = 1 };

static json_t *point_json(const struct answer_point *p) {
    return json_pack("{s:o, s:b, s:o, s:o, s:o, s:o, s:f, s:f}", "pages", json_count(p->frames),
                     "out_of_memory", p->out_of_memory, "misses", json_count(p->misses), "cold",
                     json_count(p->cold), "reads", json_count(p->reads), "writes", json_count(p->writes),
                     "stall_seconds", p->stall, "slowdown", p->slowdown);
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
        json_array_append_new(array, json_count(s->answer.points[s->knees[i]].frames));
    return array;
}

static json_t *answer_json(const struct sizing *s) {
    if (!sizing_has_answer(s))
        return json_null();
    json_t *answer = point_json(&s->answer.points[s->answer.chosen]);
    const uint32_t pages = s->answer.points[s->answer.chosen].frames, held = sizing_anonymous(s);
    json_t *split = json_pack("{s:o, s:o, s:o, s:s, s:o}", "anonymous", json_count(held), "file",
                              json_count(pages - held), "page_tables",
                              sizing_page_tables(s) ? json_count(sizing_page_tables(s)) : json_null(),
                              "page_tables_label", sizing_tables_are_counted(s) ? "exact" : "estimated",
                              "bytes", json_count(sizing_bytes(s)));
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
                       ? json_pack("{s:o, s:b, s:i, s:o, s:o, s:f, s:o}", "pages", json_count(r->pages),
                                   "finished", r->found.finished, "exit_status", r->found.status, "oom_kills",
                                   json_count(r->found.oom_kills), "misses",
                                   json_count(r->found.tally.misses), "slowdown", r->slowdown, "predicted",
                                   r->compared ? json_boolean(r->predicted) : json_null())
                       : json_pack("{s:o, s:b}", "pages", json_count(r->pages), "finished", 0));
    }
    return array;
}

static json_t *phases_json(const struct sizing *s) {
    json_t *array = json_array();
    for (size_t i = 0; i < s->phase_count; i++) {
        const struct phase *p = &s->phases[i];
        json_array_append_new(
            array, json_pack("{s:o, s:o, s:o, s:o, s:o, s:f}", "start", json_count(p->start), "instructions",
                             json_count(p->instructions), "references", json_count(p->counted.references),
                             "misses", json_count(p->counted.misses), "cold", json_count(p->counted.cold),
                             "slowdown", sizing_phase_slowdown(s, p)));
    }
    return array;
}

static json_t *sizing_json(const struct sizing *s, const struct subject *subject) {
    char hash[HASH_TEXT];
    const struct cost_disk *d = &s->config.disk;
    const struct floor_result *f = &s->answer.floor;
    json_t *root = json_pack("{s:i, s:s, s:i, s:s, s:o, s:o, s:s, s:s?}", "schema", SIZING_SCHEMA, "subject",
                             subject->title, "exit_status", subject->recorded.exit_status, "trace_hash",
                             hash_format(s->totals.hash, hash), "references",
                             json_count(s->totals.references), "pages", json_count(s->totals.pages), "label",
                             result_label_name(s->label), "condition", s->condition);
    json_t *asked =
        json_pack("{s:s, s:s, s:{s:f, s:f, s:f, s:f}, s:f, s:f, s:s}", "policy", s->policy, "swap",
                  s->swap ? s->swap : "none", "disk", "latency", d->latency, "bandwidth", d->bandwidth,
                  "depth", d->depth, "writes", d->writes, "slowdown_asked", s->slowdown, "cpu_seconds",
                  s->config.cpu_seconds, "cpu_seconds_are", sizing_cpu_is(s));
    json_t *found = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "floor",
                              sizing_floor(s) ? json_count(sizing_floor(s)) : json_null(), "all",
                              json_count(f->all), "knees", knees_json(s), "answer", answer_json(s), "reruns",
                              reruns_json(s), "phases", phases_json(s), "points", points_json(s));
    if (!root || !asked || !found || json_object_update(root, asked) || json_object_update(root, found)) {
        json_decref(root);
        root = NULL;
    }
    json_decref(asked);
    json_decref(found);
    return root;
}

int sizing_print_json(const struct sizing *s, const struct subject *subject, FILE *to) {
    return json_print(sizing_json(s, subject), to);
}
