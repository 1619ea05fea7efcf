/* The parts of a spec that concern one test: its machine, limits, expectations and points. */
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grade/spec_json.h"

#define COUNT_MAX ((uint64_t)INT64_MAX)

static const char *const limit_keys[] = {
    "faults",       "major_faults", "misses", "evictions", "swap_ins", "swap_outs", "frames",
    "instructions", "processes",    "output", "seconds",   "disk",     NULL};

const char *spec_criterion_name(unsigned criterion) {
    switch (criterion) {
    case CRITERION_STATUS: return "status";
    case CRITERION_OUTPUT: return "output";
    case CRITERION_LIMITS + SPEC_OUTPUT: return "output_size";
    default: return limit_keys[criterion - CRITERION_LIMITS];
    }
}

bool spec_has_criterion(const struct spec_test *t, unsigned criterion) {
    switch (criterion) {
    case CRITERION_STATUS: return !t->any_status;
    case CRITERION_OUTPUT: return t->has_output;
    default: return t->limits.asked[criterion - CRITERION_LIMITS];
    }
}

const char *spec_visibility_name(enum spec_visibility v) {
    static const char *const names[] = {"visible", "hidden", "after_due_date", "after_published"};
    return names[v];
}

bool spec_read_machine(struct spec_reader *r, json_t *object, struct spec_machine *m) {
    return spec_take_number(r, object, "frames", 1, UINT32_MAX - 1, &m->frames) &&
           spec_take_number(r, object, "seed", 0, COUNT_MAX, &m->seed) &&
           spec_take_string(r, object, "policy", &m->policy) &&
           spec_take_string(r, object, "swap", &m->swap) &&
           spec_take_string(r, object, "page_table", &m->page_table) &&
           spec_take_flag(r, object, "deterministic", &m->deterministic);
}

static bool read_limit(struct spec_reader *r, json_t *object, unsigned which, uint64_t *most) {
    const char *key = limit_keys[which];
    double seconds = 0;
    switch (which) {
    case SPEC_OUTPUT:
    case SPEC_DISK: return spec_take_size(r, object, key, most);
    case SPEC_PROCESSES: return spec_take_number(r, object, key, 1, UINT32_MAX, most);
    case SPEC_INSTRUCTIONS: return spec_take_number(r, object, key, 1, COUNT_MAX, most);
    case SPEC_MILLISECONDS:
        if (!spec_take_real(r, object, key, &seconds))
            return false;
        if (seconds < 0.001 || seconds > 1e6)
            return spec_wrong(r, key, "seconds from 0.001 to 1000000 are wanted here");
        *most = (uint64_t)(seconds * 1000);
        return true;
    default: return spec_take_number(r, object, key, 0, COUNT_MAX, most);
    }
}

bool spec_read_limits(struct spec_reader *r, json_t *object, struct spec_limits *limits) {
    json_t *given = json_object_get(object, "limits");
    if (!given)
        return true;
    size_t mark = spec_enter(r, "limits", -1);
    bool right = spec_check_keys(r, given, limit_keys);
    for (unsigned i = 0; right && i < SPEC_LIMITS; i++) {
        if (!json_object_get(given, limit_keys[i]))
            continue;
        right = read_limit(r, given, i, &limits->most[i]);
        limits->asked[i] = true;
    }
    spec_leave(r, mark);
    return right;
}

static bool check_pattern(struct spec_reader *r, const struct spec_test *t) {
    regex_t pattern;
    char wrong[128];
    if (!t->has_output || t->compare != SPEC_PATTERN)
        return true;
    t->output.bytes[t->output.length] = '\0';
    int error = regcomp(&pattern, t->output.bytes, REG_EXTENDED);
    if (error) {
        regerror(error, &pattern, wrong, sizeof(wrong));
        return spec_wrong(r, "output", "this is not a regular expression: %s", wrong);
    }
    regfree(&pattern);
    return true;
}

