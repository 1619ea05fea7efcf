/* The whole of a spec. */
#include "grade/spec.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grade/spec_json.h"

enum { TESTS_MAX = 10000 };

void spec_default_limits(struct spec_limits *limits, bool of_build) {
    for (unsigned i = 0; i < SPEC_LIMITS; i++) {
        limits->most[i] = SPEC_UNLIMITED;
        limits->asked[i] = false;
    }
    limits->most[SPEC_MILLISECONDS] = of_build ? 120000 : 30000;
    limits->most[SPEC_PROCESSES] = 64;
    limits->most[SPEC_OUTPUT] = 1 << 20;
    limits->most[SPEC_DISK] = 256 << 20;
}

static void test_defaults(struct spec_test *t) {
    *t = (struct spec_test){.machine = {.frames = 1024, .seed = 1, .swap = "64M", .deterministic = true}};
    spec_default_limits(&t->limits, false);
}

int spec_create_single(struct spec *ret_spec) {
    struct spec *s = ret_spec;
    *s = (struct spec){.files = "overlay", .test_count = 1};
    spec_default_limits(&s->build_limits, true);
    s->tests = calloc(1, sizeof(*s->tests));
    s->name = strdup("");
    if (!s->tests || !s->name)
        return -ENOMEM;
    test_defaults(s->tests);
    s->tests[0].name = strdup("program");
    s->tests[0].points = 1;
    return s->tests[0].name ? 0 : -ENOMEM;
}

double spec_max_points(const struct spec *s) {
    double sum = 0;
    for (size_t i = 0; i < s->test_count; i++)
        sum += s->tests[i].points;
    return sum;
}

uint64_t spec_memory(const struct spec *s) {
    const uint64_t beside = 64ULL << 20, build = 192ULL << 20, frame = 4096;
    uint64_t most = s->build ? build : 0;
    for (size_t i = 0; i < s->test_count; i++) {
        uint64_t frames = s->tests[i].machine.frames * frame;
        most = frames > most ? frames : most;
    }
    return most + beside;
}

/* ---- reading ---- */

static bool read_build(struct spec_reader *r, json_t *root, struct spec *s) {
    static const char *const keys[] = {"command", "limits", NULL};
    json_t *build = json_object_get(root, "build");
    if (!build)
        return true;
    size_t mark = spec_enter(r, "build", -1);
    bool right = spec_check_keys(r, build, keys) && spec_take_command(r, build, "command", &s->build) &&
                 spec_read_limits(r, build, &s->build_limits);
    for (unsigned i = 0; right && i < SPEC_LIMITS; i++) {
        bool protects = i == SPEC_MILLISECONDS || i == SPEC_PROCESSES || i == SPEC_OUTPUT || i == SPEC_DISK;
        if (s->build_limits.asked[i] && !protects)
            right =
                spec_wrong(r, "limits", "a build is limited by seconds, processes, output and disk alone");
    }
    if (right && !s->build)
        right = spec_wrong(r, "command", "a build needs a command");
    spec_leave(r, mark);
    return right;
}

static bool read_defaults(struct spec_reader *r, json_t *root, struct spec_test *defaults) {
    static const char *const keys[] = {"frames", "policy",        "swap",   "page_table",
                                       "seed",   "deterministic", "limits", NULL};
    json_t *given = json_object_get(root, "defaults");
    if (!given)
        return true;
    size_t mark = spec_enter(r, "defaults", -1);
    bool right = spec_check_keys(r, given, keys) && spec_read_machine(r, given, &defaults->machine) &&
                 spec_read_limits(r, given, &defaults->limits);
    spec_leave(r, mark);
    return right;
}

static bool check_name(struct spec_reader *r, const struct spec *s, size_t last) {
    for (size_t i = 0; i < last; i++) {
        if (strcmp(s->tests[i].name, s->tests[last].name) == 0)
            return spec_wrong(r, "name", "tests[%zu] is called '%s' already", i, s->tests[i].name);
    }
    return true;
}

static bool read_tests(struct spec_reader *r, json_t *root, struct spec *s) {
    json_t *tests = json_object_get(root, "tests"), *test;
    struct spec_test defaults;
    size_t i;
    bool right = true;
    test_defaults(&defaults);
    if (!read_defaults(r, root, &defaults))
        return false;
    if (!json_is_array(tests) || json_array_size(tests) == 0 || json_array_size(tests) > TESTS_MAX)
        return spec_wrong(r, "tests", "an array of 1 to %d tests is wanted here", TESTS_MAX);
    s->tests = calloc(json_array_size(tests), sizeof(*s->tests));
    if (!s->tests)
        return spec_wrong(r, "tests", "no memory");
    json_array_foreach(tests, i, test) {
        size_t mark = spec_enter(r, "tests", (long)i);
        s->test_count++;
        right = right && spec_read_test(r, test, &defaults, &s->tests[i]) && check_name(r, s, i);
        spec_leave(r, mark);
    }
    return right;
}

