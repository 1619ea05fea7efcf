/* A machine without an engine or a kernel, for tests of virtual memory: vm, swap disk, files in memory, a
 * trace that is folded as it is emitted, and a processor with a TLB of its own that notices when it is not
 * told what to forget. */
#ifndef TESTS_VM_FIXTURE_H
#define TESTS_VM_FIXTURE_H

#include "trace/fold.h"
#include "trace/sink.h"
#include "vm/vm.h"

/* Ends the test, in every kind of build, unless the condition holds. */
#define require(condition)                                                                                   \
    do {                                                                                                     \
        if (!(condition))                                                                                    \
            test_stop(__FILE__, __LINE__, #condition);                                                       \
    } while (0)
void test_stop(const char *file, int line, const char *what) __attribute__((noreturn));

/* ---- the processor ---- */

enum { TLB_ENTRIES = 32, TRANSLATIONS = 64 };

struct tlb_entry {
    const struct page_table *table; /* NULL: not valid */
    vpn_t vpn;
    unsigned access; /* what it was filled for */
    pfn_t pfn;
};

/* What an engine would keep of a page: it is found by the page's identity, and must still fit its content. */
struct translation {
    page_id_t id; /* PAGE_ID_NONE: not valid */
    uint64_t hash;
};

/* ---- the machine ---- */

struct test_config {
    uint32_t frames, available, reserved;
    uint32_t swap_pages;
    const struct page_table_ops *format;
    const struct policy_ops *policy;
    const struct prefetcher *prefetcher; /* or NULL */
    uint64_t seed;
    uint32_t told_pages; /* vm_config's */
    struct vm_observer observer;
    bool slot_at_first_touch;
    bool traced; /* every event goes into a fold */
};

struct test_machine {
    struct vm *vm;
    struct disk *swap;
    struct inject inject;
    struct trace trace;
    struct trace_sink sink;
    struct fold *fold;   /* NULL iff not traced */
    uint64_t event_hash; /* of all events so far, if traced */
    struct tlb_entry tlb[TLB_ENTRIES];
    struct translation translations[TRANSLATIONS];
    const char *wrong; /* what the processor noticed, NULL: nothing */
    bool needs_references;

    struct space *to_reap; /* what out_of_memory() reaps, or NULL */
    unsigned out_of_memory, refused, io_errors;
    struct space *io_error_space;
};

/* Creates the machine; its `inject` must be set. 0 or -errno: nothing is left behind then. */
int test_machine_create(const struct test_config *, struct test_machine *);
void test_machine_destroy(struct test_machine *);
/* Verifies the vm, and the TLB against the page tables. NULL, or what is wrong. */
const char *test_machine_check_vm(struct test_machine *);
/* … and the fold against the vm, which takes longer. */
const char *test_machine_check(struct test_machine *);

/* A program's access to bytes, through the TLB. Returns the bytes done before a fault that failed; *ret_fault
 * says how that ended (FAULT_OK if none did). `bytes` is read or written; NULL for a fetch. */
size_t test_access(struct test_machine *, struct space *, uint64_t address, unsigned access, void *bytes,
                   size_t length, enum fault_result *ret_fault);
/* Reads or writes one byte; asserts that it works. */
uint8_t test_read_byte(struct test_machine *, struct space *, uint64_t address);
void test_write_byte(struct test_machine *, struct space *, uint64_t address, uint8_t value);

/* ---- files ---- */

struct test_file {
    uint8_t *disk; /* what the host's disk holds */
    uint64_t size, capacity;
    int read_error, write_error; /* -errno that transfers fail with, 0: they work */
    unsigned reads, writes;
    bool released;
};

extern const struct object_backing test_file_backing;
void test_file_create(struct test_file *, uint64_t capacity, uint64_t size);
void test_file_free(struct test_file *);

#endif
