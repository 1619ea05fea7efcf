/* See access_map.h.
 *
 *    first reading   how long it is, and which pages there are
 *    then            bands, each with its pages in the order of their addresses, and with its rows
 *    second reading  each reference counted in its cell; at the end of each column the pages are counted
 *                    whose last reference lies in the window */
#include "analysis/access_map.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

enum {
    DATA_GAP = 16,     /* pages behind a file's last one that are its data, at most */
    BAND_GAP = 256,    /* pages between two bands that could be one, at least: 1 MiB */
    BANDS_MOST = 4096, /* more are not worth looking at: bands further apart are one */
    NEVER = 0,
};

/* A page on the address axis. */
struct place {
    uint64_t vpn;
    uint32_t page;
    uint32_t object; /* 0: no file's */
    uint32_t band;
    uint16_t space, flags;
};

struct making {
    struct refs_source *source;
    const struct access_config *config;
    struct access_map *map;
    uint64_t gap;         /* between bands */
    struct place *places; /* of all pages, sorted */
    uint32_t *rows;       /* of each page */
    uint64_t *last;       /* the time of each page's last reference, + 1; NEVER: dead, or none yet */
};

/* ---- first reading ---- */

static int read_length(struct making *m) {
    const struct refs_item *items;
    long count;
    uint64_t last = 0;
    struct warm_up_scan warm_up = {.wanted = m->config->warm_up};
    int error = refs_rewind(m->source);
    if (error)
        return error;
    while ((count = refs_next(m->source, &items)) > 0) {
        (void)warm_up_find(&warm_up, m->source, items, (size_t)count);
        last = items[count - 1].instruction;
    }
    error = count < 0 ? (int)count : warm_up_check(&warm_up, NULL);
    if (error)
        return error;
    m->map->references = warm_up.references - warm_up.left_out;
    m->map->pages = refs_pages(m->source);
    m->map->start = m->config->by_references ? warm_up.left_out : warm_up.instruction;
    m->map->time = m->config->by_references ? m->map->references : last + 1 - warm_up.instruction;
    m->map->window = m->config->window ? m->config->window : max_u64(1, m->map->time / 100);
    return 0;
}

/* ---- the address axis ---- */

static bool is_of_file(const struct place *p) {
    return (p->flags & REFS_PAGE_FILE) != 0;
}

static const char *kind_name(const struct place *p) {
    if (!(p->flags & REFS_PAGE_KNOWN))
        return "pages";
    return p->flags & REFS_PAGE_STACK ? "[stack]" : p->flags & REFS_PAGE_HEAP ? "[heap]" : "[anonymous]";
}

static void collect_places(struct making *m) {
    for (uint32_t i = 0; i < m->map->pages; i++) {
        const struct refs_page *page = refs_page(m->source, i);
        const bool known = page->flags & REFS_PAGE_KNOWN;
        m->places[i] = (struct place){.vpn = known ? page->vpn : page->name,
                                      .page = i,
                                      .object = page->object,
                                      .space = page->space,
                                      .flags = page->flags};
    }
}

/* Files first, each by itself, then what is no file's; by address. */
static int compare_owners(const void *a, const void *b) {
    const struct place *left = a, *right = b;
    const bool left_file = is_of_file(left), right_file = is_of_file(right);
    if (left->space != right->space)
        return left->space < right->space ? -1 : 1;
    if (left_file != right_file)
        return left_file ? -1 : 1;
    if (left_file && left->object != right->object)
        return left->object < right->object ? -1 : 1;
    if (left->vpn != right->vpn)
        return left->vpn < right->vpn ? -1 : 1;
    return (left->page > right->page) - (left->page < right->page);
}

/* From the highest addresses of the last space down; what was put together comes last. */
static int compare_bands(const void *a, const void *b) {
    const struct access_band *left = a, *right = b;
    if (left->others != right->others)
        return left->others ? 1 : -1;
    if (left->space != right->space)
        return left->space < right->space ? 1 : -1;
    return left->first < right->first ? 1 : left->first > right->first ? -1 : 0;
}

static int compare_places(const void *a, const void *b) {
    const struct place *left = a, *right = b;
    if (left->band != right->band)
        return left->band < right->band ? -1 : 1;
    if (left->vpn != right->vpn)
        return left->vpn < right->vpn ? 1 : -1; /* addresses grow upwards */
    return (left->page > right->page) - (left->page < right->page);
}

static int add_band(struct making *m, const struct place *first) {
    struct access_map *map = m->map;
    const char *name = is_of_file(first) ? refs_object_name(m->source, first->object) : kind_name(first);
    struct access_band *bands = reallocarray(map->bands, map->band_count + 1, sizeof *bands);
    if (!bands)
        return -ENOMEM;
    map->bands = bands;
    bands[map->band_count] = (struct access_band){.name = strdup(name && *name ? name : "[file]"),
                                                  .space = first->space,
                                                  .first = first->vpn,
                                                  .last = first->vpn};
    return bands[map->band_count++].name ? 0 : -ENOMEM;
}

