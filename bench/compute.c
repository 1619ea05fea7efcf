/* Speed comparison: a program that computes: sieve, matrix product, CRC, qsort.
 *
 *   compute ROUNDS     prints a checksum; the times in README.md are those of 10 rounds
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
static unsigned char s[1 << 20];
static double A[96][96], B[96][96], C[96][96];
static int cmp(const void *a, const void *b) {
    uint32_t x = *(uint32_t *)a, y = *(uint32_t *)b;
    return x < y ? -1 : x > y;
}
int main(int argc, char **argv) {
    int n = argc > 1 ? atoi(argv[1]) : 1;
    uint32_t h = 0;
    for (int r = 0; r < n; r++) {
        memset(s, 1, sizeof s);
        int cnt = 0;
        for (uint32_t i = 2; i < sizeof s; i++)
            if (s[i]) {
                cnt++;
                for (uint64_t j = (uint64_t)i * i; j < sizeof s; j += i)
                    s[j] = 0;
            }
        for (int i = 0; i < 96; i++)
            for (int j = 0; j < 96; j++) {
                A[i][j] = i + j;
                B[i][j] = i - j + r;
                C[i][j] = 0;
            }
        for (int i = 0; i < 96; i++)
            for (int k = 0; k < 96; k++) {
                double a = A[i][k];
                for (int j = 0; j < 96; j++)
                    C[i][j] += a * B[k][j];
            }
        uint32_t c = ~0u;
        for (uint32_t i = 0; i < sizeof s; i++) {
            c ^= s[i];
            for (int k = 0; k < 4; k++)
                c = (c >> 1) ^ (0xEDB88320 & -(c & 1));
        }
        uint32_t *v = malloc(100000 * 4);
        uint32_t x = 12345 + r;
        for (int i = 0; i < 100000; i++) {
            x = x * 1103515245 + 12345;
            v[i] = x;
        }
        qsort(v, 100000, 4, cmp);
        h ^= v[500] + c + cnt + (uint32_t)C[50][50];
        free(v);
    }
    printf("h=%08x\n", h);
    return 0;
}
