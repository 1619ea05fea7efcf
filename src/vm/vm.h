/* Virtual memory: the whole of it for one machine. Address spaces, the page cache, frames, swap, reclaim.
 *
 * This header is what the kernel and the machine use; the parts have headers of their own for each other. */
#ifndef VM_VM_H
#define VM_VM_H

#include <stddef.h>
#include <sys/types.h>

#include "base/inject.h"
#include "hw/disk.h"
#include "hw/pagetable.h"
#include "hw/reference.h"
#include "hw/trap.h"
#include "policy/policy.h"
#include "policy/prefetch.h"
#include "trace/event.h"
#include "trace/tally.h"

struct vm;
struct space;
struct object;

/* What the VM tells whoever caches translations (the engine), with the meaning of the functions of the same
 * name in hw/engine.h. Any may be NULL (tests without an engine). */
struct vm_listener {
    void *context;
    void (*forget_page)(void *context, const struct page_table *, vpn_t);
    void (*forget_table)(void *context, const struct page_table *);
    void (*forget_code)(void *context, page_id_t, unsigned offset, unsigned length);
    uint64_t (*now)(void *context); /* instructions executed */
};

/* What a page is and where it was first touched, for who records references. */
struct vm_place {
    struct object *object; /* NULL: private anonymous */
    uint64_t index;        /* page in the object */
    vpn_t vpn;             /* where, in the space; meaningless when the kernel touched it for itself */
    uint32_t space;
    bool stack, heap; /* the mapping's */
};

/* A part of a mapping, for who records what is where. */
struct vm_range {
    uint32_t space;
    vpn_t start;
    uint64_t pages;
    unsigned flags;        /* enum event_map_flags */
    struct object *object; /* NULL: private anonymous */
    uint64_t object_page;  /* 0 without an object */
    const char *name;      /* PR_SET_VMA_ANON_NAME; NULL: none */
};

/* Who wants to know the reference string, the recorder: everything that decides which pages a replacement
 * policy sees, in the order in which it happens (the engine holds no references back when the vm does
 * anything: engine_client.references). A run of accesses to one page may come in several references here (of
 * the engine, of the kernel, after a fault): joining them by identity is the receiver's. dies(), cleaned(),
 * cooled() and given_up() of any page end a run; nothing else does, but a reference to another page. Any may
 * be NULL. */
struct vm_observer {
    void *context;
    void (*appears)(void *context, page_id_t, const struct vm_place *); /* for the first time */
    void (*holds)(void *context, pfn_t, page_id_t); /* from now on the frame holds this page: before the
                                                       reference that brought it in */
    void (*references)(void *context, const struct reference_log *);
    void (*runs)(void *context, uint32_t space); /* what follows is in the name of this space */
    void (*dies)(void *context, page_id_t, enum policy_remove);
    void (*cleaned)(void *context, page_id_t); /* … but not by an eviction; or it was clean already */
    void (*cooled)(void *context, page_id_t);
    void (*given_up)(void *context, page_id_t); /* MADV_FREE */
    /* What is mapped there has other permissions or another name; or is new and has a
     * name (after EVENT_MAP). */
    void (*renamed)(void *context, const struct vm_range *, uint64_t instruction);
};

/* Decisions made in advance; see machine.h. All zero: none. Frames are those taken from the pool for pages,
 * by whatever is put into them; a frame that changes hands by an eviction comes from no pool. */
struct vm_choices {
    const uint32_t *frames, *slots, *victims; /* victims: frame numbers */
    size_t frame_count, slot_count, victim_count;
};

