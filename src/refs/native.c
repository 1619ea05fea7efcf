/* The reader of native files. See native.h.
 *
 * Each block's checksum was made of what the writer packed, so damage is found; what the numbers say is
 * checked nevertheless, for a file can be made on purpose. A file without an end is read as far as its blocks
 * are whole. */
#include "refs/native.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "base/base.h"
#include "refs/source.h"

/* zstd's best is 128 KiB in 4 bytes: a block that claims more lies. */
enum { NATIVE_RATIO = 1 << 15 };

struct native {
    ZSTD_DCtx *unpacker;
    uint8_t *block; /* unpacked; NATIVE_LIMIT bytes at most */
    size_t block_capacity;
    struct codec codec;
    struct codec_rest columns; /* of the block that is being read; `left` items are still in them */
    uint32_t left;
    uint64_t blocks;                /* read */
    uint32_t pages, marks, objects; /* in this reading: the table keeps those of earlier ones */
    char *strings;                  /* of the header */
    const char **arguments;
    char *end_strings;
    const char **conditions;
};

/* A block's content, as it is taken apart. */
struct part {
    const uint8_t *from, *end;
};

static int native_damaged(struct refs_source *s, const char *what) {
    const struct native *n = s->state;
    return source_fail(s, -EBADMSG, "block %llu (from item %llu on): %s", (unsigned long long)n->blocks,
                       (unsigned long long)s->item_count + 1, what);
}

static const void *part_take(struct part *p, size_t length) {
    const uint8_t *from = p->from;
    if ((size_t)(p->end - p->from) < length)
        return NULL;
    p->from += length;
    return from;
}

static const char *part_string(struct part *p) {
    const char *from = (const char *)p->from;
    const uint8_t *end = memchr(p->from, 0, (size_t)(p->end - p->from));
    if (!end)
        return NULL;
    p->from = end + 1;
    return from;
}

/* ---- blocks ---- */

static int native_make_room(struct native *n, size_t size) {
    if (size <= n->block_capacity)
        return 0;
    free(n->block);
    n->block_capacity = 0;
    n->block = malloc(size);
    if (!n->block)
        return -ENOMEM;
    n->block_capacity = size;
    return 0;
}

/* The next block, unpacked. 1, 0: the file ends here or is cut in the block, or -errno. */
static int native_block(struct refs_source *s, struct native_head *ret_head, struct part *ret_part) {
    struct native *n = s->state;
    const uint8_t *bytes;
    ssize_t there = refs_bytes_see(s->bytes, sizeof *ret_head, &bytes);
    if (there < 0)
        return source_fail(s, (int)there, "cannot be read: %s", strerror((int)-there));
    if (there < (ssize_t)sizeof *ret_head)
        return 0;
    memcpy(ret_head, bytes, sizeof *ret_head);
    n->blocks++;
    if (ret_head->skippable.magic != SKIPPABLE_HEAD ||
        ret_head->skippable.size != sizeof *ret_head - sizeof ret_head->skippable || ret_head->reserved ||
        ret_head->size > NATIVE_LIMIT || ret_head->packed > ZSTD_COMPRESSBOUND(NATIVE_LIMIT) ||
        ret_head->size / NATIVE_RATIO > ret_head->packed)
        return native_damaged(s, "it does not begin as a block does");
    refs_bytes_take(s->bytes, sizeof *ret_head);
    there = refs_bytes_see(s->bytes, ret_head->packed, &bytes);
    if (there < 0)
        return source_fail(s, (int)there, "cannot be read: %s", strerror((int)-there));
    if (there < (ssize_t)ret_head->packed)
        return 0;
    if (native_make_room(n, ret_head->size))
        return source_fail(s, -ENOMEM, "out of memory");
    const size_t size = ZSTD_decompressDCtx(n->unpacker, n->block, ret_head->size, bytes, ret_head->packed);
    if (ZSTD_isError(size) || size != ret_head->size)
        return native_damaged(s, "its bytes are not those that were written");
    refs_bytes_take(s->bytes, ret_head->packed);
    *ret_part = (struct part){n->block, n->block + size};
    return 1;
}

