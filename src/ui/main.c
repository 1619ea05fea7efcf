/* thimble: the command. Says what it is, or runs a program on a machine (run.h). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ui/guide.h"
#include "ui/options.h"
#include "ui/run.h"

int main(int argc, char **argv, char **envp) {
    const char *command = argc > 1 ? argv[1] : "--help";
    if (!strcmp(command, "run")) {
        argv[1] = "thimble"; /* the prefix of messages, however it was called */
        return run_command(argc - 1, argv + 1, envp);
    }
    if (!strcmp(command, "--help") || !strcmp(command, "--usage") || !strcmp(command, "help")) {
        guide_print(stdout);
        return EXIT_SUCCESS;
    }
    if (!strcmp(command, "--version") || !strcmp(command, "-V")) {
        guide_print_version(stdout);
        return EXIT_SUCCESS;
    }
    fprintf(stderr, "thimble: '%s' is not a command: to run a program say thimble run %s\n", command,
            command[0] == '-' ? "[OPTION...] PROGRAM" : command);
    return EXIT_MACHINE;
}
