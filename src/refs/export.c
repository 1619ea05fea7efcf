/* See export.h. The formats of text are written here, line by line; the others have files of their own. */
#include "refs/export.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/message.h"
#include "hw/types.h"
#include "refs/export_parts.h"
#include "refs/names.h"
#include "refs/source.h"
#include "refs/table.h"
#include "trace/output.h"

enum { EXPORT_PIECE = 1 << 18 };

int export_fail(int error, const char *path, char **ret_message) {
    return message_fail(error, ret_message, "%s cannot be written: %s", path, strerror(-error));
}

int export_source_failed(struct refs_source *s, int error, char **ret_message) {
    return message_fail(error, ret_message, "%s", refs_message(s));
}

/* ---- names ---- */

/* Whether the names of all pages fit and are different. 0 or -ENOMEM. */
static int names_differ(const struct refs_source *s, unsigned bits, bool spaces, bool *ret_differ) {
    struct names names = {0};
    struct refs_table table = {0};
    int error = 0;
    *ret_differ = true;
    for (uint32_t i = 0; !error && *ret_differ && i < refs_pages(s); i++) {
        const struct refs_page *page = refs_page(s, i);
        uint32_t number;
        error = names_page(&names, &table, page->name, spaces ? page->space : 0, &number);
        *ret_differ = number == i && (bits == 64 || !(page->name >> bits));
    }
    names_free(&names);
    refs_table_free(&table);
    return error;
}

int naming_choose(struct naming *n, struct refs_source *s, unsigned name_bits, bool spaces) {
    const struct refs_item *items;
    long got;
    *n = (struct naming){.source = s, .spaces = spaces};
    if (!refs_bytes_can_rewind(s->bytes))
        return 0; /* by number */
    const int failed = refs_rewind(s);
    if (failed)
        return failed;
    while ((got = refs_next(s, &items)) > 0)
        ;
    if (got < 0)
        return (int)got;
    const int error = names_differ(s, name_bits, spaces, &n->by_name);
    return error ? error : refs_rewind(s);
}

/* ---- formats of text ---- */

__attribute__((format(printf, 2, 3))) static void put_line(struct text *t, const char *format, ...) {
    char line[160];
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    text_bytes(t, line, (size_t)length);
}

/* The page's first byte but a few: an address of 0 is none. */
static uint64_t address_of(uint64_t page) {
    return page << PAGE_SHIFT | 8;
}

/* A line has one kind: a write counts most, since it makes the page dirty. */
static unsigned csv_reference(struct text *t, uint64_t name, uint16_t space, const struct refs_item *item) {
    const unsigned flags = item->flags;
    text_number(t, name);
    text_bytes(t, flags & ACCESS_WRITE ? ",w," : flags & ACCESS_EXEC ? ",x," : ",r,", 3);
    text_number(t, space);
    text_bytes(t, "\n", 1);
    return (unsigned)__builtin_popcount(flags) - 1;
}
const struct export_ops csv_export = {
    .name_bits = 64, .spaces = true, .header = "page,kind,space\n", .reference = csv_reference};

static unsigned lackey_reference(struct text *t, uint64_t name, uint16_t space,
                                 const struct refs_item *item) {
    const uint64_t address = address_of(name);
    if (item->flags & ACCESS_EXEC)
        put_line(t, "I  %08" PRIx64 ",1\n", address);
    if (item->flags & ACCESS_READ)
        put_line(t, " L %08" PRIx64 ",1\n", address);
    if (item->flags & ACCESS_WRITE)
        put_line(t, " S %08" PRIx64 ",1\n", address);
    return 0;
}
const struct export_ops lackey_export = {
    .name_bits = 64 - PAGE_SHIFT, .header = "", .reference = lackey_reference};

