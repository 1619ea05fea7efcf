/* Writes libCacheSim's oracleGeneral (oracle.h) and its side file.
 *
 * A record says when its object comes next, which is known only later. So the references go to a temporary
 * file first, in order; that is gone through backwards, a piece at a time, with one number a page in memory;
 * and forwards once more to make the records. Memory is bounded by the pages, not by the references. */
#include "refs/oracle.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zstd.h>

#include "base/base.h"
#include "hw/types.h"
#include "refs/export_parts.h"
#include "trace/output.h"

enum { ORACLE_PIECE = 1 << 15, ORACLE_LEVEL = 3 };
/* Of Thimble's clock: instructions that make a second in the records, whose time is of 32 bits. */
enum { ORACLE_SECOND = 1000000 };

/* A reference in the temporary file. */
struct draft {
    uint32_t page, time;
    int64_t next;
};

struct oracle_export {
    struct draft *drafts; /* ORACLE_PIECE of them */
    size_t collected;
    uint64_t count; /* in the temporary file */
    int temporary;
    int error; /* of writing to it */
};

/* ---- the temporary file ---- */

/* A file without a name, in the folder of `path`. */
static int open_temporary(const char *path) {
    char *copy = strdup(path);
    if (!copy)
        return -ENOMEM;
    const char *folder = dirname(copy);
    int descriptor = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (descriptor < 0) { /* not every file system has it */
        char *name = NULL;
        descriptor = asprintf(&name, "%s/thimble-XXXXXX", folder) < 0 ? -1 : mkostemp(name, O_CLOEXEC);
        if (descriptor >= 0)
            unlink(name);
        free(name);
    }
    const int error = -errno;
    free(copy);
    return descriptor < 0 ? error : descriptor;
}

/* Reads or writes `count` drafts from number `first` on. 0 or -errno. */
static int move_drafts(const struct oracle_export *e, uint64_t first, size_t count, bool out) {
    char *at = (char *)e->drafts;
    size_t left = count * sizeof(struct draft);
    off_t offset = (off_t)(first * sizeof(struct draft));
    while (left) {
        const ssize_t done =
            out ? pwrite(e->temporary, at, left, offset) : pread(e->temporary, at, left, offset);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return done ? -errno : -EIO;
        at += done;
        left -= (size_t)done;
        offset += done;
    }
    return 0;
}

static int flush_drafts(struct oracle_export *e) {
    const int error = move_drafts(e, e->count, e->collected, true);
    e->count += e->collected;
    e->collected = 0;
    return error;
}

static int see_items(void *context, const struct refs_item *items, size_t count) {
    struct oracle_export *e = context;
    for (size_t i = 0; !e->error && i < count; i++) {
        if (items[i].kind != REFS_REFERENCE)
            continue;
        e->drafts[e->collected++] = (struct draft){
            .page = items[i].page,
            .time = (uint32_t)min_u64(items[i].instruction / ORACLE_SECOND, UINT32_MAX),
        };
        if (e->collected == ORACLE_PIECE)
            e->error = flush_drafts(e);
    }
    return e->error;
}

/* Backwards: fills in what comes next. */
static int find_next(struct oracle_export *e, uint32_t pages) {
    int64_t *next = calloc(pages + (size_t)1, sizeof *next); /* 0: none */
    int error = next ? 0 : -ENOMEM;
    for (uint64_t end = e->count; !error && end; end -= min_u64(end, ORACLE_PIECE)) {
        const size_t count = (size_t)min_u64(end, ORACLE_PIECE);
        const uint64_t first = end - count;
        error = move_drafts(e, first, count, false);
        for (size_t i = count; !error && i--;) {
            struct draft *d = &e->drafts[i];
            d->next = next[d->page] ? next[d->page] : -1;
            next[d->page] = (int64_t)(first + i + 1);
        }
        if (!error)
            error = move_drafts(e, first, count, true);
    }
    free(next);
    return error;
}

/* ---- the records ---- */

static bool is_zst(const char *path) {
    const size_t length = strlen(path);
    return length > 4 && !strcmp(path + length - 4, ".zst");
}

struct packer {
    struct trace_output *output;
    ZSTD_CCtx *zstd; /* NULL: raw */
    uint8_t *bytes;
    size_t capacity;
};

