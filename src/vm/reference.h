/* The reference string on its way: from engine and kernel to the replacement policy, and to who observes it.
 *
 * A reference is a maximal run of accesses to one page identity by anybody. The engine's come in batches
 * (vm_references), the kernel's one by one; here they are joined by identity, whatever comes between:
 * faults, traps, switches. That a page is brought in is the reference of who touched it: the policy hears
 * insert() for it and no access().
 *
 *   a run begins on a page    | policy                               | observer
 *   --------------------------+--------------------------------------+------------------------------
 *   that is in a frame        | access(), if it wants every one      | references
 *   that is not               | insert(), perhaps victim() before    | (appears) holds references
 *
 * What comes through here must not depend on the number of frames: so nothing but an access brings a page in
 * or changes what is known of one, and a page is forgotten by its eviction or its end, nothing else.
 *
 * With vm_config.observe_bits = K a policy that wants every reference gets what hardware could tell it: runs
 * set a bit of the page's frame, and before the first reference at or after each K instructions those that
 * are set are cleared and told by access(), in ascending order of page identity. A page comes in with its bit
 * clear, as insert() has told of it. */
#ifndef VM_REFERENCE_H
#define VM_REFERENCE_H

#include "vm/frame.h"
#include "vm/vm.h"

struct mapping;

struct references {
    bool wanted;          /* by the policy */
    bool observed;        /* there is an observer */
    page_id_t run;        /* the page of the run that is under way */
    pfn_t kernel;         /* the frame of the reference before, if it was the kernel's; PFN_NONE */
    unsigned kernel_kind; /* enum access bits that it was told with */
    uint32_t space;       /* in whose name: as told to the observer; UINT32_MAX: not told */
    bool delivering;      /* the policy is being told of a reference that was made `at` */
    uint64_t at;          /* instruction */

    /* Only with observe_bits and a policy that wants every reference: else period == 0. */
    uint64_t period, next; /* instructions */
    uint32_t *touched;     /* room for all frames */
};

/* Who brings a page in. */
struct arrival {
    const struct mapping *mapping; /* NULL: the kernel, for itself */
    vpn_t vpn;
    unsigned access; /* enum access bits */
    bool is_new;     /* the page has just come into being, or was never in memory */
};

int references_create(struct vm *); /* 0 or -ENOMEM */
void references_destroy(struct vm *);

/* The kernel accesses the page in the frame, on a program's behalf. */
void reference_make(struct vm *, pfn_t, unsigned access);
/* The same for a page that has just been brought in: the policy may choose it from now on. */
void reference_insert(struct vm *, pfn_t, const struct arrival *);
/* The page is about to be brought in: before its frame is looked for. */
void reference_misses(struct vm *, page_id_t);
/* What follows is in the name of this space. */
void reference_in_space(struct vm *, uint32_t space);

/* These end the run that is under way, of whatever page.
 * Nobody has the page any more; its frame, if any, is forgotten by the policy besides. */
void reference_page_dies(struct vm *, page_id_t, enum policy_remove);
void reference_page_cleaned(struct vm *, page_id_t);
void reference_page_cooled(struct vm *, page_id_t);
void reference_page_given_up(struct vm *, page_id_t);

/* policy_config.now: of the reference that the policy is being told, else now. */
uint64_t reference_now(void *vm);

#endif
