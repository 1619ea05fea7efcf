/* The whole state of virtual memory: struct vm. For the files of vm/ only. */
#ifndef VM_STATE_H
#define VM_STATE_H

#include <assert.h>

#include "vm/choice.h"
#include "vm/content.h"
#include "vm/frame.h"
#include "vm/object.h"
#include "vm/reference.h"
#include "vm/swap.h"
#include "vm/vm.h"

struct vm {
    struct vm_config config;
    struct physmem mem;
    struct table_frames table_frames; /* what page tables are made of */

    struct frame_table frames; /* frame.c */
    struct swap swap;          /* swap.c */
    const struct policy_ops *policy;
    void *policy_state;
    struct references references;    /* reference.c */
    struct prefetching *prefetching; /* prefetch.c; NULL: no page is brought along */

    /* space.c */
    struct space **spaces; /* by number; NULL: the number is free */
    uint32_t space_capacity, space_lowest;

    /* object.c */
    struct object_list objects;
    uint32_t last_object, last_generation;

    struct choices choices[CHOICE_LISTS]; /* choice.c */
    struct contents *contents;            /* content.c; NULL: not recorded */

    uint64_t last_anonymous; /* page identities handed out */
    uint64_t last_family;    /* merge.c */
    uint64_t promised;       /* pages of mappings and objects that are MAPPING_ACCOUNTED */

    enum vm_overcommit overcommit; /* limit.c */
    uint32_t overcommit_ratio;     /* percent */

    struct tally tally;
};

static inline struct frame *frame_of(struct vm *vm, pfn_t pfn) {
    assert(pfn.n < vm->mem.frames);
    return &vm->frames.frames[pfn.n];
}
static inline void *frame_bytes(struct vm *vm, pfn_t pfn) {
    return physmem_frame(&vm->mem, pfn);
}
static inline page_id_t vm_new_page_id(struct vm *vm) {
    return (page_id_t){++vm->last_anonymous};
}
/* Host memory, zero-filled; NULL when there is none or the test says so. */
void *vm_alloc(struct vm *, size_t size);
/* An access to the page in this frame, by a program or on its behalf. */
void vm_reference(struct vm *, pfn_t);
/* The bytes of a page changed other than by a guest's store. */
void vm_forget_code(struct vm *, page_id_t, unsigned offset, unsigned length);

#endif
