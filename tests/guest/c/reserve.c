/* Address space that is not memory: 64 TiB reserved and a few pages of it touched; MAP_FIXED_NOREPLACE;
 * MAP_GROWSDOWN; PROT_NONE pages keep their content. */
#include "check.h"
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

static void huge(void) {
    const size_t size = (size_t)64 << 40;
    char *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(at != MAP_FAILED);
    for (size_t i = 0; i < 8; i++)
        at[i * (size >> 3) + 12345] = (char)(i + 1);
    for (size_t i = 0; i < 8; i++)
        CHECK(at[i * (size >> 3) + 12345] == (char)(i + 1) && at[i * (size >> 3) + 5 * PAGE] == 0);
    CHECK(munmap(at + (size >> 2), size >> 1) == 0); /* the middle half */
    CHECK(at[12345] == 1 && at[7 * (size >> 3) + 12345] == 8);
    CHECK_ERROR(msync(at + (size >> 1), PAGE, MS_ASYNC), ENOMEM);
    CHECK(munmap(at, size) == 0);
    puts("64 TiB");
}

static void no_replace(void) {
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS;
    char *at = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, flags, -1, 0);
    CHECK(at != MAP_FAILED && munmap(at + PAGE, PAGE) == 0);
    at[0] = 'k';
    CHECK_ERROR(mmap(at, 2 * PAGE, PROT_READ, flags | MAP_FIXED_NOREPLACE, -1, 0), EEXIST);
    CHECK(at[0] == 'k');
    CHECK(mmap(at + PAGE, PAGE, PROT_READ, flags | MAP_FIXED_NOREPLACE, -1, 0) == at + PAGE);
    CHECK(munmap(at, 4 * PAGE) == 0);
    puts("MAP_FIXED_NOREPLACE");
}

static void grows_down(void) {
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS;
    char *room = mmap(NULL, 1024 * PAGE, PROT_NONE, flags | MAP_NORESERVE, -1, 0);
    CHECK(room != MAP_FAILED && munmap(room, 1024 * PAGE) == 0);
    char *at = room + 1000 * PAGE;
    CHECK(mmap(at, 2 * PAGE, PROT_READ | PROT_WRITE, flags | MAP_GROWSDOWN | MAP_FIXED, -1, 0) == at);
    for (size_t i = 1; i < 100; i++)
        *(at - i * PAGE) = (char)i; /* a page below each time */
    for (size_t i = 1; i < 100; i++)
        CHECK(*(at - i * PAGE) == (char)i);
    CHECK(munmap(room, 1024 * PAGE) == 0);
    puts("MAP_GROWSDOWN");
}

static void hidden(void) {
    char *at = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(at != MAP_FAILED);
    memset(at, 'h', 8 * PAGE);
    CHECK(mprotect(at, 8 * PAGE, PROT_NONE) == 0);
    pid_t child = fork();
    if (child == 0) {
        char c = *(volatile char *)at;
        _exit(c);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    char *other = mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(other != MAP_FAILED);
    memset(other, 'o', 64 * PAGE);
    CHECK(mprotect(at + 2 * PAGE, 6 * PAGE, PROT_READ) == 0);
    for (size_t i = 2 * PAGE; i < 8 * PAGE; i++)
        CHECK(at[i] == 'h');
    puts("PROT_NONE keeps");
}

int main(void) {
    huge();
    no_replace();
    grows_down();
    hidden();
    return 0;
}
