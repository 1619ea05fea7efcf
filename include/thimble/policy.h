/* A page replacement policy of your own, as a shared object that Thimble loads:
 *
 *     cc -shared -fPIC -O2 -o mine.so mine.c
 *     thimble run -p ./mine.so:alpha=0.5 -- ls
 *
 * This header is all that the shared object needs: it links against nothing of Thimble, calls Thimble only
 * through struct thimble_host, and exports one symbol, `thimble_policy`. C99 and C++ (from C++20 on, whose
 * initialisers may name members) can include it. docs/WRITE-A-POLICY.md walks through an example.
 *
 * Numbers and units
 *   frame   a physical page, 0 … host->frames-1. A frame is a place: which page is in it changes.
 *   page    what is in a frame: 64 bits that name one page for as long as the run lasts. The number means
 *           nothing else, is not dense, and is never used again for another page. It stays the same when the
 *           page is evicted and comes back: remember evicted pages ("ghosts") by it.
 *   time    host->now(): instructions that all programs have executed. There is no other clock.
 *
 * Order of calls
 *   create
 *     miss(page)                           the page is not in memory
 *     insert(frame, page)                  the page was brought into the frame: a miss. A reference, too
 *       access(frame, page) …              further references, in order; only with NEEDS_EVERY_REFERENCE
 *     remove(frame, page, reason)          the page is no longer in the frame
 *       insert(frame, another page) …
 *   destroy
 *   victim() may be called at any time while a frame is inserted, and again before anything else is: it is a
 *   question. If its answer is taken, remove(frame, page, THIMBLE_EVICTED) follows. A page that could not be
 *   written out is removed with THIMBLE_UNMAPPED and may be inserted again at once.
 *   A "reference" is a maximal run of accesses to one page by anybody; see docs/ARCHITECTURE.md.
 *
 * What a policy must not do
 *   - keep state in global or static variables: two instances may run side by side, in different threads.
 *     All of one instance's calls come from one thread at a time;
 *   - choose a frame that is not inserted; keep memory after destroy(); call exit() or abort(); start
 *     threads; write to standard output, which is the program's; take more than two seconds of processor
 *     time in one call; let a C++ exception out.
 *   Thimble notices these (but not all: a stray write into Thimble's own memory can go unnoticed, so try new
 *   code under valgrind or with -fsanitize=address in a test of its own). It then says which policy did what
 *   in which call, and goes on with CLOCK; a comparison marks the policy's row as failed.
 *
 * Stability: structs grow at their end only, and begin with their size, as known when the caller was
 * compiled. THIMBLE_POLICY_VERSION changes when something that is here changes its meaning; a shared object
 * that was built for another version is refused. */
#ifndef THIMBLE_POLICY_H
#define THIMBLE_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define THIMBLE_POLICY_VERSION 1

/* No frame. */
#define THIMBLE_NO_FRAME UINT32_MAX

/* What a policy must be told, `needs` below. The less, the faster programs run. */
enum {
    THIMBLE_NEEDS_NOTHING = 0,         /* insertions and removals are enough */
    THIMBLE_NEEDS_REFERENCED_BITS = 1, /* it calls host->test_and_clear_referenced() */
    THIMBLE_NEEDS_EVERY_REFERENCE = 2, /* access() is called for each */
};

/* Why a page has left its frame. */
enum {
    THIMBLE_EVICTED = 0,  /* the policy chose it: it may come back */
    THIMBLE_UNMAPPED = 1, /* nobody has it any more, or it could not be evicted: it may come back only if it
                             is a file's or could not be evicted */
    THIMBLE_EXITED = 2,   /* its program ended */
};

/* A parameter: "name=value" behind the colon of -p ./mine.so:name=value,name=value. The list ends with a name
 * that is NULL. */
struct thimble_parameter {
    const char *name;        /* lower-case letters, digits, '-' and '_' */
    const char *description; /* one line, for `thimble policies` */
    double initial;          /* where it is not given */
    double minimum, maximum; /* what is accepted */
    uint32_t whole;          /* 1: whole numbers only */
    uint32_t reserved;       /* 0 */
};

/* What Thimble does for one instance of a policy. Lives until destroy() has returned. The functions take the
 * host itself as their first argument and may be called during calls of the policy only. */
struct thimble_host {
    uint32_t size;     /* of this struct, in bytes: members beyond it are not there */
    uint32_t frames;   /* frame numbers are below this; their order means nothing */
    uint32_t capacity; /* how many of them can hold pages at once, at most: the memory's size */
    uint32_t reserved; /* 0 */
    uint64_t seed;     /* for policies that draw lots: with it alone, so that a run can be repeated */

