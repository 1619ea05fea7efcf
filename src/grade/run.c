/* A command in a machine: its options, its input, its summary.
 *
 * The submission sees its own folder, the system's programs and libraries (read-only), an empty /tmp, and
 * nothing else; no network; a small environment that is the same everywhere. */
#include "grade/run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ARGUMENTS_MAX = 256, GRACE = 5000 /* ms */, BUILD_FRAMES = 65536, FRAME = 4096 };
#define MACHINE_MEMORY (384ULL << 20) /* what a machine may take beside its frames */

static const char *const system_paths[] = {"/bin",
                                           "/sbin",
                                           "/usr",
                                           "/lib",
                                           "/lib32",
                                           "/lib64",
                                           "/libx32",
                                           "/etc/alternatives",
                                           "/etc/group",
                                           "/etc/ld.so.cache",
                                           "/etc/ld.so.conf",
                                           "/etc/ld.so.conf.d",
                                           "/etc/localtime",
                                           "/etc/nsswitch.conf",
                                           "/etc/passwd",
                                           "/dev/null",
                                           "/dev/zero",
                                           "/dev/full",
                                           "/dev/random",
                                           "/dev/urandom",
                                           "/dev/fd",
                                           "/dev/stdin",
                                           "/dev/stdout",
                                           "/dev/stderr",
                                           "/tmp:empty",
                                           "/var/tmp:empty",
                                           "/dev/shm:empty"};

static const char *const environment[] = {"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/tmp", "LANG=C.UTF-8",
                                          "TERM=dumb"};

/* An argument list in the making; strings are freed with it. */
struct arguments {
    char *list[ARGUMENTS_MAX + 1];
    size_t count;
    bool failed; /* no memory, or too many */
};

