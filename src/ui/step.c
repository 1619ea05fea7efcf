/* `thimble step`: a run, recorded or going on, step by step in the terminal that Thimble was started from.
 *
 * A program runs in this thread and has a terminal of its own, a pane of the screen (but for an input that
 * was redirected); the stepper runs in another. What Thimble has to say meanwhile is kept until the screen is
 * given back. When the program has ended the stepper stays, and when the user leaves the program ends. */
#include "ui/commands.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "terminal/stepper.h"
#include "trace/text.h"
#include "ui/watch.h"

struct step {
    struct session *session;
    struct stepper *stepper;
    struct live *live; /* NULL: recorded */
    sigset_t signals;  /* that the stepper handles */
    int ended_by;      /* what stepper_run() returned: a signal, 0: the user left */
    struct text said;  /* lines that are shown afterwards */
};

static void keep_line(void *context, const char *line) {
    struct step *step = context;
    text_put(&step->said, "thimble: ");
    text_put(&step->said, line);
    text_put(&step->said, "\n");
    if (step->stepper)
        stepper_say(step->stepper, line);
}

static void show_lines(struct step *step) {
    if (step->said.length)
        fwrite(step->said.bytes, 1, step->said.length, stderr);
    text_free(&step->said);
}

static void report_no_terminal(int error) {
    const char *term = getenv("TERM");
    if (error == -ENOTTY)
        fprintf(stderr,
                "thimble: step needs a terminal, and there is none: thimble web shows a run in a browser\n");
    else if (error == -ENXIO)
        fprintf(
            stderr,
            "thimble: the terminal (TERM=%s) cannot place its cursor: set TERM to what it is, or use thimble "
            "web\n",
            term ? term : "");
    else
        fprintf(stderr, "thimble: the terminal cannot be used: %s\n", strerror(-error));
}

/* until: where to begin; asked: the user said so. */
static bool step_open_stepper(struct step *step, struct film *film, const struct goal *until, bool asked,
                              const char *title) {
    const struct stepper_config config = {
        .title = title ? title : "",
        .film = film,
        .live = step->live,
        .until = until,
        .until_was_asked = asked,
        .signals = &step->signals,
    };
    int error = stepper_create(&config, &step->stepper);
    if (error)
        report_no_terminal(error);
    return !error;
}

/* ---- recorded ---- */

static int step_recorded(struct step *step) {
    const struct options *o = &step->session->options;
    uint64_t begin;
    struct film *film = watch_open(o, &begin);
    if (!film)
        return EXIT_MACHINE;
    const struct goal until = {.kind = GOAL_SEQUENCE, .number = begin};
    char *title = watch_title(o, film_header(film));
    int status = EXIT_MACHINE;
    if (step_open_stepper(step, film, &until, false, title)) {
        int signal = stepper_run(step->stepper);
        status = signal ? 128 + signal : EXIT_SUCCESS;
    }
    stepper_destroy(step->stepper);
    free(title);
    film_destroy(film);
    return status;
}

/* ---- live ---- */

static void changed(void *context) {
    struct step *step = context;
    if (step->stepper)
        stepper_changed(step->stepper);
}

/* The stepper's thread. */
static void *show(void *context) {
    struct step *step = context;
    step->ended_by = stepper_run(step->stepper);
    live_stop(step->live);
    return NULL;
}

/* Runs the machine in this thread. */
static void step_run(struct step *step) {
    pthread_t showing;
    int error = pthread_create(&showing, NULL, show, step);
    if (error) {
        fprintf(stderr, "thimble: no thread can be started: %s\n", strerror(error));
        return;
    }
    size_t failed = 0;
    error = live_run(step->live, &failed);
    if (error) /* there is nothing to be seen */
        stepper_end(step->stepper);
    pthread_join(showing, NULL);
    show_lines(step);
    session_ended(step->session, error, failed, step->ended_by ? step->ended_by : SIGINT);
}

static void step_live(struct step *step, char **envp) {
    struct session *s = step->session;
    struct goal until;
    step->live = watch_create(s, false, changed, step);
    if (!step->live)
        return;
    watch_get_beginning(&s->options, &until);
    struct film *film = live_film(step->live);
    char *title = watch_title(&s->options, film_header(film));
    int terminal = live_terminal(step->live);
    const int streams[3] = {isatty(STDIN_FILENO) ? terminal : STDIN_FILENO, terminal, terminal};
    if (step_open_stepper(step, film, &until, s->options.has_until, title) &&
        session_add_programs(s, streams, envp))
        step_run(step);
    live_destroy(step->live);
    stepper_destroy(step->stepper);
    free(title);
}

int step_session(struct session *session, char **envp) {
    struct step step = {.session = session};
    session->options.machine.report = keep_line;
    session->options.machine.context = &step;
    session->options.machine.keep_host_signals = true;
    watch_take_signals(true, &step.signals);
    if (session->options.recording)
        session->exit_status = step_recorded(&step);
    else if (session_build(session))
        step_live(&step, envp);
    show_lines(&step);
    return session_close(session);
}

int step_command(int argc, char **argv, char **envp) {
    struct session session = {0};
    if (!session_parse(&session, OPTIONS_STEP, argc, argv))
        return session_close(&session);
    return step_session(&session, envp);
}
