/* `thimble run`: the program's streams, output and exit status are its own; the machine is not seen, but for
 * the summary and the trace that were asked for. */
#include "ui/commands.h"

#include <fcntl.h>
#include <unistd.h>

#include "ui/session.h"

/* A standard stream for the programs; -1: the caller closed it, and what stands there now is close-on-exec.
 */
static int stream(int fd) {
    int flags = fcntl(fd, F_GETFD);
    return flags < 0 || flags & FD_CLOEXEC ? -1 : fd;
}

int run_command(int argc, char **argv, char **envp) {
    struct session session = {0};
    if (session_parse(&session, OPTIONS_RUN, argc, argv) && session_build(&session)) {
        const int streams[3] = {stream(STDIN_FILENO), stream(STDOUT_FILENO), stream(STDERR_FILENO)};
        if (session_add_programs(&session, streams, envp)) {
            size_t failed = 0;
            int error = machine_run_programs(session.machine, &failed);
            session_ended(&session, error, failed, 0);
        }
    }
    return session_close(&session);
}
