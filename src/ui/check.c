/* `thimble check`: grades submissions by a spec, or one program by options.
 *
 * Nothing is written but what --output names, and never into a submission's folder. Exit status: 0 when every
 * criterion of every submission is met, 1 when one is not, 2 when grading could not be done. */
#include <argp.h>
#include <errno.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "grade/class.h"
#include "grade/jobs.h"
#include "grade/report.h"
#include "grade/spec_json.h"
#include "ui/commands.h"
#include "ui/size.h"

enum { EXIT_FAILED = 1, EXIT_NOT_GRADED = 2 };

enum {
    KEY_SPEC = 256,
    KEY_OUTPUT,
    KEY_EXPECT_OUTPUT,
    KEY_EXPECT_STATUS,
    KEY_COMPARE,
    KEY_STDIN,
    KEY_POLICY,
    KEY_SWAP,
    KEY_PAGE_TABLE,
    KEY_SEED,
    KEY_FILES,
    KEY_ALLOW,
    KEY_LIMIT /* and those of the other limits behind it */
};

#define DEFAULT_OUTPUT "thimble-results"

static const struct argp_option known_options[] = {
    {NULL, 0, NULL, 0, "Grading a class:", 1},
    {"spec", KEY_SPEC, "SPEC.json", 0, "What is asked; the arguments are then the submissions' folders", 0},
    {"jobs", 'j', "N", 0, "Submissions graded at a time (default: as many as CPUs and memory allow)", 0},
    {"output", KEY_OUTPUT, "DIR", 0,
     "Write results.csv and SUBMISSION/results.json there (default with --spec: " DEFAULT_OUTPUT ")", 0},
    {NULL, 0, NULL, 0, "Checking one program, in the current directory:", 2},
    {"stdin", KEY_STDIN, "FILE", 0, "Its standard input (default: empty)", 0},
    {"expect-output", KEY_EXPECT_OUTPUT, "FILE", 0, "Its standard output must be that", 0},
    {"compare", KEY_COMPARE, "HOW", 0,
     "exact (default), trailing-space: blanks at ends of lines and at the end do not count, or pattern: FILE "
     "holds an extended regular expression",
     0},
    {"expect-status", KEY_EXPECT_STATUS, "N", 0, "Its exit status must be N (default 0), or any", 0},
    {"max-faults", KEY_LIMIT + SPEC_FAULTS, "N", 0, "At most N page faults", 0},
    {"max-major-faults", KEY_LIMIT + SPEC_MAJOR_FAULTS, "N", 0, "At most N page faults with input", 0},
    {"max-misses", KEY_LIMIT + SPEC_MISSES, "N", 0, "At most N page faults that fill a frame", 0},
    {"max-evictions", KEY_LIMIT + SPEC_EVICTIONS, "N", 0, "At most N victims", 0},
    {"max-swap-ins", KEY_LIMIT + SPEC_SWAP_INS, "N", 0, "At most N pages read from swap", 0},
    {"max-swap-outs", KEY_LIMIT + SPEC_SWAP_OUTS, "N", 0, "At most N pages written to swap", 0},
    {"max-frames", KEY_LIMIT + SPEC_FRAMES, "N", 0, "At most N frames in use at a time", 0},
    {"max-instructions", KEY_LIMIT + SPEC_INSTRUCTIONS, "N", 0, "At most N instructions", 0},
    {"max-processes", KEY_LIMIT + SPEC_PROCESSES, "N", 0, "At most N processes at a time", 0},
    {"max-output", KEY_LIMIT + SPEC_OUTPUT, "SIZE", 0, "At most SIZE bytes of output", 0},
    {"max-seconds", KEY_LIMIT + SPEC_MILLISECONDS, "S", 0, "At most S seconds of real time", 0},
    {"max-disk", KEY_LIMIT + SPEC_DISK, "SIZE", 0, "At most SIZE bytes in files", 0},
    {"frames", 'n', "N", 0, "Page frames of its machine (default 1024)", 0},
    {"policy", 'p', "NAME", 0, "Page replacement policy (default clock)", 0},
    {"swap", KEY_SWAP, "SIZE", 0, "Swap area (default 64M)", 0},
    {"page-table", KEY_PAGE_TABLE, "FORMAT", 0, "array or x86-64", 0},
    {"seed", KEY_SEED, "N", 0, "Seed of its randomness (default 1)", 0},
    {NULL, 0, NULL, 0, "What submissions may see:", 3},
    {"files", KEY_FILES, "MODE", 0,
     "Their own folder: overlay (default): changes vanish; read-only; or host: this and all other files as "
     "they are",
     0},
    {"allow", KEY_ALLOW, "PATH[:HOW]", 0, "Further files: ro (default), rw, overlay or empty", 0},
    {0},
};