/* ---- header ---- */

/* `count` strings as an array with NULL at its end; -ENOMEM, or -EBADMSG. `ret_bytes` holds them. */
static int take_strings(struct part *p, size_t count, const char ***ret_array, char **ret_bytes) {
    const size_t length = (size_t)(p->end - p->from);
    if (count > length) /* each has one byte at least */
        return -EBADMSG;
    char *bytes = malloc(length + 1);
    const char **array = reallocarray(NULL, count + 1, sizeof *array);
    *ret_bytes = bytes;
    *ret_array = array;
    if (!bytes || !array)
        return -ENOMEM;
    memcpy(bytes, p->from, length);
    struct part copy = {(uint8_t *)bytes, (uint8_t *)bytes + length};
    for (size_t i = 0; i < count; i++) {
        array[i] = part_string(&copy);
        if (!array[i])
            return -EBADMSG;
    }
    array[count] = NULL;
    return copy.from == copy.end ? 0 : -EBADMSG;
}

static int native_take_header(struct refs_source *s, struct part part) {
    struct native *n = s->state;
    const struct native_header *bytes = part_take(&part, sizeof *bytes);
    struct native_header h;
    if (!bytes)
        return native_damaged(s, "the header is too short");
    memcpy(&h, bytes, sizeof h);
    const int error = take_strings(&part, 2 + (size_t)h.argument_count, &n->arguments, &n->strings);
    if (error)
        return error == -EBADMSG ? native_damaged(s, "the header's texts are not whole")
                                 : source_fail(s, error, "out of memory");
    s->header = (struct refs_header){
        .thimble = *n->arguments[0] ? n->arguments[0] : NULL,
        .cpu = *n->arguments[1] ? n->arguments[1] : NULL,
        .arguments = n->arguments + 2,
        .argument_count = h.argument_count,
        .seed = h.seed,
        .page_size = h.page_size,
        .deterministic = h.deterministic,
        .reduced_to = h.reduced_to,
    };
    return 0;
}

/* Opening and header; in a later reading they are known. */
static int native_begin(struct refs_source *s, bool first) {
    struct native_opening opening;
    struct native_head head;
    struct part part;
    const uint8_t *bytes;
    const ssize_t there = refs_bytes_see(s->bytes, sizeof opening, &bytes);
    if (there < (ssize_t)sizeof opening || memcmp(bytes + 8, NATIVE_MAGIC, sizeof NATIVE_MAGIC))
        return source_fail(s, -EBADMSG, "is no recording of references");
    memcpy(&opening, bytes, sizeof opening);
    if (opening.byte_order != BLOCK_BYTE_ORDER)
        return source_fail(s, -EPROTO, "was written on a computer with another order of bytes");
    if (opening.version != NATIVE_VERSION)
        return source_fail(s, -EPROTO, "is version %u of the format, and this Thimble reads version %u",
                           opening.version, NATIVE_VERSION);
    if (opening.skippable.magic != SKIPPABLE_OPENING ||
        opening.skippable.size != sizeof opening - sizeof opening.skippable)
        return source_fail(s, -EBADMSG, "its first bytes are damaged");
    refs_bytes_take(s->bytes, sizeof opening);
    const int got = native_block(s, &head, &part);
    if (got < 0)
        return got;
    if (!got)
        return source_fail(s, -ENODATA, "is cut in its header");
    if (head.kind != NATIVE_HEADER)
        return native_damaged(s, "it is not the header");
    return first ? native_take_header(s, part) : 0;
}

/* ---- the end ---- */

