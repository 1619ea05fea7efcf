/* `thimble html`: writes a recorded run as one file that a browser replays, without a network or a server. */
#include "ui/commands.h"

#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "page/assets.h"
#include "trace/explain.h"
#include "ui/options.h"
#include "ui/recording.h"

/* A browser holds the whole run in memory: 64 bytes an event. */
enum { EVENTS_MOST = 4000000 };

struct html {
    const char *trace, *output;
    const char *title; /* NULL: the command that was recorded */
    uint64_t start;    /* event that the replay opens at; 0: where the program begins */
};

static const struct argp_option html_options[] = {
    {"output", 'o', "FILE", 0, "Write the replay to FILE", 0},
    {"start", 's', "N", 0, "Open it at event N (default: where the program begins)", 0},
    {"title", 't', "TEXT", 0, "Call it TEXT (default: the command that was recorded)", 0},
    {0},
};

static error_t take_option(int key, char *value, struct argp_state *state) {
    struct html *h = state->input;
    char *end;
    switch (key) {
    case 'o': h->output = value; return 0;
    case 't': h->title = value; return 0;
    case 's':
        errno = 0;
        h->start = strtoull(value, &end, 10);
        if (*end || end == value || *value == '-' || errno)
            argp_error(state, "--start %s: give the number of an event", value);
        return 0;
    case ARGP_KEY_ARG:
        if (h->trace)
            argp_error(state, "%s: one trace makes one replay, and %s was given", value, h->trace);
        h->trace = value;
        return 0;
    case ARGP_KEY_END:
        if (!h->trace)
            argp_error(state, "which trace? record one: thimble run --trace FILE PROGRAM");
        if (!h->output)
            argp_error(state, "say where the replay goes: -o FILE.html");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp html_argp = {
    .options = html_options,
    .parser = take_option,
    .args_doc = "TRACE -o FILE.html",
    .doc = "Write a recorded run as one HTML file that replays it in a browser: no server, no network.",
};

/* What stands in the way, said on standard error. */
static bool html_is_possible(const struct html *h, const struct film *film) {
    unsigned long long events = film_events(film);
    if (h->start > events) {
        fprintf(stderr, "thimble: --start %llu: %s has %llu events\n", (unsigned long long)h->start, h->trace,
                events);
        return false;
    }
    if (events > EVENTS_MOST) {
        fprintf(stderr,
                "thimble: %s has %llu events, and a browser has room for %d of them in one file: look at it "
                "with thimble web %s\n",
                h->trace, events, EVENTS_MOST, h->trace);
        return false;
    }
    return true;
}

/* The command that was recorded, as one line; malloc'd, NULL: no memory. */
static char *html_title(const struct trace_header *header) {
    size_t length = 1;
    for (int i = 0; i < header->argument_count; i++)
        length += strlen(header->arguments[i]) + 1;
    char *title = calloc(1, length), *at = title;
    for (int i = 0; title && i < header->argument_count; i++)
        at += sprintf(at, "%s%s", i ? " " : "", header->arguments[i]);
    return title;
}

static void say(struct text *t) {
    fprintf(stderr, "thimble: %.*s\n", (int)t->length, t->length ? t->bytes : "");
    text_free(t);
}

/* An event that cannot be true does not stop the replay, but its readers should know. */
static void html_warn(const struct html *h, struct film *film) {
    struct text t = {0};
    text_put(&t, h->trace);
    text_put(&t, ": ");
    if (explain_complaint(&t, film))
        say(&t);
    else
        text_free(&t);
}

/* The trace could not be read, or the replay not be written. */
static void report_not_written(const struct html *h, struct film *film, int error) {
    struct text t = {0};
    const struct fold *fold;
    int trace_error = film_state(film, film_events(film), &fold);
    if (trace_error) {
        explain_refusal(&t, h->trace, trace_error);
        say(&t);
    } else {
        fprintf(stderr, "thimble: -o %s could not be written: %s\n", h->output, strerror(-error));
    }
}

/* Half a replay is of no use; what is not a file stays. */
static void html_remove(const char *output) {
    struct stat status;
    if (!lstat(output, &status) && S_ISREG(status.st_mode))
        unlink(output);
}

static int html_write(const struct html *h, struct film *film) {
    char *title = h->title ? strdup(h->title) : html_title(film_header(film));
    int fd = open(h->output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) {
        fprintf(stderr, "thimble: -o %s cannot be written: %s\n", h->output, strerror(errno));
        free(title);
        return EXIT_MACHINE;
    }
    int error = title ? page_write_replay(film, title, h->start, fd) : -ENOMEM;
    free(title);
    if (close(fd) && !error)
        error = -errno;
    if (!error) {
        html_warn(h, film);
        return EXIT_SUCCESS;
    }
    report_not_written(h, film, error);
    html_remove(h->output);
    return EXIT_MACHINE;
}

/* Writing over the trace would destroy it while it is read. */
static bool same_file(const char *a, const char *b) {
    struct stat x, y;
    return !stat(a, &x) && !stat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

int html_command(int argc, char **argv, char **envp) {
    struct html h = {0};
    argp_err_exit_status = EXIT_MACHINE;
    if (argp_parse(&html_argp, argc, argv, 0, NULL, &h))
        return EXIT_MACHINE;
    if (same_file(h.trace, h.output)) {
        fprintf(stderr, "thimble: -o %s is the trace itself: give another name\n", h.output);
        return EXIT_MACHINE;
    }
    struct film *film = recording_open(h.trace);
    if (!film)
        return EXIT_MACHINE;
    int status = html_is_possible(&h, film) ? html_write(&h, film) : EXIT_MACHINE;
    film_destroy(film);
    return status;
}
