/* Much memory traffic of every width and alignment, over a few dozen pages: sorting, copying, bits, doubles,
 * lists. What it prints depends on every byte. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BYTES = 40000, NODES = 700, WORDS = 3000 };

struct node {
    struct node *left, *right;
    uint32_t key, count;
};

static uint8_t buffer[BYTES + 64];
static uint64_t state = 88172645463325252ULL;

static uint64_t draw(void) {
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

static uint64_t hash(void) {
    uint64_t h = 14695981039346656037ULL;
    for (size_t i = 0; i < sizeof buffer; i++)
        h = (h ^ buffer[i]) * 1099511628211ULL;
    return h;
}

static void unaligned(void) {
    for (int i = 0; i < 4000; i++) {
        size_t at = draw() % BYTES;
        uint64_t value;
        memcpy(&value, buffer + at, 8);
        value = value * 3 + at;
        memcpy(buffer + draw() % BYTES, &value, 1 + draw() % 8);
        __atomic_fetch_add((uint32_t *)(buffer + (at & ~3UL)), 7, __ATOMIC_SEQ_CST);
        __asm__ volatile("lock xaddq %0, (%1)" : "+r"(value) : "r"(buffer + draw() % BYTES) : "memory", "cc");
        __asm__ volatile("addl $5, (%0)" : : "r"(buffer + draw() % BYTES) : "memory", "cc");
    }
}

static void blocks(void) {
    for (int i = 0; i < 200; i++) {
        size_t n = draw() % 9000, from = draw() % (BYTES - n), to = draw() % (BYTES - n);
        memmove(buffer + to, buffer + from, n);
        memset(buffer + draw() % (BYTES - n), (int)i, n / 16);
        void *destination = buffer + to;
        const void *source = buffer + from;
        size_t words = n / 8 / 4;
        __asm__ volatile("rep movsq" : "+D"(destination), "+S"(source), "+c"(words) : : "memory");
    }
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double numbers(void) {
    double *d = malloc(WORDS * sizeof *d), sum = 0;
    for (int i = 0; i < WORDS; i++)
        d[i] = (double)(int64_t)draw() / 1e12;
    qsort(d, WORDS, sizeof *d, compare);
    for (int i = 1; i < WORDS; i++)
        sum += d[i] * d[i - 1] / (i + 1);
    free(d);
    return sum;
}

static struct node *insert(struct node *n, uint32_t key) {
    if (!n) {
        n = calloc(1, sizeof *n);
        n->key = key;
    }
    n->count++;
    if (key < n->key)
        n->left = insert(n->left, key);
    else if (key > n->key)
        n->right = insert(n->right, key);
    return n;
}

static uint64_t walk(const struct node *n, uint64_t h) {
    return n ? walk(n->right, (walk(n->left, h) ^ n->key ^ n->count) * 1099511628211ULL) : h;
}

int main(void) {
    struct node *root = NULL;
    for (size_t i = 0; i < sizeof buffer; i++)
        buffer[i] = (uint8_t)draw();
    unaligned();
    printf("unaligned %016lx\n", hash());
    blocks();
    printf("blocks %016lx\n", hash());
    printf("numbers %.17g\n", numbers());
    for (int i = 0; i < NODES; i++)
        root = insert(root, (uint32_t)draw());
    printf("tree %016lx\n", walk(root, 0));
    return 0;
}
