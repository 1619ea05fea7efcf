/* Three pages missed one after the other, without any jump between: each by a line of its own. */
#include <stdio.h>
#include <sys/mman.h>

enum { PAGE = 4096, TIMES = 40 };

__attribute__((noinline)) static void touch(volatile char *at) {
    at[0] = 1;        /* FIRST */
    at[PAGE] = 1;     /* SECOND */
    at[2 * PAGE] = 1; /* THIRD */
}

int main(void) {
    char *memory = mmap(NULL, 3 * TIMES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < TIMES; i++)
        touch(memory + 3L * i * PAGE);
    puts("touched");
    return 0;
}
