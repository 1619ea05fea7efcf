/* Page replacement: which frame to take when none is free.
 *
 * A policy sees frame numbers and page identities and nothing else; it does not know address spaces, files or
 * processes, and keeps what it needs behind its own pointer, so that two can run side by side and the same
 * object code runs live and over a recorded trace. It depends on base/ only.
 *
 * Order of calls for a frame:   insert → access* → remove(reason)   and again with another page.
 * victim() names a frame that was inserted and not removed; the caller evicts it and then calls
 * remove(EVICTED). */
#ifndef POLICY_POLICY_H
#define POLICY_POLICY_H

#include <stddef.h>

#include "hw/types.h"

enum policy_needs {
    POLICY_NEEDS_NOTHING,         /* order of insertion only */
    POLICY_NEEDS_REFERENCED_BITS, /* reads and clears the hardware's referenced bits */
    POLICY_NEEDS_EVERY_REFERENCE, /* access() is called for every reference */
};

enum policy_remove { POLICY_EVICTED, POLICY_UNMAPPED, POLICY_EXITED };

/* What a policy that is not Thimble's own has to say. */
enum policy_news {
    POLICY_SAYS,    /* a line of its own */
    POLICY_REFUSES, /* why create() failed: with -EINVAL */
    POLICY_FAILED,  /* it broke its contract, crashed, did not come back …; from now on CLOCK decides */
    POLICY_LEAKS,   /* at its destruction: it kept memory */
};

/* How a line of POLICY_FAILED ends while there are pages to go on with. */
#define POLICY_GOES_ON ": CLOCK goes on in its place"

struct policy_config {
    uint32_t frames;        /* frame numbers are below this; their order means nothing */
    uint32_t capacity;      /* how many of them can hold pages at once, at most */
    uint64_t seed;          /* for policies that draw random numbers */
    const char *parameters; /* "key=value,…" behind the name, or NULL */
    /* Whether the page in the frame was referenced since the last call for it; clears the mark. */
    bool (*test_and_clear_referenced)(void *context, pfn_t);
    bool (*is_dirty)(void *context, pfn_t); /* evicting it would take a write. May be NULL: not known */
    uint64_t (*now)(void *context);         /* instructions executed by all programs. May be NULL: always 0 */
    /* A line about the policy, which it begins with. May be NULL. */
    void (*tell)(void *context, enum policy_news, const char *line);
    void *context;                 /* stays valid until destroy() has returned */
    const struct policy_ops *self; /* set by policy_create() */
};

enum { POLICY_ACCESSES_MOST = 256 };

struct prefetch_miss;
struct prefetch_wish;

struct policy_ops {
    const char *name;
    const char *description; /* one line: what it does, and its source */
    enum policy_needs needs;
    /* 0, -ENOMEM, or -EINVAL for an unknown or unusable parameter. */
    int (*create)(const struct policy_config *, void **ret_state);
    void (*destroy)(void *state);
    void (*insert)(void *state, pfn_t,
                   page_id_t); /* the page was brought into the frame (counts as a reference) */
    void (*access)(void *state, pfn_t,
                   page_id_t); /* a further reference; NULL unless POLICY_NEEDS_EVERY_REFERENCE */
    void (*remove)(void *state, pfn_t, page_id_t, enum policy_remove);
    pfn_t (*victim)(void *state);            /* PFN_NONE iff nothing is inserted */
    const char *(*check)(const void *state); /* NULL, or what is wrong */
    /* May be NULL. The page is not in memory and is about to be brought in: before the victim(), if any, that
     * makes room for it, and before its insert(), which may fail to come. */
    void (*miss)(void *state, page_id_t);
    /* May be NULL: as insert(), for a page that was brought along with another and that nobody has referenced
     * yet. NULL: insert() is called. */
    void (*insert_prefetched)(void *state, pfn_t, page_id_t);
    /* May be NULL: pages to bring along with one that was missing and has been inserted (prefetch.h). Up to
     * `room` wishes, most wanted first; how many. */
    size_t (*prefetch)(void *state, const struct prefetch_miss *, struct prefetch_wish *wishes, size_t room);
    const char *parameters;             /* for people: "seed=N (default: the machine's)"; NULL: it has none */
    size_t (*bytes)(const void *state); /* memory of its state now; NULL: not known */
    /* May be NULL. As access() for each of up to POLICY_ACCESSES_MOST frames in this order, for a policy to
     * which pages and times mean nothing: config.now() is not that of each. */
    void (*access_all)(void *state, const pfn_t *frames, size_t count);
    const char *file; /* the shared object that it was loaded from; NULL: it is Thimble's own */
};

extern const struct policy_ops *const policies[]; /* NULL-terminated */

/* Finds "NAME" or "NAME:key=value,…". Returns NULL for an unknown name; *ret_parameters points behind the
 * colon, or is NULL. */
const struct policy_ops *policy_find(const char *specification, const char **ret_parameters);

/* The same for what a user gave, which may also be the path of a shared object (include/thimble/policy.h):
 * "./mine.so:alpha=0.5". 0 or -errno; *ret_message (malloc'd) says what is wrong and what there is. Several
 * may be loaded, the same one several times. */
int policy_load(const char *specification, const struct policy_ops **ret_ops, const char **ret_parameters,
                char **ret_message);
/* Whether it takes the parameters (NULL: none), before there is a memory. 0 or -errno, with *ret_message. */
int policy_accepts(const struct policy_ops *, const char *parameters, char **ret_message);
/* When no state of it is left. NULL and policies of Thimble's own are fine. */
void policy_unload(const struct policy_ops *);
/* Calls create() of a policy from wherever. As policy_ops.create. */
int policy_create(const struct policy_ops *, const struct policy_config *, void **ret_state);

#endif
