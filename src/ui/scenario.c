/* `thimble scenario`: the pictures of the lecture and other classics, by name.
 *
 *   run      the machine file, as `thimble run --machine` does
 *   draw …   the machine file is run to its end into a trace in memory; then what `thimble draw`, `html`,
 *            `step` or `web` do with any trace, with the picture's step and captions as options in front of
 *            the user's
 *
 * A name is one of the catalogue's ("lecture/012"), or FILE.json:PICTURE for a machine file of one's own. */
#include "ui/commands.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/base.h"
#include "scenario/catalogue.h"
#include "trace/film.h"
#include "ui/options.h"
#include "ui/scenario.h"

/* One picture of one machine file. */
struct choice {
    const char *name; /* as it was given */
    struct machine_file *file;
    const struct machine_picture *picture; /* NULL: the file has none */
    char path[PATH_MAX];                   /* of the machine file */
};

static int usage(FILE *to) {
    fputs("Usage: thimble scenario list [-v]\n"
          "       thimble scenario run|step|web|draw|html NAME [OPTION...]\n"
          "The lecture's pictures and other classics, by name. OPTIONs are those of thimble run, step, web, "
          "draw\n"
          "and html. NAME is one of the list, or FILE.json:PICTURE for a machine file of your own.\n",
          to);
    return to == stdout ? EXIT_SUCCESS : EXIT_MACHINE;
}

/* ---- the catalogue ---- */

/* NULL: was reported. */
static struct catalogue *open_catalogue(void) {
    char folder[PATH_MAX];
    struct catalogue *c = NULL;
    int error = catalogue_folder(folder, sizeof folder);
    if (error == -ENOENT)
        fprintf(stderr, "thimble: the scenarios are not where this program expects them (neither beside its "
                        "build nor in lib/thimble/scenarios of its prefix): set THIMBLE_SCENARIOS to their "
                        "folder\n");
    else if (error || (error = catalogue_open(folder, &c)) != 0)
        fprintf(stderr, "thimble: the scenarios cannot be read: %s\n", strerror(-error));
    for (size_t i = 0; c && catalogue_problem(c, i); i++)
        fprintf(stderr, "thimble: %s\n", catalogue_problem(c, i));
    return c;
}

static int list(int argc, char **argv) {
    const bool verbose = argc == 3 && !strcmp(argv[2], "-v");
    size_t count, width = 0;
    if (argc > 2 && !verbose)
        return usage(stderr);
    struct catalogue *c = open_catalogue();
    if (!c)
        return EXIT_MACHINE;
    const struct catalogue_entry *entries = catalogue_entries(c, &count);
    for (size_t i = 0; i < count; i++)
        width = max_size(width, strlen(entries[i].name));
    for (size_t i = 0; i < count; i++)
        if (verbose)
            printf("%-*s  %s\n", (int)width, entries[i].name, entries[i].title);
        else
            puts(entries[i].name);
    const int status = catalogue_problem(c, 0) ? EXIT_MACHINE : EXIT_SUCCESS;
    catalogue_close(c);
    return status;
}

static void report_unknown(const struct catalogue *c, const char *name) {
    const char *near[3];
    const size_t count = catalogue_suggest(c, name, near, ARRAY_LENGTH(near));
    fprintf(stderr, "thimble: there is no scenario '%s'", name);
    for (size_t i = 0; i < count; i++)
        fprintf(stderr, "%s%s", i == 0 ? ": did you mean " : i + 1 == count ? " or " : ", ", near[i]);
    fputs(count ? "? (thimble scenario list names them all)\n" : ": thimble scenario list names them all\n",
          stderr);
}

/* ---- choosing ---- */

static bool read_file(struct choice *choice) {
    char *message;
    int error = machine_file_read(choice->path, &choice->file, &message);
    if (error)
        fprintf(stderr, "thimble: %s\n", message ? message : strerror(-error));
    free(message);
    return !error;
}

