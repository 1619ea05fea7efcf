/* Writes the events of a random machine to standard output, as records. */
#include <stdio.h>
#include <stdlib.h>

#include "scenario.h"

int main(int argc, char **argv) {
    static struct scenario s;
    struct recorder r = recorder();
    scenario_start(&s, argc > 1 ? strtoull(argv[1], NULL, 10) : 1, &r.sink);
    scenario_run(&s, 20000);
    scenario_stop(&s);
    bool written = fwrite(r.events, sizeof *r.events, r.count, stdout) == r.count && !fflush(stdout);
    recorder_free(&r);
    return !written;
}
