/* `thimble trace`: says what a recorded run holds and what is wrong with it, or converts it to JSON lines. Of
 * a file of page references it says what that holds. */
#include "ui/commands.h"

#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "trace/explain.h"
#include "trace/file.h"
#include "ui/options.h"
#include "ui/references.h"
#include "ui/say.h"
#include "ui/size.h"
#include "view/plain.h"

/* What is wrong was said; the rest is right. As an exit status. */
enum { EXIT_FLAWED = 1 };

struct job {
    const char *trace;
    const char *output; /* NULL: say what the trace holds */
};

static const struct argp_option trace_options[] = {
    {"output", 'o', "FILE", 0, "Convert to JSON lines in FILE, which ends in .jsonl or .jsonl.zst", 0},
    {0},
};

static error_t take_option(int key, char *value, struct argp_state *state) {
    struct job *j = state->input;
    switch (key) {
    case 'o':
        if (trace_format_of(value) == TRACE_NATIVE)
            argp_error(state,
                       "-o %s: a trace is converted to JSON lines, and their file's name ends in .jsonl or "
                       ".jsonl.zst",
                       value);
        j->output = value;
        return 0;
    case ARGP_KEY_ARG:
        if (j->trace)
            argp_error(state, "%s: one trace at a time, and %s was given", value, j->trace);
        j->trace = value;
        return 0;
    case ARGP_KEY_END:
        if (!j->trace)
            argp_error(state, "which trace? record one: thimble run --trace FILE PROGRAM");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp trace_argp = {
    .options = trace_options,
    .parser = take_option,
    .args_doc = "TRACE",
    .doc = "Say what a recorded run holds and whether it is whole, or convert it to JSON lines.",
};

/* ---- saying what it holds ---- */

static void print_header(const struct trace_header *h) {
    for (int i = 0; i < h->argument_count; i++) {
        fputs(i ? " " : "", stdout);
        say_plain(h->arguments[i]);
    }
    fputs("\n  recorded by Thimble ", stdout);
    say_plain(h->thimble);
    printf("%s, seed %" PRIu64 "\n  ", h->deterministic ? ", deterministic" : "", h->seed);
    say_number(h->frames, "frames, ");
    say_number(h->reserved, "reserved, ");
    say_number(h->swap_pages, "pages of swap; page table ");
    say_plain(h->page_table);
    fputs(", policy ", stdout);
    say_plain(h->policy);
    fputs("\n", stdout);
}

/* How it ended, as far as the trace goes. */
static void print_end(const struct fold *f) {
    int status = (int)f->exit_status;
    if (!f->stopped)
        fputs("\n", stdout);
    else if (f->stopped_early)
        fputs(", stopped early\n", stdout);
    else if (WIFSIGNALED(status))
        printf(", ended by signal %d\n", WTERMSIG(status));
    else
        printf(", ended with status %d\n", WEXITSTATUS(status));
}

static void print_run(uint64_t events, const struct fold *f) {
    const struct tally *tally = &f->counter.tally;
    fputs("  ", stdout);
    say_number(events, "events, ");
    say_number(f->instruction, "instructions, ");
    say_number(f->processes.count, f->processes.count == 1 ? "process" : "processes");
    print_end(f);
    fputs("  ", stdout);
    say_number(tally_faults(tally), "faults (");
    say_number(tally->major, "major), ");
    say_number(tally->swap_out, "pages swapped out, ");
    say_number(tally->swap_in, "swapped in\n");
}

/* What explain_…() said. False: it said nothing. */
static bool print_flaw(bool said, struct text *t) {
    if (said)
        printf("  %.*s\n", (int)t->length, t->bytes);
    text_free(t);
    return said;
}

/* What is wrong with it, a line each; the exit status. */
static int print_flaws(struct film *film) {
    struct text t = {0};
    bool flawed = print_flaw(explain_cut(&t, film), &t);
    flawed = print_flaw(explain_complaint(&t, film), &t) || flawed;
    if (!flawed)
        puts("  whole; every event follows from those before it");
    return flawed ? EXIT_FLAWED : EXIT_SUCCESS;
}

static int refuse(const char *trace, int error) {
    struct text t = {0};
    explain_refusal(&t, trace, error);
    fprintf(stderr, "thimble: %.*s\n", (int)t.length, t.length ? t.bytes : "");
    text_free(&t);
    return EXIT_MACHINE;
}

/* It is no recorded run, for this reason; perhaps it is one of references. */
static int say_references(const char *trace, int refusal) {
    struct refs_source *source;
    char *message = NULL;
    if (refs_open(trace, REFS_FORMAT_ANY, &source, &message)) {
        free(message);
        return refuse(trace, refusal);
    }
    const int error = references_print(source);
    if (error)
        fprintf(stderr, "thimble: %s\n", refs_message(source));
    refs_close(source);
    return error ? EXIT_FLAWED : EXIT_SUCCESS;
}

static int say(const char *trace) {
    struct film *film;
    const struct fold *f;
    int error = film_open(trace, &film), status;
    if (error)
        return say_references(trace, error);
    error = film_state(film, film_events(film), &f);
    if (!error) {
        print_header(film_header(film));
        print_run(film_events(film), f);
    }
    status = error ? refuse(trace, error) : print_flaws(film);
    film_destroy(film);
    return status;
}

/* ---- converting ---- */

/* A trace that is cut becomes lines without the last one, and is worth a word. */
static int warn_if_cut(const struct film *film) {
    struct text t = {0};
    bool cut = explain_cut(&t, film);
    if (cut)
        fprintf(stderr, "thimble: %.*s\n", (int)t.length, t.bytes);
    text_free(&t);
    return cut ? EXIT_FLAWED : EXIT_SUCCESS;
}

static int convert(const struct job *j) {
    struct film *film;
    int error = film_open(j->trace, &film);
    if (error)
        return refuse(j->trace, error);
    int status = warn_if_cut(film);
    film_destroy(film);
    error = trace_convert(j->trace, j->output);
    if (error == -EBADMSG)
        return refuse(j->trace, error);
    if (error == -EEXIST)
        fprintf(stderr, "thimble: -o %s is the trace itself: give another name\n", j->output);
    else if (error)
        fprintf(stderr, "thimble: -o %s cannot be written: %s\n", j->output, strerror(-error));
    return error ? EXIT_MACHINE : status;
}

int trace_command(int argc, char **argv, char **envp) {
    struct job j = {0};
    argp_err_exit_status = EXIT_MACHINE;
    if (argp_parse(&trace_argp, argc, argv, 0, NULL, &j))
        return EXIT_MACHINE;
    return j.output ? convert(&j) : say(j.trace);
}
