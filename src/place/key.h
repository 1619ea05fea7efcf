/* Keys: what rows are counted under while the machine runs. Small and exact; names come later. */
#ifndef PLACE_KEY_H
#define PLACE_KEY_H

#include <stdint.h>

enum key_kind {
    KEY_NAME,   /* value: a number of struct texts */
    KEY_SYMBOL, /* value: the address of a symbol in a module */
    KEY_CODE,   /* value: the address of an instruction in a module */
    KEY_STACK,  /* value: a node of struct stacks */
};

/* |kind 2|module 14|value 48| */
struct key {
    uint64_t v;
};
enum { KEY_VALUE_BITS = 48, KEY_MODULE_BITS = 14, KEY_MODULES = 1 << KEY_MODULE_BITS };

static inline struct key key_make(enum key_kind kind, uint32_t module, uint64_t value) {
    return (struct key){(uint64_t)kind << (KEY_VALUE_BITS + KEY_MODULE_BITS) |
                        (uint64_t)module << KEY_VALUE_BITS | (value & ((1ULL << KEY_VALUE_BITS) - 1))};
}
static inline enum key_kind key_kind(struct key k) {
    return (enum key_kind)(k.v >> (KEY_VALUE_BITS + KEY_MODULE_BITS));
}
static inline uint32_t key_module(struct key k) {
    return (uint32_t)(k.v >> KEY_VALUE_BITS) & (KEY_MODULES - 1);
}
static inline uint64_t key_value(struct key k) {
    return k.v & ((1ULL << KEY_VALUE_BITS) - 1);
}

#endif
