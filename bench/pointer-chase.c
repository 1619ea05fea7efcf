/* Speed comparison: a program that waits for memory: follows pointers through 64 MiB in random order.
 *
 *   pointer-chase STEPS     prints a checksum; the times in README.md are those of 3000000 steps
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
struct n {
    struct n *next;
    uint64_t v[7];
};
int main(int c, char **v) {
    int steps = c > 1 ? atoi(v[1]) : 4000000;
    uint32_t N = 1 << 20;
    struct n *a = malloc((size_t)N * 64);
    uint32_t *p = malloc(N * 4);
    for (uint32_t i = 0; i < N; i++)
        p[i] = i;
    uint32_t x = 1;
    for (uint32_t i = N - 1; i; i--) {
        x = x * 1664525 + 1013904223;
        uint32_t j = (x >> 4) % i;
        uint32_t t = p[i];
        p[i] = p[j];
        p[j] = t;
    }
    for (uint32_t i = 0; i < N; i++) {
        a[p[i]].next = &a[p[(i + 1) % N]];
        a[p[i]].v[0] = i;
    }
    struct n *q = a;
    uint64_t s = 0;
    for (int i = 0; i < steps; i++) {
        s += q->v[0];
        q->v[1] = s;
        q = q->next;
    }
    printf("%lx\n", s);
    return 0;
}
