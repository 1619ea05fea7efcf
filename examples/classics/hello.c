/* hello: a C program as everybody's first one, linked dynamically: what a real ld.so does before main. */
#include <stdio.h>

int main(void) {
    printf("hello\n");
    return 0;
}
