/* CPUs and memory, as the scheduler's affinity and the control group allow: a container of half a CPU on a
 * computer of 64 grades one at a time. */
#include "grade/jobs.h"

#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/meminfo.h"

/* The numbers in a file's first line; how many there were. "max" is none. */
static int read_numbers(const char *path, uint64_t numbers[2]) {
    unsigned long long a, b;
    FILE *file = fopen(path, "re");
    if (!file)
        return 0;
    int n = fscanf(file, "%llu %llu", &a, &b);
    fclose(file);
    if (n >= 1)
        numbers[0] = a;
    if (n == 2)
        numbers[1] = b;
    return n < 0 ? 0 : n;
}

/* Our control group's directory in the unified hierarchy, which a container sees as its root. */
static void group_directory(char path[512]) {
    char line[400];
    strcpy(path, "/sys/fs/cgroup");
    FILE *file = fopen("/proc/self/cgroup", "re");
    while (file && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "0::/", 4) == 0)
            snprintf(path, 512, "/sys/fs/cgroup%s", line + 3);
    }
    if (file)
        fclose(file);
}

static bool group_numbers(const char *name, uint64_t numbers[2], int wanted) {
    char directory[512], path[600];
    group_directory(directory);
    snprintf(path, sizeof path, "%s/%s", directory, name);
    if (read_numbers(path, numbers) >= wanted)
        return true;
    snprintf(path, sizeof path, "/sys/fs/cgroup/%s", name);
    return read_numbers(path, numbers) >= wanted;
}

/* "quota period" in microseconds, in the unified hierarchy or in the older one of two files. */
static bool cpu_quota(uint64_t quota[2]) {
    uint64_t period[2];
    if (group_numbers("cpu.max", quota, 2))
        return quota[1] != 0;
    if (read_numbers("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", quota) < 1 ||
        read_numbers("/sys/fs/cgroup/cpu/cpu.cfs_period_us", period) < 1)
        return false;
    quota[1] = period[0];
    return quota[1] != 0; /* a quota of -1, none, is a very large one here */
}

static uint64_t cpus(void) {
    cpu_set_t set;
    uint64_t quota[2], n = sched_getaffinity(0, sizeof set, &set) == 0 ? (uint64_t)CPU_COUNT(&set) : 1;
    if (cpu_quota(quota) && quota[0] / quota[1] < n)
        n = quota[0] / quota[1];
    return n;
}

static bool memory_limit(uint64_t most[2], uint64_t used[2]) {
    if (group_numbers("memory.max", most, 1) && group_numbers("memory.current", used, 1))
        return true;
    return read_numbers("/sys/fs/cgroup/memory/memory.limit_in_bytes", most) >= 1 &&
           read_numbers("/sys/fs/cgroup/memory/memory.usage_in_bytes", used) >= 1;
}

static uint64_t memory_available(void) {
    uint64_t most[2], used[2], bytes = meminfo_available();
    if (memory_limit(most, used)) {
        uint64_t left = most[0] > used[0] ? most[0] - used[0] : 0;
        bytes = left < bytes ? left : bytes;
    }
    return bytes;
}

unsigned jobs_possible(uint64_t memory) {
    uint64_t by_cpu = cpus(), by_memory = memory_available() / memory;
    uint64_t n = by_cpu < by_memory ? by_cpu : by_memory;
    return n < 1 ? 1 : (unsigned)n;
}
