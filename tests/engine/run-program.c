/* Runs one static program in the engine alone, for measuring and looking: prints what it prints, exits as it
 * exits, and says on standard error what the engine counted.
 *
 *     run-program [-f FRAMES] [-t TLB-ENTRIES] [-q QUANTUM] [-s SEED] [-l LEVEL] [-r] PROGRAM [ARGUMENT...]
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "os.h"

int main(int argc, char **argv) {
    struct os_config config = {
        .frames = 65536, .tlb_entries = 1024, .quantum = 1000000, .level = CPU_LEVEL_V3};
    for (int option; (option = getopt(argc, argv, "+f:t:q:s:l:r")) != -1;) {
        uint64_t value = optarg ? strtoull(optarg, NULL, 0) : 0;
        switch (option) {
        case 'f': config.frames = (uint32_t)value; break;
        case 't': config.tlb_entries = (unsigned)value; break;
        case 'q': config.quantum = value; break;
        case 's': config.seed = value; break;
        case 'l': config.level = (enum cpu_level)value; break;
        case 'r': config.trace = true; break;
        default: return 2;
        }
    }
    if (optind == argc)
        return 2;
    struct os os;
    struct engine_counters counters;
    os_create(&os, &config);
    os_load(&os, argv[optind], argc - optind, argv + optind);
    os_run(&os);
    engine_soft.get_counters(os.engine, &counters);
    fwrite(os.output, 1, os.output_length, stdout);
    fprintf(stderr,
            "status %d instructions %lu misses %lu translations %lu faults %lu runs %lu references %lu %lx\n",
            os.status, counters.instructions, counters.tlb_misses, counters.translations, os.faults, os.runs,
            os.all.count, os.all.pages);
    int status = os.status;
    os_destroy(&os);
    return status;
}