struct vm_config {
    uint32_t frames;    /* in all, or 0: see available */
    uint32_t available; /* when frames == 0: exactly so many for pages. Page tables have frames of their own
                           above them, 65536 at most, which are counted while they are in use */
    uint32_t reserved;
    const struct page_table_ops *format;
    const struct policy_ops *policy;
    const char *policy_parameters;       /* or NULL */
    const struct prefetcher *prefetcher; /* outlives the vm; NULL: no page is brought along */
    uint64_t seed;
    uint64_t map_lowered;      /* mmap chooses places so many bytes below the usual ones; whole pages */
    struct disk *swap;         /* owned by the caller, outlives the vm */
    bool slot_at_first_touch;  /* the lecture's way: a swap slot is assigned when a page is first touched (if
                                  there is one; a full swap area shows when the page must go) */
    struct vm_choices choices; /* lists outlive the vm */
    /* A choice could not be followed: `list` is "frames", "slots" or "victims", `index` the position in it,
     * `why` what was in the way ("is in use"). The usual decision is made instead. NULL unless there are
     * choices. */
    void (*choice_refused)(void *context, const char *list, size_t index, uint32_t number, const char *why);
    struct trace *trace;   /* or NULL */
    bool record_contents;  /* tell what is in the frames, where there are at most 64: see content.h */
    struct inject *inject; /* or NULL */
    struct vm_listener listener;
    struct vm_observer observer; /* all NULL: nobody */
    /* What programs do is to be the same whatever the number of frames: advice whose effect depends on it is
     * taken as Linux allows, by ignoring it (MADV_WILLNEED) or by marking pages only (MADV_PAGEOUT). */
    bool deterministic;
    /* 0: a policy that wants every reference gets it. K: it gets referenced bits each K instructions. */
    uint64_t observe_bits;
    /* Programs are told of so much memory, whatever there is: see told.c. 0: the truth. */
    uint32_t told_pages;
    /* No frame can be had and swap is full: choose a process and mark it to die (its space is destroyed
     * later), or return false. When it calls space_reap() for the chosen one, the fault that is served goes
     * on if it is another's. NULL: allocation just fails. Called by faults only: a
     * system call gets -ENOMEM. */
    bool (*out_of_memory)(void *context);
    /* A program is not promised memory, for so much there is not, or it is told so. NULL: nobody asks. */
    void (*refused)(void *context);
    /* A page that `space` needs could not be read, or no other written out to make room for it (FAULT_IO
     * follows), or a shared page of a file could not be written back at its unmapping: for a message that
     * names the process. `error` is negative, `what` "swap-in", "swap-out" or the file's name. Without a
     * space: vm_destroy() could not write files back. */
    void (*io_error)(void *context, struct space *, int error, const char *what);
    /* policy_config.tell; or NULL. */
    void (*policy_tells)(void *context, enum policy_news, const char *line);
    void *context;
};

/* 0, -ENOMEM, -EINVAL (fewer frames than the format and the reserved ones need: see vm_minimum_frames). */
int vm_create(const struct vm_config *, struct vm **ret_vm);
/* Every space must have been destroyed and every object given back; dirty file pages are written back. */
void vm_destroy(struct vm *);

/* Frames that a machine needs so that a program's first instruction, stack and data can be there. */
uint32_t vm_minimum_frames(const struct page_table_ops *format, uint32_t reserved);

struct physmem *vm_physmem(struct vm *);
page_id_t vm_page_id(struct vm *, pfn_t);
/* engine_client.references: those that programs made since it was called last. Before anything else is asked
 * of the vm. */
void vm_references(struct vm *, const struct reference_log *);
/* A thread is about to run in this table's space. */
void vm_runs(struct vm *, const struct page_table *);
void vm_set_listener(struct vm *, const struct vm_listener *);

/* Events of what has changed in the frames since it was last told: before whoever steps through the events is
 * to see it. Nothing unless contents are recorded. */
void vm_tell_contents(struct vm *);

struct vm_frame_counts {
    uint32_t total, reserved, page_tables, anonymous, page_cache, free;
};
struct vm_swap_counts {
    uint64_t pages, used, peak, in, out;
};
struct vm_counts {
    uint64_t promised; /* pages that programs were told they may write: Committed_AS */
    struct vm_frame_counts frames, frames_peak; /* each peak on its own; free's is its lowest */
    struct vm_swap_counts swap;
    struct tally tally;
};
void vm_get_counts(const struct vm *, struct vm_counts *ret_counts);
/* What programs are told of it; vm_get_told_usage(), space_get_told_counts() likewise. */
void vm_get_told_counts(const struct vm *, struct vm_counts *ret_counts);
uint64_t vm_told_swap(const struct vm *); /* pages */
bool vm_tells_truth(const struct vm *);   /* false: what is told has nothing to do with frames */

/* Pages that were brought along with others. prefetched = useful + wasted + waiting. */
struct vm_prefetch_counts {
    uint64_t prefetched;
    uint64_t useful;  /* used before they left */
    uint64_t late;    /* of these: used while the modelled transfer would still have been under way */
    uint64_t wasted;  /* evicted, or nobody's any more, before anybody used them */
    uint64_t waiting; /* in frames, and not used yet */
};
void vm_get_prefetch_counts(const struct vm *, struct vm_prefetch_counts *ret_counts);

