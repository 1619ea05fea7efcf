/* `thimble record`: runs a program, as `thimble run` does, and writes its page references to a file. */
#include "ui/commands.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/message.h"
#include "ui/exported.h"
#include "ui/figure.h"
#include "ui/recorded.h"
#include "ui/say.h"
#include "ui/session.h"

enum { KEY_REDUCE = 0x3000, KEY_VERBOSE, KEY_FORMAT };

struct job {
    struct recorded_request request;
    enum refs_format format; /* of the file; REFS_FORMAT_ANY: Thimble's own */
};

static const struct argp_option record_options[] = {
    {NULL, 0, NULL, 0, "Recording:", 1},
    {"output", 'o', "FILE", 0, "Write the references to FILE (needed)", 1},
    {"format", KEY_FORMAT, "FORMAT", 0,
     "Of FILE: thimble (default), oracleGeneral, csv, lackey, perf-script or ostep; or as its name ends", 1},
    {"reduce", KEY_REDUCE, "K", 0,
     "Leave out references that no LRU or OPT memory of K frames or more would notice", 1},
    {"verbose", KEY_VERBOSE, NULL, 0, "Say at the end, on standard error, how much was recorded", 1},
    {0},
};

static int take_reduce(struct recorded_request *request, const char *value, char **ret_message) {
    char *end;
    const unsigned long frames = strtoul(value, &end, 10);
    if (end == value || *end || *value == '-' || frames < 1 || frames >= UINT32_MAX)
        return message_fail(-EINVAL, ret_message, "--reduce: '%s' is not a number of frames", value);
    request->reduce_to = (uint32_t)frames;
    return 0;
}

/* Records into a temporary file, and makes the one that is wanted of it. */
static int record_as(struct job *job, struct options *options, char **envp) {
    const char *path = job->request.path;
    char *temporary = recorded_temporary();
    bool recorded, whole;
    if (!temporary)
        return EXIT_MACHINE;
    job->request.path = temporary;
    int status = recorded_run(options, envp, &job->request, &recorded);
    if (recorded && !exported_write(temporary, REFS_FORMAT_THIMBLE, path, job->format, &whole))
        status = EXIT_MACHINE;
    unlink(temporary);
    free(temporary);
    return status;
}

static int take(void *context, int key, const char *value, char **ret_message) {
    struct job *job = context;
    struct recorded_request *request = &job->request;
    switch (key) {
    case 'o':
        request->path = value;
        if (!strcmp(value, "-"))
            return message_fail(-EINVAL, ret_message,
                                "-o -: the program's own output goes there: name a file");
        return figure_check_path("-o", value, ret_message);
    case KEY_FORMAT: return exported_take_format(value, &job->format, ret_message);
    case KEY_REDUCE: return take_reduce(request, value, ret_message);
    case KEY_VERBOSE: request->verbose = true; return 0;
    }
    return -EINVAL;
}

int record_command(int argc, char **argv, char **envp) {
    struct job job = {.request.streams = {session_stream(STDIN_FILENO), session_stream(STDOUT_FILENO),
                                          session_stream(STDERR_FILENO)}};
    const struct options_analysis analysis = {
        .name = "thimble record",
        .arguments = "-o FILE [--] PROGRAM [ARG...]",
        .doc = "Run a program and write its page references to a file: which page was fetched from, read or "
               "written, and when.\vThe references do not depend on how much memory the machine has, which "
               "is ample by default. SIGUSR1 says how far it is, and FILE can be analysed up to there; "
               "SIGTERM goes to the program, and when that has ended the file is complete. The exit status "
               "is that of thimble run.",
        .options = record_options,
        .take = take,
        .context = &job,
    };
    struct options options;
    char *message = NULL;
    bool recorded;
    int error = options_parse_analysis(&analysis, argc, argv, &options, &message);
    if (!error && !job.request.path)
        error = message_fail(-EINVAL, &message, "no file was given: thimble record -o FILE PROGRAM");
    if (!error && options.counted.by_instructions)
        error = message_fail(-EINVAL, &message,
                             "--warm-up: a recording is marked after seconds: give instructions to what "
                             "analyses it");
    if (error) {
        say_failed(message, error);
        return EXIT_MACHINE;
    }
    if (job.format == REFS_FORMAT_ANY)
        job.format = exported_format(job.request.path);
    if (job.format != REFS_FORMAT_ANY && job.format != REFS_FORMAT_THIMBLE)
        return record_as(&job, &options, envp);
    return recorded_run(&options, envp, &job.request, &recorded);
}
