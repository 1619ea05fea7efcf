/* Scheduling calls: policies that need no privileges, niceness upwards, affinity, I/O priorities. Times and
 * what only some kernels know are not shown. */
#include <sched.h>
#include <sys/resource.h>

#include "say.h"

struct attributes {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
    uint32_t low, high;
    uint64_t later;
};

static long set_attributes(pid_t pid, struct attributes *a, unsigned flags) {
    return syscall(SYS_sched_setattr, pid, a, flags);
}

static void show(const char *when) {
    struct attributes a = {0};
    long r = syscall(SYS_sched_getattr, 0, &a, 48, 0);
    struct sched_param p;
    sched_getparam(0, &p);
    printf("%s: %ld policy %u flags %lx nice %d priority %u; %d %d; nice %d\n", when, r, a.policy,
           (unsigned long)a.flags, a.nice, a.priority, sched_getscheduler(0), p.sched_priority,
           getpriority(PRIO_PROCESS, 0));
}

static void policies(void) {
    for (int policy = -1; policy < 7; policy++)
        for (int priority = -1; priority <= 1; priority++) {
            struct sched_param p = {priority};
            if (priority == 1 && (policy == SCHED_FIFO || policy == SCHED_RR))
                continue; /* needs a privilege */
            CASE(text("setscheduler %d %d", policy, priority), sched_setscheduler(0, policy, &p));
            show("  now");
        }
    struct sched_param zero = {0}, one = {1};
    SAY(sched_setscheduler(0, SCHED_BATCH | SCHED_RESET_ON_FORK, &zero));
    show("reset on fork");
    pid_t pid = child();
    if (pid == 0) {
        show("the child");
        fflush(stdout);
        _exit(0);
    }
    ended(pid);
    SAY(sched_setscheduler(0, SCHED_OTHER, NULL));
    SAY(sched_setscheduler(0, SCHED_OTHER, (struct sched_param *)8));
    SAY(sched_setscheduler(-1, SCHED_OTHER, &zero));
    SAY(sched_setscheduler(4194305, SCHED_OTHER, &zero));
    SAY(sched_setparam(0, &one));
    SAY(sched_setparam(0, &zero));
    SAY(sched_setparam(0, NULL));
    SAY(sched_setparam(-1, &zero));
    SAY(sched_getparam(0, NULL));
    SAY(sched_getparam(-1, &zero));
    SAY(sched_getparam(4194305, &zero));
    SAY(sched_getscheduler(-1));
    SAY(sched_getscheduler(4194305));
    for (int policy = -1; policy < 7; policy++)
        printf("priorities of %d: %d %d\n", policy, sched_get_priority_min(policy),
               sched_get_priority_max(policy));
}

static void attributes(void) {
    static const uint32_t sizes[] = {0, 1, 47, 48, 49, 55, 56, 57, 64, 4096, 4097, UINT32_MAX};
    static union {
        struct attributes a;
        char bytes[8192];
    } room;
    for (unsigned i = 0; i < 12; i++) {
        memset(&room, 0, sizeof room);
        room.a.size = sizes[i];
        room.a.policy = SCHED_BATCH;
        CASE(text("setattr size %u", sizes[i]), set_attributes(0, &room.a, 0));
        room.a.later = 1;
        room.a.size = sizes[i];
        CASE(text("setattr size %u, with something behind", sizes[i]), set_attributes(0, &room.a, 0));
    }
    for (unsigned i = 0; i < 12; i++)
        CASE(text("getattr size %u", sizes[i]), syscall(SYS_sched_getattr, 0, &room, sizes[i], 0));
    memset(&room, 0, sizeof room);
    room.a.size = 48;
    for (int nice = -1; nice <= 30; nice += 3) {
        room.a.nice = nice < 0 ? 0 : nice;
        CASE(text("nice %d", nice), set_attributes(0, &room.a, 0));
        show("  now");
        if (nice > 17)
            break;
    }
    SAY(set_attributes(0, &room.a, 1));
    SAY(set_attributes(-1, &room.a, 0));
    SAY(set_attributes(0, NULL, 0));
    SAY(set_attributes(0, (struct attributes *)8, 0));
    room.a.policy = 77;
    SAY(set_attributes(0, &room.a, 0));
    room.a.policy = UINT32_MAX;
    SAY(set_attributes(0, &room.a, 0));
    room.a.policy = 0;
    room.a.flags = 1UL << 40;
    SAY(set_attributes(0, &room.a, 0));
    SAY(syscall(SYS_sched_getattr, 0, &room, 48, 1));
    SAY(syscall(SYS_sched_getattr, 0, NULL, 48, 0));
    SAY(syscall(SYS_sched_getattr, 4194305, &room, 48, 0));
}

