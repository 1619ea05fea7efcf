/* `thimble web`: serves the page of a run, recorded or going on, to a browser on this computer.
 *
 * Its address is all that is written to standard output; nothing is opened. A recording is served until
 * Ctrl-C. A program runs in this thread, held and moved on from the page; Ctrl-C ends it, and the page then;
 * when the program ends by itself the page stays until Ctrl-C. */
#include "ui/commands.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ui/watch.h"
#include "web/server.h"

struct web {
    struct session *session;
    struct live *live;             /* NULL: recorded */
    struct server *_Atomic server; /* NULL: not yet, or no more */
    sigset_t signals;              /* that end it */
    _Atomic int ended_by;          /* the first that came, 0: none */
};

static void changed(void *context) {
    struct web *web = context;
    struct server *server = atomic_load(&web->server);
    if (server)
        server_changed(server);
}

static void report_not_served(const struct options *o, int error) {
    if (error == -EADDRINUSE)
        fprintf(stderr,
                "thimble: port %u is in use: give another one with --port, or leave it out and take any that "
                "is free\n",
                o->port);
    else if (error == -EACCES)
        fprintf(stderr, "thimble: port %u is for the system's own services: give one from 1024 up\n",
                o->port);
    else
        fprintf(stderr, "thimble: the page cannot be served at 127.0.0.1: %s\n", strerror(-error));
}

/* begin: the event that the page shows first, 0: what it likes. */
static bool web_serve(struct web *web, struct film *film, uint64_t begin) {
    const struct options *o = &web->session->options;
    char *title = watch_title(o, film_header(film));
    const struct server_config config = {
        .port = o->port,
        .title = title ? title : "",
        .film = film,
        .live = web->live,
    };
    struct server *server;
    int error = server_start(&config, &server);
    free(title);
    if (error) {
        report_not_served(o, error);
        return false;
    }
    atomic_store(&web->server, server);
    printf("%s", server_address(server));
    if (begin)
        printf("&s=%llu", (unsigned long long)begin);
    printf("\n");
    fflush(stdout);
    return true;
}

static void web_stop_serving(struct web *web) {
    struct server *server = atomic_exchange(&web->server, NULL);
    if (server)
        server_stop(server);
}

/* ---- recorded ---- */

static int web_recorded(struct web *web) {
    uint64_t begin;
    struct film *film = watch_open(&web->session->options, &begin);
    if (!film)
        return EXIT_MACHINE;
    bool served = web_serve(web, film, web->session->options.has_until ? begin : 0);
    int signal;
    if (served)
        sigwait(&web->signals, &signal);
    web_stop_serving(web);
    film_destroy(film);
    return served ? EXIT_SUCCESS : EXIT_MACHINE;
}

/* ---- live ---- */

static void *wait_and_stop(void *context) {
    struct web *web = context;
    int signal;
    sigwait(&web->signals, &signal);
    atomic_store(&web->ended_by, signal);
    live_stop(web->live);
    return NULL;
}

/* Runs the machine in this thread, while another waits for Ctrl-C. */
static void web_run(struct web *web) {
    pthread_t waiting;
    int error = pthread_create(&waiting, NULL, wait_and_stop, web);
    if (error) {
        fprintf(stderr, "thimble: no thread can be started: %s\n", strerror(error));
        return;
    }
    size_t failed = 0;
    error = live_run(web->live, &failed);
    int signal = atomic_load(&web->ended_by);
    session_ended(web->session, error, failed, signal ? signal : SIGINT); /* the page's button is a Ctrl-C */
    if (error)
        pthread_kill(waiting, SIGTERM);
    else if (!signal)
        fprintf(stderr, "thimble: the program has ended; the page stays until Ctrl-C\n");
    pthread_join(waiting, NULL);
}

static void web_live(struct web *web, char **envp) {
    web->live = watch_create(web->session, true, changed, web);
    if (!web->live)
        return;
    int terminal = live_terminal(web->live);
    const int streams[3] = {terminal, terminal, terminal};
    if (session_add_programs(web->session, streams, envp) && web_serve(web, live_film(web->live), 0))
        web_run(web);
    web_stop_serving(web);
    live_destroy(web->live);
}

int web_session(struct session *session, char **envp) {
    struct web web = {.session = session};
    watch_take_signals(false, &web.signals);
    session->options.machine.keep_host_signals = true;
    if (session->options.recording)
        session->exit_status = web_recorded(&web);
    else if (session_build(session))
        web_live(&web, envp);
    return session_close(session);
}

int web_command(int argc, char **argv, char **envp) {
    struct session session = {0};
    if (!session_parse(&session, OPTIONS_WEB, argc, argv))
        return session_close(&session);
    return web_session(&session, envp);
}
