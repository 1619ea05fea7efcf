/* ten: a small C program that prints, allocates and waits. Linked statically and dynamically, it shows what ten
 * of a kind take of the memory while all of them are alive. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int main(int argc, char **argv) {
    const char *name = argc > 1 ? argv[1] : "nobody";
    char *copy = malloc(strlen(name) + 1);
    if (!copy)
        return 1;
    strcpy(copy, name);
    printf("program %s is there\n", copy);
    fflush(stdout);
    nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    free(copy);
    return 0;
}
