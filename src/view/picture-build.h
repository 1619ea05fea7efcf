/* What the files that make a picture share with each other and nobody else may use.
 *
 * The order: processes, cells of their strips, files (those that cells and frames need), frames, places on
 * the disk, windows, marks. An allocation that fails is remembered in `failed`, and the picture is thrown
 * away in the end. */
#ifndef VIEW_PICTURE_BUILD_H
#define VIEW_PICTURE_BUILD_H

#include "base/map.h"
#include "trace/text.h"
#include "view/picture.h"

struct builder_mark {
    uint64_t space, vpn;
};

struct builder {
    const struct fold *fold;
    const struct picture_options *options;
    const struct event *changes; /* the last PICTURE_CHANGES of the options' */
    size_t change_count;
    struct builder_mark marks[PICTURE_CHANGES + 1]; /* the pages that changes and the fault are about, in
                                                       order */
    size_t mark_count;
    struct picture *picture;
    struct map slots;   /* identity of a page in memory → slot that keeps a place for it, or ~0 */
    struct map objects; /* generation → number of an object */
    bool failed;
};

/* Grows an array by one zeroed element, which is returned; NULL: failed. */
void *builder_add(struct builder *, void **array, size_t *count, size_t element);
#define BUILDER_ADD(builder, array, count)                                                                   \
    ((__typeof__(array))builder_add(builder, (void **)&(array), &(count), sizeof *(array)))

/* picture.c */
/* A string that the picture owns: the name of a path as labelled or as it is, or "". */
const char *builder_keep(struct builder *, struct text *); /* takes the text's bytes over */
const char *builder_name(struct builder *, uint64_t path);
bool builder_same_string(const struct builder *, uint64_t a, uint64_t b);

/* picture-process.c */
void builder_processes(struct builder *);
/* The path (string) of the program that a process runs: its own, or since its fork that of its parent. */
uint64_t builder_program(const struct fold *, uint32_t pid);

/* picture-cell.c: the strips of the processes, with no places on the disk yet */
void builder_strips(struct builder *);

/* picture-disk.c */
void builder_index(struct builder *); /* fills `slots` and `objects` */
void builder_files(struct builder *);
/* Where the content of a frame stands on the disk. */
struct picture_disk builder_frame_place(const struct builder *, const struct fold_frame *);
void builder_cell_places(struct builder *);
void builder_transfer(struct builder *);

/* picture-window.c: which pages of files and of the swap area are drawn */
void builder_windows(struct builder *);

/* picture-frame.c */
void builder_frames(struct builder *);

/* picture-mark.c */
void builder_note_pages(struct builder *); /* fills `marks` */
void builder_marks(struct builder *);
/* The first page in [from, end) of a space that a change or the present fault is about; `end`: none. */
uint64_t builder_next_marked(const struct builder *, uint64_t space, uint64_t from, uint64_t end);

#endif
