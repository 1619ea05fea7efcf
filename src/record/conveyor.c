#include "record/conveyor.h"

#include <errno.h>
#include <sys/mman.h>

int conveyor_create(struct conveyor *ret_conveyor) {
    const size_t bytes = CONVEYOR_BLOCKS * sizeof(struct conveyor_block);
    void *blocks = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (blocks == MAP_FAILED)
        return -ENOMEM;
    (void)madvise(blocks, bytes, MADV_HUGEPAGE);
    *ret_conveyor = (struct conveyor){.blocks = blocks, .free_count = CONVEYOR_BLOCKS};
    for (size_t i = 0; i < CONVEYOR_BLOCKS; i++)
        ret_conveyor->free[i] = ret_conveyor->blocks + CONVEYOR_BLOCKS - 1 - i;
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
    while (!c->free_count)
        pthread_cond_wait(&c->changed, &c->lock);
    c->filling = c->free[--c->free_count];
    pthread_mutex_unlock(&c->lock);
    c->filling->used = 0;
    return c->filling;
}

/* The end of a change that the other thread may be waiting for. */
static void unlock(struct conveyor *c) {
    pthread_cond_signal(&c->changed);
    pthread_mutex_unlock(&c->lock);
}

void conveyor_hand_over(struct conveyor *c) {
    pthread_mutex_lock(&c->lock);
    c->queue[c->handed++ % CONVEYOR_BLOCKS] = c->filling;
    unlock(c);
}

void conveyor_give_back(struct conveyor *c) {
    pthread_mutex_lock(&c->lock);
    c->free[c->free_count++] = c->emptying;
    unlock(c);
}

void conveyor_wait(struct conveyor *c) {
    pthread_mutex_lock(&c->lock);
    while (c->free_count != CONVEYOR_BLOCKS)
        pthread_cond_wait(&c->changed, &c->lock);
    pthread_mutex_unlock(&c->lock);
}

void conveyor_end(struct conveyor *c) {
    pthread_mutex_lock(&c->lock);
    c->ended = true;
    unlock(c);
}

const struct conveyor_block *conveyor_take(struct conveyor *c) {
    c->emptying = NULL;
    pthread_mutex_lock(&c->lock);
    while (c->handed == c->taken && !c->ended)
        pthread_cond_wait(&c->changed, &c->lock);
    if (c->handed != c->taken)
        c->emptying = c->queue[c->taken++ % CONVEYOR_BLOCKS];
    pthread_mutex_unlock(&c->lock);
    return c->emptying;
}