static bool choose_from_catalogue(struct choice *choice) {
    struct catalogue *c = open_catalogue();
    if (!c)
        return false;
    const struct catalogue_entry *entry = catalogue_find(c, choice->name);
    bool found = false;
    size_t count;
    if (!entry)
        report_unknown(c, choice->name);
    else if (snprintf(choice->path, sizeof choice->path, "%s", entry->path) < (int)sizeof choice->path)
        found = read_file(choice);
    if (found)
        choice->picture = &machine_file_pictures(choice->file, &count)[entry->picture];
    catalogue_close(c);
    return found;
}

/* FILE.json:PICTURE, or FILE.json: the first of its pictures. */
static bool choose_from_file(struct choice *choice, const char *end) {
    const int length = (int)(end - choice->name);
    size_t count;
    snprintf(choice->path, sizeof choice->path, "%.*s", length, choice->name);
    if (!read_file(choice))
        return false;
    const struct machine_picture *pictures = machine_file_pictures(choice->file, &count);
    if (!*end) {
        choice->picture = count ? pictures : NULL;
        return true;
    }
    for (size_t i = 0; i < count; i++)
        if (!strcmp(pictures[i].name, end + 1))
            choice->picture = &pictures[i];
    if (!choice->picture)
        fprintf(stderr, "thimble: %s has no picture '%s'\n", choice->path, end + 1);
    return choice->picture != NULL;
}

static bool choose(struct choice *choice, const char *name) {
    static const char suffix[] = ".json";
    const char *end = strstr(name, suffix);
    *choice = (struct choice){.name = name};
    if (end)
        end += sizeof suffix - 1;
    return end && (*end == ':' || !*end) ? choose_from_file(choice, end) : choose_from_catalogue(choice);
}

/* ---- from a name to a trace and a step ---- */

/* Events are counted from the beginning; a goal is looked for behind the one before. 0 or -errno. */
static int find_step(struct film *film, const struct machine_picture *p, size_t *ret_missed,
                     uint64_t *ret_step) {
    *ret_step = 0;
    for (*ret_missed = 0; *ret_missed < p->goal_count; ++*ret_missed) {
        int error = film_find(film, *ret_step, false, &p->goals[*ret_missed], ret_step);
        if (error)
            return error;
    }
    return 0;
}

static int find_in_trace(const struct choice *choice, const char *path, uint64_t *ret_step) {
    struct film *film;
    char goal[128];
    size_t missed;
    *ret_step = 0;
    if (!choice->picture)
        return 0;
    int error = film_open(path, &film);
    if (error) {
        fprintf(stderr, "thimble: %s: its trace cannot be read: %s\n", choice->name, strerror(-error));
        return EXIT_MACHINE;
    }
    error = find_step(film, choice->picture, &missed, ret_step);
    film_destroy(film);
    if (!error)
        return 0;
    if (error == -ENOENT) {
        goal_print(&choice->picture->goals[missed], goal, sizeof goal);
        fprintf(stderr, "thimble: %s: goal %zu of the picture, '%s', is not met after event %llu\n",
                choice->name, missed + 1, goal, (unsigned long long)*ret_step);
    } else {
        fprintf(stderr, "thimble: %s: %s\n", choice->name, strerror(-error));
    }
    return EXIT_MACHINE;
}

/* The arguments of the command that shows the trace; what is ours comes first, so that the user's options
 * have the last word. */
struct arguments {
    char **words;
    int count;
    char step[32], event[40], pids[256];
};

static void add(struct arguments *a, const char *word) {
    a->words[a->count++] = (char *)word; /* commands do not write into them */
}

static void add_option(struct arguments *a, const char *option, const char *value) {
    add(a, option);
    add(a, value);
}

static void add_picture(struct arguments *a, const struct machine_picture *p) {
    size_t length = 0;
    for (size_t i = 0; i < p->pid_count && length + 12 < sizeof a->pids; i++)
        length +=
            (size_t)snprintf(a->pids + length, sizeof a->pids - length, "%s%u", i ? "," : "", p->pids[i]);
    add_option(a, "--kind", picture_kind_name(p->kind));
    if (p->pid_count)
        add_option(a, "--pids", a->pids);
    if (p->real_numbers)
        add(a, "--real-numbers");
    if (*p->caption)
        add_option(a, "--caption", p->caption);
}

