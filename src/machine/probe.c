#include "machine/probe.h"

#include <errno.h>

#include "machine/parts.h"

static struct space *probe_space(struct machine *m, uint32_t number) {
    return space_of_number(m->vm, number);
}

void machine_probe_worker(struct machine *m, struct probe_worker *ret_worker) {
    struct thread *t = kernel_current(m->kernel);
    *ret_worker = (struct probe_worker){.work = PROBE_MACHINE};
    if (!t)
        return;
    ret_worker->space = kernel_thread_table(t)->space;
    ret_worker->work = m->in_instruction ? PROBE_PROGRAM : PROBE_CALL;
    if (m->in_instruction)
        m->engine_ops->get_executing(m->engine, &ret_worker->registers);
    else
        m->engine_ops->get_registers(m->engine, kernel_thread_cpu(t), &ret_worker->registers);
}

bool machine_probe_mapping(struct machine *m, uint32_t space, uint64_t address,
                           struct mapping_view *ret_view) {
    struct space *s = probe_space(m, space);
    return s && space_next_mapping(s, address, false, ret_view);
}

int machine_probe_file(struct machine *m, struct object *object) {
    return kernel_open_object(object);
}

size_t machine_probe_memory(struct machine *m, uint32_t space, uint64_t address, void *to, size_t length) {
    struct space *s = probe_space(m, space);
    return s ? space_peek(s, address, to, length) : 0;
}

void machine_probe_set_client(struct machine *m, const struct probe_client *client) {
    m->probe_client = *client;
}

int machine_probe_watch(struct machine *m, uint32_t space, uint64_t address) {
    struct space *s = probe_space(m, space);
    return s ? m->engine_ops->watch(m->engine, space_page_table(s), address) : -ESRCH;
}
