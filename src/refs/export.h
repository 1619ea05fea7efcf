/* References from any source into a file of any format. What each format cannot hold
 * is in docs/FORMATS.md. */
#ifndef REFS_EXPORT_H
#define REFS_EXPORT_H

#include "refs/refs.h"

struct refs_exported {
    uint64_t references; /* written */
    uint64_t lost;       /* items that the format has no way to say: deaths, marks … */
    uint64_t merged;     /* kinds of access that were written as a stronger one */
    bool renamed;        /* pages are called by their numbers here, not as the source calls them */
    bool whole;          /* the source was not cut */
};

/* Reads the source, from its beginning, to its end. The file is created or replaced; on failure it is not
 * whole. For oracleGeneral a file PATH.side is written, too; PATH is packed by zstd if it ends in ".zst". 0
 * or -errno with *ret_message. A source that can be read only once has its pages renamed. */
int refs_export(struct refs_source *, const char *path, enum refs_format, struct refs_exported *ret_exported,
                char **ret_message);

#endif
