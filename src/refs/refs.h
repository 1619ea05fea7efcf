/* Page references: what every analysis reads, whatever file it came from, and what the recorder writes.
 *
 * A *reference* is a maximal run of accesses to one page identity by anybody: programs (an instruction fetch
 * counts at the entry of each translated block and at each page change) and the kernel on their behalf. The
 * references of a run, in order, are the *reference string*; a replacement policy sees nothing else, live or
 * simulated, and "exact" means exact for that string. It does not depend on how many frames there were.
 *
 * A trace is a sequence of items: the references, and between them what else decides which pages are there:
 * pages that die leave free frames, pages that were cleaned need no write. Page identities are numbered
 * 0, 1, … in the order of their first appearance, so that an analysis needs arrays, not hash tables.
 *
 *    FILE ── refs_open() ──► struct refs_source ── refs_next() ──► batches of items ──► an analysis
 *                                     └── refs_page() ──► what a page is: file or anonymous, whose, where */
#ifndef REFS_REFS_H
#define REFS_REFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum refs_kind {
    REFS_REFERENCE, /* flags: enum access bits (hw/types.h), all kinds of access of the run */
    REFS_DIES,      /* flags: enum policy_remove (unmapped, exited): nobody has the page any more; its number
                       does not come again */
    REFS_CLEANED,   /* written back where it is (msync, fsync …): no longer dirty */
    REFS_COOLED,    /* the program had its referenced bit cleared (MADV_COLD, MADV_PAGEOUT …) */
    REFS_GIVEN_UP,  /* MADV_FREE: until it is written again, evicting it writes nothing and loses it */
    REFS_MARK,      /* `page` is the number of a mark: refs_mark() */
};

struct refs_item {
    uint64_t instruction; /* executed by all programs when the run of accesses began; where a format has no
                             such count, the number of references before */
    uint32_t page;        /* number of the page, or of the mark */
    uint16_t space; /* number of the address space in whose name it was made; 0: the first, or not known */
    uint8_t kind;   /* enum refs_kind */
    uint8_t flags;  /* by kind */
};

enum refs_page_flags {
    REFS_PAGE_FILE = 1,   /* a page of a file: dropped or written back, never swapped */
    REFS_PAGE_SHARED = 2, /* shared memory that is no file's (memfd, System V, MAP_SHARED|MAP_ANONYMOUS) */
    REFS_PAGE_KNOWN = 4,  /* what follows is known (imported formats know page numbers only) */
    REFS_PAGE_STACK = 8,  /* it first appeared in a mapping of this kind */
    REFS_PAGE_HEAP = 16,
};

/* Numbers of pages are less. */
#define REFS_PAGES_MAX 0x7fffffffu

struct refs_page {
    uint64_t name;   /* as the source calls it: the page identity of a recording, the number in a CSV file */
    uint64_t vpn;    /* where it was first touched … */
    uint64_t index;  /* the page's number in its object; 0 for private anonymous memory */
    uint32_t object; /* number of the object, an index into refs_object_name(); 0: private anonymous */
    uint16_t space;  /* … and in whose space */
    uint16_t flags;  /* enum refs_page_flags */
};

/* Whether a new page's contents are somewhere else, too, so that it can be dropped until it is written to: of
 * files; and of pages that a format says nothing about, so that they are written back if and only if the
 * string writes to them. Memory that is known not to be a file's is its only copy from the beginning. */
static inline bool refs_page_has_copy(const struct refs_page *page) {
    return page->flags & REFS_PAGE_FILE || !(page->flags & REFS_PAGE_KNOWN);
}

/* Something that happened between references, for places and phases; no result of a policy depends on it. */
enum refs_mark_type {
    REFS_MARK_CREATE, /* space; a = pid, b = pid of the parent (0: the machine), c = space copied from + 1, or
                         0 */
    REFS_MARK_EXEC,   /* space; a = pid, text = path of the program */
    REFS_MARK_EXIT,   /* space; a = pid, b = wait status */
    REFS_MARK_MAP,    /* space; a = first VPN, b = pages, c = object (0: anonymous), d = page in it;
                         flags = enum event_map_flags; also when these change. It has no name then */
    REFS_MARK_UNMAP,  /* space; a = first VPN, b = pages */
    REFS_MARK_NAME,   /* space; a = first VPN, b = pages, text = name (PR_SET_VMA_ANON_NAME);
                         flags as of the MAP before it */
    REFS_MARK_PHASE,  /* a part of the run begins that is to be looked at apart; text = its name: "measured"
                         stands  behind the warm-up that was asked for */
    REFS_MARK_TYPES
};

struct refs_mark {
    uint64_t instruction;
    uint64_t a, b, c, d;
    const char *text; /* "" where there is none; the source's */
    uint16_t space;
    uint8_t type, flags;
};

/* What is known about the whole of a trace. Strings belong to the source; NULL or 0 where not known. */
struct refs_header {
    const char *thimble; /* version that recorded it */
    const char *cpu;     /* "x86-64-v3" … */
    const char *const *arguments;
    size_t argument_count; /* of the command */
    uint64_t seed;
    uint32_t page_size; /* bytes */
    bool deterministic;
    uint32_t reduced_to; /* --reduce k: references were dropped that no LRU or OPT memory of k frames or more
                            would notice; 0: all are there */
};

/* How often a number of 32 bits can be halved before it is 0. */
enum { REFS_HALVES = 31 };

