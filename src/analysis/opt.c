/* See opt.h. The future is an array with an entry for each reference: the number of the next one to the same
 * page, or NEVER. It is made in place, from the pages that were referenced, going backwards.
 *
 * A memory's pages are in a heap with the farthest next use on top. Every reference gives its page a later
 * next use than it had, so that it moves up. */
#include "analysis/opt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/base.h"
#include "base/big.h"
#include "base/host_file.h"

#define NEVER UINT32_MAX

struct opt_future {
    struct policy_ops policy; /* the simulations' */
    uint32_t *next;           /* by reference; mapped */
    uint64_t count;
};

/* ---- reading the future ---- */

/* The pages of all references, one after the other. 0 or -errno. */
static int pages_spill(struct refs_source *source, int fd, uint64_t *ret_count) {
    const struct refs_item *items;
    uint32_t pages[4096];
    uint64_t all = 0;
    long count;
    while ((count = refs_next(source, &items)) > 0) {
        size_t filled = 0;
        for (long i = 0; i < count; i++) {
            if (items[i].kind == REFS_REFERENCE)
                pages[filled++] = items[i].page;
            if (filled < ARRAY_LENGTH(pages) && i + 1 < count)
                continue;
            const int error = host_file_write(fd, pages, filled * sizeof *pages);
            if (error)
                return error;
            all += filled;
            filled = 0;
        }
        if (all >= NEVER)
            return -EFBIG;
    }
    *ret_count = all;
    return (int)count;
}

/* Pages become numbers of next references. 0 or -ENOMEM. */
static int future_turn(struct opt_future *future, uint32_t pages) {
    uint32_t *next = big_alloc(pages + 1ULL, sizeof *next);
    if (!next)
        return -ENOMEM;
    memset(next, 0xff, (pages + 1ULL) * sizeof *next);
    for (uint64_t i = future->count; i-- > 0;) {
        const uint32_t page = future->next[i];
        future->next[i] = next[page];
        next[page] = (uint32_t)i;
    }
    free(next);
    return 0;
}

static const struct policy_ops policy_opt;

int opt_future_read(struct refs_source *source, struct opt_future **ret_future) {
    struct opt_future *future = calloc(1, sizeof *future);
    const int fd = host_file_unnamed(host_temporary_folder());
    int error = !future ? -ENOMEM : fd < 0 ? fd : refs_rewind(source);
    if (!error)
        error = pages_spill(source, fd, &future->count);
    if (!error && future->count > 0) {
        const size_t bytes = future->count * sizeof *future->next;
        future->next = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (future->next == MAP_FAILED) {
            future->next = NULL;
            error = -errno;
        }
    }
    if (!error)
        error = future_turn(future, refs_pages(source));
    if (fd >= 0)
        close(fd);
    if (error) {
        opt_future_free(future);
        return error;
    }
    future->policy = policy_opt;
    *ret_future = future;
    return 0;
}

void opt_future_free(struct opt_future *future) {
    if (future && future->next)
        munmap(future->next, future->count * sizeof *future->next);
    free(future);
}

const struct policy_ops *opt_future_policy(const struct opt_future *future) {
    return &future->policy;
}

/* ---- the policy ---- */

#define OUT UINT32_MAX

struct entry {
    uint64_t key; /* when it is used next; of those that never are, larger for what was used longer ago */
    uint32_t frame;
};

struct opt {
    const struct opt_future *future;
    uint64_t at; /* references that were made */
    struct entry *heap;
    uint32_t count;
    struct place {
        uint32_t place; /* in the heap, or OUT */
        uint64_t page;  /* that is in the frame, even if it was set aside; 0: none */
        uint64_t key;
    } * frames;
};

static void opt_destroy(void *state) {
    struct opt *opt = state;
    free(opt->heap);
    free(opt->frames);
    free(opt);
}