static void join_band(struct access_map *map, struct place *p, size_t band) {
    struct access_band *b = &map->bands[band];
    p->band = (uint32_t)band;
    b->first = min_u64(b->first, p->vpn);
    b->last = max_u64(b->last, p->vpn);
    b->pages++;
}

/* Memory that is no file's but lies among the pages of one, or right behind them, is the file's: data of a
 * program that was written to. The band of that file; band_count: there is none. */
static size_t find_file(const struct access_map *map, const struct place *p, size_t first, size_t end) {
    if (p->flags & (REFS_PAGE_HEAP | REFS_PAGE_STACK))
        return end;
    for (size_t i = first; i < end; i++)
        if (p->vpn >= map->bands[i].first && p->vpn <= map->bands[i].last + DATA_GAP)
            return i;
    return end;
}

static bool goes_on(const struct making *m, const struct place *before, const struct place *p) {
    const uint16_t kinds = REFS_PAGE_HEAP | REFS_PAGE_STACK;
    return p->vpn - before->vpn <= m->gap && (before->flags & kinds) == (p->flags & kinds);
}

/* The pages [first, end) of one space, files first. */
static int band_space(struct making *m, uint32_t first, uint32_t end) {
    struct access_map *map = m->map;
    const size_t files = map->band_count;
    uint32_t i = first;
    int error = 0;
    for (; !error && i < end && is_of_file(&m->places[i]); i++) {
        if (i == first || m->places[i].object != m->places[i - 1].object)
            error = add_band(m, &m->places[i]);
        if (!error)
            join_band(map, &m->places[i], map->band_count - 1);
    }
    const size_t files_end = map->band_count;
    const struct place *before = NULL; /* the last page in a band that is no file's */
    for (; !error && i < end; i++) {
        struct place *p = &m->places[i];
        const size_t file = find_file(map, p, files, files_end);
        if (file < files_end) {
            join_band(map, p, file);
            continue;
        }
        if (!before || !goes_on(m, before, p))
            error = add_band(m, p);
        if (!error)
            join_band(map, p, map->band_count - 1);
        before = p;
    }
    return error;
}

static void forget_bands(struct access_map *map) {
    for (size_t i = 0; i < map->band_count; i++)
        free(map->bands[i].name);
    free(map->bands);
    map->bands = NULL;
    map->band_count = 0;
}

static int make_bands(struct making *m) {
    int error = 0;
    qsort(m->places, m->map->pages, sizeof *m->places, compare_owners);
    for (uint32_t first = 0, end; !error && first < m->map->pages; first = end) {
        for (end = first; end < m->map->pages && m->places[end].space == m->places[first].space;)
            end++;
        error = band_space(m, first, end);
    }
    return error;
}

static int compare_sizes(const void *a, const void *b) {
    const uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return (left < right) - (left > right);
}

/* More bands than wanted: the smallest become one. Its number of pages is what the others leave. */
static int put_together(struct access_map *map, size_t most) {
    uint32_t *sizes = calloc(map->band_count + 1, sizeof *sizes);
    char name[40];
    if (!sizes)
        return -ENOMEM;
    for (size_t i = 0; i < map->band_count; i++)
        sizes[i] = map->bands[i].pages;
    qsort(sizes, map->band_count, sizeof *sizes, compare_sizes);
    /* So many are kept: those larger than the first that is not, of equal ones none. */
    const uint32_t limit = sizes[most - 1];
    size_t merged = 0;
    for (size_t i = 0; i < map->band_count; i++)
        merged += map->bands[i].others = map->bands[i].pages <= limit;
    snprintf(name, sizeof name, "%zu others", merged);
    for (size_t i = 0; i < map->band_count; i++)
        if (map->bands[i].others) {
            free(map->bands[i].name);
            map->bands[i].name = strdup(name);
            if (!map->bands[i].name) {
                free(sizes);
                return -ENOMEM;
            }
        }
    free(sizes);
    return 0;
}

/* Bands in their order, with the pages of each behind each other. */
static int sort_bands(struct making *m) {
    struct access_map *map = m->map;
    uint32_t *order = calloc(map->band_count + 1, sizeof *order);
    size_t kept = 0;
    if (!order)
        return -ENOMEM;
    for (size_t i = 0; i < map->band_count; i++)
        map->bands[i].number = (uint32_t)i;
    qsort(map->bands, map->band_count, sizeof *map->bands, compare_bands);
    for (size_t i = 0; i < map->band_count; i++) {
        struct access_band *band = &map->bands[i];
        const bool joins = kept && band->others && map->bands[kept - 1].others;
        const uint32_t number = band->number;
        if (joins) {
            map->bands[kept - 1].pages += band->pages;
            free(band->name);
        } else {
            map->bands[kept++] = *band;
        }
        order[number] = (uint32_t)(kept - 1);
    }
    map->band_count = kept;
    for (uint32_t i = 0; i < map->pages; i++)
        m->places[i].band = order[m->places[i].band];
    free(order);
    qsort(m->places, map->pages, sizeof *m->places, compare_places);
    return 0;
}

