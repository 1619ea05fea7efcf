/* malloc, printf and scanf: reads numbers from standard input until it ends, keeps them in a list that grows
 * by realloc, prints them sorted, with their sum and mean. */
#include "check.h"

static int compare(const void *a, const void *b) {
    long x = *(const long *)a, y = *(const long *)b;
    return (x > y) - (x < y);
}

int main(void) {
    size_t count = 0, capacity = 4;
    long *numbers = malloc(capacity * sizeof *numbers);
    CHECK(numbers);
    printf("Numbers, please:\n");
    for (long n; scanf("%ld", &n) == 1;) {
        if (count == capacity) {
            capacity *= 2;
            numbers = realloc(numbers, capacity * sizeof *numbers);
            CHECK(numbers);
        }
        numbers[count++] = n;
    }
    qsort(numbers, count, sizeof *numbers, compare);
    long sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += numbers[i];
    for (size_t i = 0; i < count && i < 5; i++)
        printf("%4zu %8ld\n", i, numbers[i]);
    printf("count %zu, sum %ld, mean %.3f, %s\n", count, sum, count ? (double)sum / (double)count : 0.0,
           count % 2 ? "odd" : "even");
    free(numbers);
    return 0;
}
