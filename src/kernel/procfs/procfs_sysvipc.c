/* /proc/sysvipc: the objects of System V IPC, as ipcs reads them. */
#include "kernel/procfs/procfs_entry.h"
#include "kernel/sysv/sysv.h"

static void show_segments(const struct proc_view *v, FILE *out) {
    sysv_list_segments(v->kernel, out);
}

static void show_sets(const struct proc_view *v, FILE *out) {
    sysv_list_sets(v->kernel, out);
}

static void show_queues(const struct proc_view *v, FILE *out) {
    sysv_list_queues(v->kernel, out);
}

const struct proc_entry proc_sysvipc_entries[] = {
    PROC_FILE("msg", show_queues),
    PROC_FILE("sem", show_sets),
    PROC_COUNTS("shm", show_segments),
    {.name = NULL},
};