/* A row for each band, and the rest by their numbers of pages; no band has more rows than pages. */
static void give_rows(struct access_map *map, uint32_t most) {
    uint64_t spare = most - map->band_count, pages = 0;
    for (size_t i = 0; i < map->band_count; i++)
        pages += map->bands[i].pages - 1;
    for (size_t i = 0; i < map->band_count; i++) {
        struct access_band *band = &map->bands[i];
        const uint64_t more = pages > spare ? (band->pages - 1) * spare / pages : band->pages - 1;
        band->rows = 1 + (uint32_t)more;
        map->rows += band->rows;
    }
}

static void place_pages(struct making *m) {
    uint32_t at = 0, row = 0;
    for (size_t i = 0; i < m->map->band_count; i++) {
        const struct access_band *band = &m->map->bands[i];
        for (uint32_t n = 0; n < band->pages; n++, at++)
            m->rows[m->places[at].page] = row + (uint32_t)((uint64_t)n * band->rows / band->pages);
        row += band->rows;
    }
}

static int make_axis(struct making *m) {
    const size_t most = min_size(m->config->rows, m->config->bands ? m->config->bands : BANDS_MOST);
    int error = 0;
    collect_places(m);
    for (m->gap = BAND_GAP; !error && m->gap < UINT64_MAX / 16 && m->map->pages; m->gap *= 16) {
        forget_bands(m->map);
        error = make_bands(m);
        if (m->map->band_count <= BANDS_MOST)
            break;
    }
    if (!error && m->map->band_count > most)
        error = put_together(m->map, most);
    if (!error)
        error = sort_bands(m);
    if (error)
        return error;
    give_rows(m->map, m->config->rows);
    place_pages(m);
    m->map->columns = (uint32_t)min_u64(m->config->columns, max_u64(1, m->map->time));
    m->map->cells = calloc((size_t)m->map->columns * m->map->rows + 1, sizeof *m->map->cells);
    m->map->working_set = calloc(m->map->columns, sizeof *m->map->working_set);
    return m->map->cells && m->map->working_set ? 0 : -ENOMEM;
}

/* ---- second reading ---- */

/* The time at which a column ends. */
static uint64_t column_end(const struct access_map *map, uint32_t column) {
    return map->start + (uint64_t)((unsigned __int128)map->time * (column + 1) / map->columns);
}

/* The pages referenced in (end - window, end]. */
static uint32_t count_working_set(const struct making *m, uint64_t end) {
    const uint64_t from = end > m->map->window ? end - m->map->window : 0;
    uint32_t count = 0;
    for (uint32_t i = 0; i < m->map->pages; i++)
        count += m->last[i] > from; /* last is one more than the time: times ≥ from */
    return count;
}

struct reading {
    uint64_t references;
    uint32_t column;
};

static void take_item(struct making *m, struct reading *r, const struct refs_item *item) {
    struct access_map *map = m->map;
    const uint64_t now = m->config->by_references ? r->references : item->instruction;
    for (; r->column + 1 < map->columns && now >= column_end(map, r->column); r->column++)
        map->working_set[r->column] = count_working_set(m, column_end(map, r->column));
    if (item->kind == REFS_DIES)
        m->last[item->page] = NEVER;
    if (item->kind != REFS_REFERENCE)
        return;
    r->references++;
    m->last[item->page] = now + 1;
    if (now >= map->start)
        map->cells[(size_t)m->rows[item->page] * map->columns + r->column]++;
}

static int count_references(struct making *m) {
    struct reading r = {0};
    const struct refs_item *items;
    long count;
    int error = refs_rewind(m->source);
    if (error)
        return error;
    while ((count = refs_next(m->source, &items)) > 0)
        for (long i = 0; i < count; i++)
            take_item(m, &r, &items[i]);
    for (; r.column < m->map->columns; r.column++)
        m->map->working_set[r.column] = count_working_set(m, column_end(m->map, r.column));
    return (int)count;
}

int access_map_make(struct refs_source *source, const struct access_config *config,
                    struct access_map *ret_map) {
    struct access_map map = {0};
    struct making m = {.source = source, .config = config, .map = &map};
    int error = read_length(&m);
    if (!error) {
        m.places = calloc((size_t)map.pages + 1, sizeof *m.places);
        m.rows = calloc((size_t)map.pages + 1, sizeof *m.rows);
        m.last = calloc((size_t)map.pages + 1, sizeof *m.last);
        error = m.places && m.rows && m.last ? make_axis(&m) : -ENOMEM;
    }
    if (!error)
        error = count_references(&m);
    free(m.places);
    free(m.rows);
    free(m.last);
    if (error)
        access_map_free(&map);
    else
        *ret_map = map;
    return error;
}

void access_map_free(struct access_map *map) {
    forget_bands(map);
    free(map->cells);
    free(map->working_set);
    *map = (struct access_map){0};
}
