/* See merge.h. The cases, with the part that changes in capitals and the neighbours that it joins:
 *
 *   before     after      neighbours that join
 *   --------   --------   ---------------------------------------------------------
 *   aaa MMM bbb   aaaaaaaaaaa   both: one of three
 *   aaa MMMmm     aaaaaa mm     the one below; the mapping ends later or goes
 *   mmMMM bbb     mm bbbbbb     the one above; the same
 *   mmMMMmm       mm MMM mm     none: split */
#include "vm/merge.h"

#include <assert.h>
#include <errno.h>

#include "base/base.h"
#include "vm/object.h"
#include "vm/space.h"
#include "vm/state.h"

/* ---- families ---- */

/* Whether the upper mapping could be the rest of the lower one, but for the flags. */
static bool mapping_goes_on(const struct mapping *low, const struct mapping *high) {
    if (low->object && low->object->mappings_changed)
        return false; /* somebody counts them; Linux keeps those of System V shared memory apart, too */
    return low->end.n == high->start.n && low->object == high->object && low->opened == high->opened &&
           low->object_page + mapping_pages(low) == high->object_page &&
           mapping_name_same(low->name, high->name);
}

/* Whether the family of `from` would do for the mapping, which is its neighbour. */
static bool family_fits(const struct mapping *low, const struct mapping *high, const struct mapping *from) {
    const unsigned apart = (low->flags ^ high->flags) & ~(unsigned)(MAPPING_ACCESS | MAPPING_LABELS);
    return from->family && !from->inherited && !apart && mapping_goes_on(low, high);
}

void mapping_found_family(struct mapping *m) {
    const struct mapping *next = mapping_next(m), *previous = mapping_previous(m);
    if (next && family_fits(m, next, next))
        m->family = next->family;
    else if (previous && family_fits(previous, m, previous))
        m->family = previous->family;
    else
        m->family = ++m->space->vm->last_family;
}

void mapping_inherit(struct mapping *child, const struct mapping *parent) {
    child->inherited = parent->family != 0;
    child->family = child->inherited ? ++child->space->vm->last_family : 0;
}

/* Whether pages of both may be in one mapping. */
static bool families_join(const struct mapping *neighbour, const struct mapping *part) {
    if (!neighbour->family && part->family)
        return !part->inherited;
    if (neighbour->family && !part->family)
        return !neighbour->inherited;
    return neighbour->family == part->family;
}

static void family_take(struct mapping *m, const struct mapping *from) {
    if (m->family || !from->family)
        return;
    m->family = from->family;
    m->inherited = from->inherited;
}

/* ---- who joins ---- */

static bool mappings_join(const struct mapping *low, const struct mapping *high) {
    return ((low->flags ^ high->flags) & ~(unsigned)MAPPING_LABELS) == 0 && mapping_goes_on(low, high);
}

/* The neighbours that `part` joins, NULL where it does not; with both, all three become one. */
struct joins {
    struct mapping *low, *high;
};

static struct joins joins_of(const struct mapping *part, struct mapping *low, struct mapping *high) {
    struct joins joins = {0};
    if (low && mappings_join(low, part) && families_join(low, part))
        joins.low = low;
    if (high && mappings_join(part, high) && families_join(high, part))
        joins.high = high;
    if (joins.low && joins.high && low->family && high->family && low->family != high->family)
        joins.high = NULL;
    return joins;
}

/* ---- changing flags and names ---- */

/* What was the mapping's, from `start` on, is the neighbour's now. */
static void give_up(struct mapping *m, vpn_t start, vpn_t end) {
    if (start.n < end.n)
        mapping_extend(m, start, end);
    else
        mapping_remove(m);
}

static struct mapping *join_low(struct joins joins, struct mapping *m, vpn_t end) {
    struct mapping *low = joins.low;
    family_take(low, joins.high && joins.high->family ? joins.high : m);
    give_up(m, end, m->end);
    if (joins.high) {
        end = joins.high->end;
        mapping_remove(joins.high);
    }
    mapping_extend(low, low->start, end);
    return low;
}

static struct mapping *join_high(struct joins joins, struct mapping *m, vpn_t start) {
    family_take(joins.high, m);
    give_up(m, m->start, start);
    mapping_extend(joins.high, start, joins.high->end);
    return joins.high;
}

static int split_off(struct mapping **m, vpn_t start, vpn_t end) {
    struct space *space = (*m)->space;
    int error = 0;
    if ((*m)->start.n < start.n) {
        error = space->mappings.count >= MAPPINGS_MAX ? -ENOMEM : mapping_split(*m, start);
        if (error)
            return error;
        *m = mapping_next(*m);
    }
    if (end.n < (*m)->end.n)
        error = space->mappings.count >= MAPPINGS_MAX ? -ENOMEM : mapping_split(*m, end);
    return error;
}

/* The part becomes what `changed` says of flags and name. */
static int mapping_change(struct mapping **mapping, vpn_t start, vpn_t end, const struct mapping *changed) {
    struct mapping *m = *mapping, part = *changed;
    assert(m->start.n <= start.n && start.n < end.n && end.n <= m->end.n);
    part.start = start;
    part.end = end;
    part.object_page += start.n - m->start.n;
    const struct joins joins = joins_of(&part, start.n == m->start.n ? mapping_previous(m) : NULL,
                                        end.n == m->end.n ? mapping_next(m) : NULL);
    if (joins.low)
        *mapping = join_low(joins, m, end);
    else if (joins.high)
        *mapping = join_high(joins, m, start);
    else {
        const int error = split_off(mapping, start, end);
        if (error)
            return error;
        mapping_set_flags(*mapping, part.flags);
        struct mapping_name *old = (*mapping)->name;
        (*mapping)->name = mapping_name_ref(part.name);
        mapping_name_unref(old);
    }
    return 0;
}

int mapping_modify(struct mapping **mapping, vpn_t start, vpn_t end, unsigned flags) {
    struct mapping changed = **mapping;
    changed.flags = flags;
    return mapping_change(mapping, start, end, &changed);
}

int mapping_rename(struct mapping **mapping, vpn_t start, vpn_t end, struct mapping_name *name) {
    struct mapping changed = **mapping;
    changed.name = name;
    return mapping_change(mapping, start, end, &changed);
}

/* ---- new mappings ---- */

int mapping_place(struct space *space, const struct mapping *template, struct mapping **ret_mapping) {
    struct mapping *high = mapping_first(space, template->start);
    struct mapping *low = high ? mapping_previous(high) : mapping_last(space);
    const struct joins joins = joins_of(template, low, high);
    if (joins.low) {
        const vpn_t end = joins.high ? high->end : template->end;
        if (joins.high) {
            family_take(low, high);
            mapping_remove(high);
        }
        family_take(low, template);
        mapping_extend(low, low->start, end);
        *ret_mapping = low;
    } else if (joins.high) {
        family_take(high, template);
        mapping_extend(high, template->start, high->end);
        *ret_mapping = high;
    } else {
        return mapping_insert(space, template, ret_mapping);
    }
    return 0;
}

bool mapping_prolong(struct mapping *m, vpn_t end, unsigned flags) {
    const struct mapping part = {.start = m->end, .end = end, .object_page = m->end.n, .flags = flags};
    if (!joins_of(&part, m, NULL).low)
        return false;
    mapping_extend(m, m->start, end);
    return true;
}
