/* An object: what file mappings and shared mappings map; its pages are the page cache. Public part: vm/vm.h.
 *
 * An object lives as long as somebody holds it, a mapping maps it, or one of its pages was ever in the cache:
 * so a program that ends leaves its pages for the next one that runs it; and a page that was evicted is the
 * same page when it is read again, in a small memory as in a large one that would have kept it. */
#ifndef VM_OBJECT_H
#define VM_OBJECT_H

#include <bsd/sys/queue.h>

#include "vm/index.h"
#include "vm/vm.h"

struct mapping;

struct object {
    TAILQ_ENTRY(object) of_vm;
    struct vm *vm;
    uint32_t number; /* for events, from 1 */
    uint32_t
        generation; /* part of its pages' identities; a new one when their content changes from outside */
    uint32_t references; /* holders and mappings */
    bool forgotten;      /* goes, with its pages, when there are no references any more */
    bool anonymous;      /* shared memory: backing and file are not used */
    struct object_backing backing;
    void *file;
    char *name;
    uint64_t size;     /* bytes; anonymous only: a file's is asked from its backing */
    uint64_t promised; /* pages that count as promised memory */
    struct page_index index;
    LIST_HEAD(, mapping) mappings;
    void (*mappings_changed)(void *context, struct space *, int by); /* or NULL */
    void *mappings_context;
};
TAILQ_HEAD(object_list, object);

/* The pages count as promised memory as long as the object lives. */
void object_promise(struct object *, uint64_t pages);
void object_destroy(struct object *); /* drops what is left in its cache; dirty pages were written before */
/* Pages are gone for good: an object that nothing holds any more goes with its last one. */
void object_pages_gone(struct object *);
/* The first page beyond the object's end. */
uint64_t object_end_page(const struct object *);
/* The identity of a page of which the index says this: where it is now, or will be when it is brought in. */
page_id_t object_page_id(const struct object *, uint64_t page, struct index_entry);
/* Pages are gone or were changed from outside: those that come into being from now on are new ones. */
void object_new_generation(struct object *);
/* What happens to one resident page: written back if it is dirty, its PTEs made clean and (for a file)
 * read-only, so that the next write is noticed. 0 or -errno. */
int object_write_back(struct object *, pfn_t);
/* The same for all resident pages in [start, end). The first error. */
int object_write_back_range(struct object *, uint64_t start, uint64_t end);
/* Removes the PTEs that map a page of the cache, and the page. Its content is lost. */
void object_drop_page(struct object *, uint64_t page, struct index_entry);
/* Drops every page in [start, end), swapped ones included. */
void object_drop_range(struct object *, uint64_t start, uint64_t end);

/* The pages in [start, end) hold zeros from now on, in the file as well. 0 or -errno. */
int object_remove_pages(struct object *, uint64_t start, uint64_t end);

/* How object_fill got a page. */
struct object_fill {
    bool read;    /* from disk: a major fault */
    bool refault; /* it had been in the cache before */
    bool swapped; /* from the swap area */
    bool is_new;  /* it had never been in the cache */
};
/* Fills a frame in hand with a page that is not in the cache, and makes it the cache's; the caller inserts
 * it with the policy when it is mapped. 0 or -errno: then the frame is still in hand. */
int object_fill_frame(struct object *, uint64_t page, pfn_t, struct object_fill *ret_fill);
/* Copies a page that is not in the cache into a frame in hand, without entering it: for a private copy. */
int object_copy_page(struct object *, uint64_t page, pfn_t, struct object_fill *ret_fill);
/* The page in the cache, brought in if need be, for an access of the kernel: a reference. */
int object_get_page(struct object *, uint64_t page, unsigned access, pfn_t *ret_frame);
/* Clears the referenced bits of the pages in [start, end) that are in the cache. */
void object_cool_range(struct object *, uint64_t start, uint64_t end);

#endif
