/* See references.h. */
#include "ui/references.h"

#include <inttypes.h>
#include <stdio.h>

#include "hw/types.h"
#include "ui/say.h"
#include "ui/size.h"

struct census {
    uint64_t kinds[REFS_MARK + 1];
    uint64_t written; /* references that write */
};

static int census_take(struct census *c, struct refs_source *s) {
    const struct refs_item *items;
    long got;
    while ((got = refs_next(s, &items)) > 0) {
        for (long i = 0; i < got; i++) {
            c->kinds[items[i].kind]++;
            c->written += items[i].kind == REFS_REFERENCE && items[i].flags & ACCESS_WRITE;
        }
    }
    return (int)got;
}

static void print_header(const struct refs_source *s) {
    const struct refs_header *h = refs_header(s);
    for (size_t i = 0; i < h->argument_count; i++) {
        fputs(i ? " " : "", stdout);
        say_plain(h->arguments[i]);
    }
    fputs(h->argument_count ? "\n" : "", stdout);
    printf("  page references, format %s", refs_format_name(refs_source_format(s)));
    if (h->thimble) {
        fputs(", recorded by Thimble ", stdout);
        say_plain(h->thimble);
        printf("%s, seed %" PRIu64, h->deterministic ? ", deterministic" : "", h->seed);
    }
    fputs("\n", stdout);
}

static void print_pages(const struct refs_source *s) {
    uint64_t files = 0, known = 0;
    for (uint32_t i = 0; i < refs_pages(s); i++) {
        files += refs_page(s, i)->flags & REFS_PAGE_FILE ? 1 : 0;
        known += refs_page(s, i)->flags & REFS_PAGE_KNOWN ? 1 : 0;
    }
    if (known) {
        fputs(" (", stdout);
        say_number(files, "of files)");
    }
}

static void print_totals(const struct refs_source *s, const struct refs_totals *t, const struct census *c) {
    fputs("  ", stdout);
    say_number(t->references, "references, ");
    say_number(c->written, "of them writes, to ");
    say_number(t->pages, "pages");
    print_pages(s);
    fputs("\n  ", stdout);
    say_number(t->instructions, "instructions, ");
    say_number(c->kinds[REFS_DIES], "pages died, ");
    say_number(c->kinds[REFS_MARK], "marks\n");
    if (t->dropped) {
        fputs("  ", stdout);
        say_number(t->dropped, "references were dropped: exact for LRU and OPT in ");
        say_number(refs_header(s)->reduced_to, "frames or more\n");
    }
    fputs("  hash ", stdout);
    for (size_t i = 0; i < sizeof t->hash; i++)
        printf("%02x", t->hash[i]);
    fputs("\n", stdout);
}

static void print_conditions(const struct refs_totals *t) {
    if (!t->conditions || !*t->conditions)
        return;
    fputs("  conditional: ", stdout);
    for (const char *const *c = t->conditions; *c; c++) {
        fputs(c == t->conditions ? "" : ", ", stdout);
        say_plain(*c);
    }
    fputs("\n", stdout);
}

int references_print(struct refs_source *s) {
    struct census census = {0};
    struct refs_totals totals;
    const int error = census_take(&census, s);
    if (error)
        return error;
    const int unknown = refs_totals(s, &totals);
    if (unknown)
        return unknown;
    print_header(s);
    print_totals(s, &totals, &census);
    print_conditions(&totals);
    puts(totals.whole ? "  whole; thimble curve says how much memory it needs"
                      : "  cut: the recording was not finished; what is here can be used");
    return 0;
}
