#include "record/conveyor.h"

#include <errno.h>
#include <sys/mman.h>

int conveyor_create(struct conveyor *ret_conveyor) {
    const size_t bytes = CONVEYOR_BLOCKS * sizeof(struct conveyor_block);
    void *blocks = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (blocks == MAP_FAILED)
        return -ENOMEM;
    (void)madvise(blocks, bytes, MADV_HUGEPAGE);
    *ret_conveyor = (struct conveyor){.blocks = blocks};
    pthread_mutex_init(&ret_conveyor->lock, NULL);
    pthread_cond_init(&ret_conveyor->changed, NULL);
    return 0;
}

void conveyor_destroy(struct conveyor *c) {
    pthread_cond_destroy(&c->changed);
    pthread_mutex_destroy(&c->lock);
    munmap(c->blocks, CONVEYOR_BLOCKS * sizeof(struct conveyor_block));
}

struct conveyor_block *conveyor_fill(struct conveyor *c) {
    pthread_mutex_lock(&c->lock);
    while (c->filled - c->emptied == CONVEYOR_BLOCKS)
        pthread_cond_wait(&c->changed, &c->lock);
    struct conveyor_block *block = &c->blocks[c->filled % CONVEYOR_BLOCKS];
    pthread_mutex_unlock(&c->lock);
    block->used = 0;
    return block;
}

/* Changes one of the counts, which the other thread may be waiting for. */
static void count(struct conveyor *c, uint64_t *number) {
    pthread_mutex_lock(&c->lock);
    ++*number;
    pthread_cond_signal(&c->changed);
    pthread_mutex_unlock(&c->lock);
}

void conveyor_hand_over(struct conveyor *c) {
    count(c, &c->filled);
}

void conveyor_give_back(struct conveyor *c) {
    count(c, &c->emptied);
}

void conveyor_wait(struct conveyor *c) {
    pthread_mutex_lock(&c->lock);
    while (c->filled != c->emptied)
        pthread_cond_wait(&c->changed, &c->lock);
    pthread_mutex_unlock(&c->lock);
}

void conveyor_end(struct conveyor *c) {
    pthread_mutex_lock(&c->lock);
    c->ended = true;
    pthread_cond_signal(&c->changed);
    pthread_mutex_unlock(&c->lock);
}

const struct conveyor_block *conveyor_take(struct conveyor *c) {
    const struct conveyor_block *block = NULL;
    pthread_mutex_lock(&c->lock);
    while (c->filled == c->emptied && !c->ended)
        pthread_cond_wait(&c->changed, &c->lock);
    if (c->filled != c->emptied)
        block = &c->blocks[c->emptied % CONVEYOR_BLOCKS];
    pthread_mutex_unlock(&c->lock);
    return block;
}
