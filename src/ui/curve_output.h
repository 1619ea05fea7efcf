/* Curves as a table, as JSON, as CSV and as a chart. */
#ifndef UI_CURVE_OUTPUT_H
#define UI_CURVE_OUTPUT_H

#include <jansson.h>

#include "analysis/curve.h"
#include "ui/figure.h"
#include "ui/subject.h"

/* Text that cannot be whole has `failed` set. */
void curve_put_table(const char *title, const struct curve_set *, size_t rows_most, struct text *);
void curve_put_json(const struct subject *, const struct curve_set *, uint64_t observe_bits, struct text *);
void curve_put_csv(const struct curve_set *, struct text *);
/* A chart of `curves`, which are of the same trace as the set. */
void curve_draw(const char *title, const struct curve_set *, const struct curve *const *curves, size_t count,
                bool linear, const struct figure_options *, struct text *);

/* "1,234,567 references to 8,901 pages (34.8 MiB), 8,901 misses are cold, trace 0123…": a line without its
 * end. */
void curve_put_facts(const struct curve_set *, struct text *);
/* The object of the whole: references, pages, cold, trace_hash, sizes, policies. NULL: no memory. */
json_t *curve_json(const struct subject *, const struct curve_set *, uint64_t observe_bits);
json_t *curve_numbers(const uint64_t *, size_t count); /* null for NULL */
/* Takes the object; with flags of json_dumps(). */
void json_put(json_t *root, size_t flags, struct text *);

#endif
