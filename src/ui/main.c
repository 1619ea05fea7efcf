/* thimble: the command. Says what it is, or hands over to one of its subcommands. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ui/commands.h"
#include "ui/guide.h"
#include "ui/options.h"

static const struct command {
    const char *name;
    int (*function)(int argc, char **argv, char **envp);
} commands[] = {
    {"check", check_command},       {"compare", compare_command}, {"curve", curve_command},
    {"doctor", doctor_command},     {"draw", draw_command},       {"export", export_command},
    {"heat", heat_command},         {"html", html_command},       {"import", import_command},
    {"policies", policies_command}, {"record", record_command},   {"run", run_command},
    {"scenario", scenario_command}, {"size", size_command},       {"step", step_command},
    {"trace", trace_command},       {"web", web_command},         {"where", where_command},
};

static const struct command *command_find(const char *name) {
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (!strcmp(commands[i].name, name))
            return &commands[i];
    return NULL;
}

/* What we printed may not have got anywhere: a disk is full. */
static int end(int status) {
    if (!fflush(stdout) && !ferror(stdout))
        return status;
    fprintf(stderr, "thimble: standard output cannot be written: %s\n", strerror(errno));
    return EXIT_MACHINE;
}

int main(int argc, char **argv, char **envp) {
    const char *name = argc > 1 ? argv[1] : "--help";
    const struct command *command = command_find(name);
    if (command) {
        char called[32]; /* for argp, however we were called: "thimble curve: unrecognized option …" */
        snprintf(called, sizeof called, "thimble %s", name);
        argv[1] = called;
        return end(command->function(argc - 1, argv + 1, envp));
    }
    if (!strcmp(name, "--help") || !strcmp(name, "--usage") || !strcmp(name, "help")) {
        guide_print(stdout);
        return end(EXIT_SUCCESS);
    }
    if (!strcmp(name, "--version") || !strcmp(name, "-V")) {
        guide_print_version(stdout);
        return end(EXIT_SUCCESS);
    }
    fprintf(stderr, "thimble: '%s' is not a command: to run a program say thimble run %s\n", name,
            name[0] == '-' ? "[OPTION...] PROGRAM" : name);
    return EXIT_MACHINE;
}
