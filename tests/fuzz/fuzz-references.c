/* Fuzz target: files of references. Whatever bytes stand in one, of whatever format: it is read twice to the
 * same totals, each item being one that can be, and comes back from a native file as it was; or a message
 * says where it is wrong.
 *
 * The first byte is the format; 7 is a native file in pieces: blocks are packed here with the checksums that
 * they need, so that what is in them is reached: kind, two bytes of length, content, and so on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zstd.h>

#include "base/base.h"
#include "input.h"
#include "refs/check.h"
#include "refs/export.h"
#include "refs/native.h"

static void check(bool condition) {
    if (!condition)
        abort();
}

/* ---- files ---- */

static void put(int fd, const void *bytes, size_t size) {
    check(write(fd, bytes, size) == (ssize_t)size);
}

static void put_block(int fd, uint32_t kind, const uint8_t *bytes, size_t size) {
    static char packed[ZSTD_COMPRESSBOUND(1 << 16)];
    const size_t length = ZSTD_compress(packed, sizeof packed, bytes, size, 1);
    const struct native_head head = {
        .skippable = {SKIPPABLE_HEAD, sizeof head - sizeof head.skippable},
        .kind = kind,
        .size = (uint32_t)size,
        .packed = (uint32_t)length,
    };
    check(!ZSTD_isError(length));
    put(fd, &head, sizeof head);
    put(fd, packed, length);
}

static void put_native(int fd, struct input *in) {
    const struct native_opening opening = {.skippable = {SKIPPABLE_OPENING, 24},
                                           .magic = NATIVE_MAGIC,
                                           .version = NATIVE_VERSION,
                                           .byte_order = BLOCK_BYTE_ORDER};
    struct {
        struct native_header header;
        char strings[2];
    } header = {0};
    put(fd, &opening, sizeof opening);
    put_block(fd, NATIVE_HEADER, (const uint8_t *)&header, sizeof header.header + 2);
    while (in->left) {
        const uint32_t kind = input_byte(in) % 4;
        const size_t wanted = input_number(in, 2), size = min_size(wanted, in->left);
        put_block(fd, kind, in->bytes, size);
        in->bytes += size;
        in->left -= size;
    }
}

/* ---- what must hold ---- */

static void check_message(const char *message) {
    check(message && *message && !strchr(message, '\n'));
}

/* Reads to the end. False: it is wrong, and says so. */
static bool read_all(struct refs_source *s, struct refs_totals *ret_totals) {
    struct refs_before before = {0};
    const struct refs_item *items;
    uint64_t count = 0;
    long got;
    while ((got = refs_next(s, &items)) > 0) {
        before.pages = refs_pages(s);
        before.marks = UINT32_MAX;
        for (long i = 0; i < got; i++) {
            check(!refs_item_check(&items[i], &before));
            if (items[i].kind == REFS_MARK)
                check(refs_mark(s, items[i].page)->text != NULL);
            else
                check(refs_object_name(s, refs_page(s, items[i].page)->object) != NULL);
        }
        count += (uint64_t)got;
    }
    if (got < 0) {
        check_message(refs_message(s));
        return false;
    }
    check(!refs_totals(s, ret_totals) && ret_totals->items == count);
    return true;
}

static void check_copy(struct refs_source *s, const struct refs_totals *totals) {
    struct refs_exported exported;
    struct refs_totals again;
    struct refs_source *back;
    char path[64], *message = NULL;
    const int fd = memfd_create("copy", 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    check(fd >= 0 && !refs_rewind(s) && !refs_export(s, path, REFS_FORMAT_THIMBLE, &exported, &message));
    check(!refs_open(path, REFS_FORMAT_ANY, &back, &message) && read_all(back, &again));
    check(!memcmp(totals->hash, again.hash, sizeof again.hash) && totals->items == again.items &&
          totals->pages == again.pages && totals->whole == again.whole);
    refs_close(back);
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct input in = {data, size};
    const unsigned format = input_byte(&in) % (REFS_FORMATS + 1);
    struct refs_source *s;
    struct refs_totals first, second;
    char path[64], *message = NULL;
    const int fd = memfd_create("references", 0);
    check(fd >= 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (format == REFS_FORMATS)
        put_native(fd, &in);
    else
        put(fd, in.bytes, in.left);
    if (refs_open(path, format == REFS_FORMATS ? REFS_FORMAT_ANY : format, &s, &message)) {
        check_message(message);
        free(message);
    } else {
        if (read_all(s, &first)) {
            check(!refs_rewind(s) && read_all(s, &second));
            check(!memcmp(first.hash, second.hash, sizeof first.hash) && first.pages == second.pages);
            check_copy(s, &first);
        }
        refs_close(s);
    }
    close(fd);
    return 0;
}
