/* Fuzz target: system calls on a small machine. The bytes are what its programs do, step by step: calls with
 * arguments of every sort, values put into memory, accesses, exceptions, time going by. Each step is the one
 * of the thread whose turn it is. After each, every invariant of the kernel and of the vm is verified; at the
 * end nothing of the machine may be left. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "../kernel/engine.h"
#include "input.h"
#include "kernel/signal/signal.h"
#include "kernel/syscall.h"
#include "machine.h"

/* What pointers point at: pages to write to, whose last one has the names, one to read, one of no use, a
 * hole. */
#define ARENA 0x10000000ULL
enum {
    ARENA_WRITABLE = 4,
    ARENA_PAGES = 6,
    NAMES_AT = 3 * 4096,
    NAME_SIZE = 64,
    RESULTS = 8,
    STEPS_MAX = 400,
    WAITS_MAX = 4,
    NESTING_MAX = 3,
};

static const char *const names[] = {"a",
                                    "b",
                                    "d",
                                    "d/e",
                                    "first",
                                    "script",
                                    "loop",
                                    "new",
                                    "d/new",
                                    "",
                                    ".",
                                    "..",
                                    "/proc/self/maps",
                                    "/proc/self/fd/3",
                                    "/proc",
                                    "/dev/ptmx",
                                    "/dev/pts/0",
                                    "/dev/shm/m",
                                    "/proc/self/mem",
                                    "user.x",
                                    "/proc/2/task",
                                    "/dev/tty"};

struct fuzz {
    struct fuzz_machine machine;
    struct input in;
    uint64_t results[RESULTS]; /* of the last calls: descriptors, addresses, process numbers */
    unsigned calls;
};

/* ---- arguments ---- */

static uint64_t boundary(unsigned i) {
    static const uint64_t values[] = {
        0x7fff,     0xffff,     0x7fffffff,     0x80000000,
        0xffffffff, 1ULL << 32, 1ULL << 46,     (1ULL << 47) - 4096,
        1ULL << 47, 1ULL << 63, INT64_MAX,      UINT64_MAX,
        4096,       4095,       8192,           65536,
        1 << 20,    1 << 30,    (uint64_t)-100, 1000000000,
        999999999,  128,        0x5401,         1ULL << 31 | 1,
    };
    return values[i % (sizeof values / sizeof *values)];
}

static uint64_t argument(struct fuzz *f, unsigned nesting) {
    uint8_t sort = input_byte(&f->in);
    switch (sort / 16) {
    case 0:
    case 1:
    case 2:
    case 3: return sort; /* counts, commands, descriptors */
    case 4: return 1ULL << input_byte(&f->in) % 64;
    case 5: return input_number(&f->in, 4);
    case 6: return sort % 16 < 8 ? input_number(&f->in, 8) : input_number(&f->in, 2) * 4096;
    case 7: return boundary(sort % 16 + (input_byte(&f->in) & 1) * 16);
    case 8:
    case 9: return ARENA + (sort & 31) * 256;
    case 10: return ARENA + input_number(&f->in, 2) % ((ARENA_PAGES + 1) * 4096);
    case 11: return ARENA + NAMES_AT + input_byte(&f->in) % (sizeof names / sizeof *names) * NAME_SIZE;
    case 12: return f->results[sort % RESULTS];
    case 13: return -(uint64_t)(sort & 15);
    default: return nesting < NESTING_MAX ? argument(f, nesting + 1) | argument(f, nesting + 1) : 0;
    }
}

static uint64_t call_number(struct fuzz *f) {
    const struct kernel *k = f->machine.kernel;
    uint8_t sort = input_byte(&f->in);
    if (sort == 255)
        return input_number(&f->in, 8);
    unsigned wanted = sort | (unsigned)(input_byte(&f->in) & 1) << 8;
    for (unsigned i = wanted; i < wanted + SYSCALL_NUMBERS; i++)
        if (k->ways[i % SYSCALL_NUMBERS].handler)
            return i % SYSCALL_NUMBERS;
    return 0;
}

/* ---- steps ---- */

static void call(struct fuzz *f, struct thread *t, uint64_t number, const uint64_t a[6]) {
    struct kernel *k = f->machine.kernel;
    uint64_t *g = t->cpu->registers.general;
    uint32_t tid = t->tid;
    g[CPU_RAX] = number, g[CPU_RDI] = a[0], g[CPU_RSI] = a[1], g[CPU_RDX] = a[2];
    g[CPU_R10] = a[3], g[CPU_R8] = a[4], g[CPU_R9] = a[5];
    t->cpu->registers.rip += 2;
    kernel_trap(k, t, &(struct trap){.kind = TRAP_SYSCALL});
    t = thread_find(k, tid);
    if (t && t->state != THREAD_DEAD)
        f->results[f->calls++ % RESULTS] = t->cpu->registers.general[CPU_RAX];
}

