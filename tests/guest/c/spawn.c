/* Starting and awaiting processes: fork, vfork, posix_spawn with file actions, exec of itself, waitid in its
 * forms, orphans, exit codes and deaths by signal. Run as "spawn child N" it ends with status N. */
#include "check.h"
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>

extern char **environ;
static char *self;

static int status_of(pid_t pid) {
    int status;
    CHECK(waitpid(pid, &status, 0) == pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static void forks(void) {
    for (int code = 0; code < 256; code += 51) {
        pid_t pid = fork();
        if (pid == 0)
            _exit(code);
        CHECK(status_of(pid) == code);
    }
    const int deadly[] = {SIGKILL, SIGTERM, SIGABRT, SIGUSR1, SIGPIPE, SIGALRM};
    for (size_t i = 0; i < sizeof deadly / sizeof *deadly; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            raise(deadly[i]);
            _exit(0);
        }
        CHECK(status_of(pid) == 1000 + deadly[i]);
    }
    puts("fork and exit statuses");
}

static void vforks(void) {
    static volatile int shared_with_child; /* vfork shares the memory … */
    pid_t pid = vfork();
    if (pid == 0) {
        shared_with_child = 7;
        execl(self, self, "child", "23", (char *)NULL);
        _exit(127);
    }
    CHECK(pid > 0 && shared_with_child == 7); /* … and the parent goes on only now */
    CHECK(status_of(pid) == 23);
    pid = vfork();
    if (pid == 0) {
        execl("/does/not/exist", "no", (char *)NULL);
        _exit(errno == ENOENT ? 44 : 45);
    }
    CHECK(status_of(pid) == 44);
    puts("vfork and exec");
}

static void spawns(void) {
    posix_spawn_file_actions_t actions;
    CHECK(posix_spawn_file_actions_init(&actions) == 0);
    CHECK(posix_spawn_file_actions_addopen(&actions, 1, "spawned.txt", O_WRONLY | O_CREAT | O_TRUNC, 0644) ==
          0);
    char *arguments[] = {self, "child", "5", "say something", NULL};
    pid_t pid;
    CHECK(posix_spawn(&pid, self, &actions, NULL, arguments, environ) == 0);
    CHECK(status_of(pid) == 5);
    char text[64] = "";
    int fd = open("spawned.txt", O_RDONLY);
    CHECK(fd >= 0 && read(fd, text, sizeof text) == 14 && memcmp(text, "say something\n", 14) == 0);
    close(fd);
    CHECK(posix_spawn(&pid, "/does/not/exist", NULL, NULL, arguments, environ) == ENOENT);
    posix_spawn_file_actions_destroy(&actions);
    puts("posix_spawn");
}

static void waits(void) {
    siginfo_t info;
    pid_t pid = fork();
    if (pid == 0)
        _exit(9);
    CHECK(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) == 0);
    CHECK(info.si_pid == pid && info.si_code == CLD_EXITED && info.si_status == 9 &&
          info.si_signo == SIGCHLD);
    CHECK(waitid(P_ALL, 0, &info, WEXITED) == 0 && info.si_pid == pid);
    CHECK_ERROR(waitid(P_ALL, 0, &info, WEXITED), ECHILD);
    pid = fork();
    if (pid == 0)
        for (;;)
            pause();
    info.si_pid = 1;
    CHECK(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG) == 0 && info.si_pid == 0);
    CHECK(kill(pid, SIGSTOP) == 0);
    CHECK(waitid(P_PID, (id_t)pid, &info, WSTOPPED) == 0);
    CHECK(info.si_code == CLD_STOPPED && info.si_status == SIGSTOP);
    CHECK(kill(pid, SIGCONT) == 0);
    CHECK(waitid(P_PID, (id_t)pid, &info, WCONTINUED) == 0 && info.si_code == CLD_CONTINUED);
    CHECK(kill(pid, SIGKILL) == 0);
    CHECK(waitid(P_PID, (id_t)pid, &info, WEXITED) == 0);
    CHECK(info.si_code == CLD_KILLED && info.si_status == SIGKILL);
    CHECK_ERROR(kill(pid, 0), ESRCH);
    CHECK_ERROR(waitpid(-1, NULL, WNOHANG), ECHILD);
    puts("waitid");
}

/* A grandchild whose parent has gone is adopted by this process, which has asked for that. */
static void orphans(void) {
    CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        if (fork() == 0) {
            while (getppid() != 1 && getppid() == (pid_t)-1)
                ;
            usleep(20000);
            _exit(61);
        }
        _exit(60);
    }
    CHECK(status_of(pid) == 60);
    int status;
    CHECK(waitpid(-1, &status, 0) > 0 && WEXITSTATUS(status) == 61);
    puts("orphan adopted");
}

static void many(void) {
    enum { CHILDREN = 40 };
    pid_t pids[CHILDREN];
    for (int i = 0; i < CHILDREN; i++) {
        pids[i] = fork();
        if (pids[i] == 0)
            _exit(i);
        CHECK(pids[i] > 0);
    }
    for (int i = CHILDREN - 1; i >= 0; i--)
        CHECK(status_of(pids[i]) == i);
    puts("many children");
}

int main(int argc, char **argv) {
    if (argc > 2 && strcmp(argv[1], "child") == 0) {
        if (argc > 3)
            puts(argv[3]);
        return atoi(argv[2]);
    }
    self = argv[0];
    setvbuf(stdout, NULL, _IOLBF, 0);
    forks();
    vforks();
    spawns();
    waits();
    orphans();
    many();
    return 0;
}
