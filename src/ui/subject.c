/* See subject.h. */
#include "ui/subject.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trace/text.h"
#include "ui/exported.h"
#include "ui/say.h"
#include "ui/session.h"

bool subject_parse(struct subject *s, const struct options_analysis *analysis, int argc, char **argv) {
    char *message = NULL;
    s->exit_status = EXIT_MACHINE;
    const int error = options_parse_analysis(analysis, argc, argv, &s->options, &message);
    return error ? say_failed(message, error) : true;
}

/* The command with its arguments, or the name of the file without its folders. */
static char *make_title(const struct options *o) {
    struct text t = {0};
    if (o->references && !strcmp(o->references, "-"))
        return strdup("standard input");
    if (o->references) {
        const char *slash = strrchr(o->references, '/');
        return strdup(slash ? slash + 1 : o->references);
    }
    if (o->machine_file)
        return strdup(machine_file_title(o->machine_file));
    for (int i = 0; i < o->program_count; i++) {
        text_put(&t, i ? " " : "");
        text_put(&t, o->program[i]);
    }
    text_bytes(&t, "", 1);
    if (t.failed)
        text_free(&t);
    return t.bytes;
}

static bool open_file(struct subject *s) {
    char *message = NULL;
    const int error = exported_open(s->options.references, s->options.format, &s->source, &message);
    return error ? say_failed(message, error) : true;
}

static void report_so_far(void *context, struct refs_source *source) {
    struct subject *s = context;
    s->source = source;
    s->report(s->job);
}

bool subject_open(struct subject *s, char **envp) {
    s->title = make_title(&s->options);
    if (!s->title)
        return say_failed(NULL, -ENOMEM);
    if (s->options.references)
        return open_file(s);
    /* What the program says stays apart from what we say on standard output. */
    const struct recorded_request request = {
        .streams = {session_stream(STDIN_FILENO), session_stream(STDERR_FILENO),
                    session_stream(STDERR_FILENO)},
        .report = s->report ? report_so_far : NULL,
        .context = s,
    };
    if (!recorded_open(&s->options, envp, &request, &s->recorded)) {
        s->exit_status = s->recorded.exit_status;
        return false;
    }
    s->source = s->recorded.source;
    const int status = s->recorded.exit_status;
    const bool was_ended = status == 128 + SIGTERM || status == 128 + SIGINT; /* by who knows it */
    if (status && !was_ended && !s->tells_status)
        fprintf(stderr, "thimble: %s ended with status %d: the numbers are of that run\n", s->title, status);
    return true;
}

void subject_close(struct subject *s) {
    if (s->recorded.source)
        recorded_close(&s->recorded);
    else if (s->source && !exported_close(s->source, s->options.references) && s->exit_status == EXIT_SUCCESS)
        s->exit_status = EXIT_CUT;
    machine_file_destroy(s->options.machine_file);
    free(s->options.confinement.rules);
    free(s->title);
}

void subject_report(const struct subject *s, const char *what) {
    fprintf(stderr, "thimble: %s: %s\n", s->title, what);
}
