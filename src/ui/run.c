/* `thimble run`: the program's streams, output and exit status are its own; the machine is not seen, but for
 * the summary and the trace that were asked for. */
#include "ui/commands.h"

#include <unistd.h>

#include "ui/session.h"

int run_command(int argc, char **argv, char **envp) {
    struct session session = {0};
    if (session_parse(&session, OPTIONS_RUN, argc, argv) && session_build(&session)) {
        const int streams[3] = {session_stream(STDIN_FILENO), session_stream(STDOUT_FILENO),
                                session_stream(STDERR_FILENO)};
        if (session_add_programs(&session, streams, envp)) {
            size_t failed = 0;
            int error = machine_run_programs(session.machine, &failed);
            session_ended(&session, error, failed, 0);
        }
    }
    return session_close(&session);
}