static int native_take_end(struct refs_source *s, struct part part) {
    struct native *n = s->state;
    const struct native_end *bytes = part_take(&part, sizeof *bytes);
    struct native_end end;
    if (s->announced)
        return 0;
    if (!bytes)
        return native_damaged(s, "the end is too short");
    memcpy(&end, bytes, sizeof end);
    const void *halves = end.halves <= REFS_HALVES ? part_take(&part, end.halves * sizeof(uint64_t)) : NULL;
    if (!halves)
        return native_damaged(s, "the end does not say what its numbers are");
    const int error = take_strings(&part, end.conditions, &n->conditions, &n->end_strings);
    if (error)
        return error == -EBADMSG ? native_damaged(s, "the end's texts are not whole")
                                 : source_fail(s, error, "out of memory");
    s->totals = (struct refs_totals){
        .references = end.references,
        .instructions = end.instructions,
        .items = end.items,
        .dropped = end.dropped,
        .pages = end.pages,
        .whole = end.whole,
        .conditions = n->conditions,
    };
    memcpy(s->totals.hash, end.hash, sizeof end.hash);
    memcpy(s->totals.halves, halves, end.halves * sizeof(uint64_t));
    s->totals.half_count = end.halves;
    s->announced = true;
    return 0;
}

/* What a regular file says at its end, so that it is known from the beginning. */
static int native_peek_end(struct refs_source *s) {
    struct native *n = s->state;
    const uint64_t size = refs_bytes_size(s->bytes);
    struct native_closing closing;
    struct native_head head;
    if (size < sizeof closing || !refs_bytes_at(s->bytes, size - sizeof closing, &closing, sizeof closing) ||
        closing.skippable.magic != SKIPPABLE_CLOSING ||
        memcmp(closing.magic, NATIVE_CLOSING_MAGIC, sizeof closing.magic))
        return 0;
    if (!refs_bytes_at(s->bytes, closing.end, &head, sizeof head) || head.kind != NATIVE_END ||
        head.size > NATIVE_LIMIT || closing.end > size ||
        head.packed != size - sizeof closing - sizeof head - closing.end)
        return source_fail(s, -EBADMSG, "its last bytes do not say where its end is");
    uint8_t *packed = malloc(head.packed);
    int error = !packed || native_make_room(n, head.size) ? -ENOMEM : 0;
    if (!error && !refs_bytes_at(s->bytes, closing.end + sizeof head, packed, head.packed))
        error = -EIO;
    if (error) {
        free(packed);
        return source_fail(s, error, "cannot be read: %s", strerror(-error));
    }
    const size_t length = ZSTD_decompressDCtx(n->unpacker, n->block, head.size, packed, head.packed);
    free(packed);
    if (length != head.size)
        return source_fail(s, -EBADMSG, "its end is damaged");
    return native_take_end(s, (struct part){n->block, n->block + length});
}

/* ---- items ---- */

static bool page_possible(const struct refs_page *page, uint32_t objects) {
    return page->object <= objects;
}

static int native_take_pages(struct refs_source *s, struct part *p, uint32_t count, uint32_t objects) {
    struct native *n = s->state;
    for (uint32_t i = 0; i < count; i++) {
        struct refs_page page;
        const void *bytes = part_take(p, sizeof page);
        if (!bytes)
            return native_damaged(s, "its pages are cut");
        memcpy(&page, bytes, sizeof page);
        if (!page_possible(&page, objects))
            return native_damaged(s, "a page is of an object that there is not");
        if (n->pages++ < s->table.page_count)
            continue;
        const int error = refs_table_page(&s->table, &page);
        if (error)
            return source_fail(s, error, "too many pages for the memory there is");
    }
    return 0;
}

static int native_take_objects(struct refs_source *s, struct part *p, uint32_t count) {
    struct native *n = s->state;
    for (uint32_t i = 0; i < count; i++) {
        const char *name = part_string(p);
        if (!name)
            return native_damaged(s, "its names are cut");
        const int error = n->objects++ < s->table.object_count ? 0 : refs_table_object(&s->table, name);
        if (error)
            return source_fail(s, error, "out of memory");
    }
    return 0;
}

/* `p` is at the marks' texts. */
static int native_take_marks(struct refs_source *s, const uint8_t *marks, struct part *p, uint32_t count) {
    struct native *n = s->state;
    for (uint32_t i = 0; i < count; i++) {
        struct native_mark m;
        memcpy(&m, marks + i * sizeof m, sizeof m);
        const char *text = part_string(p);
        if (!text || m.type >= REFS_MARK_TYPES)
            return native_damaged(s, "a mark is not whole");
        const struct refs_mark mark = {
            m.instruction, m.a, m.b, m.c, m.d, text, m.space, m.type, m.flags,
        };
        const int error = n->marks++ < s->table.mark_count ? 0 : refs_table_mark(&s->table, &mark);
        if (error)
            return source_fail(s, error, "out of memory");
    }
    return p->from == p->end ? 0 : native_damaged(s, "bytes are left over");
}

