/* mypgm: plays the program of pictures 007-009 and 012-018. Its file, linked by ld -s, has nine pages:
 *
 *     page  0     1       2  3  4  5     6  7  8
 *           ELF   text    read-only      data
 *     at          401000  402000         406000
 *
 * It touches page 1 (by running), page 5 and page 6; its turn ends where it calls sched_yield(). */
#include "calls.h"
        .intel_syntax noprefix
        .globl  _start
        .text
_start:
        mov     rax, QWORD PTR [constant]       // read-only data: page 5 of the file
        mov     eax, SYS_sched_yield            // the other process starts
        syscall
        mov     eax, SYS_sched_yield            // it grows its heap
        syscall

        mov     rax, QWORD PTR [0x406000]       // static data: page 6 of the file
        cmp     rax, 21
        jne     wrong
        mov     edi, 1                          // standard output
        lea     rsi, [message]
        mov     edx, OFFSET message_length
        mov     eax, SYS_write
        syscall
        xor     edi, edi
        mov     eax, SYS_exit
        syscall
wrong:
        mov     edi, 1
        mov     eax, SYS_exit
        syscall

        .section .rodata
        .balign 4096
        .zero   3 * 4096                        // pages 2, 3 and 4
constant:
        .quad   21                              // page 5
message:
        .ascii  "mypgm: the data at 0x406000 is there\n"
        .equ    message_length, . - message
        .balign 4096

        .data
        .balign 4096
number:
        .quad   21                              // page 6
        .zero   2 * 4096                        // pages 7 and 8, the last not full
        .section .note.GNU-stack, "", @progbits
