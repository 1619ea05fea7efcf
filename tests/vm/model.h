/* The naive model of virtual memory: what every page holds and allows, as byte arrays; no frames, no sharing,
 * no swap. Whatever the vm does about these must not be visible to a program: so what a program reads, and
 * what a call returns, is what the model says.
 *
 * The model knows three windows of the address space: one for fixed mappings, one below the top, where the vm
 * places mappings itself, and one for the heap. */
#ifndef TESTS_VM_MODEL_H
#define TESTS_VM_MODEL_H

#include "vm/vm.h"

enum { MODEL_FIXED_PAGES = 64, MODEL_TOP_PAGES = 256, MODEL_HEAP_PAGES = 48 };
enum { MODEL_PAGES = MODEL_FIXED_PAGES + MODEL_TOP_PAGES + MODEL_HEAP_PAGES };

#define MODEL_FIXED_START 0x10000000ULL
#define MODEL_TOP_START   (0x7ffff7fff000ULL - (uint64_t)MODEL_TOP_PAGES * PAGE_SIZE)
#define MODEL_HEAP_START  0x20000000ULL

/* What mappings of an object show. */
struct model_object {
    uint8_t *bytes; /* `capacity` pages, zeros beyond the size */
    uint64_t size, capacity;
};

enum model_flags { /* those that make mappings different beside permissions */
                   MODEL_LOCKED = 1,
                   MODEL_DONT_FORK = 2,
                   MODEL_WIPE_ON_FORK = 4,
                   MODEL_RANDOM = 8,
                   MODEL_SEQUENTIAL = 16,
                   MODEL_HEAP = 32,
};

struct model_page {
    bool mapped, shared, may_write;
    unsigned protection; /* PROT_* */
    unsigned flags;      /* enum model_flags */
    struct model_object *object;
    uint64_t object_page;
    uint8_t *own; /* private content, once written; NULL: the object's, or zeros */
    bool lazy;    /* MADV_FREE: reads as `own` or as zeros */
};

struct model_process {
    struct space *space;
    struct model_page pages[MODEL_PAGES];
    uint64_t brk;
};

/* The page at an address, or NULL outside the windows; and back. */
struct model_page *model_page(struct model_process *, uint64_t address);
uint64_t model_address(unsigned index);
/* Whether the two pages can be of one mapping when they are adjacent. */
bool model_continues(const struct model_page *, const struct model_page *next);
/* How many pages of one mapping begin at the address. Which mappings have become one is the vm's to say; but
 * all pages of one must be such that they can be: else 0, as where nothing is mapped. */
unsigned model_run(struct model_process *, uint64_t address);
/* The mapping that contains the address is not locked any more. */
void model_unlock_mapping(struct model_process *, uint64_t address);
bool model_range_is_free(struct model_process *, uint64_t address, unsigned pages);

void model_unmap(struct model_page *);
/* How an access to the page ends. */
enum fault_result model_access(const struct model_page *, unsigned access);
/* How many bytes of the page mean something: up to the end of the file for pages that are the file's. */
unsigned model_valid_bytes(const struct model_page *);
/* What the page holds; of a lazy page, what it held. */
const uint8_t *model_bytes(const struct model_page *);
/* The bytes to write to; makes a private copy if need be. */
uint8_t *model_bytes_for_write(struct model_page *);
void model_fork(const struct model_process *parent, struct model_process *child);
void model_exit(struct model_process *);
/* Private copies of the object's pages from `page` on are gone. */
void model_truncate(struct model_process *, const struct model_object *, uint64_t page);

#endif