struct check {
    const char *spec_path, *output;
    unsigned jobs;
    const char *files; /* NULL: as the spec says */
    char **allow;
    size_t allow_count;
    struct spec spec;  /* made from options until a file replaces it */
    bool single_given; /* an option that a spec says itself */
    char **arguments;
    size_t argument_count;
    char *message; /* malloc'd: the first mistake */
};

__attribute__((format(printf, 2, 3))) static error_t refuse(struct check *c, const char *format, ...) {
    va_list values;
    if (c->message)
        return EINVAL;
    va_start(values, format);
    if (vasprintf(&c->message, format, values) < 0)
        c->message = NULL;
    va_end(values);
    return EINVAL;
}

/* ---- options ---- */

static error_t take_number(struct check *c, const char *option, const char *text, uint64_t min, uint64_t max,
                           uint64_t *to) {
    const char *wrong = number_parse(text, min, max, to);
    return wrong ? refuse(c, "%s: '%s' %s: give a whole number from %llu up", option, text, wrong,
                          (unsigned long long)min)
                 : 0;
}

/* "--max-swap-outs" of SPEC_SWAP_OUTS. */
static void option_name(enum spec_limit which, char *to, size_t size) {
    snprintf(to, size, "--max-%s", spec_criterion_name(CRITERION_LIMITS + which));
    for (char *c = to; *c; c++)
        *c = *c == '_' ? '-' : *c;
}

static error_t take_limit(struct check *c, enum spec_limit which, const char *text) {
    struct spec_limits *limits = &c->spec.tests[0].limits;
    char option[64], *end;
    limits->asked[which] = true;
    if (which == SPEC_OUTPUT || which == SPEC_DISK)
        return spec_parse_size(text, &limits->most[which])
                   ? 0
                   : refuse(c, "--max-%s: '%s' is no size: give bytes with an optional K, M or G",
                            which == SPEC_DISK ? "disk" : "output", text);
    if (which != SPEC_MILLISECONDS) {
        option_name(which, option, sizeof option);
        return take_number(c, option, text, which == SPEC_PROCESSES || which == SPEC_INSTRUCTIONS, INT64_MAX,
                           &limits->most[which]);
    }
    double seconds = strtod(text, &end);
    if (end == text || *end || !(seconds >= 0.001) || seconds > 1e6)
        return refuse(c, "--max-seconds: '%s' is no time: give seconds such as 2.5", text);
    limits->most[which] = (uint64_t)(seconds * 1000);
    return 0;
}

static error_t take_file(struct check *c, const char *option, const char *path, struct spec_text *to) {
    int error = spec_read_file(path, to);
    return error < 0 ? refuse(c, "%s %s: %s", option, path, strerror(-error)) : 0;
}

static error_t take_status(struct check *c, const char *text) {
    uint64_t status = 0;
    struct spec_test *t = &c->spec.tests[0];
    t->any_status = strcmp(text, "any") == 0;
    if (!t->any_status && number_parse(text, 0, 255, &status))
        return refuse(c, "--expect-status: '%s' is neither a status from 0 to 255 nor any", text);
    t->status = (int)status;
    return 0;
}

static error_t take_compare(struct check *c, const char *text) {
    static const char *const ways[] = {"exact", "trailing-space", "pattern"};
    for (unsigned i = 0; i < 3; i++) {
        if (strcmp(text, ways[i]) == 0) {
            c->spec.tests[0].compare = i;
            return 0;
        }
    }
    return refuse(c, "--compare: '%s' is not a way: there are exact, trailing-space and pattern", text);
}

