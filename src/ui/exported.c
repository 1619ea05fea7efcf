/* See exported.h. */
#include "ui/exported.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/message.h"
#include "refs/export.h"
#include "ui/say.h"
#include "ui/size.h"

enum refs_format exported_format(const char *path) {
    static const struct {
        const char *end;
        enum refs_format format;
    } ends[] = {
        {".refs", REFS_FORMAT_THIMBLE},
        {".csv", REFS_FORMAT_CSV},
        {".oracleGeneral", REFS_FORMAT_ORACLE_GENERAL},
        {".oracleGeneral.bin", REFS_FORMAT_ORACLE_GENERAL},
        {".oracleGeneral.zst", REFS_FORMAT_ORACLE_GENERAL},
        {".oracleGeneral.bin.zst", REFS_FORMAT_ORACLE_GENERAL},
        {".lackey", REFS_FORMAT_LACKEY},
    };
    const size_t length = strlen(path);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        const size_t end = strlen(ends[i].end);
        if (length > end && !strcmp(path + length - end, ends[i].end))
            return ends[i].format;
    }
    return REFS_FORMAT_ANY;
}

const char *exported_path(const char *path, const char *stream) {
    return strcmp(path, "-") ? path : stream;
}

int exported_take_format(const char *value, enum refs_format *ret_format, char **ret_message) {
    if (!refs_format_parse(value, ret_format))
        return 0;
    return message_fail(
        -EINVAL, ret_message,
        "--format: '%s' is unknown: formats are thimble, oracleGeneral, csv, lackey, perf-script and ostep",
        value);
}

int exported_open(const char *path, const char *format, struct refs_source **ret_source, char **ret_message) {
    enum refs_format known = REFS_FORMAT_ANY;
    const int error = format ? exported_take_format(format, &known, ret_message) : 0;
    return error ? error : refs_open_kept(exported_path(path, "/dev/stdin"), known, ret_source, ret_message);
}

bool exported_close(struct refs_source *source, const char *path) {
    struct refs_totals totals;
    char digits[SIZE_TEXT];
    const bool cut = !refs_totals(source, &totals) && !totals.whole;
    if (cut)
        fprintf(
            stderr,
            "thimble: %s: is cut behind item %s: a recording that was not finished, of whose beginning the "
            "results are\n",
            path, number_format(totals.items, digits));
    refs_close(source);
    return !cut;
}

/* ---- what was lost ---- */

static void say_lost(const char *path, uint64_t number, const char *what) {
    char digits[SIZE_TEXT];
    if (number)
        fprintf(stderr, "thimble: %s: %s %s\n", path, number_format(number, digits), what);
}

static void say_losses(const char *from, const char *to, const struct refs_exported *exported) {
    say_lost(to, exported->lost,
             "deaths, write-backs and marks are not in it: this format has references only");
    say_lost(to, exported->merged, "accesses of another kind to the same page are not in it");
    if (exported->renamed)
        fprintf(stderr, "thimble: %s: pages are called 0, 1, … in it, in the order of their appearance\n",
                to);
    if (!exported->whole)
        fprintf(stderr, "thimble: %s is cut: what was recorded of the run is in %s\n", from, to);
}

/* A reduced string is not for every policy and size, which these formats do not say. */
static void say_reduced(const struct refs_source *source, const char *to, enum refs_format format) {
    const uint32_t reduced_to = refs_header(source)->reduced_to;
    if (reduced_to && format != REFS_FORMAT_THIMBLE && format != REFS_FORMAT_ORACLE_GENERAL)
        fprintf(
            stderr,
            "thimble: %s: references were dropped (--reduce %u), and this format does not say so: only the "
            "misses of LRU and OPT with %u frames and more are those of the program\n",
            to, reduced_to, reduced_to);
}

bool exported_write(const char *from, enum refs_format from_format, const char *to,
                    enum refs_format to_format, bool *ret_whole) {
    struct refs_exported exported;
    struct refs_source *source;
    char *message = NULL;
    int error = refs_open(from, from_format, &source, &message);
    if (error)
        return say_failed(message, error);
    error = refs_export(source, to, to_format, &exported, &message);
    if (!error) {
        say_losses(from, to, &exported);
        say_reduced(source, to, to_format);
        *ret_whole = exported.whole;
    }
    refs_close(source);
    return error ? say_failed(message, error) : true;
}
