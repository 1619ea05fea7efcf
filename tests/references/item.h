/* What tap writes and oracle reads: the reference string of a run, as the vm's observer tells it, in memory
 * order. On purpose nothing of src/refs and src/analysis, which these programs are to check. */
#ifndef TESTS_REFERENCES_ITEM_H
#define TESTS_REFERENCES_ITEM_H

#include <stdint.h>

enum item_kind {
    ITEM_REFERENCE, /* flags: enum access bits */
    ITEM_APPEARS,   /* flags: 1: a file's page */
    ITEM_DIES,      /* flags: enum policy_remove */
    ITEM_CLEANED,
    ITEM_COOLED,
    ITEM_GIVEN_UP,
};

struct item {
    uint64_t instruction;
    uint64_t page; /* identity */
    uint32_t kind; /* enum item_kind */
    uint32_t flags;
};

#endif