/* Options about one program. */
static error_t take_single_option(int key, char *value, struct check *c) {
    struct spec_test *t = &c->spec.tests[0];
    switch (key) {
    case KEY_STDIN: return take_file(c, "--stdin", value, &t->input);
    case KEY_EXPECT_OUTPUT: t->has_output = true; return take_file(c, "--expect-output", value, &t->output);
    case KEY_EXPECT_STATUS: return take_status(c, value);
    case KEY_COMPARE: return take_compare(c, value);
    case 'n': return take_number(c, "--frames", value, 1, UINT32_MAX - 1, &t->machine.frames);
    case 'p': t->machine.policy = value; return 0;
    case KEY_SWAP: t->machine.swap = value; return 0;
    case KEY_PAGE_TABLE: t->machine.page_table = value; return 0;
    case KEY_SEED: return take_number(c, "--seed", value, 0, INT64_MAX, &t->machine.seed);
    default: break;
    }
    if (key >= KEY_LIMIT && key < KEY_LIMIT + SPEC_LIMITS)
        return take_limit(c, (enum spec_limit)(key - KEY_LIMIT), value);
    return ARGP_ERR_UNKNOWN;
}

static error_t take_jobs(struct check *c, const char *text) {
    uint64_t jobs = 0;
    error_t error = take_number(c, "--jobs", text, 1, 1024, &jobs);
    c->jobs = (unsigned)jobs;
    return error;
}

static error_t take_files(struct check *c, const char *text) {
    if (strcmp(text, "overlay") && strcmp(text, "read-only") && strcmp(text, "host"))
        return refuse(c, "--files: '%s' is not a mode: there are overlay, read-only and host", text);
    c->files = text;
    return 0;
}

static error_t take_allow(struct check *c, const char *text) {
    char **grown = reallocarray(c->allow, c->allow_count + 2, sizeof(*grown));
    if (!grown)
        return refuse(c, "--allow %s: no memory", text);
    c->allow = grown;
    c->allow[c->allow_count] = NULL;
    char cwd[4096];
    const char *prefix = text[0] != '/' && getcwd(cwd, sizeof(cwd)) ? cwd : "";
    if (asprintf(&c->allow[c->allow_count], "%s%s%s", prefix, *prefix ? "/" : "", text) < 0)
        return refuse(c, "--allow %s: no memory", text);
    c->allow[++c->allow_count] = NULL;
    return 0;
}

static error_t take_option(int key, char *value, struct argp_state *state) {
    struct check *c = state->input;
    switch (key) {
    case KEY_SPEC: c->spec_path = value; return 0;
    case KEY_OUTPUT: c->output = value; return 0;
    case KEY_FILES: return take_files(c, value);
    case KEY_ALLOW: return take_allow(c, value);
    case 'j': return take_jobs(c, value);
    case ARGP_KEY_ARG:
        c->arguments = state->argv + state->next - 1;
        c->argument_count = (size_t)(state->argc - state->next + 1);
        state->next = state->argc;
        return 0;
    default: break;
    }
    error_t error = take_single_option(key, value, c);
    c->single_given |= error != ARGP_ERR_UNKNOWN;
    return error;
}

static error_t parse(struct check *c, int argc, char **argv) {
    static const struct argp argp = {
        .options = known_options,
        .parser = take_option,
        .args_doc = "--spec SPEC.json SUBMISSION...\n[--] PROGRAM [ARG...]",
        .doc =
            "Grade submissions, or one program, each in a machine and a sandbox of its own: they see their "
            "folder, the system's programs and libraries and an empty /tmp, and no network.\v"
            "The exit status is 0 when all criteria are met, 1 when one is not, 2 when grading could not be "
            "done.",
    };
    argp_err_exit_status = EXIT_NOT_GRADED;
    return argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, c);
}

/* ---- the spec ---- */

static error_t prepare_spec(struct check *c) {
    if (!c->argument_count)
        return refuse(c,
                      c->spec_path ? "no submission was given: thimble check --spec %s SUBMISSION..."
                                   : "no program was given: thimble check [OPTION...] [--] PROGRAM%s",
                      c->spec_path ? c->spec_path : "");
    if (c->spec_path && c->single_given)
        return refuse(
            c, "a spec says itself what is asked: give either --spec or the options about one program");
    if (!c->spec_path) {
        c->spec.tests[0].command = calloc(c->argument_count + 1, sizeof(char *));
        for (size_t i = 0; c->spec.tests[0].command && i < c->argument_count; i++)
            c->spec.tests[0].command[i] = strdup(c->arguments[i]);
        if (!c->spec.tests[0].command)
            return refuse(c, "no memory");
    } else {
        spec_free(&c->spec);
        if (spec_read(c->spec_path, &c->spec, &c->message) < 0)
            return EINVAL;
    }
    if (c->files)
        c->spec.files = c->files;
    return 0;
}