/* "DIR:HOW" made absolute: relative to the spec's own directory. */
static bool read_allow(struct spec_reader *r, json_t *root, struct spec *s) {
    json_t *allow = json_object_get(root, "allow"), *entry;
    size_t i;
    if (!allow)
        return true;
    if (!json_is_array(allow))
        return spec_wrong(r, "allow",
                          "an array of strings such as \"data\" or \"/opt/tools:ro\" is wanted here");
    s->allow = calloc(json_array_size(allow) + 1, sizeof(*s->allow));
    json_array_foreach(allow, i, entry) {
        const char *text = json_string_value(entry);
        if (!s->allow || !text)
            return spec_wrong(r, "allow", "entry %zu is not a string", i);
        bool absolute = text[0] == '/';
        if (asprintf(&s->allow[i], "%s%s%s", absolute ? "" : r->directory, absolute ? "" : "/", text) < 0)
            return spec_wrong(r, "allow", "no memory");
    }
    return true;
}

static bool read_environment(struct spec_reader *r, json_t *root, struct spec *s) {
    json_t *given = json_object_get(root, "environment"), *value;
    const char *key;
    size_t i = 0;
    if (!given)
        return true;
    if (!json_is_object(given))
        return spec_wrong(r, "environment", "an object such as {\"LANG\": \"C\"} is wanted here");
    s->environment = calloc(json_object_size(given) + 1, sizeof(*s->environment));
    json_object_foreach(given, key, value) {
        if (!s->environment || !json_is_string(value) || strchr(key, '='))
            return spec_wrong(r, "environment", "%s must be a string", key);
        if (asprintf(&s->environment[i++], "%s=%s", key, json_string_value(value)) < 0)
            return spec_wrong(r, "environment", "no memory");
    }
    return true;
}

static bool read_top(struct spec_reader *r, json_t *root, struct spec *s) {
    static const char *const keys[] = {"name",  "build", "defaults",    "tests",
                                       "files", "allow", "environment", NULL};
    static const char *const files[] = {"overlay", "read-only", "host", NULL};
    const char *name = "";
    unsigned mode = 0;
    bool right = spec_check_keys(r, root, keys) && spec_take_string(r, root, "name", &name) &&
                 spec_take_word(r, root, "files", files, &mode) && read_build(r, root, s) &&
                 read_tests(r, root, s) && read_allow(r, root, s) && read_environment(r, root, s);
    s->files = files[mode];
    s->name = strdup(name);
    return right && (s->name || spec_wrong(r, "name", "no memory"));
}

static char *directory_of(const char *path) {
    char *real = realpath(path, NULL);
    if (!real)
        return NULL;
    char *directory = strdup(dirname(real));
    free(real);
    return directory;
}

int spec_read(const char *path, struct spec *ret_spec, char **ret_message) {
    struct spec_reader r = {.file = path, .directory = directory_of(path)};
    json_error_t error;
    *ret_message = NULL;
    *ret_spec = (struct spec){.files = "overlay"};
    spec_default_limits(&ret_spec->build_limits, true);
    if (!r.directory)
        return asprintf(ret_message, "%s: %s", path, strerror(errno)) < 0 ? -ENOMEM : -EINVAL;
    json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    ret_spec->json = root;
    bool right = root ? read_top(&r, root, ret_spec)
                      : spec_wrong(&r, NULL, "line %d, column %d: %s", error.line, error.column, error.text);
    free(r.directory);
    if (right)
        return 0;
    *ret_message = r.message;
    spec_free(ret_spec);
    return -EINVAL;
}

static void free_strings(char **strings) {
    for (char **s = strings; s && *s; s++)
        free(*s);
    free(strings);
}

void spec_free(struct spec *s) {
    for (size_t i = 0; i < s->test_count; i++) {
        free(s->tests[i].name);
        free_strings(s->tests[i].command);
        free(s->tests[i].input.bytes);
        free(s->tests[i].output.bytes);
    }
    free(s->tests);
    free(s->name);
    free_strings(s->build);
    free_strings(s->allow);
    free_strings(s->environment);
    json_decref(s->json);
    *s = (struct spec){0};
}
