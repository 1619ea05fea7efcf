/* Executes every file of a folder, by name, and says how it went: an error of execve, a status, or a signal.
 * Usage: cpu-launch FOLDER */
#include "../c/check.h"
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum { SECONDS = 5 };

static int compare(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* In the child: the files are nobody's friends. */
static void execute(const char *name, int report) {
    struct rlimit seconds = {SECONDS, SECONDS}, nothing = {0, 0};
    char *const argv[] = {(char *)name, "one", NULL}, *const envp[] = {"VARIABLE=value", NULL};
    setrlimit(RLIMIT_CPU, &seconds);
    setrlimit(RLIMIT_CORE, &nothing);
    setrlimit(RLIMIT_FSIZE, &nothing);
    execve(name, argv, envp);
    int error = errno;
    if (write(report, &error, sizeof error) != sizeof error)
        _exit(99);
    _exit(0);
}

static void launch(const char *name) {
    int report[2], status, error = 0;
    CHECK(pipe2(report, O_CLOEXEC) == 0);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0)
        execute(name, report[1]);
    close(report[1]);
    bool failed = read(report[0], &error, sizeof error) == sizeof error;
    close(report[0]);
    CHECK(waitpid(child, &status, 0) == child);
    if (failed)
        printf("%s: %s\n", name, strerrorname_np(error));
    else if (WIFSIGNALED(status))
        printf("%s: signal %d\n", name, WTERMSIG(status));
    else
        printf("%s: status %d\n", name, WEXITSTATUS(status));
    fflush(stdout);
}

int main(int argc, char **argv) {
    char *names[4096];
    size_t n = 0;
    CHECK(argc == 2 && chdir(argv[1]) == 0);
    DIR *folder = opendir(".");
    CHECK(folder);
    for (struct dirent *entry; (entry = readdir(folder)) && n < sizeof names / sizeof *names;)
        if (entry->d_name[0] != '.')
            names[n++] = strdup(entry->d_name);
    closedir(folder);
    qsort(names, n, sizeof *names, compare);
    for (size_t i = 0; i < n; i++)
        launch(names[i]);
    return 0;
}