/* How much may be promised: Linux's vm.overcommit_memory and vm.overcommit_ratio. */
enum vm_overcommit {
    VM_OVERCOMMIT_GUESS,  /* at once no more than there is at all. So it is at first */
    VM_OVERCOMMIT_ALWAYS, /* anything */
    VM_OVERCOMMIT_NEVER,  /* in all less than vm_commit_limit(); MAP_NORESERVE means nothing */
};
void vm_set_overcommit(struct vm *, enum vm_overcommit);
enum vm_overcommit vm_get_overcommit(const struct vm *);
void vm_set_overcommit_ratio(struct vm *, uint32_t percent); /* of memory, beside swap; at first 50 */
uint32_t vm_get_overcommit_ratio(const struct vm *);
uint64_t vm_commit_limit(const struct vm *); /* pages; it holds for VM_OVERCOMMIT_NEVER only */

/* Verifies every invariant of every structure. NULL, or a description of the first that is broken. */
const char *vm_check(struct vm *);

/* ---- address spaces (vm/space.c, vm/map.c, vm/protect.c …) ---- */

int space_create(struct vm *, uint32_t pid, struct space **ret_space);
/* Copy-on-write copy of everything (MADV_DONTFORK and WIPEONFORK honoured). 0 or -ENOMEM. */
int space_fork(struct space *, uint32_t pid, struct space **ret_space);
struct space *space_ref(struct space *);
void space_unref(struct space *); /* destroys it with the last one */
/* Gives the memory of a space back at once, whose process is about to die: for out_of_memory(). Its mappings
 * stay until it is destroyed; faults in it are FAULT_KILLED from now on. */
void space_reap(struct space *);
uint32_t space_pid(const struct space *);
struct page_table *space_page_table(struct space *);
const struct tally *space_tally(const struct space *);

struct space_counts {
    uint64_t mapped, resident, resident_peak, resident_file, resident_shared, swapped, locked; /* pages */
    uint64_t data, stack, exec; /* pages mapped */
};
void space_get_counts(const struct space *, struct space_counts *ret_counts);
void space_get_told_counts(const struct space *, struct space_counts *ret_counts);

/* ---- memory calls: the semantics of Linux 6.18's system calls, addresses and lengths in bytes, results >= 0
 * or -errno; PROT_*, MAP_*, MREMAP_*, MADV_*, MS_* of <sys/mman.h>. ---- */

struct map_request {
    uint64_t address; /* hint, or the address with MAP_FIXED */
    uint64_t length;
    int protection;  /* PROT_* */
    int flags;       /* MAP_* */
    uint64_t offset; /* in the object, bytes, a multiple of PAGE_SIZE */

    /* A file's: */
    struct object *object;   /* NULL: anonymous (MAP_SHARED anonymous: the VM makes an object) */
    int object_error;        /* why the file has no object, or 0: told if nothing else is wrong */
    uint64_t opened;         /* which opening of the file: mappings of two do not merge */
    bool no_read, may_write; /* how it is open: only for writing; also for writing */
    bool no_exec;            /* it is on a file system whose files may not be executed */

    bool stack, heap; /* labels for maps, events */
};
int space_map(struct space *, const struct map_request *, uint64_t *ret_address);
/* remap_file_pages: maps other pages of the object in place of a shared mapping's. */
int space_map_again(struct space *, uint64_t address, uint64_t length, int protection, uint64_t page,
                    int flags);
int space_unmap(struct space *, uint64_t address, uint64_t length);
int space_protect(struct space *, uint64_t address, uint64_t length, int protection);
int space_remap(struct space *, uint64_t address, uint64_t old_length, uint64_t new_length, int flags,
                uint64_t new_address, uint64_t *ret_address);
int space_advise(struct space *, uint64_t address, uint64_t length, int advice);
/* prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME): NULL takes the name away. 0, -EINVAL, -ENOMEM (a part is not
 * mapped; the rest is named), -EBADF (a file's), -EAGAIN (no memory). */
int space_name(struct space *, uint64_t address, uint64_t length, const char *name);
/* msync: MS_ASYNC writes back as well, so that the host's programs see what this one wrote. */
int space_sync(struct space *, uint64_t address, uint64_t length, int flags);
/* One byte a page into `ret_vector`, as far as the mapping goes: how many of `pages`, or -ENOMEM where
 * nothing is mapped. */
ssize_t space_mincore(struct space *, uint64_t address, uint64_t pages, unsigned char *ret_vector);
/* mlock, mlock2, munlock, mlockall, munlockall. Nothing is pinned; the books are kept by Linux's rules. */
int space_lock(struct space *, uint64_t address, uint64_t length, bool on_fault);
int space_unlock(struct space *, uint64_t address, uint64_t length);
int space_lock_all(struct space *, int flags); /* MCL_* */
void space_unlock_all(struct space *);
/* The heap: [start, end). brk() semantics: returns the new end, or the old one when it cannot be. `data` is
 * the size of the program's own data in bytes, which RLIMIT_DATA covers as well. */
