/* Pages that are brought along with one that was missing, before anybody asks for them. */
#ifndef VM_PREFETCH_H
#define VM_PREFETCH_H

#include "vm/fault.h"
#include "vm/state.h"

struct prefetching; /* NULL in struct vm: nothing is brought along, and nothing here costs anything */

/* 0 or -ENOMEM. */
int prefetch_create(struct vm *);
void prefetch_destroy(struct vm *);
/* The fault was served, and filled a frame. Never evicts the page that it brought. */
void prefetch_along(struct fault *);

void prefetch_was_used(struct vm *, pfn_t);
void prefetch_was_lost(struct vm *, pfn_t);

/* Somebody uses the page in this frame. */
static inline void prefetch_used(struct vm *vm, pfn_t pfn) {
    if (__builtin_expect(vm->prefetching != NULL, 0))
        prefetch_was_used(vm, pfn);
}
/* The page leaves its frame. */
static inline void prefetch_lost(struct vm *vm, pfn_t pfn) {
    if (__builtin_expect(vm->prefetching != NULL, 0))
        prefetch_was_lost(vm, pfn);
}

#endif