static void niceness(void) {
    for (int which = -1; which < 4; which++)
        for (int who = -1; who <= 1; who++) {
            if (which == PRIO_USER || who == 1)
                continue;
            CASE(text("getpriority %d %d", which, who), syscall(SYS_getpriority, which, who));
            CASE(text("setpriority %d %d", which, who), setpriority(which, (id_t)who, 19));
        }
    SAY(setpriority(PRIO_PROCESS, 0, 100));
    SAY(syscall(SYS_getpriority, PRIO_PROCESS, 0));
    SAY(syscall(SYS_getpriority, PRIO_PROCESS, 4194305));
    show("nicest");
}

static void affinity(void) {
    static unsigned long masks[128];
    memset(masks, 0, sizeof masks);
    static const size_t lengths[] = {0, 1, 4, 7, 8, 9, 16, 64, 1024};
    for (unsigned i = 0; i < 9; i++) {
        long r = syscall(SYS_sched_getaffinity, 0, lengths[i], masks);
        CASE(text("getaffinity %zu", lengths[i]), r < 0 ? -1 : (r > 0));
    }
    masks[0] = 1;
    SAY(syscall(SYS_sched_setaffinity, 0, 8, masks));
    SAY(syscall(SYS_sched_setaffinity, 0, 1, masks));
    SAY(syscall(SYS_sched_setaffinity, 0, 0, masks));
    SAY(syscall(SYS_sched_setaffinity, 0, 1024, masks));
    SAY(syscall(SYS_sched_setaffinity, 4194305, 8, masks));
    SAY(syscall(SYS_sched_setaffinity, 4194305, 8, 8));
    masks[0] = 0;
    SAY(syscall(SYS_sched_setaffinity, 0, 8, masks));
    SAY(syscall(SYS_sched_getaffinity, 4194305, 8, masks));
    SAY(syscall(SYS_sched_getaffinity, 0, 8, 8));
    struct timespec interval;
    SAY(sched_rr_get_interval(-1, &interval));
    SAY(sched_rr_get_interval(4194305, &interval));
    SAY(sched_rr_get_interval(0, (struct timespec *)8));
    unsigned cpu;
    SAY(syscall(SYS_getcpu, NULL, NULL, NULL));
    SAY(syscall(SYS_getcpu, &cpu, 8, NULL));
}

static void input_output(void) {
    for (int class = 0; class < 5; class ++)
        for (int level = 0; level < 8; level += 7) {
            if (class == 1)
                continue; /* needs a privilege */
            CASE(text("ioprio_set %d %d", class, level), syscall(SYS_ioprio_set, 1, 0, class << 13 | level));
        }
    SAY(syscall(SYS_ioprio_set, 1, 0, 2 << 13 | 3));
    SAY(syscall(SYS_ioprio_get, 1, 0));
    SAY(syscall(SYS_ioprio_get, 1, getpid()));
    for (int which = -1; which < 5; which++)
        if (which != 3 && which != 2)
            CASE(text("ioprio_get %d", which), syscall(SYS_ioprio_get, which, 4194305));
    SAY(syscall(SYS_ioprio_set, 0, 0, 0));
    SAY(syscall(SYS_ioprio_set, 1, 4194305, 0));
}

int main(void) {
    setvbuf(stdout, NULL, _IOFBF, 1 << 16);
    setpgid(0, 0); /* a group of its own, also on the host */
    show("at first");
    policies();
    attributes();
    affinity();
    input_output();
    niceness();
    return 0;
}
