/* Memory that a parent allocates and its child uses, with malloc and with mmap; and a name for the latter. */
#include <linux/prctl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGES = 150, PAGE = 4096 };

__attribute__((noinline)) static char *make_block(void) {
    return memset(malloc(PAGES * PAGE), 1, PAGES * PAGE);
}

__attribute__((noinline)) static char *make_mapping(void) {
    char *memory = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, memory, PAGES * PAGE, "ledger");
    return memory;
}

__attribute__((noinline)) static int add(const char *block, const char *mapping) {
    int sum = 0;
    for (int round = 0; round < 4; round++)
        for (int i = 0; i < PAGES; i++)
            sum += block[i * PAGE] + mapping[i * PAGE];
    return sum;
}

int main(void) {
    char *block = make_block(), *mapping = make_mapping();
    int status;
    memset(mapping, 1, PAGES * PAGE);
    const pid_t child = fork();
    if (child == 0)
        _exit(add(block, mapping) == 8 * PAGES ? 7 : 1);
    waitpid(child, &status, 0);
    printf("%d\n", WEXITSTATUS(status));
    return 0;
}