void space_set_brk(struct space *, uint64_t start, uint64_t data);
uint64_t space_brk(struct space *, uint64_t end);

/* What a process may do with its address space, in bytes, UINT64_MAX for no limit. */
struct space_limits {
    uint64_t address_space, data, stack; /* RLIMIT_AS, RLIMIT_DATA, RLIMIT_STACK */
    uint64_t data_hard;                  /* the hard limit that belongs to `data` */
    uint64_t locked;                     /* RLIMIT_MEMLOCK; none for who has CAP_IPC_LOCK */
    uint64_t lowest;                     /* address that may be mapped; 0 for who has CAP_SYS_RAWIO */
};
void space_set_limits(struct space *, const struct space_limits *);

/* Mappings in address order, for /proc and messages. */
struct mapping_view {
    uint64_t start, end, offset;
    unsigned access; /* enum access bits */
    bool shared, stack, heap;
    /* as VmFlags in smaps has them: lo, gd, mw, me, dc, wf, rr, sr, dd, hg, nh, mg, nr, ac, dp */
    bool locked, grows_down, may_write, may_execute, not_forked, wiped_on_fork, random, sequential,
        not_dumped, huge_pages, no_huge_pages, mergeable, not_reserved, accounted, droppable;
    struct object *object; /* NULL: private anonymous */
    const char *name;      /* that the program gave to anonymous memory, good until it changes; NULL: none */
    uint64_t resident, swapped, dirty, referenced, anonymous; /* pages; filled only when asked for */
};
/* The first mapping that ends above `address`: true and *ret_view, false when there is none. */
bool space_next_mapping(struct space *, uint64_t address, bool with_counts, struct mapping_view *ret_view);

/* What the pages of [start, end) are; of those shared with other mappings only a share counts as this one's.
 * All are pages, but shares are PAGE_SHARE-ths of one. */
#define PAGE_SHARE (1UL << 20)
struct mapping_usage {
    uint64_t resident, share, share_dirty, shared_clean, shared_dirty, private_clean, private_dirty;
    uint64_t referenced, anonymous, lazily_free, swapped, swapped_share;
};
void space_get_usage(struct space *, uint64_t start, uint64_t end, struct mapping_usage *ret_usage);
uint64_t space_page_table_bytes(const struct space *); /* in frames of the memory */

/* Frames by what is in them. Each frame is looked at. */
struct vm_usage {
    uint64_t shared_memory;                 /* no file's: memfd, System V, MAP_SHARED|MAP_ANONYMOUS */
    uint64_t mapped;                        /* of the page cache */
    uint64_t dirty;                         /* of files, and not yet written back */
    uint64_t active_file, active_anonymous; /* referenced since the policy last looked */
    uint64_t swap_cached;                   /* in frames, with a copy kept in swap */
};
void vm_get_usage(struct vm *, struct vm_usage *ret_usage);
void vm_get_told_usage(struct vm *, struct vm_usage *ret_usage);

/* ---- faults and user memory ---- */

/* The page-fault handler. `access` is one or more enum access bits. A fault that fails has changed nothing
 * and may be tried again: after FAULT_NO_MEMORY, when the process that out_of_memory() chose is gone. If it
 * chose none (or there is no memory on the host), the one that faulted cannot go on. */
enum fault_result space_fault(struct space *, uint64_t address, unsigned access);
struct space *space_of_table(struct vm *, const struct page_table *);
/* The address space of that number, as events have it; NULL: there is none. */
struct space *space_of_number(struct vm *, uint32_t number);

/* Copies through the page table and the fault handler, page by page. 0, or -EFAULT (nothing said about how
 * much was done; user_*_some return the bytes done before the fault, -EFAULT if none). -ENOMEM instead when
 * the fault ended in FAULT_NO_MEMORY: to be tried again once memory is free. */
int user_read(struct space *, uint64_t address, void *to, size_t length);
int user_write(struct space *, uint64_t address, const void *from, size_t length);
int user_zero(struct space *, uint64_t address, size_t length);
ssize_t user_read_some(struct space *, uint64_t address, void *to, size_t length);
ssize_t user_write_some(struct space *, uint64_t address, const void *from, size_t length);
/* A NUL-terminated string into `to`: its length, -EFAULT, or -ENAMETOOLONG when it does not fit in `size`. */
ssize_t user_string(struct space *, uint64_t address, char *to, size_t size);

