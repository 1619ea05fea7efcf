/* Which processes a picture shows, and in which order.
 *
 * Those that the options name; else those that are alive: first those whose strip is labelled, in the order
 * of the labels (a machine file says who is left and who is right), then by pid. When there are more than
 * have room, the one that the page-table register points at and the one that faults stay. */
#include <string.h>

#include "base/base.h"
#include "view/picture-build.h"

/* More than have room in any kind of picture; so many are looked at. */
enum { CANDIDATES = 64 };

static bool is_shown(const struct picture *p, uint32_t pid) {
    for (size_t i = 0; i < p->process_count; i++)
        if (p->processes[i].pid == pid)
            return true;
    return false;
}

uint64_t builder_program(const struct fold *f, uint32_t pid) {
    const struct fold_process *process = fold_process(f, pid);
    for (size_t i = 0; process && !process->path && i < f->processes.count; i++)
        process = fold_process(f, process->parent);
    return process ? process->path : 0;
}

static bool must_stay(const struct builder *b, const struct fold_process *process) {
    const struct fold *f = b->fold;
    return (f->has_table && f->current_space == process->space) ||
           (f->fault.active && f->fault.space == process->space);
}

static void process_add(struct builder *b, const struct fold_process *process) {
    struct picture *p = b->picture;
    if (is_shown(p, process->pid))
        return;
    if (p->process_count >= CANDIDATES && !must_stay(b, process)) {
        p->hidden_processes++;
        return;
    }
    struct picture_process *shown = BUILDER_ADD(b, p->processes, p->process_count);
    if (!shown)
        return;
    *shown = (struct picture_process){
        .pid = process->pid,
        .name = builder_name(b, builder_program(b->fold, process->pid)),
        .space = process->space,
        .current = b->fold->has_table && b->fold->current_space == process->space && !process->ended,
        .running = b->fold->running == process->pid,
        .ended = process->ended,
    };
}

static void processes_by_label(struct builder *b) {
    for (size_t i = 0; i < b->fold->label_count; i++) {
        const struct fold_label *label = &b->fold->labels[i];
        if (label->what != EVENT_LABEL_STRIP || label->args[0] > UINT32_MAX)
            continue;
        const struct fold_process *process = fold_process(b->fold, (uint32_t)label->args[0]);
        if (process && !process->ended)
            process_add(b, process);
    }
}

static void processes_alive(struct builder *b) {
    processes_by_label(b);
    for (size_t i = 0; i < b->fold->processes.count; i++) {
        const struct fold_process *process = b->fold->processes.entries[i].value;
        if (!process->ended)
            process_add(b, process);
    }
}

static void processes_named(struct builder *b) {
    for (size_t i = 0; i < b->options->pid_count; i++) {
        const struct fold_process *process = fold_process(b->fold, b->options->pids[i]);
        if (process)
            process_add(b, process);
    }
}

static size_t room_of(const struct builder *b) {
    static const size_t rooms[PICTURE_KINDS] = {
        [PICTURE_TABLES] = 4,   [PICTURE_REGIONS] = 6, [PICTURE_SPACES] = 8,  [PICTURE_TABLE] = 4,
        [PICTURE_CONTEXTS] = 6, [PICTURE_SYSTEM] = 6,  [PICTURE_SHARING] = 4,
    };
    size_t room = rooms[b->picture->kind] ? rooms[b->picture->kind] : PICTURE_PROCESSES;
    return b->options->max_processes ? min_size(b->options->max_processes, PICTURE_PROCESSES) : room;
}

/* Leaves out the last ones that need not stay. */
static void processes_limit(struct builder *b) {
    struct picture *p = b->picture;
    size_t room = room_of(b);
    for (size_t i = p->process_count; i-- > 0 && p->process_count > room;) {
        if (must_stay(b, fold_process(b->fold, p->processes[i].pid)))
            continue;
        memmove(p->processes + i, p->processes + i + 1, (p->process_count - i - 1) * sizeof *p->processes);
        p->process_count--;
        p->hidden_processes++;
    }
    p->hidden_processes += p->process_count > room ? p->process_count - room : 0;
    p->process_count = min_size(p->process_count, room);
}

void builder_processes(struct builder *b) {
    struct picture *p = b->picture;
    if (b->options->pids)
        processes_named(b);
    else
        processes_alive(b);
    processes_limit(b);
    for (size_t i = 0; i < p->process_count && !p->has_register; i++) {
        p->has_register = p->processes[i].current;
        p->register_process = p->has_register ? i : 0;
    }
}
