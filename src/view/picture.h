/* A picture: what is to be drawn of a machine's state, before anybody decides where it goes. Made from the
 * fold (trace/fold.h) and nothing else; drawn as SVG, text and JSON (draw.h), which all show the same.
 *
 *   strips of virtual pages   ┐ of each process that is shown
 *   page table                ┘
 *   CPU with its page-table register ──► a process
 *   frames, reserved frames, free pool
 *   files and swap on the disk, as rows of numbered pages
 *   what this step changed (marks), one sentence about it (narrate.h)
 *
 * Up to PICTURE_FRAMES frames everything is drawn one by one; above, frames become a heat map and strips and
 * tables are summarised by region. Nothing here reads files or needs a machine: it is compiled for the
 * browser as well. */
#ifndef VIEW_PICTURE_H
#define VIEW_PICTURE_H

#include "trace/fold.h"

enum {
    PICTURE_FRAMES = 64,      /* more of them are a heat map */
    PICTURE_HEAT = 4096,      /* cells of a heat map; with more frames, a cell stands for several */
    PICTURE_PROCESSES = 8,    /* shown at most */
    PICTURE_CELLS_ROW = 34,   /* of one strip: with more, all that is not present is folded, … */
    PICTURE_CELLS_ALL = 144,  /* … with more of all strips, pages that are present, too … */
    PICTURE_CELLS = 48,       /* … and what does not fit even so is left out */
    PICTURE_FILES = 12,       /* shown at most */
    PICTURE_FILE_PAGES = 12,  /* of one file: its window */
    PICTURE_SWAP_PAGES = 36,  /* of the swap area: its window */
    PICTURE_CHANGES = 256,    /* the last ones are marked */
    PICTURE_NAME_LIMIT = 512, /* bytes of a name */
    PICTURE_COLOURS = 8,      /* of files */
};

/* What the picture is about. The lecture builds its story up from parts; each of them is a kind. */
enum picture_kind {
    PICTURE_AUTO,        /* PICTURE_TABLES, or PICTURE_REGIONS where there are too many frames or pages */
    PICTURE_TABLES,      /* everything: strips, tables, CPU, frames, pool, disk */
    PICTURE_REGIONS,     /* the same for large machines: heat map, regions */
    PICTURE_COMPUTER,    /* CPU, main memory, devices and disk; no processes */
    PICTURE_MEMORY,      /* physical memory alone, not cut into frames */
    PICTURE_FRAMES_ONLY, /* physical memory cut into numbered frames */
    PICTURE_POOL,        /* frames: reserved and free pool */
    PICTURE_SPACES,      /* strips only, any number; a small memory and a large disk below */
    PICTURE_TABLE,       /* strips, page tables and the CPU's register */
    PICTURE_CONTEXTS,    /* each process's kernel context owns its page table */
    PICTURE_SYSTEM,      /* programs above the kernel, which holds a context for each; the computer below */
    PICTURE_SHARING,     /* strips with arrows straight to frames; no tables, CPU, disk */
    PICTURE_KINDS
};

struct picture_options {
    enum picture_kind kind;
    bool real_numbers; /* real VPNs instead of symbolic ones */
    uint64_t before;   /* marks: what changed in events (before, now]; the caller gives those events: */
    const struct event *changes;
    size_t change_count;
    const uint32_t *pids; /* processes to show, in this order; NULL: those that are alive: first those with a
                             labelled strip, in the order of the labels, then by pid */
    size_t pid_count;
    unsigned max_processes; /* 0: as many as the kind has room for */
};

/* What a cell, entry, frame, slot or file page shows as its content's origin. */
enum picture_source { SOURCE_NONE, SOURCE_FILE, SOURCE_ANONYMOUS, SOURCE_TABLE, SOURCE_OS };

/* Where a page's content stands on the disk. */
struct picture_disk {
    enum picture_source source;
    uint32_t file; /* index into files, for SOURCE_FILE; UINT32_MAX: a hidden or unknown one */
    uint64_t page; /* page of the file; swap slot for SOURCE_ANONYMOUS */
    bool has_page; /* false: anonymous without a slot, drawn without a number */
};

