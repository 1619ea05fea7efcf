/* A naive operating system for testing the engine alone: one process, demand paging with a few frames, and
 * the system calls of small static programs. Everything in it is as simple as can be, since the engine is
 * compared with it. */
#ifndef TESTS_ENGINE_OS_H
#define TESTS_ENGINE_OS_H

#include "base/map.h"
#include "base/rng.h"
#include "hw/engine.h"

enum { OS_SIGNALS = 65, OS_OUTPUT = 4 << 20, OS_TRAP_FLAG = 1 << 8 };

struct os_page {
    unsigned access;         /* enum access bits */
    page_id_t id;            /* of the content */
    pfn_t frame;             /* PFN_NONE: the content is in `swap` */
    uint8_t swap[PAGE_SIZE]; /* stale while a frame has the page and is dirty */
};

struct os_config {
    uint32_t frames; /* for pages */
    unsigned tlb_entries;
    uint64_t quantum; /* instructions a run */
    uint64_t seed;    /* of the choice of victims */
    enum cpu_level level;
    bool trace;       /* references are hashed */
    bool single_step; /* one instruction after the other, by the trap flag, which programs must not use */
};

/* A reference, and the string of those that are left when consecutive ones to a page are joined. */
struct os_reference {
    uint64_t vpn, instruction;
    bool written, fetched;
};
struct os_runs {
    struct os_reference open;
    bool begun;
    uint64_t count, pages, instructions; /* hashes of what was accessed how, and when */
};

struct os {
    struct os_config config;
    struct physmem mem;
    struct page_table *table;
    struct engine *engine;
    struct cpu *cpu;
    struct rng rng;

    struct map pages;   /* page number → struct os_page */
    uint64_t *owner;    /* of each frame: its page number, UINT64_MAX for none */
    page_id_t *content; /* of each frame */
    uint64_t last_id;

    uint64_t brk_start, brk, mmap_next;
    struct {
        uint64_t handler, flags, restorer, mask;
    } action[OS_SIGNALS];
    uint64_t signal_mask, alternate, alternate_size;

    bool exited;
    int status; /* exit status, or 128 + signal */
    char *output;
    size_t output_length;

    uint64_t faults, runs;
    struct os_runs all, code, data; /* code and data apart: each as if the other were not there */
    bool fault_open;                /* the last fault was served, and no reference has followed yet */
    uint64_t fault_vpn, fault_instruction;
};

/* The machine without a program. Fails the process if it cannot be made. */
void os_create(struct os *, const struct os_config *);
void os_destroy(struct os *);

/* Maps a static ELF file with these arguments and sets the registers. */
void os_load(struct os *, const char *file, int argc, char **argv);
/* Runs until the program exits. */
void os_run(struct os *);
/* One run of the engine, without any handling. */
struct trap os_step(struct os *, uint64_t budget);

/* ---- memory, as the kernel sees it ---- */

struct os_page *os_page(struct os *, uint64_t address); /* NULL: not mapped */
void os_map(struct os *, uint64_t address, uint64_t length, unsigned access);
void os_unmap(struct os *, uint64_t address, uint64_t length);
void os_protect(struct os *, uint64_t address, uint64_t length, unsigned access);
bool os_write(struct os *, uint64_t address, const void *from, uint64_t length);
bool os_read(struct os *, uint64_t address, void *to, uint64_t length);

/* ---- signals ---- */

/* Turns an exception into a signal with a frame on the stack, or into the program's end. */
void os_deliver(struct os *, const struct trap *);
void os_sigreturn(struct os *);

/* ---- system calls ---- */
void os_syscall(struct os *);

#endif
