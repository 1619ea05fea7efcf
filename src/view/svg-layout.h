/* Where everything of a picture with page tables goes, before anything is drawn.
 *
 *      title              title              ┐
 *      strip    (CPU)     strip              │ processes side by side; when they are wide, one below the
 *      table ◄────┘       table              │ other, in pieces if need be, with the CPU to their left
 *       │ │                 │   ─ channel ─  │
 *      PP4 PP6    PP7      PP8               ┘ frames hang below the entry that points at them; shared ones
 *                                              stand in a row where nothing is in the way
 *      ────────────────────── channel ───────
 *      reserved   ┌ disk: files, swap ┐  free pool
 *      narration
 *
 * Arrows run along rows and columns only. A column below an entry is free: its frame hangs there, or nothing
 * does. To the side they run in channels, each on a track of its own, and reach the disk's rows by the gaps
 * above them: no arrow crosses text. When there are too many, or no way is free, the entry gets a chip
 * instead: a small copy of what it points at. */
#ifndef VIEW_SVG_LAYOUT_H
#define VIEW_SVG_LAYOUT_H

#include "view/svg-pen.h"

enum {
    CHANNEL_LINES = 96, /* arrows of one channel, at most */
    LONG_ARROWS = 14,   /* to the disk; with more, all are chips */
    SHARED_ROWS = 4,
    DISK_ROWS = PICTURE_FILES + PICTURE_SWAP_PAGES / 12,
    LAYOUT_ROUTES = 64,
    LAYOUT_SEGMENTS = 16,
    SWAP_COLUMNS = 12,
};

/* Where arrows run sideways: those that would meet are on different tracks. */
struct channel {
    int from[CHANNEL_LINES], to[CHANNEL_LINES];
    unsigned track[CHANNEL_LINES], count, tracks;
    int y; /* of track 0 */
};

/* A strip with its table. A long one is in several pieces, one below the other. */
struct layout_segment {
    size_t process, first, cells;   /* cells: 0 for a process without an address space */
    struct box title, strip, table; /* table: no height when it is not drawn */
    unsigned band;                  /* which of the rows of segments it stands in */
};

enum frame_place {
    FRAME_NOWHERE,
    FRAME_HANGS,  /* below its entry */
    FRAME_SHARED, /* in a row of shared frames */
    FRAME_RESERVED,
    FRAME_POOL,
    FRAME_OTHER /* in memory, but no entry that is drawn points at it */
};

struct layout_frame {
    enum frame_place place;
    struct box box;
    size_t process, cell; /* of the first entry that points at it */
    unsigned arrows;      /* entries that point at it */
    int middles;          /* of those entries' columns: the sum */
    unsigned row;         /* of a shared one */
};

/* A row of pages on the disk: of a file, or a part of the swap area. */
struct layout_row {
    bool is_swap;
    uint32_t file;
    uint64_t first; /* page of the first box */
    unsigned boxes;
    bool more_before, more_after; /* pages that are not drawn */
    struct channel gap;           /* above it */
    int x, y;                     /* of the first box */
};

struct layout_route {
    struct route route;
    bool dashed, transfer;
    size_t process, cell; /* the entry that it starts from; of a transfer: nothing */
    int from;             /* x of the entry, or of the frame of a transfer */
    bool to_disk;
    size_t frame;               /* index, unless to_disk or for a transfer */
    unsigned row;               /* of the disk, or of shared frames */
    int x;                      /* where it ends */
    bool left;                  /* the side of the disk that it comes by */
    int around;                 /* x of the column at the margin, when it leaves its band */
    int bus;                    /* x of the column at the side of the disk */
    unsigned leave, enter, gap; /* places in channels */
    bool leaves;                /* its band is not the last: it goes around by the margin */
};

struct layout_chip {
    size_t process, cell;
    struct box box;
};

struct layout {
    const struct picture *picture;
    const struct blank *blank;
    struct box canvas;
    bool stacked, has_tables, has_disk;
    int cell_width, margin; /* margin: to the right, where arrows go around */
    struct layout_segment segments[LAYOUT_SEGMENTS];
    unsigned segment_count, bands;
    struct channel leaving[LAYOUT_SEGMENTS], shared[SHARED_ROWS], to_disk; /* leaving: by band */
    unsigned shared_rows;
    int shared_y[SHARED_ROWS], hanging_y[LAYOUT_SEGMENTS];
    struct layout_frame *frames;
    struct layout_route routes[LAYOUT_ROUTES];
    size_t route_count;
    unsigned leaves; /* routes that go around by the margin */
    struct layout_chip *chips;
    size_t chip_count;
    struct layout_row rows[DISK_ROWS];
    unsigned row_count;
    struct box cpu, reserved, other, pool, disk, swap_title, legend, caption;
    int frame_width, frame_height; /* of those that hang */
    int pool_columns, pool_box;
    bool failed;
};

/* `caption`: the height of the text below. False: out of memory. layout_free() in any case. */
bool layout_make(struct layout *, const struct picture *, const struct blank *, int caption);
void layout_free(struct layout *);

/* ---- for the parts of the layout ---- */

/* svg-channel.c */
/* Takes a place between the two columns; returns its number. */
unsigned channel_take(struct channel *, int from, int to);
int channel_y(const struct channel *, unsigned place);
int channel_height(const struct channel *, int least);

/* svg-disk-layout.c */
void layout_disk_rows(struct layout *);                /* which rows there are, and how wide */
void layout_disk_place(struct layout *, int x, int y); /* after the arrows are known */
int layout_disk_height(const struct layout *);
int layout_disk_width(const struct layout *);
/* The row and the box of a place; false: it is not drawn at all. */
bool layout_disk_find(const struct layout *, const struct picture_disk *, unsigned *ret_row,
                      unsigned *ret_box);
enum { DISK_BOX = 26, DISK_BOX_HEIGHT = 22, DISK_NAME = 150, DISK_MORE = 20, DISK_SIDE = 14, DISK_BUS = 7 };

/* svg-layout.c */
void layout_hang(const struct layout *, struct layout_frame *);

/* svg-shared.c */
/* Frames that several entries point at; what finds no room hangs below its first entry. */
void layout_shared_place(struct layout *);

/* svg-route.c */
void layout_routes_choose(struct layout *); /* which arrows are long, which become chips */
void layout_routes_run(struct layout *);    /* takes places in channels */
void layout_routes_draw(struct layout *);   /* when all positions are known: the points */

/* ---- for drawing ---- */

/* The index of the frame that a cell's arrow leads to; SIZE_MAX: it leads to none. */
size_t layout_target(const struct layout *, size_t process, size_t cell);
/* Whether an arrow leads from the cell to the disk. */
bool layout_points_at_disk(const struct layout *, size_t process, size_t cell);
const struct layout_segment *layout_segment(const struct layout *, size_t process, size_t cell);
/* A cell that has no room in any segment has no width. */
struct box layout_cell(const struct layout *, size_t process, size_t cell);
/* The column of the table: permissions and arrow. */
struct box layout_entry(const struct layout *, size_t process, size_t cell);
enum { TABLE_HEADER = 32, TABLE_ROW = 32 };

#endif