/* One position of a strip, and of the page table below it: a page, or a folded run of pages. */
struct picture_cell {
    vpn_t first;
    uint64_t pages;  /* 1, or more for a folded run; 0: a cell of a labelled strip without a page */
    uint64_t number; /* symbolic VPN of the first */
    uint64_t object; /* number of the object that is mapped here, 0: none */
    bool mapped;     /* false: hatched, nothing is there */
    bool touched;    /* has a present entry, a swapped one, or more than nothing in the run: is coloured */
    unsigned access; /* of the mapping: enum access bits */
    bool shared;
    struct picture_disk disk; /* where a touch gets or got it from: its colour */
    /* the entry (pages == 1) */
    pte_t entry;               /* empty: --- and no arrow, unless points_at_disk */
    bool points_at_disk;       /* a dashed arrow: swapped, or a file page that is mapped and not in memory */
    bool shows_access;         /* the table shows rwx and not --- */
    bool changed;              /* by this step */
    bool faulting;             /* the fault that is being served is about this page */
    bool copy_on_write;        /* a write will copy it: the MMU does not allow it now */
    uint64_t present, swapped; /* in a folded run */
};

struct picture_process {
    uint32_t pid;
    const char *name; /* path or label, UTF-8, safe to print */
    uint64_t space;
    bool current; /* the page-table register points here */
    bool running, ended;
    struct picture_cell *cells;
    size_t cell_count, hidden_cells; /* hidden: left out behind the last one */
    bool changed;
};

struct picture_frame {
    uint32_t number; /* the first of `frames_per_cell` */
    enum event_frame use;
    struct picture_disk disk; /* the disk page that it holds: PP4 (1) */
    uint32_t mappers;         /* entries that point at it */
    bool referenced, dirty, changed, victim;
    uint32_t owner; /* pid of the first mapper, 0: none */
    uint64_t since; /* sequence of the event that gave it this content: its age */
};

struct picture_file {
    const char *name; /* as shown */
    char initial;     /* tells it apart without colour */
    unsigned colour;  /* index into the palette's file colours */
    uint64_t object;  /* 0: on the disk only, not mapped */
    uint64_t pages;
    uint64_t first, shown; /* the window of pages that is drawn (all, when there are few) */
    bool changed;          /* the file as such */
    bool page_changed;     /* one of its pages: changed_page */
    uint64_t changed_page;
};

struct picture_slot {
    bool used, written, changed; /* written: hatched, holds data */
};

/* A page on its way between a frame and the disk: what the last event of the step is about. */
struct picture_transfer {
    bool shown, out; /* out: to the disk */
    uint32_t frame;
    struct picture_disk disk;
};

struct picture {
    enum picture_kind kind; /* never PICTURE_AUTO */
    bool real_numbers;
    uint64_t sequence, instruction;
    struct picture_process *processes;
    size_t process_count, hidden_processes; /* hidden: alive but without room */
    bool has_register;                      /* the register points at processes[register_process] */
    size_t register_process;
    bool register_changed;
    struct picture_frame *frames;        /* all, by number: frame n is frames[n / frames_per_cell] */
    size_t frame_count, frames_per_cell; /* per cell: 1 up to PICTURE_HEAT frames */
    uint64_t frame_total, reserved_count, free_count, table_count; /* frames, of the whole machine */
    struct picture_file *files;
    size_t file_count, hidden_files;
    struct picture_slot *slots; /* the window of the swap area that is drawn */
    size_t slot_count;
    uint64_t first_slot, swap_pages, slots_used;
    struct picture_transfer transfer;
    const char *narration;      /* one sentence (narrate.h); "" for the state before the first event */
    struct picture_text *texts; /* owns the strings */
};

/* 0 or -ENOMEM. Strings and everything else belong to the picture. `caption` may be NULL: then the narration
 * of the last of `changes` is used. */
int picture_create(const struct fold *, const struct picture_options *, const char *caption,
                   struct picture **ret_picture);
void picture_destroy(struct picture *); /* NULL is allowed */

/* "tables", "sharing" … as --kind and machine files name them. */
const char *picture_kind_name(enum picture_kind);
/* PICTURE_KINDS when there is none of this name. */
enum picture_kind picture_kind_parse(const char *name);

/* Permissions as on the slides: "rw-", "---". */
void picture_access_text(unsigned access, char text[4]);

#endif