/* The next of the block's items. */
static long native_take_some(struct refs_source *s) {
    struct native *n = s->state;
    const long count = codec_decode(&n->codec, &n->columns, s->items, n->left);
    if (count < 0)
        return native_damaged(s, "its items are not whole");
    n->left -= (uint32_t)count;
    return count;
}

/* An ITEMS block: its items can be read then. */
static int native_take_items(struct refs_source *s, struct part part) {
    struct native *n = s->state;
    struct native_counts counts;
    const void *bytes = part_take(&part, sizeof counts);
    if (!bytes)
        return native_damaged(s, "it is too short");
    memcpy(&counts, bytes, sizeof counts);
    if (counts.items > NATIVE_ITEMS_MOST || counts.objects > UINT32_MAX - n->objects)
        return native_damaged(s, "it has too many items");
    int error = native_take_pages(s, &part, counts.pages, n->objects + counts.objects);
    if (error)
        return error;
    const uint8_t *marks = part_take(&part, counts.marks * sizeof(struct native_mark));
    if (!marks)
        return native_damaged(s, "its marks are cut");
    for (unsigned i = 0; i < COLUMNS; i++) {
        n->columns.from[i] = part_take(&part, counts.columns[i]);
        if (!n->columns.from[i])
            return native_damaged(s, "its items are cut");
        n->columns.end[i] = n->columns.from[i] + counts.columns[i];
    }
    error = native_take_objects(s, &part, counts.objects);
    if (!error)
        error = native_take_marks(s, marks, &part, counts.marks);
    if (error)
        return error;
    n->left = counts.items;
    return n->left ? 0 : (int)native_take_some(s); /* that there is nothing else */
}

static long native_next(struct refs_source *s) {
    struct native *n = s->state;
    while (!n->left) {
        struct native_head head;
        struct part part;
        const int got = native_block(s, &head, &part);
        if (got < 0)
            return got;
        if (!got && s->announced)
            return native_damaged(s, "the file is cut here, and yet has an end");
        if (!got)
            return 0; /* cut: what was read is all there is */
        if (head.kind == NATIVE_END)
            return native_take_end(s, part);
        if (head.kind != NATIVE_ITEMS)
            return native_damaged(s, "it is of a kind that there is not");
        const int error = native_take_items(s, part);
        if (error)
            return error;
    }
    return native_take_some(s);
}

/* ---- the whole file ---- */

static bool native_fits(const uint8_t *bytes, size_t length) {
    return length >= 8 + sizeof NATIVE_MAGIC && !memcmp(bytes + 8, NATIVE_MAGIC, sizeof NATIVE_MAGIC);
}

static int native_open(struct refs_source *s) {
    struct native *n = calloc(1, sizeof *n);
    s->state = n;
    if (!n || !(n->unpacker = ZSTD_createDCtx()))
        return source_fail(s, -ENOMEM, "out of memory");
    codec_init(&n->codec);
    const int error = native_begin(s, true);
    return error ? error : native_peek_end(s);
}

static void native_close(struct refs_source *s) {
    struct native *n = s->state;
    if (!n)
        return;
    ZSTD_freeDCtx(n->unpacker);
    free(n->block);
    free(n->strings);
    free(n->arguments);
    free(n->end_strings);
    free(n->conditions);
    free(n);
}

static int native_rewind(struct refs_source *s) {
    struct native *n = s->state;
    codec_init(&n->codec);
    n->left = 0;
    n->blocks = 0;
    n->pages = n->marks = n->objects = 0;
    return native_begin(s, false);
}

const struct refs_reader native_reader = {
    .format = REFS_FORMAT_THIMBLE,
    .fits = native_fits,
    .open = native_open,
    .close = native_close,
    .rewind = native_rewind,
    .next = native_next,
};
