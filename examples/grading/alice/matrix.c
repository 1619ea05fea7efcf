/* Adds up a matrix, row by row: each page is used up before the next one is needed. */
#include <stdio.h>

enum { SIZE = 256 };
static int matrix[SIZE][SIZE];

int main(void) {
    int factor;
    long sum = 0;
    if (scanf("%d", &factor) != 1) {
        fprintf(stderr, "usage: a number on standard input\n");
        return 2;
    }
    for (int row = 0; row < SIZE; row++)
        for (int column = 0; column < SIZE; column++)
            matrix[row][column] = factor * (row + column);
    for (int row = 0; row < SIZE; row++)
        for (int column = 0; column < SIZE; column++)
            sum += matrix[row][column];
    printf("sum %ld\n", sum);
    return 0;
}