static unsigned perf_reference(struct text *t, uint64_t name, uint16_t space, const struct refs_item *item) {
    const uint64_t address = address_of(name);
    put_line(t, "thimble %7u %" PRIu64 ".%06" PRIu64 ": ", space + 1u, item->instruction / 1000000,
             item->instruction % 1000000);
    if (item->flags == ACCESS_EXEC)
        put_line(t, "instructions: %16x %16" PRIx64 "\n", 0, address);
    else if (item->flags & ACCESS_EXEC)
        put_line(t, "%s: %16" PRIx64 " %16" PRIx64 "\n",
                 item->flags & ACCESS_WRITE ? "mem-stores" : "mem-loads", address, address);
    else
        put_line(t, "%s: %16" PRIx64 "\n", item->flags & ACCESS_WRITE ? "mem-stores" : "mem-loads", address);
    return (item->flags & (ACCESS_READ | ACCESS_WRITE)) == (ACCESS_READ | ACCESS_WRITE);
}
const struct export_ops perf_export = {
    .name_bits = 63 - PAGE_SHIFT, .spaces = true, .header = "", .reference = perf_reference};

static unsigned ostep_reference(struct text *t, uint64_t name, uint16_t space, const struct refs_item *item) {
    text_number(t, name);
    text_bytes(t, "\n", 1);
    return item->flags != ACCESS_READ;
}
const struct export_ops ostep_export = {.name_bits = 64, .header = "", .reference = ostep_reference};

static const struct export_ops *ops_of(enum refs_format format) {
    switch (format) {
    case REFS_FORMAT_CSV: return &csv_export;
    case REFS_FORMAT_LACKEY: return &lackey_export;
    case REFS_FORMAT_PERF_SCRIPT: return &perf_export;
    case REFS_FORMAT_OSTEP: return &ostep_export;
    case REFS_FORMAT_ANY:
    case REFS_FORMAT_THIMBLE:
    case REFS_FORMAT_ORACLE_GENERAL:
    case REFS_FORMATS: break;
    }
    return NULL;
}

static void put_items(struct text *t, const struct export_ops *ops, const struct naming *naming,
                      const struct refs_item *items, size_t count, struct refs_exported *exported) {
    for (const struct refs_item *item = items; item < items + count; item++) {
        if (item->kind != REFS_REFERENCE) {
            exported->lost++;
            continue;
        }
        exported->references++;
        exported->merged +=
            ops->reference(t, naming_name(naming, item->page), naming_space(naming, item), item);
    }
}

/* The items, as lines. 0, or -errno of the output; what the source says is its message. */
static int write_lines(struct refs_source *s, const struct export_ops *ops, const struct naming *naming,
                       struct trace_output *output, struct refs_exported *exported) {
    struct text t = {0};
    const struct refs_item *items;
    long got;
    text_put(&t, ops->header);
    while ((got = refs_next(s, &items)) > 0 && !output->error) {
        put_items(&t, ops, naming, items, (size_t)got, exported);
        if (t.failed)
            output_cut(output, -ENOMEM);
        if (t.length >= EXPORT_PIECE) {
            output_write(output, t.bytes, t.length);
            text_clear(&t);
        }
    }
    output_write(output, t.bytes, t.length);
    text_free(&t);
    return got < 0 ? (int)got : 0;
}

static int export_text(struct refs_source *s, const char *path, const struct export_ops *ops,
                       struct refs_exported *exported, char **ret_message) {
    struct naming naming;
    int error = naming_choose(&naming, s, ops->name_bits, ops->spaces);
    if (error)
        return export_source_failed(s, error, ret_message);
    int descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (descriptor < 0)
        return export_fail(-errno, path, ret_message);
    struct trace_output output = {.write = output_to_descriptor, .context = &descriptor};
    error = write_lines(s, ops, &naming, &output, exported);
    if (close(descriptor) && errno != EINTR)
        output_cut(&output, -errno);
    exported->renamed = !naming.by_name;
    if (error)
        return export_source_failed(s, error, ret_message);
    return output.error ? export_fail(output.error, path, ret_message) : 0;
}

int refs_export(struct refs_source *s, const char *path, enum refs_format format,
                struct refs_exported *ret_exported, char **ret_message) {
    struct refs_totals totals;
    const struct export_ops *ops = ops_of(format);
    *ret_exported = (struct refs_exported){0};
    const int error = ops ? export_text(s, path, ops, ret_exported, ret_message)
                      : format == REFS_FORMAT_ORACLE_GENERAL
                          ? export_oracle(s, path, ret_exported, ret_message)
                          : export_native(s, path, ret_exported, ret_message, NULL, NULL);
    ret_exported->whole = !refs_totals(s, &totals) && totals.whole;
    return error;
}
