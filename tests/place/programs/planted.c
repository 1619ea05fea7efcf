/* A hash table that thrashes, planted among innocent allocations and a large table that is read once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct entry {
    struct entry *next;
    unsigned long key, value;
    char rest[40];
};

enum { ENTRIES = 8000, BUCKETS = 1 << 12, INNOCENT = 64, SQUARES = 1 << 14 };

static struct entry **buckets;
static char *innocent[INNOCENT];
unsigned long table_of_squares[SQUARES];

static unsigned long next_random(void) {
    static unsigned long state = 1;
    state = state * 6364136223846793005UL + 1442695040888963407UL;
    return state >> 33;
}

__attribute__((noinline)) static struct entry *entry_make(unsigned long key) {
    struct entry *e = malloc(sizeof *e); /* HERE */
    e->key = key;
    e->value = key * 3;
    return e;
}

__attribute__((noinline)) static void entry_insert(unsigned long key) {
    struct entry *e = entry_make(key), **bucket = &buckets[key % BUCKETS]; /* CALLED */
    e->next = *bucket;
    *bucket = e;
}

__attribute__((noinline)) static unsigned long entry_look_up(unsigned long key) {
    for (const struct entry *e = buckets[key % BUCKETS]; e; e = e->next)
        if (e->key == key) /* MISSED */
            return e->value;
    return 0;
}

__attribute__((noinline)) static void make_innocent(void) {
    for (int i = 0; i < INNOCENT; i++) {
        innocent[i] = malloc(3000);
        memset(innocent[i], i, 3000);
        innocent[i] = realloc(innocent[i], 3500);
    }
    free(innocent[7]);
    innocent[7] = aligned_alloc(64, 3200);
}

int main(void) {
    unsigned long sum = 0;
    buckets = calloc(BUCKETS, sizeof *buckets);
    make_innocent();
    for (unsigned long i = 0; i < SQUARES; i++)
        table_of_squares[i] = i * i; /* SQUARED */
    for (unsigned long i = 0; i < ENTRIES; i++)
        entry_insert(i * 2654435761UL % 1000003);
    for (int i = 0; i < 5000; i++)
        sum += entry_look_up(next_random() % 1000003);
    printf("%lu\n", sum + table_of_squares[77] + (unsigned char)innocent[5][17]);
    return 0;
}
