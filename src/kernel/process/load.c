/* See load.h. Averages are brought up to date when somebody looks: since the last look the machine was busy
 * for a known part of the time, and an exponential average of a constant has a closed form. */
#include "kernel/process/load.h"

#include <math.h>
#include <time.h>

#include "base/base.h"
#include "kernel/process/process.h"

static uint64_t load_host_time(void) {
    struct timespec used;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return (uint64_t)used.tv_sec * 1000000000 + (uint64_t)used.tv_nsec;
}

void load_start(struct kernel *k) {
    k->boot = clock_now(k);
    k->load = (struct load){.begun = load_host_time(), .at = k->boot};
}

uint64_t load_user(const struct kernel *k) {
    return k->executed;
}

uint64_t load_busy(const struct kernel *k) {
    if (k->config.deterministic)
        return k->executed;
    return max_u64(k->executed, load_host_time() - k->load.begun);
}

void load_averages(struct kernel *k, double ret_averages[3]) {
    static const double periods[3] = {60e9, 300e9, 900e9};
    struct load *load = &k->load;
    uint64_t now = clock_now(k), busy = load_busy(k);
    double passed = (double)(now - load->at), part = passed > 0 ? (double)(busy - load->busy) / passed : 0;
    for (unsigned i = 0; i < 3; i++) {
        double kept = exp(-passed / periods[i]);
        load->average[i] = load->average[i] * kept + fmin(part, 1) * (1 - kept);
        ret_averages[i] = load->average[i];
    }
    load->at = now;
    load->busy = busy;
}