static void packer_put(struct packer *p, const void *bytes, size_t length, bool last) {
    if (!p->zstd) {
        output_write(p->output, bytes, length);
        return;
    }
    ZSTD_inBuffer in = {bytes, length, 0};
    size_t left;
    do {
        ZSTD_outBuffer out = {p->bytes, p->capacity, 0};
        left = ZSTD_compressStream2(p->zstd, &out, &in, last ? ZSTD_e_end : ZSTD_e_continue);
        if (ZSTD_isError(left))
            output_cut(p->output, -ENOMEM);
        output_write(p->output, p->bytes, out.pos);
    } while (!p->output->error && (in.pos < in.size || (last && left)));
}

static int packer_init(struct packer *p, struct trace_output *output, const char *path) {
    *p = (struct packer){.output = output};
    if (!is_zst(path))
        return 0;
    p->zstd = ZSTD_createCCtx();
    p->capacity = ZSTD_CStreamOutSize();
    p->bytes = malloc(p->capacity);
    if (!p->zstd || !p->bytes)
        return -ENOMEM;
    ZSTD_CCtx_setParameter(p->zstd, ZSTD_c_compressionLevel, ORACLE_LEVEL);
    ZSTD_CCtx_setParameter(p->zstd, ZSTD_c_checksumFlag, 1);
    return 0;
}

static int put_records(struct oracle_export *e, const struct naming *naming, struct packer *p) {
    uint8_t *bytes = malloc((size_t)ORACLE_PIECE * ORACLE_RECORD);
    int error = bytes ? 0 : -ENOMEM;
    for (uint64_t first = 0; !error && !p->output->error && first < e->count; first += ORACLE_PIECE) {
        const size_t count = (size_t)min_u64(e->count - first, ORACLE_PIECE);
        error = move_drafts(e, first, count, false);
        for (size_t i = 0; !error && i < count; i++) {
            const struct draft *d = &e->drafts[i];
            oracle_put(bytes + i * ORACLE_RECORD,
                       &(struct oracle_record){naming_name(naming, d->page), d->next, d->time, PAGE_SIZE});
        }
        if (!error)
            packer_put(p, bytes, count * ORACLE_RECORD, false);
    }
    if (!error)
        packer_put(p, NULL, 0, true);
    free(bytes);
    return error;
}

static int write_records(struct oracle_export *e, const struct naming *naming, const char *path) {
    int descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (descriptor < 0)
        return -errno;
    struct trace_output output = {.write = output_to_descriptor, .context = &descriptor};
    struct packer p;
    int error = packer_init(&p, &output, path);
    if (!error)
        error = put_records(e, naming, &p);
    ZSTD_freeCCtx(p.zstd);
    free(p.bytes);
    if (close(descriptor) && errno != EINTR)
        output_cut(&output, -errno);
    return error ? error : output.error;
}

/* ---- the whole ---- */

/* Reads the source into the side file and the temporary file. */
static int collect(struct oracle_export *e, struct refs_source *s, const char *path,
                   struct refs_exported *exported, char **ret_message) {
    char *side;
    if (asprintf(&side, "%s" ORACLE_SIDE, path) < 0)
        return export_fail(-ENOMEM, path, ret_message);
    int error = export_native(s, side, exported, ret_message, see_items, e);
    free(side);
    if (!error && flush_drafts(e))
        error = export_fail(-EIO, path, ret_message);
    return error;
}

int export_oracle(struct refs_source *s, const char *path, struct refs_exported *exported,
                  char **ret_message) {
    struct oracle_export e = {.drafts = malloc(ORACLE_PIECE * sizeof *e.drafts)};
    struct naming naming;
    int error = naming_choose(&naming, s, 64, false);
    if (error) {
        free(e.drafts);
        return export_source_failed(s, error, ret_message);
    }
    e.temporary = open_temporary(path);
    if (e.temporary < 0 || !e.drafts) {
        error = export_fail(e.drafts ? e.temporary : -ENOMEM, path, ret_message);
    } else {
        error = collect(&e, s, path, exported, ret_message);
        if (!error) {
            error = find_next(&e, refs_pages(s));
            error = error ? error : write_records(&e, &naming, path);
            if (error)
                export_fail(error, path, ret_message);
        }
    }
    if (e.temporary >= 0)
        close(e.temporary);
    free(e.drafts);
    exported->renamed = !naming.by_name;
    return error;
}
