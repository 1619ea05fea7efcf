/* Ends as it is told: "status exit N", "status signal N", "status abort". Prints first, unflushed, so that
 * what exit does to stdio shows. */
#include "check.h"
#include <signal.h>

int main(int argc, char **argv) {
    CHECK(argc >= 2);
    printf("%s\n", argv[1]);
    if (strcmp(argv[1], "exit") == 0)
        return atoi(argv[2]);
    if (strcmp(argv[1], "signal") == 0) {
        fflush(stdout);
        raise(atoi(argv[2]));
    }
    abort();
}
