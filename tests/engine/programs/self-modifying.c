/* Code that changes itself: the next instruction of the same block, a repeated string instruction over its
 * own successor and over itself, code reached through a second mapping of its bytes being rewritten between
 * calls, data beside code, an instruction across two pages of which the second changes. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

enum { PAGE = 4096, ROUNDS = 200 };

static unsigned char *code;

static int call(unsigned char *at, int argument) {
    return ((int (*)(int))(uintptr_t)at)(argument);
}

static void put(unsigned char *at, const char *bytes, size_t n) {
    memcpy(at, bytes, n);
}

/* mov %edi, 1f+1(%rip); 1: mov $0, %eax; ret */
static int next_instruction(void) {
    int sum = 0;
    put(code, "\x89\x3d\x01\0\0\0\xb8\0\0\0\0\xc3", 12);
    for (int i = 0; i < ROUNDS; i++)
        sum = sum * 31 + call(code, i);
    return sum;
}

/* lea target(%rip), %rdi; mov $n, %ecx; mov $0x90, %al; rep stosb; mov $1, %eax; mov $2, %eax; ret */
static int string_over(char target, char n) {
    put(code, "\x48\x8d\x3d\x09\0\0\0\xb9\x05\0\0\0\xb0\x90\xf3\xaa\xb8\x01\0\0\0\xb8\x02\0\0\0\xc3", 27);
    code[3] = (unsigned char)target;
    code[8] = (unsigned char)n;
    return call(code, 0);
}

/* mov $imm, %eax; ret — written anew before every call. */
static int between_calls(void) {
    int sum = 0;
    for (int i = 0; i < ROUNDS; i++) {
        put(code + 64, "\xb8\0\0\0\0\xc3", 6);
        memcpy(code + 65, &i, sizeof i);
        sum = sum * 31 + call(code + 64, 0);
    }
    return sum;
}

/* 1: incl data(%rip); dec %edi; jne 1b; mov data(%rip), %eax; ret — data at `distance` from the code */
static int data_beside(int distance) {
    int operand = distance - 6, operand2 = distance - 16;
    put(code, "\xff\x05\0\0\0\0\xff\xcf\x75\xf6\x8b\x05\0\0\0\0\xc3", 17);
    memcpy(code + 2, &operand, 4);
    memcpy(code + 12, &operand2, 4);
    memset(code + distance, 0, 4);
    return call(code, ROUNDS);
}

/* mov $imm, %eax with its last three bytes in the next page; ret */
static int across_pages(void) {
    unsigned char *at = code + PAGE - 2;
    int sum = 0;
    put(at, "\xb8\0\0\0\0\xc3", 6);
    for (int i = 0; i < ROUNDS; i++) {
        at[1 + i % 4] = (unsigned char)(i * 7);
        sum = sum * 31 + call(at, 0);
    }
    return sum;
}

/* Code that stores into the page that it is on, at the end of the page, across pages. */
static int store_across(void) {
    /* movq $0x1122334455667788, %rax (10 bytes); mov %rax, target(%rip); mov $imm, %eax; ret */
    int target = PAGE - 4 - 17;
    put(code, "\x48\xb8\x88\x77\x66\x55\x44\x33\x22\x11\x48\x89\x05\0\0\0\0\xb8\x07\0\0\0\xc3", 23);
    memcpy(code + 13, &target, 4);
    int value, result = call(code, 0);
    memcpy(&value, code + PAGE - 2, sizeof value);
    return result * 31 + value;
}

int main(void) {
    code = mmap((void *)0x51000000, 4 * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    printf("next instruction %d\n", next_instruction());
    printf("string %d\n", string_over(9, 5));
    printf("string over itself %d\n", string_over(7, 7));
    printf("between calls %d\n", between_calls());
    printf("data beside %d %d %d\n", data_beside(64), data_beside(2048), data_beside(PAGE + 64));
    printf("across pages %d\n", across_pages());
    printf("store across %d\n", store_across());
    return 0;
}