static void step_call(struct fuzz *f, struct thread *t) {
    uint64_t number = call_number(f), a[6];
    for (int i = 0; i < 6; i++)
        a[i] = argument(f, 0);
    call(f, t, number, a);
}

/* The memory that arguments point at, after the start and again after an exec. */
static void arena_map(struct fuzz *f, struct thread *t) {
    static const uint8_t protections[] = {PROT_READ | PROT_WRITE, PROT_READ, PROT_NONE};
    struct space *space = t->process->space;
    for (unsigned i = 0; i < 3; i++) {
        struct map_request request = {
            .address = i ? ARENA + (ARENA_WRITABLE + i - 1) * PAGE_SIZE : ARENA,
            .length = (i ? 1 : ARENA_WRITABLE) * PAGE_SIZE,
            .protection = protections[i],
            .flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
        };
        uint64_t address;
        if (space_map(space, &request, &address) < 0)
            return;
    }
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        user_write(space, ARENA + NAMES_AT + i * NAME_SIZE, names[i], strlen(names[i]) + 1);
}

static void step_poke(struct fuzz *f, struct thread *t) {
    uint64_t at = ARENA + input_byte(&f->in) * 64ULL, value;
    unsigned width = 1U << (input_byte(&f->in) & 3);
    for (unsigned i = input_byte(&f->in) % 8 + 1; i > 0; i--, at += width) {
        value = argument(f, 0);
        if (user_write(t->process->space, at, &value, width) < 0) {
            arena_map(f, t);
            return;
        }
    }
}

static void step_access(struct fuzz *f, struct thread *t) {
    static const unsigned accesses[] = {ACCESS_READ, ACCESS_WRITE, ACCESS_EXEC, ACCESS_READ | ACCESS_WRITE};
    uint64_t address = argument(f, 0);
    unsigned access = accesses[input_byte(&f->in) % 4];
    struct trap trap = {.kind = TRAP_EXCEPTION, .vector = VECTOR_PF, .address = address};
    trap.fault = kernel_fault(f->machine.kernel, space_page_table(t->process->space), address, access);
    if (trap.fault != FAULT_OK)
        kernel_trap(f->machine.kernel, t, &trap);
}

static void step_exception(struct fuzz *f, struct thread *t) {
    static const enum trap_vector vectors[] = {VECTOR_DE, VECTOR_UD, VECTOR_GP, VECTOR_BP};
    const struct trap trap = {.kind = TRAP_EXCEPTION, .vector = vectors[input_byte(&f->in) % 4]};
    kernel_trap(f->machine.kernel, t, &trap);
}

static void step_time(struct fuzz *f, struct thread *t) {
    f->machine.engine->instructions += input_number(&f->in, 2);
    kernel_trap(f->machine.kernel, t, &(struct trap){.kind = TRAP_QUANTUM});
}

static void step(struct fuzz *f, struct thread *t) {
    switch (input_byte(&f->in) % 16) {
    case 0:
    case 1: step_poke(f, t); break;
    case 2: step_access(f, t); break;
    case 3: step_exception(f, t); break;
    case 4: step_time(f, t); break;
    case 5: arena_map(f, t); break;
    default: step_call(f, t); break;
    }
}

/* Nobody can run: the machine's user does something. */
static void interrupt(struct fuzz *f) {
    static const int signals[] = {SIGWINCH, SIGCONT, SIGHUP, SIGQUIT};
    kernel_host_signal(f->machine.kernel, signals[input_byte(&f->in) % 4]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct fuzz f = {.in = {data, size}};
    unsigned waits = 0;
    bool mapped = false;
    fuzz_machine_create(&f.machine);
    for (unsigned i = 0; i < STEPS_MAX && f.in.left > 0; i++) {
        struct thread *t = kernel_next_thread(f.machine.kernel);
        if (!t && (kernel_stop_reason(f.machine.kernel) != KERNEL_RUNNING || ++waits > WAITS_MAX))
            break;
        if (!t) {
            interrupt(&f);
            continue;
        }
        if (!mapped)
            arena_map(&f, t);
        mapped = true;
        step(&f, t);
        fuzz_machine_check(&f.machine);
    }
    fuzz_machine_destroy(&f.machine);
    return 0;
}
