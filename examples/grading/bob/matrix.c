/* Adds up a matrix, column by column: every number is in another page than the one before. */
#include <stdio.h>

enum { SIZE = 256 };
static int matrix[SIZE][SIZE];

int main(void) {
    int factor;
    long sum = 0;
    scanf("%d", &factor); /* and what if there is no number? */
    for (int column = 0; column < SIZE; column++)
        for (int row = 0; row < SIZE; row++)
            matrix[row][column] = factor * (row + column);
    for (int column = 0; column < SIZE; column++)
        for (int row = 0; row < SIZE; row++)
            sum += matrix[row][column];
    printf("sum %ld\n", sum);
    return 0;
}
