/* Takes memory until there is none. Usage: glutton MIB
 * A child touches MIB mebibytes, which must be more than memory and swap; it gets ENOMEM or is killed. The
 * parent holds some memory of its own meanwhile, and verifies it when the child is gone. */
#include "check.h"
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

static int take(size_t mebibytes) {
    for (size_t i = 0; i < mebibytes; i++) {
        char *at = mmap(NULL, 256 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (at == MAP_FAILED)
            return errno == ENOMEM ? 12 : 1;
        for (size_t p = 0; p < 256; p++)
            at[p * PAGE] = (char)p;
    }
    return 0;
}

int main(int argc, char **argv) {
    CHECK(argc == 2);
    enum { OWN = 16 };
    uint64_t *own = mmap(NULL, OWN * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(own != MAP_FAILED);
    for (size_t i = 0; i < OWN; i++)
        own[i * 512] = pattern(i, 1);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0)
        _exit(take(strtoul(argv[1], NULL, 10)));
    int status;
    CHECK(waitpid(pid, &status, 0) == pid);
    for (size_t i = 0; i < OWN; i++)
        CHECK(own[i * 512] == pattern(i, 1));
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        puts("there was enough");
    else if (WIFEXITED(status) ? WEXITSTATUS(status) == 12 : WTERMSIG(status) == SIGKILL)
        puts("there was not enough, and the parent goes on");
    else
        printf("unexpected: %#x\n", (unsigned)status);
    return 0;
}
