/* A conveyor: a bounded queue of blocks of words between two threads; one fills them, the other empties them.
 *
 *     producer: conveyor_fill() … words … conveyor_hand_over()
 *     consumer: conveyor_take() … conveyor_give_back()
 *
 * There are CONVEYOR_BLOCKS blocks. Who finds none free, or none filled, sleeps. The block that was emptied
 * last is filled next: while the consumer keeps up, few are in use, and those are in
 * the processor's caches. */
#ifndef RECORD_CONVEYOR_H
#define RECORD_CONVEYOR_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CONVEYOR_BLOCKS = 64,
    CONVEYOR_WORDS = 1 << 15 /* of a block: small enough to stay in the processor's caches */
};

struct conveyor_block {
    size_t used; /* words */
    uint64_t words[CONVEYOR_WORDS];
};

/* The fields are conveyor.c's. */
struct conveyor {
    struct conveyor_block *blocks;
    struct conveyor_block *filling, *emptying;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* Under the lock: */
    struct conveyor_block *free[CONVEYOR_BLOCKS];  /* a stack of `free_count` */
    struct conveyor_block *queue[CONVEYOR_BLOCKS]; /* a ring: those handed over, but the first `taken` */
    uint32_t free_count;
    uint64_t handed, taken;
    bool ended;
};

int conveyor_create(struct conveyor *ret_conveyor); /* 0 or -ENOMEM */
void conveyor_destroy(struct conveyor *);

/* The producer: the block to fill, empty, once there is one; and that it is filled. */
struct conveyor_block *conveyor_fill(struct conveyor *);
void conveyor_hand_over(struct conveyor *);
/* Returns once all blocks that were handed over are empty: the consumer waits, and its things can be looked
 * at until the next one is handed over. */
void conveyor_wait(struct conveyor *);
/* No block follows those handed over. */
void conveyor_end(struct conveyor *);

/* The consumer: the next filled block, once there is one; NULL: it was the last. And that it is empty. */
const struct conveyor_block *conveyor_take(struct conveyor *);
void conveyor_give_back(struct conveyor *);

#endif