/* ---- looking on (vm/peek.c) ---- */

/* What a program would read there, wherever it is now: bytes copied, up to the first page that cannot be had.
 * Nothing changes by it: no fault, no reference, no count. */
size_t space_peek(struct space *, uint64_t address, void *to, size_t length);

/* ---- objects: what file and shared mappings map, and the page cache behind them ---- */

/* How an object's pages reach their file. Given by the kernel. */
struct object_backing {
    /* Reads page `index` (zero-filled behind the end of the file). 0 or -errno. */
    int (*read_page)(void *file, uint64_t index, void *page);
    /* Writes page `index`, never beyond the end of the file. 0 or -errno. */
    int (*write_page)(void *file, uint64_t index, const void *page);
    /* Size in bytes now. */
    uint64_t (*size)(void *file);
    /* Makes the range zeros without changing the size (MADV_REMOVE). 0 or -errno. NULL: -EOPNOTSUPP. */
    int (*punch)(void *file, uint64_t offset, uint64_t length);
    /* The object has no pages, mappings or holders any more. */
    void (*release)(void *file);
};

/* An object for a file: with one reference, which the caller owns. `name` (copied) is for maps and events. */
int object_create_file(struct vm *, const struct object_backing *, void *file, const char *name,
                       struct object **ret_object);
/* Shared anonymous memory (MAP_SHARED|MAP_ANONYMOUS, memfd, System V): zero-filled, backed by swap; `size`
 * bytes. */
int object_create_anonymous(struct vm *, uint64_t size, const char *name, struct object **ret_object);
struct object *object_ref(struct object *);
void object_unref(struct object *);
/* The file has lost its name: its pages go with the last reference, as nobody will ask for them again. */
void object_forget(struct object *);
void *object_file(const struct object *);      /* as given; NULL for anonymous */
uint32_t object_number(const struct object *); /* in events; from 1 */
const char *object_name(const struct object *);
uint32_t object_number(const struct object *);   /* as events have it; never used again */
uint64_t object_size(const struct object *);     /* bytes */
uint64_t object_resident(const struct object *); /* pages in the cache */
uint64_t object_swapped(struct object *);        /* pages of shared memory in swap: looks at each */
bool object_is_mapped(const struct object *);
bool object_may_be_written(const struct object *); /* some mapping shares it and writes, or may come to */
/* From now on `changed` is told when a mapping of the object has appeared (by = 1) or gone (-1), in pieces
 * and copies as well; `space` is the mapping's. It may give back references to the object, and nothing else
 * of the vm's. NULL: nobody is told any more. */
void object_watch_mappings(struct object *, void (*changed)(void *context, struct space *space, int by),
                           void *context);

/* Coherence with read() and write() on the host file: resident pages of the range are copied over `bytes`
 * (they may be newer), or updated from it. None is brought in. */
void object_overlay(struct object *, uint64_t offset, void *bytes, size_t length);
void object_update(struct object *, uint64_t offset, const void *bytes, size_t length);
/* Brings the pages of the range that exist into the cache, if they are not there, as far as there is memory,
 * and refers to each: what read() and write() do where data that is not mapped takes frames, too. */
void object_touch(struct object *, uint64_t offset, size_t length);
/* For anonymous objects: the content itself. Bytes done or -errno (-ENOMEM, -ENOSPC). */
ssize_t object_read(struct object *, uint64_t offset, void *bytes, size_t length);
ssize_t object_write(struct object *, uint64_t offset, const void *bytes, size_t length);
/* The first page at or after `page` that has content; UINT64_MAX: there is none. */
uint64_t object_next_content(struct object *, uint64_t page);
/* Zeroes the bytes; whole pages of them are given back (fallocate's holes). 0 or -ENOMEM. */
int object_punch(struct object *, uint64_t offset, uint64_t length);
/* The file's size changed: pages beyond are dropped from the cache and from every page table. */
int object_truncate(struct object *, uint64_t size);
/* Writes dirty pages of the byte range back (fsync, msync). 0 or the first -errno. */
int object_sync(struct object *, uint64_t offset, uint64_t length);
/* Drops every page, dirty ones when they are written back: the host file was changed by somebody else
 * (revalidation at open, mmap, exec). The caller holds a reference. */
void object_invalidate(struct object *);
/* Writes back everything that is dirty in the machine (sync, shutdown by a signal). */
int vm_sync(struct vm *);

#endif
