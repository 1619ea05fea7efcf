/* The options of the sandbox and the limits, for every subcommand that runs a program. */
#include "ui/confine.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "ui/size.h"

enum { NS = 1000000000, SECONDS_MAX = 1000000 };

enum {
    KEY_FILES = 1024, /* beyond those of options.c, which argp sees together with these */
    KEY_ALLOW,
    KEY_SCRATCH,
    KEY_NETWORK,
    KEY_MAX_PROCESSES,
    KEY_MAX_OUTPUT,
    KEY_MAX_SECONDS,
};

static const struct argp_option confine_options[] = {
    {NULL, 0, NULL, 0, "What the program may see and use of this computer:", 5},
    {"files", KEY_FILES, "MODE", 0,
     "host (default): as they are; read-only: nothing can be changed; overlay: changes go to a scratch copy "
     "that vanishes; none: nothing is there but the program, its interpreter and what --allow names",
     0},
    {"allow", KEY_ALLOW, "DIR[:HOW]", 0,
     "Below DIR (or for that file) another rule: ro (default), rw: as on the host, overlay, or empty: an "
     "empty scratch directory; may be given again",
     0},
    {"scratch", KEY_SCRATCH, "DIR", 0,
     "Keep the scratch copy in DIR, an empty directory or one of an earlier run to go on with", 0},
    {"network", KEY_NETWORK, "MODE", 0, "host (default), or none: sockets only within the machine", 0},
    {"max-processes", KEY_MAX_PROCESSES, "N", 0, "Refuse more than N processes, or threads, at a time", 0},
    {"max-output", KEY_MAX_OUTPUT, "SIZE", 0,
     "Stop the machine behind SIZE bytes of standard output and error, with exit status 124", 0},
    {"max-seconds", KEY_MAX_SECONDS, "S", 0,
     "Stop the machine after S seconds of real time, with exit status 124", 0},
    {0},
};

__attribute__((format(printf, 2, 3))) static error_t refuse(struct confinement *c, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    free(c->message);
    if (vasprintf(&c->message, format, arguments) < 0)
        c->message = NULL;
    va_end(arguments);
    return EINVAL;
}

bool confine_parse_mode(const char *text, enum sandbox_mode *ret_mode) {
    static const struct {
        const char *word;
        enum sandbox_mode mode;
    } modes[] = {{"host", SANDBOX_HOST},
                 {"read-only", SANDBOX_READ_ONLY},
                 {"overlay", SANDBOX_OVERLAY},
                 {"none", SANDBOX_NONE}};
    for (size_t i = 0; i < ARRAY_LENGTH(modes); i++) {
        if (strcmp(text, modes[i].word) == 0) {
            *ret_mode = modes[i].mode;
            return true;
        }
    }
    return false;
}

struct sandbox_rule confine_parse_rule(char *text) {
    static const struct {
        const char *suffix;
        enum sandbox_mode mode;
    } suffixes[] = {{":ro", SANDBOX_READ_ONLY},
                    {":rw", SANDBOX_HOST},
                    {":overlay", SANDBOX_OVERLAY},
                    {":empty", SANDBOX_EMPTY}};
    char *colon = strrchr(text, ':');
    for (size_t i = 0; colon && i < ARRAY_LENGTH(suffixes); i++) {
        if (strcmp(colon, suffixes[i].suffix) == 0) {
            *colon = '\0';
            return (struct sandbox_rule){text, suffixes[i].mode};
        }
    }
    return (struct sandbox_rule){text, SANDBOX_READ_ONLY};
}

static error_t take_files(struct confinement *c, const char *text) {
    if (!confine_parse_mode(text, &c->sandbox.files))
        return refuse(c, "--files: '%s' is not a mode: there are host, read-only, overlay and none", text);
    c->sandbox.wanted = c->sandbox.files != SANDBOX_HOST;
    return 0;
}

static error_t take_allow(struct confinement *c, char *text) {
    struct sandbox_rule rule = confine_parse_rule(text);
    if (!*rule.path)
        return refuse(c, "--allow: the name of the directory is empty");
    struct sandbox_rule *grown = reallocarray(c->rules, c->sandbox.rule_count + 1, sizeof(*grown));
    if (!grown)
        return refuse(c, "--allow %s: no memory", rule.path);
    c->rules = grown;
    c->rules[c->sandbox.rule_count++] = rule;
    return 0;
}

static error_t take_network(struct confinement *c, const char *text) {
    c->no_network = strcmp(text, "none") == 0;
    if (!c->no_network && strcmp(text, "host") != 0)
        return refuse(c, "--network: '%s' is not a mode: there are host and none", text);
    return 0;
}

static error_t take_processes(struct confinement *c, const char *text) {
    uint64_t number = 0;
    const char *wrong = number_parse(text, 1, UINT32_MAX, &number);
    c->limits.tasks = (uint32_t)number;
    return wrong ? refuse(c, "--max-processes: '%s' %s: give a whole number from 1 up", text, wrong) : 0;
}

static error_t take_output(struct confinement *c, const char *text) {
    char *end;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    unsigned shift = *end == 'K' ? 10 : *end == 'M' ? 20 : *end == 'G' ? 30 : 0;
    if (errno || end == text || *text == '-' || end[shift != 0] || number == 0 ||
        number > (uint64_t)INT64_MAX >> shift)
        return refuse(c, "--max-output: '%s' is no size: give bytes with an optional K, M or G", text);
    c->limits.output = number << shift;
    return 0;
}

static error_t take_seconds(struct confinement *c, const char *text) {
    char *end;
    double seconds = strtod(text, &end);
    if (end == text || *end || !(seconds > 0) || seconds > SECONDS_MAX)
        return refuse(c, "--max-seconds: '%s' is no time: give seconds above 0, such as 2.5", text);
    c->limits.nanoseconds = (uint64_t)(seconds * NS);
    return 0;
}

static error_t take_option(int key, char *value, struct argp_state *state) {
    struct confinement *c = state->input;
    error_t error = 0;
    switch (key) {
    case KEY_FILES: error = take_files(c, value); break;
    case KEY_ALLOW: error = take_allow(c, value); break;
    case KEY_SCRATCH: c->sandbox.scratch = value; break;
    case KEY_NETWORK: error = take_network(c, value); break;
    case KEY_MAX_PROCESSES: error = take_processes(c, value); break;
    case KEY_MAX_OUTPUT: error = take_output(c, value); break;
    case KEY_MAX_SECONDS: error = take_seconds(c, value); break;
    default: return ARGP_ERR_UNKNOWN;
    }
    c->given = true;
    return error;
}

const struct argp confine_argp = {.options = confine_options, .parser = take_option};

int confine_apply(struct confinement *c, struct machine_config *machine) {
    if (!c->sandbox.wanted && (c->rules || c->sandbox.scratch)) {
        refuse(c, "%s says nothing when all files are the host's: give --files read-only, overlay or none",
               c->rules ? "--allow" : "--scratch");
        return -EINVAL;
    }
    c->sandbox.rules = c->rules;
    machine->sandbox = c->sandbox;
    machine->no_network = c->no_network;
    machine->limits = c->limits;
    return 0;
}
