/* What a sink may ask a machine while it receives an event, beside what the event says: who is at work, what
 * is mapped where, what the memory holds. The machine does not notice: asked or not, a run is the same. */
#ifndef MACHINE_PROBE_H
#define MACHINE_PROBE_H

#include "machine/machine.h"

enum probe_work {
    PROBE_MACHINE, /* the machine itself: a program is being started, files are written back … */
    PROBE_PROGRAM, /* an instruction of the thread */
    PROBE_CALL,    /* a system call of the thread, a signal that is delivered to it, and the like */
};

/* Who is at work. Registers are the thread's (all 0 for the machine): those before the instruction that is
 * being executed, or, in a system call, those that the call has when it begins: rip is behind the
 * instruction, rax may be changed already. `space` is the number of the thread's address space. */
struct probe_worker {
    enum probe_work work;
    uint32_t space;
    struct cpu_registers registers;
};
void machine_probe_worker(struct machine *, struct probe_worker *ret_worker);

/* The first mapping that ends above `address` in the address space of that number: false when there is none.
 * Its object is good as long as the event is being received. */
bool machine_probe_mapping(struct machine *, uint32_t space, uint64_t address, struct mapping_view *ret_view);
/* A descriptor for reading the file that the object stands for, close-on-exec, the caller's; or -errno. */
int machine_probe_file(struct machine *, struct object *);
/* space_peek(): 0 where there is no such address space. */
size_t machine_probe_memory(struct machine *, uint32_t space, uint64_t address, void *to, size_t length);

/* Who is called when a place is reached that machine_probe_watch() asked for: before its instruction, with
 * what probe_worker says being true. Another call of machine_probe_watch() has it called again. */
struct probe_client {
    void *context;
    void (*reached)(void *context, uint32_t space, uint64_t address);
};
void machine_probe_set_client(struct machine *, const struct probe_client *);
/* The next time that the instruction at `address` is about to be executed in the address space, the client is
 * called. 0, -ENOMEM, or -ESRCH: there is no such space. */
int machine_probe_watch(struct machine *, uint32_t space, uint64_t address);

#endif