/* What is known at the end. `hash`: see refs/hash.h. */
struct refs_totals {
    uint64_t references, instructions, items;
    uint64_t dropped; /* by --reduce */
    /* By --reduce k: LRU with k / 2, k / 4 … 1 frames has at most so many misses, of all references, dropped
     * or not. `half_count` 0: not known. */
    uint64_t halves[REFS_HALVES];
    uint32_t half_count;
    uint32_t pages;   /* distinct */
    uint8_t hash[16]; /* of the items and pages: equal for equal reference strings, whatever the file format.
                         All 0 until the source was read to its end, where the file does not say */
    bool whole;       /* false: the recording was cut (full disk, killed) */
    /* Calls by which a program could learn about memory or time, so that another size might be another run:
     * "sysinfo", "mincore", "/proc/meminfo" … NULL at the end. Empty: the analyses may say exact. */
    const char *const *conditions;
};

enum refs_format {
    REFS_FORMAT_ANY, /* by its content */
    REFS_FORMAT_THIMBLE,
    REFS_FORMAT_ORACLE_GENERAL,
    REFS_FORMAT_LACKEY,
    REFS_FORMAT_CSV,
    REFS_FORMAT_PERF_SCRIPT,
    REFS_FORMAT_OSTEP,
    REFS_FORMATS
};

/* ---- reading (refs/source.c) ---- */

struct refs_source;

/* 0 or -errno; *ret_message (malloc'd, on failure only) names the file, the record and what is wrong. */
int refs_open(const char *path, enum refs_format, struct refs_source **ret_source, char **ret_message);
/* The same for who reads it more than once: a pipe is copied to a temporary file first. */
int refs_open_kept(const char *path, enum refs_format, struct refs_source **ret_source, char **ret_message);
void refs_close(struct refs_source *);
/* From the beginning again: analyses that must know the future read twice. 0 or -errno. */
int refs_rewind(struct refs_source *);
/* The next items: how many (> 0), 0 at the end, or -errno with refs_message(). `*ret_items` is valid until
 * the next call. Batches are some 10,000 items; pages and marks that they name are known from then on. */
long refs_next(struct refs_source *, const struct refs_item **ret_items);
const char *refs_message(const struct refs_source *); /* what was wrong; with the number of the record */

const struct refs_header *refs_header(const struct refs_source *);
/* 0, or -ENODATA while it is not known: read to the end first. */
int refs_totals(const struct refs_source *, struct refs_totals *ret_totals);
/* All pages that it will have named: reads to the end where it does not say, and from the beginning again. 0,
 * or as refs_next(). */
int refs_count_pages(struct refs_source *, uint32_t *ret_pages);
uint32_t refs_pages(const struct refs_source *); /* that have appeared up to now */
const struct refs_page *refs_page(const struct refs_source *, uint32_t page);
const struct refs_mark *refs_mark(const struct refs_source *, uint32_t mark);
const char *refs_object_name(const struct refs_source *, uint32_t object); /* path, or "[shared memory]" … */
const char *refs_format_name(enum refs_format);                            /* as on the command line */
int refs_format_parse(const char *name, enum refs_format *ret_format);     /* 0 or -EINVAL */
enum refs_format refs_source_format(const struct refs_source *);

/* ---- writing (refs/writer.c) ----
 *
 * One thread calls. A writer that fails (full disk) reports once and swallows the rest; refs_writer_finish()
 * returns the error, and the file says that it is cut. */
struct refs_writer;

int refs_writer_create(const char *path, const struct refs_header *, struct refs_writer **ret_writer,
                       char **ret_message);
/* The next page or object gets the next number, from 0 (objects: from 1). Before the first item that names
 * it; and pages in the order in which items name them first. */
int refs_writer_page(struct refs_writer *, const struct refs_page *, uint32_t *ret_page);
int refs_writer_object(struct refs_writer *, const char *name, uint32_t *ret_object);
/* A mark is an item, too: it is added at this place. */
int refs_writer_mark(struct refs_writer *, const struct refs_mark *);
/* Items but marks; quickest in large batches. One that cannot be (see refs/check.h) makes the writer fail
 * with -EINVAL, perhaps later. */
int refs_writer_add(struct refs_writer *, const struct refs_item *, size_t count);
/* The same for a reference and many others behind it, in its space, that are right for sure: these are put
 * into the room, which there may be none of, before anything else is asked of the writer. Each is a word:
 * page | step << 32 | flags << 56, where the step (less than 0xffff) is the number of instructions since the
 * one before. Then how many of them there are, and the instruction of the last. */
uint64_t *refs_writer_room(struct refs_writer *, size_t *ret_room);
int refs_writer_filled(struct refs_writer *, const struct refs_item *first, size_t count,
                       uint64_t instruction);
/* What was added up to now is in the file then, whose readers find it cut there. 0 or -errno. */
int refs_writer_flush(struct refs_writer *);
/* What --reduce knows of smaller memories: refs_totals.halves. Before the end. */
void refs_writer_halves(struct refs_writer *, const uint64_t *misses, uint32_t count);
/* Ends the file (conditions: as in refs_totals; may be NULL). 0 or the first -errno. Destroys the writer. */
int refs_writer_finish(struct refs_writer *, uint64_t instructions, uint64_t dropped, bool whole,
                       const char *const *conditions);

#endif
