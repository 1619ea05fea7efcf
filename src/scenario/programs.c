/* The programs of a machine file. */
#include <string.h>

#include "hw/types.h"
#include "scenario/parts.h"

enum {
    PID_MIN = 2, /* 1 is init's, whose death would be the end */
    PID_MAX = 4194303,
    STACK_PAGES = 2048, /* 8 MiB, the usual limit */
    ARGUMENTS = 1024,
};

static void arguments_read(struct reader *r, const struct node *program, const char *name,
                           struct machine_program *p) {
    struct node list;
    const size_t count = node_find(program, "args", &list) ? node_count(&list) : 0;
    if (count > ARGUMENTS) {
        node_wrong(&list, "has more than %d arguments", ARGUMENTS);
        return;
    }
    char **argv = reader_allocate(r, count + 2, sizeof *argv);
    for (size_t i = 0; argv && i < count; i++) {
        const struct node n = node_at(&list, i);
        argv[i + 1] = (char *)node_text(&n); /* never written to: execve's interface lacks the const */
    }
    if (argv)
        argv[0] = (char *)name;
    p->argv = argv;
}

static void environment_read(struct reader *r, const struct node *program, struct machine_program *p) {
    struct node object;
    const bool given = node_find(program, "env", &object);
    if (given && !json_is_object(object.value)) {
        node_wrong(&object, "is not an object of names and strings");
        return;
    }
    char **envp = reader_allocate(r, (given ? json_object_size(object.value) : 0) + 1, sizeof *envp);
    const char *name;
    json_t *value;
    size_t i = 0;
    if (given && envp)
        json_object_foreach(object.value, name, value) {
            struct node n;
            (void)node_find(&object, name, &n);
            if (!*name || strchr(name, '='))
                node_wrong(&n, "a variable cannot have this name");
            envp[i++] = reader_format(r, "%s=%s", name, node_text(&n));
        }
    p->envp = envp;
}

static void stack_read(const struct node *program, struct machine_program *p) {
    static const char *const known[] = {"top", "pages", NULL};
    struct node stack, n;
    if (!node_find(program, "stack", &stack) || !node_is_object(&stack, known))
        return;
    if (node_find(&stack, "top", &n)) {
        p->stack_top = node_number(&n, PAGE_SIZE, USER_END);
        if (p->stack_top % PAGE_SIZE)
            node_wrong(&n, "%llu is not a multiple of %d", (unsigned long long)p->stack_top, PAGE_SIZE);
    }
    if (node_find(&stack, "pages", &n))
        p->stack_pages = (uint32_t)node_number(&n, 1, STACK_PAGES);
}

static void program_read(struct machine_file *f, const struct node *object, struct file_program *program) {
    static const char *const known[] = {"pid", "name", "file", "args", "env", "stdin", "stack", NULL};
    struct machine_program *p = &program->program;
    struct node n;
    if (!node_is_object(object, known))
        return;
    if (node_find(object, "pid", &n))
        p->pid = (uint32_t)node_number(&n, PID_MIN, PID_MAX);
    program->file = node_need(object, "file", &n) ? machine_file_need(f, &n) : "";
    arguments_read(f->reader, object, node_find(object, "name", &n) ? node_text(&n) : program->file, p);
    environment_read(f->reader, object, p);
    stack_read(object, p);
    if (node_find(object, "stdin", &n))
        program->input = machine_file_need(f, &n);
}

/* Two programs with one pid: said here, where the place is known. */
static void pids_check(const struct machine_file *f, const struct node *list) {
    for (size_t i = 1; i < f->program_count; i++)
        for (size_t j = 0; j < i; j++) {
            const uint32_t pid = f->programs[i].program.pid;
            const struct node n = node_at(list, i);
            if (pid && pid == f->programs[j].program.pid)
                node_wrong(&n, "programs[%zu] has pid %u already", j, pid);
        }
}

void programs_read(struct machine_file *f, const struct node *list) {
    const size_t count = node_count(list);
    if (count == 0 && list->value)
        node_wrong(list, "there is no program in it");
    f->programs = reader_allocate(f->reader, count + 1, sizeof *f->programs);
    if (!f->programs)
        return;
    f->program_count = count;
    for (size_t i = 0; i < count; i++) {
        const struct node n = node_at(list, i);
        program_read(f, &n, &f->programs[i]);
    }
    pids_check(f, list);
}
