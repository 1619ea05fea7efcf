/* Machines compared: the same programs under every policy with every number of frames of a series, a line
 * for each. */
#include "ui/scenario.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ui/session.h"

int scenario_run_quietly(struct machine_file *f, const struct machine_config *config, const char *trace_path,
                         struct machine_summary *ret_summary) {
    struct session s = {
        .options = {.machine = *config, .machine_file = f, .trace_path = trace_path, .stats = STATS_NONE},
        .exit_status = EXIT_MACHINE};
    const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0) {
        fprintf(stderr, "thimble: /dev/null: %s\n", strerror(errno));
        return EXIT_MACHINE;
    }
    const int streams[3] = {null, null, null};
    size_t failed = 0;
    int error = -EINVAL;
    if (session_build(&s) && session_add_programs(&s, streams, NULL)) {
        error = machine_run_programs(s.machine, &failed);
        session_ended(&s, error, failed, 0);
    }
    if (!error && ret_summary)
        machine_get_summary(s.machine, ret_summary);
    const int status = session_close(&s);
    close(null);
    return error ? status : 0;
}

static uint64_t faults_served(const struct tally *t) {
    uint64_t sum = 0;
    for (unsigned kind = 0; kind < EVENT_FAULT_KINDS; kind++)
        sum += t->faults[kind];
    return sum;
}

static void print_heading(void) {
    printf("%-12s %6s  %7s  %9s %7s %7s %5s  %9s %9s  %14s\n", "policy", "frames", "faults", "zero-fill",
           "file", "swap-in", "copy", "evictions", "swap-outs", "faults/1000 in.");
}

static void print_line(const struct machine_config *c, const struct machine_summary *s) {
    const struct tally *t = &s->vm.tally;
    const uint64_t faults = faults_served(t);
    uint64_t evictions = 0;
    for (unsigned how = EVENT_VICTIM_CLEAN; how <= EVENT_VICTIM_TO_FILE; how++)
        evictions += t->evictions[how];
    printf("%-12s %6u  %7llu  %9llu %7llu %7llu %5llu  %9llu %9llu  %14.3f\n", c->policy, c->frames,
           (unsigned long long)faults, (unsigned long long)t->faults[EVENT_FAULT_ZERO_FILL],
           (unsigned long long)t->faults[EVENT_FAULT_FILE],
           (unsigned long long)t->faults[EVENT_FAULT_SWAP_IN], (unsigned long long)t->faults[EVENT_FAULT_COW],
           (unsigned long long)evictions, (unsigned long long)t->swap_out,
           s->kernel.instructions ? 1000.0 * (double)faults / (double)s->kernel.instructions : 0.0);
    fflush(stdout);
}

int scenario_run_series(struct machine_file *f) {
    const struct machine_series *series = machine_file_series(f);
    const size_t policy_count = series->policy_count ? series->policy_count : 1;
    const size_t sizes = series->frame_count ? series->frame_count : 1;
    print_heading();
    for (size_t p = 0; p < policy_count; p++)
        for (size_t n = 0; n < sizes; n++) {
            struct machine_config config = *machine_file_config(f);
            struct machine_summary summary;
            if (series->policy_count)
                config.policy = series->policies[p];
            if (series->frame_count)
                config.frames = series->frames[n];
            int status = scenario_run_quietly(f, &config, NULL, &summary);
            if (status)
                return status;
            print_line(&config, &summary);
        }
    return 0;
}