static void add(struct arguments *a, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(struct arguments *a, const char *format, ...) {
    va_list values;
    va_start(values, format);
    if (a->count == ARGUMENTS_MAX || vasprintf(&a->list[a->count], format, values) < 0)
        a->failed = true;
    else
        a->list[++a->count] = NULL;
    va_end(values);
}

static void add_option(struct arguments *a, const char *name, const char *value) {
    if (!value)
        return;
    add(a, "%s", name);
    add(a, "%s", value);
}

static void add_number(struct arguments *a, const char *name, uint64_t value) {
    if (value == SPEC_UNLIMITED)
        return;
    add(a, "%s", name);
    add(a, "%llu", (unsigned long long)value);
}

static void arguments_free(struct arguments *a) {
    for (size_t i = 0; i < a->count; i++)
        free(a->list[i]);
}

static bool is_there(const char *rule) {
    char path[64];
    struct stat st;
    size_t length = strcspn(rule, ":");
    if (length >= sizeof(path))
        return false;
    memcpy(path, rule, length);
    path[length] = '\0';
    return lstat(path, &st) == 0;
}

static void add_files(struct arguments *a, const struct run_request *r) {
    if (strcmp(r->spec->files, "host") == 0)
        return;
    add_option(a, "--files", "none");
    for (size_t i = 0; i < sizeof(system_paths) / sizeof(*system_paths); i++) {
        if (is_there(system_paths[i]))
            add_option(a, "--allow", system_paths[i]);
    }
    add(a, "--allow");
    add(a, "%s:%s", r->submission, strcmp(r->spec->files, "read-only") == 0 ? "ro" : "overlay");
    for (char **allow = r->spec->allow; allow && *allow; allow++)
        add_option(a, "--allow", *allow);
    add_option(a, "--scratch", r->scratch);
}

static void add_machine(struct arguments *a, const struct spec_machine *m, const char *work) {
    if (!m) {
        add_number(a, "--frames", BUILD_FRAMES);
        add_option(a, "--swap", "none");
        return;
    }
    add_number(a, "--frames", m->frames);
    add_number(a, "--seed", m->seed);
    add_option(a, "--policy", m->policy);
    add_option(a, "--swap", m->swap);
    add_option(a, "--page-table", m->page_table);
    if (!m->swap || strcmp(m->swap, "none") != 0) {
        add(a, "--swap-file");
        add(a, "%s/swap", work);
    }
    if (m->deterministic)
        add(a, "--deterministic");
}

static void add_limits(struct arguments *a, const struct spec_limits *limits) {
    add_number(a, "--max-processes", limits->most[SPEC_PROCESSES]);
    add_number(a, "--max-output", limits->most[SPEC_OUTPUT]);
    add_number(a, "--max-instructions", limits->most[SPEC_INSTRUCTIONS]);
    add(a, "--max-seconds");
    add(a, "%.3f", (double)limits->most[SPEC_MILLISECONDS] / 1000);
}

static void make_arguments(struct arguments *a, const struct run_request *r, const char *summary) {
    add(a, "/proc/self/exe");
    add(a, "run");
    add_option(a, "--network", "none");
    add_files(a, r);
    add_machine(a, r->machine, r->work);
    add_limits(a, r->limits);
    add_option(a, "--stats", "json");
    add_option(a, "--stats-file", summary);
    add(a, "--");
    for (char *const *word = r->command; *word; word++)
        add(a, "%s", *word);
}

static void make_environment(struct arguments *a, const struct spec *spec) {
    for (size_t i = 0; i < sizeof(environment) / sizeof(*environment); i++)
        add(a, "%s", environment[i]);
    for (char **more = spec->environment; more && *more; more++)
        add(a, "%s", *more);
}

/* The input as a file that can only be read. A descriptor or -errno. */
static int open_input(const struct spec_text *input) {
    char path[64];
    if (!input || !input->length) {
        int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
        return null < 0 ? -errno : null;
    }
    int memory = memfd_create("input", MFD_CLOEXEC), r = 0;
    if (memory < 0)
        return -errno;
    for (size_t done = 0; done < input->length && r == 0;) {
        ssize_t n = write(memory, input->bytes + done, input->length - done);
        if (n < 0)
            r = -errno;
        done += n < 0 ? 0 : (size_t)n;
    }
    snprintf(path, sizeof(path), "/proc/self/fd/%d", memory);
    int fd = r < 0 ? r : open(path, O_RDONLY | O_CLOEXEC);
    r = fd == -1 ? -errno : fd;
    close(memory);
    return r;
}

static uint64_t frames_of(const struct spec_machine *m) {
    return m ? m->frames : BUILD_FRAMES;
}

int run_command_in_machine(const struct run_request *r, struct run_result *ret_result) {
    struct arguments arguments = {0}, variables = {0};
    char summary[4096];
    *ret_result = (struct run_result){0};
    snprintf(summary, sizeof(summary), "%s/summary.json", r->work);
    unlink(summary);
    make_arguments(&arguments, r, summary);
    make_environment(&variables, r->spec);
    int input = arguments.failed || variables.failed ? -E2BIG : open_input(r->input);
    const struct capture_request request = {
        .argv = arguments.list,
        .envp = variables.list,
        .directory = r->submission,
        .input = input,
        .output = r->limits->most[SPEC_OUTPUT] + FRAME, /* messages of ours may come behind it */
        .milliseconds = r->limits->most[SPEC_MILLISECONDS] + GRACE,
        .memory = frames_of(r->machine) * FRAME + MACHINE_MEMORY,
        .disk = r->limits->most[SPEC_DISK],
        .scratch = r->work,
    };
    int error = input < 0 ? input : capture_run(&request, &ret_result->capture);
    if (error == 0)
        ret_result->summary = json_load_file(summary, 0, NULL);
    if (input >= 0)
        close(input);
    arguments_free(&arguments);
    arguments_free(&variables);
    return error;
}

void run_result_free(struct run_result *r) {
    capture_free(&r->capture);
    json_decref(r->summary);
    r->summary = NULL;
}

uint64_t run_number(const struct run_result *r, const char *path) {
    char key[64];
    const json_t *at = r->summary;
    while (at && *path) {
        size_t length = strcspn(path, ".");
        snprintf(key, sizeof(key), "%.*s", (int)length, path);
        at = json_object_get(at, key);
        path += length + (path[length] == '.');
    }
    json_int_t number = json_integer_value(at);
    return number < 0 ? 0 : (uint64_t)number;
}