/* What --allow says comes behind what the spec says. */
static error_t join_allow(struct check *c) {
    size_t n = 0;
    while (c->spec.allow && c->spec.allow[n])
        n++;
    char **grown = reallocarray(c->spec.allow, n + c->allow_count + 1, sizeof(*grown));
    if (!grown)
        return refuse(c, "no memory");
    c->spec.allow = grown;
    for (size_t i = 0; i <= c->allow_count; i++)
        grown[n + i] = i < c->allow_count ? c->allow[i] : NULL;
    free(c->allow);
    c->allow = NULL;
    for (char **entry = grown; *entry; entry++) {
        char path[4096];
        snprintf(path, sizeof(path), "%s", *entry);
        char *colon = strrchr(path, ':');
        if (access(path, F_OK) == 0)
            continue;
        if (colon)
            *colon = '\0';
        if (access(path, F_OK) < 0)
            return refuse(c, "--allow %s: %s", path, strerror(errno));
    }
    return 0;
}

/* ---- the submissions ---- */

static bool name_is_taken(const struct class_submission *submissions, size_t count, const char *name) {
    for (size_t i = 0; i < count; i++) {
        if (strcmp(submissions[i].name, name) == 0)
            return true;
    }
    return false;
}

/* The folder's name, with a number behind it if others are called the same. */
static char *name_submission(const struct class_submission *submissions, size_t count,
                             const char *directory) {
    const char *slash = strrchr(directory, '/');
    const char *base = slash && slash[1] ? slash + 1 : "root";
    char *name = strdup(base);
    for (char *c = name; c && *c; c++)
        *c = (unsigned char)*c < ' ' || *c == 0x7f ? '_' : *c;
    for (unsigned n = 2; name && name_is_taken(submissions, count, name); n++) {
        free(name);
        if (asprintf(&name, "%s-%u", base, n) < 0)
            name = NULL;
    }
    return name;
}

static error_t add_submission(struct check *c, struct class_submission *submissions, size_t count,
                              const char *path) {
    struct stat st;
    struct class_submission *s = &submissions[count];
    if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode))
        return refuse(c, "%s is a symbolic link, which may lead anywhere: give the folder itself", path);
    s->directory = realpath(path, NULL);
    if (!s->directory || stat(s->directory, &st) < 0)
        return refuse(c, "%s: %s", path, strerror(errno));
    if (!S_ISDIR(st.st_mode))
        return refuse(c, "%s is not a folder: a submission is a folder", path);
    s->name = name_submission(submissions, count, s->directory);
    return s->name ? 0 : refuse(c, "no memory");
}

static error_t find_submissions(struct check *c, struct class_submission **ret_submissions,
                                size_t *ret_count) {
    size_t count = c->spec_path ? c->argument_count : 1;
    struct class_submission *submissions = calloc(count, sizeof(*submissions));
    error_t error = submissions ? 0 : refuse(c, "no memory");
    for (size_t i = 0; i < count && !error; i++)
        error = add_submission(c, submissions, i, c->spec_path ? c->arguments[i] : ".");
    *ret_submissions = submissions;
    *ret_count = submissions ? count : 0;
    return error;
}

/* ---- results ---- */

static bool is_in(const char *path, const char *directory) {
    size_t length = strlen(directory);
    return strncmp(path, directory, length) == 0 && (!path[length] || path[length] == '/');
}

/* Where the directory is, or will be. malloc'd; NULL: errno says why. */
static char *resolve_output(const char *path) {
    char *real = realpath(path, NULL), *joined;
    if (real || errno != ENOENT)
        return real;
    char *copy = strdup(path), *other = strdup(path);
    char *parent = copy && other ? realpath(dirname(copy), NULL) : NULL;
    if (!parent || asprintf(&joined, "%s/%s", parent, basename(other)) < 0)
        joined = NULL;
    free(parent);
    free(copy);
    free(other);
    return joined;
}