    /* The value of a parameter that the policy has declared. Another name is a mistake of the policy's. */
    double (*parameter)(const struct thimble_host *, const char *name);
    /* Whether the page in this frame, which must be inserted, was referenced since the last call for it (a
     * page that was just brought in was); forgets it. Only with THIMBLE_NEEDS_REFERENCED_BITS. */
    bool (*test_and_clear_referenced)(const struct thimble_host *, uint32_t frame);
    /* Whether evicting the page in this frame, which must be inserted, would take a write to disk. Always
     * false where that is not known. */
    bool (*is_dirty)(const struct thimble_host *, uint32_t frame);
    /* Instructions executed so far; 0 where that is not known. */
    uint64_t (*now)(const struct thimble_host *);
    /* `count` objects of `size` bytes, all zero, aligned for anything; NULL when there is no memory. Counted
     * as the policy's state. malloc() and its like may be used as well, and are counted, too (but not the C++
     * library's own). */
    void *(*alloc)(const struct thimble_host *, size_t count, size_t size);
    void (*free)(const struct thimble_host *, void *); /* what alloc() returned; NULL is fine */
    /* A line for the user, without newline, as printf() formats it. For debugging: a call costs much. */
    void (*log)(const struct thimble_host *, const char *format, ...)
#ifdef __GNUC__
        __attribute__((format(printf, 2, 3)))
#endif
        ;
};

/* A miss that is being served, for prefetch(). Which of the numbers hold is said by `place`. */
enum {
    THIMBLE_MISS_FILE = 1, /* object and index: the page was read from a file (or is of shared memory) */
    THIMBLE_MISS_SWAP = 2, /* slot: the page was read from the swap area */
    THIMBLE_MISS_NEW = 4,  /* the page did not exist before */
};
struct thimble_miss {
    uint32_t size;         /* of this struct, in bytes */
    uint32_t place;        /* THIMBLE_MISS_… bits */
    uint64_t page;         /* its identity */
    uint64_t virtual_page; /* address / 4096 … */
    uint32_t space;        /* … in this address space */
    uint32_t object;       /* number of the file */
    uint64_t index;        /* page of the file */
    uint32_t slot;         /* of the swap area, which it was read from */
    uint32_t free_frames;  /* frames that hold nothing at this moment */
};

/* A page that is to be brought along with the missing one, if it is not in memory and on a disk. Pages are
 * named relative to the miss: by where they are, not by what they are. */
enum {
    THIMBLE_BY_ADDRESS = 0, /* number: a virtual page of the same address space */
    THIMBLE_BY_INDEX = 1,   /* number: a page of the same file */
    THIMBLE_BY_SLOT = 2,    /* number: a slot of the swap area */
};
struct thimble_wish {
    uint32_t by;       /* THIMBLE_BY_… */
    uint32_t reserved; /* 0 */
    uint64_t number;
};

struct thimble_policy {
    uint32_t version; /* THIMBLE_POLICY_VERSION */
    uint32_t size;    /* sizeof(struct thimble_policy): members beyond it are taken as NULL */

    const char *name;        /* as tables and traces call it: lower-case letters, digits, '-' and '_' */
    const char *description; /* one line: what it does, and its source */
    uint32_t needs;          /* THIMBLE_NEEDS_… */
    uint32_t reserved;       /* 0 */
    const struct thimble_parameter *parameters; /* NULL: there are none */

    /* The policy's own state, handed to every call; NULL when there is no memory for it. */
    void *(*create)(const struct thimble_host *);
    void (*destroy)(void *state);
    void (*insert)(void *state, uint32_t frame, uint64_t page);
    void (*access)(void *state, uint32_t frame, uint64_t page); /* NULL unless it needs every reference */
    void (*remove)(void *state, uint32_t frame, uint64_t page, uint32_t reason);
    /* A frame that was inserted and not removed. Called only when there is one. */
    uint32_t (*victim)(void *state);

    /* All that follow may be NULL. */

    /* The page is not in memory and is about to be brought in: before the victim(), if any, that makes room
     * for it, and before its insert(), which may fail to come. */
    void (*miss)(void *state, uint64_t page);

    /* Verifies its own structures: NULL, or what is wrong, in a sentence. For debugging: called often when
     * the machine checks itself (THIMBLE_CHECK=1). */
    const char *(*check)(void *state);
    /* Which pages to bring along with one that was missing (`--prefetch policy` asks for it): writes up to
     * `room` wishes, most wanted first, and returns how many. Called after the miss was inserted. */
    uint32_t (*prefetch)(void *state, const struct thimble_miss *, struct thimble_wish *wishes,
                         uint32_t room);
    /* A page was brought along: as insert(), but nobody has referenced it. NULL: insert() is called. */
    void (*insert_prefetched)(void *state, uint32_t frame, uint64_t page);
};

/* The one symbol. It may be const; in C++ this declaration gives it a name that is found. */
#ifdef __GNUC__
__attribute__((visibility("default")))
#endif
extern const struct thimble_policy thimble_policy;

#ifdef __cplusplus
}
#endif

#endif