static int opt_create(const struct policy_config *config, void **ret_state) {
    const struct opt_future *future = container_of(config->self, struct opt_future, policy);
    struct opt *opt = calloc(1, sizeof *opt);
    if (!opt || config->parameters) {
        free(opt);
        return opt ? -EINVAL : -ENOMEM;
    }
    opt->future = future;
    opt->heap = malloc(config->frames * sizeof *opt->heap);
    opt->frames = calloc(config->frames, sizeof *opt->frames);
    if (!opt->heap || !opt->frames) {
        opt_destroy(opt);
        return -ENOMEM;
    }
    for (uint32_t n = 0; n < config->frames; n++)
        opt->frames[n].place = OUT;
    *ret_state = opt;
    return 0;
}

static void entry_put(struct opt *opt, uint32_t place, struct entry entry) {
    opt->heap[place] = entry;
    opt->frames[entry.frame].place = place;
}

/* Puts an entry where it belongs, beginning at a place that is free. */
static void entry_settle(struct opt *opt, uint32_t place, struct entry entry) {
    for (; place > 0 && opt->heap[(place - 1) / 2].key < entry.key; place = (place - 1) / 2)
        entry_put(opt, place, opt->heap[(place - 1) / 2]);
    for (uint32_t child; (child = 2 * place + 1) < opt->count; place = child) {
        child += child + 1 < opt->count && opt->heap[child + 1].key > opt->heap[child].key;
        if (opt->heap[child].key <= entry.key)
            break;
        entry_put(opt, place, opt->heap[child]);
    }
    entry_put(opt, place, entry);
}

/* The key that this reference gives its page. */
static uint64_t reference_key(struct opt *opt) {
    const uint64_t at = opt->at++;
    const uint32_t next = at < opt->future->count ? opt->future->next[at] : NEVER;
    return next == NEVER ? 2ULL * NEVER - at : next;
}

/* A page that was set aside, and is given back when it may go, makes no reference. */
static void opt_insert(void *state, pfn_t f, page_id_t page) {
    struct opt *opt = state;
    struct place *of = &opt->frames[f.n];
    if (of->page != page.n)
        of->key = reference_key(opt);
    of->page = page.n;
    entry_settle(opt, opt->count++, (struct entry){of->key, f.n});
}

static void opt_access(void *state, pfn_t f, page_id_t page) {
    struct opt *opt = state;
    struct place *of = &opt->frames[f.n];
    of->key = reference_key(opt);
    if (of->place != OUT)
        entry_settle(opt, of->place, (struct entry){of->key, f.n});
}

static void opt_remove(void *state, pfn_t f, page_id_t page, enum policy_remove reason) {
    struct opt *opt = state;
    struct place *of = &opt->frames[f.n];
    const uint32_t place = of->place;
    const struct entry last = opt->heap[--opt->count];
    of->place = OUT;
    of->page = reason == POLICY_EVICTED ? 0 : of->page;
    if (last.frame != f.n)
        entry_settle(opt, place, last);
}

static pfn_t opt_victim(void *state) {
    const struct opt *opt = state;
    return opt->count ? (pfn_t){opt->heap[0].frame} : PFN_NONE;
}

static const char *opt_check(const void *state) {
    const struct opt *opt = state;
    for (uint32_t i = 0; i < opt->count; i++)
        if (opt->heap[i].key > opt->heap[i ? (i - 1) / 2 : 0].key ||
            opt->frames[opt->heap[i].frame].place != i)
            return "opt: the heap is broken";
    return NULL;
}

static const struct policy_ops policy_opt = {
    .name = "opt",
    .description = "the page whose next use is farthest ahead (Belady 1966)",
    .needs = POLICY_NEEDS_EVERY_REFERENCE,
    .create = opt_create,
    .destroy = opt_destroy,
    .insert = opt_insert,
    .access = opt_access,
    .remove = opt_remove,
    .victim = opt_victim,
    .check = opt_check,
};