static const char *title_of(const struct choice *c) {
    const char *title = c->picture ? c->picture->title : machine_file_title(c->file);
    return *title ? title : c->name;
}

/* How a trace is shown. */
struct shower {
    const char *name;
    int (*function)(int argc, char **argv, char **envp);
    void (*add_options)(struct arguments *, const struct choice *);
};

static void add_for_draw(struct arguments *a, const struct choice *c) {
    add_option(a, "--step", a->step);
    if (c->picture)
        add_picture(a, c->picture);
}

static void add_for_html(struct arguments *a, const struct choice *c) {
    add_option(a, "--start", a->step);
    add_option(a, "--title", title_of(c));
}

static void add_for_watching(struct arguments *a, const struct choice *c) {
    add_option(a, "--until", a->event);
    add_option(a, "--title", title_of(c));
}

static const struct shower showers[] = {
    {"draw", draw_command, add_for_draw},
    {"html", html_command, add_for_html},
    {"step", step_command, add_for_watching},
    {"web", web_command, add_for_watching},
};

static int show(const struct shower *shower, const struct choice *c, const char *trace, uint64_t step,
                int argc, char **argv, char **envp) {
    enum { OWN_WORDS = 16 };
    struct arguments a = {.words = calloc((size_t)argc + OWN_WORDS, sizeof *a.words)};
    if (!a.words)
        return EXIT_MACHINE;
    snprintf(a.step, sizeof a.step, "%llu", (unsigned long long)step);
    snprintf(a.event, sizeof a.event, "event=%llu", (unsigned long long)step);
    add(&a, argv[0]);
    shower->add_options(&a, c);
    for (int i = 3; i < argc; i++)
        add(&a, argv[i]);
    add(&a, trace);
    const int status = shower->function(a.count, a.words, envp);
    free(a.words);
    return status;
}

/* argv: thimble draw NAME option… */
static int record_and_show(const struct shower *shower, struct choice *c, int argc, char **argv,
                           char **envp) {
    char path[32];
    uint64_t step;
    const int fd = memfd_create("scenario", MFD_CLOEXEC);
    if (fd < 0) {
        fprintf(stderr, "thimble: no memory for a trace: %s\n", strerror(errno));
        return EXIT_MACHINE;
    }
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int status = scenario_run_quietly(c->file, machine_file_config(c->file), path, NULL);
    if (!status)
        status = find_in_trace(c, path, &step);
    if (!status)
        status = show(shower, c, path, step, argc, argv, envp);
    close(fd);
    return status;
}

/* ---- running ---- */

/* argv: thimble run NAME option… */
static int run(struct choice *c, int argc, char **argv, char **envp) {
    const struct machine_series *series = machine_file_series(c->file);
    if (argc == 3 && (series->frame_count || series->policy_count))
        return scenario_run_series(c->file);
    char **words = calloc((size_t)argc + 2, sizeof *words);
    if (!words)
        return EXIT_MACHINE;
    words[0] = argv[0];
    words[1] = (char *)"--machine";
    words[2] = c->path;
    memcpy(words + 3, argv + 3, (size_t)(argc - 3) * sizeof *words);
    const int status = run_command(argc, words, envp);
    free(words);
    return status;
}

static const struct shower *shower_find(const char *name) {
    for (size_t i = 0; i < ARRAY_LENGTH(showers); i++)
        if (!strcmp(showers[i].name, name))
            return &showers[i];
    return NULL;
}

int scenario_command(int argc, char **argv, char **envp) {
    const char *what = argc > 1 ? argv[1] : "list";
    if (!strcmp(what, "list"))
        return list(argc, argv);
    if (!strcmp(what, "--help") || !strcmp(what, "help"))
        return usage(stdout);
    const struct shower *shower = shower_find(what);
    if ((!shower && strcmp(what, "run")) || argc < 3)
        return usage(stderr);
    struct choice c;
    if (!choose(&c, argv[2]))
        return EXIT_NOT_FOUND;
    const int status = shower ? record_and_show(shower, &c, argc, argv, envp) : run(&c, argc, argv, envp);
    machine_file_destroy(c.file);
    return status;
}
