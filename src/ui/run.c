/* `thimble run`: the program's streams, output and exit status are its own; the machine is not seen, but for
 * the summary and the trace that were asked for. */
#include "ui/commands.h"

#include <unistd.h>

#include "ui/session.h"

int run_command(int argc, char **argv, char **envp) {
    struct session session = {0};
    if (session_parse(&session, OPTIONS_RUN, argc, argv) && session_build(&session)) {
        char **program = session.options.program;
        session_ended(&session, machine_run(session.machine, program[0], program, envp), 0);
    }
    return session_close(&session);
}