static bool read_status(struct spec_reader *r, json_t *object, struct spec_test *t) {
    json_t *value = json_object_get(object, "status");
    uint64_t status = 0;
    if (json_is_string(value) && strcmp(json_string_value(value), "any") == 0) {
        t->any_status = true;
        return true;
    }
    if (value && !json_is_integer(value))
        return spec_wrong(r, "status", "an exit status from 0 to 255 is wanted here, or \"any\"");
    if (!spec_take_number(r, object, "status", 0, 255, &status))
        return false;
    t->status = (int)status;
    return true;
}

static bool read_expectations(struct spec_reader *r, json_t *object, struct spec_test *t) {
    static const char *const keys[] = {"status", "output", "output_file", "compare", NULL};
    static const char *const ways[] = {"exact", "trailing-space", "pattern", NULL};
    json_t *given = json_object_get(object, "expect");
    unsigned compare = SPEC_EXACT;
    if (!given)
        return true;
    size_t mark = spec_enter(r, "expect", -1);
    bool right = spec_check_keys(r, given, keys) && read_status(r, given, t) &&
                 spec_take_word(r, given, "compare", ways, &compare) &&
                 spec_take_text(r, given, "output", &t->has_output, &t->output);
    t->compare = compare;
    right = right && check_pattern(r, t);
    spec_leave(r, mark);
    return right;
}

static bool read_points_apart(struct spec_reader *r, json_t *points, struct spec_test *t) {
    const char *key;
    json_t *value;
    size_t mark = spec_enter(r, "points", -1);
    bool right = true;
    t->points_apart = true;
    t->points = 0;
    json_object_foreach(points, key, value) {
        unsigned c = 0;
        while (c < CRITERIA && (strcmp(key, spec_criterion_name(c)) != 0 || !spec_has_criterion(t, c)))
            c++;
        right = c < CRITERIA
                    ? right && spec_take_real(r, points, key, &t->each[c])
                    : spec_wrong(r, key, "this test is not judged by that: expect or limits must ask for it");
        if (right)
            t->points += t->each[c];
    }
    spec_leave(r, mark);
    return right;
}

static bool read_points(struct spec_reader *r, json_t *object, struct spec_test *t) {
    json_t *points = json_object_get(object, "points");
    t->points = 1;
    if (json_is_object(points))
        return read_points_apart(r, points, t);
    return spec_take_real(r, object, "points", &t->points);
}

static bool read_name_and_command(struct spec_reader *r, json_t *object, struct spec_test *t) {
    const char *name = NULL;
    if (!spec_take_string(r, object, "name", &name) || !spec_take_command(r, object, "command", &t->command))
        return false;
    if (!name || !*name)
        return spec_wrong(r, "name", "each test needs a name");
    if (!t->command)
        return spec_wrong(r, "command", "each test needs a command, such as [\"./hw3\", \"-n\", \"4\"]");
    t->name = strdup(name);
    return t->name || spec_wrong(r, "name", "no memory");
}

bool spec_read_test(struct spec_reader *r, json_t *object, const struct spec_test *defaults,
                    struct spec_test *ret_test) {
    static const char *const keys[] = {"name",   "command", "input",      "input_file", "frames",
                                       "policy", "swap",    "page_table", "seed",       "deterministic",
                                       "expect", "limits",  "points",     "visibility", NULL};
    static const char *const visibilities[] = {"visible", "hidden", "after_due_date", "after_published",
                                               NULL};
    struct spec_test *t = ret_test;
    unsigned visibility = SPEC_VISIBLE;
    bool has_input;
    *t = *defaults;
    bool right = spec_check_keys(r, object, keys) && read_name_and_command(r, object, t) &&
                 spec_take_text(r, object, "input", &has_input, &t->input) &&
                 spec_read_machine(r, object, &t->machine) && spec_read_limits(r, object, &t->limits) &&
                 read_expectations(r, object, t) && read_points(r, object, t) &&
                 spec_take_word(r, object, "visibility", visibilities, &visibility);
    t->visibility = visibility;
    return right;
}
