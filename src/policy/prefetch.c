/* See prefetch.h.
 *
 * Windows are aligned, as Linux's fault-around (mm/memory.c, fault_around_bytes: 64 KiB) and swap read-ahead
 * (mm/swap_state.c, page_cluster: 8 pages) are: a program that goes through memory in either direction then
 * asks for each window once. */
#include "policy/prefetch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/message.h"
#include "policy/parameters.h"

static const struct {
    const char *name, *unit;
    uint32_t pages; /* unless it is said */
} kinds[] = {
    [PREFETCH_FAULT_AROUND] = {"fault-around", "pages", 16},
    [PREFETCH_SWAP_AHEAD] = {"swap-ahead", "slots", 8},
    [PREFETCH_SWAP_ADDRESS] = {"swap-ahead-address", "pages", 8},
    [PREFETCH_POLICY] = {"policy", NULL, 0},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

/* 100 microseconds at an instruction a nanosecond: about a read from a solid-state disk. */
enum { LATE = 100000 };
/* Fewer frames than that hold little more than what one instruction and its system call need. */
enum { FROM = 64 };

/* One of those joined by '+'. 0, -ENOENT for an unknown name, -EINVAL for a parameter. */
static int part_parse(struct prefetcher *p, const char *text) {
    const size_t length = strcspn(text, ":");
    unsigned kind = 0;
    while (kind < KINDS && (strlen(kinds[kind].name) != length || strncmp(kinds[kind].name, text, length)))
        kind++;
    if (kind == KINDS)
        return -ENOENT;
    if (p->count == sizeof p->parts / sizeof *p->parts)
        return -EINVAL;
    uint64_t pages = kinds[kind].pages;
    const struct policy_parameter known[] = {{"late", &p->late, 0, UINT64_MAX},
                                             {"from", &p->from, 0, UINT64_MAX},
                                             {kinds[kind].unit, &pages, 2, PREFETCH_WISHES}};
    const int error = policy_parse(text[length] ? text + length + 1 : NULL, known, kinds[kind].unit ? 3 : 2);
    p->parts[p->count].kind = (enum prefetch_kind)kind;
    p->parts[p->count++].pages = (uint32_t)pages;
    return error;
}

static int refuse(const char *text, int error, char **ret_message) {
    if (error == -ENOENT)
        return message_fail(-EINVAL, ret_message,
                            "--prefetch: '%s' is not known: there are none, fault-around:pages=16, "
                            "swap-ahead:slots=8, swap-ahead-address:pages=8 and policy, joined by '+'",
                            text);
    return message_fail(-EINVAL, ret_message,
                        "--prefetch: '%s' cannot be used: pages= and slots= take 2 to %d, late= takes "
                        "instructions, from= frames",
                        text, PREFETCH_WISHES);
}

int prefetcher_parse(const char *specification, const struct policy_ops *policy,
                     struct prefetcher *ret_prefetcher, char **ret_message) {
    struct prefetcher p = {.late = LATE, .from = FROM};
    char *copy = strdup(specification), *rest = copy;
    int error = copy ? 0 : -ENOMEM;
    if (copy && !strcmp(copy, "none"))
        rest = NULL;
    for (char *part; !error && (part = strsep(&rest, "+")) != NULL;) {
        error = part_parse(&p, part);
        if (error)
            error = refuse(part, error, ret_message);
        else if (p.parts[p.count - 1].kind == PREFETCH_POLICY && !policy->prefetch)
            error = message_fail(-EINVAL, ret_message,
                                 "--prefetch policy: policy %s has no prefetch of its own", policy->name);
    }
    free(copy);
    if (!error)
        *ret_prefetcher = p;
    return error;
}

/* The window around `number`, from the next one on and then from its beginning. */
static size_t window_wish(enum prefetch_by by, uint64_t number, uint32_t pages, size_t room,
                          struct prefetch_wish *wishes) {
    const uint64_t start = number - number % pages;
    size_t count = 0;
    for (uint64_t i = 1; i < pages && count < room; i++)
        wishes[count++] = (struct prefetch_wish){by, start + (number - start + i) % pages};
    return count;
}

size_t prefetcher_ask(const struct prefetcher *p, const struct policy_ops *policy, void *policy_state,
                      const struct prefetch_miss *miss, struct prefetch_wish wishes[PREFETCH_WISHES]) {
    size_t count = 0;
    for (size_t i = 0; i < p->count; i++) {
        const size_t room = PREFETCH_WISHES - count;
        const uint32_t pages = p->parts[i].pages;
        switch (p->parts[i].kind) {
        case PREFETCH_FAULT_AROUND:
            if (miss->from_file && !miss->from_swap)
                count += window_wish(PREFETCH_BY_INDEX, miss->index, pages, room, wishes + count);
            break;
        case PREFETCH_SWAP_AHEAD:
            if (miss->from_swap)
                count += window_wish(PREFETCH_BY_SLOT, miss->slot.n, pages, room, wishes + count);
            break;
        case PREFETCH_SWAP_ADDRESS:
            if (miss->from_swap)
                count += window_wish(PREFETCH_BY_ADDRESS, miss->vpn.n, pages, room, wishes + count);
            break;
        case PREFETCH_POLICY: count += policy->prefetch(policy_state, miss, wishes + count, room); break;
        }
    }
    return count;
}
