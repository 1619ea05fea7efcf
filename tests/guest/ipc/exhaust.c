/* Uses up one thing, says how that ended, gives it back, and shows that the rest goes on. Natively harmless:
 * every mode but "processes" and "eat" keeps to limits that it sets itself; those two are for the machine. */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "say.h"

enum { MOST = 100000 };

static pid_t pids[MOST];

static void *sleeper(void *unused) {
    pause();
    return unused;
}

/* Children that wait, until there can be no more; how many there were is said if it is to be known. */
static void processes(int tell) {
    int n = 0;
    while (n < MOST && (pids[n] = child()) > 0)
        n++;
    if (n < MOST && pids[n] == 0)
        for (;;)
            pause();
    if (tell)
        printf("%d children\n", n);
    pthread_t thread;
    printf("a thread: %s\n", strerrorname_np(pthread_create(&thread, NULL, sleeper, NULL)) ?: "ok");
    while (n > 0) {
        kill(pids[--n], SIGKILL);
        waitpid(pids[n], NULL, 0);
    }
    pid_t pid = child();
    if (pid == 0)
        _exit(7);
    ended(pid);
}

static void memory(void) {
    struct rlimit old;
    getrlimit(RLIMIT_AS, &old);
    setrlimit(RLIMIT_AS, &(struct rlimit){64 << 20, old.rlim_max});
    int n = 0;
    void *at[100], *before = sbrk(0);
    while (n < 100 && (at[n] = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                                    0)) != MAP_FAILED)
        n++;
    printf("mmap: %s\n", strerrorname_np(errno));
    errno = 0;
    printf("sbrk: %d %s\n", sbrk(1 << 21) == (void *)-1, strerrorname_np(errno));
    printf("the break stays: %d\n", sbrk(0) == before);
    CASE("mremap", mremap(at[0], 1 << 20, 2 << 20, MREMAP_MAYMOVE) == MAP_FAILED ? -1 : 0);
    while (n > 0)
        munmap(at[--n], 1 << 20);
    SAY(sbrk(1 << 20) == (void *)-1);
    setrlimit(RLIMIT_AS, &old);
    char *huge = mmap(NULL, (size_t)1 << 46, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    printf("more than there is: %s\n", huge == MAP_FAILED ? strerrorname_np(errno) : "ok");
}

/* The child takes all that there is, the parent works on. */
static void eat(void) {
    static char own[64 * 4096];
    pid_t pid = child();
    if (pid == 0) {
        for (size_t size = 1 << 20;;) {
            char *at =
                mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
            memset(at, 1, size);
        }
    }
    int status, rounds = 0;
    while (waitpid(pid, &status, WNOHANG) == 0) {
        for (size_t i = 0; i < sizeof own; i += PAGE)
            own[i] = (char)(i / PAGE + 1);
        rounds++;
    }
    int wrong = 0;
    for (size_t i = 0; i < sizeof own; i += PAGE)
        wrong += own[i] != (char)(i / PAGE + 1);
    printf("killed by %d, %s meanwhile, %d wrong\n", WTERMSIG(status), rounds ? "worked" : "did nothing",
           wrong);
    pid = child();
    if (pid == 0)
        _exit(3);
    ended(pid);
}

/* Descriptors, until the process or the machine has no more. */
static void descriptors(void) {
    int n = 0, fd;
    while ((fd = open("/dev/null", O_RDONLY)) >= 0)
        n++;
    while ((fd = open("/", O_RDONLY)) >= 0)
        n++;
    printf("%s\n", strerrorname_np(errno));
    while (n > 0)
        close(2 + n--);
    SAY(open("/", O_RDONLY) >= 0);
}

int main(int count, char **arguments) {
    const char *what = count > 1 ? arguments[1] : "";
    if (!strcmp(what, "processes"))
        processes(count > 2);
    else if (!strcmp(what, "eat"))
        eat();
    else if (!strcmp(what, "descriptors"))
        descriptors();
    else
        memory();
    return 0;
}