/* Made before anything is graded, so that a wrong name is found at once. */
static error_t prepare_output(struct check *c, const struct class_submission *submissions, size_t count) {
    if (!c->output)
        c->output = c->spec_path ? DEFAULT_OUTPUT : NULL;
    if (!c->output)
        return 0;
    char *real = resolve_output(c->output);
    error_t error = real ? 0 : refuse(c, "--output %s: %s", c->output, strerror(errno));
    for (size_t i = 0; i < count && !error; i++) {
        if (is_in(real, submissions[i].directory))
            error = refuse(c, "--output %s is inside the submission %s: give a directory outside", c->output,
                           submissions[i].directory);
    }
    if (!error && mkdir(real, 0777) < 0 && errno != EEXIST)
        error = refuse(c, "--output %s cannot be made: %s", c->output, strerror(errno));
    if (!error && access(real, W_OK) < 0)
        error = refuse(c, "--output %s cannot be written to: %s", c->output, strerror(errno));
    free(real);
    return error;
}

static error_t write_submission(struct check *c, const struct class_submission *s) {
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", c->output, s->name);
    if (mkdir(path, 0777) < 0 && errno != EEXIST)
        return refuse(c, "%s cannot be made: %s", path, strerror(errno));
    snprintf(path, sizeof(path), "%s/%s/results.json", c->output, s->name);
    int r = report_write_gradescope(path, s);
    return r < 0 ? refuse(c, "%s cannot be written: %s", path, strerror(-r)) : 0;
}

static error_t write_results(struct check *c, const struct class_submission *submissions, size_t count) {
    char path[4096];
    error_t error = 0;
    if (!c->output)
        return 0;
    for (size_t i = 0; i < count && !error; i++)
        error = write_submission(c, &submissions[i]);
    snprintf(path, sizeof(path), "%s/results.csv", c->output);
    int r = error ? 0 : report_write_csv(path, &c->spec, submissions, count);
    return r < 0 ? refuse(c, "%s cannot be written: %s", path, strerror(-r)) : error;
}

static void on_graded(void *context, const struct class_submission *s) {
    const struct check *c = context;
    report_print(stdout, s, c->spec_path != NULL);
    fflush(stdout);
}

/* ---- the command ---- */

static unsigned jobs_for(const struct check *c, size_t count) {
    unsigned jobs = c->jobs ? c->jobs : jobs_possible(spec_memory(&c->spec));
    return jobs > count ? (unsigned)count : jobs;
}

static error_t grade(struct check *c, struct class_submission *submissions, size_t count) {
    const struct class_request request = {.spec = &c->spec,
                                          .submissions = submissions,
                                          .count = count,
                                          .jobs = jobs_for(c, count),
                                          .graded = on_graded,
                                          .context = c};
    int r = class_grade(&request);
    if (r == -EINTR)
        return refuse(c, "stopped by a signal: no results were written");
    return r < 0 ? refuse(c, "nothing could be graded: %s", strerror(-r))
                 : write_results(c, submissions, count);
}

static int finish(struct check *c, error_t error, struct class_submission *submissions, size_t count) {
    int status = error ? EXIT_NOT_GRADED : EXIT_SUCCESS;
    for (size_t i = 0; i < count; i++) {
        if (!error && !class_submission_passed(&submissions[i]))
            status = EXIT_FAILED;
        class_submission_free(&submissions[i]);
    }
    if (error)
        fprintf(stderr, "thimble: %s\n", c->message ? c->message : strerror(error));
    free(submissions);
    spec_free(&c->spec);
    free(c->message);
    return status;
}

int check_command(int argc, char **argv, char **envp) {
    struct check c = {0};
    struct class_submission *submissions = NULL;
    size_t count = 0;
    if (spec_create_single(&c.spec) < 0)
        return finish(&c, refuse(&c, "no memory"), NULL, 0);
    error_t error = parse(&c, argc, argv);
    if (!error)
        error = prepare_spec(&c);
    if (!error)
        error = join_allow(&c);
    if (!error)
        error = find_submissions(&c, &submissions, &count);
    if (!error)
        error = prepare_output(&c, submissions, count);
    if (!error)
        error = grade(&c, submissions, count);
    return finish(&c, error, submissions, count);
}
