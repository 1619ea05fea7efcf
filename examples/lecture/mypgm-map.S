/* mypgm of pictures 019-022: like mypgm in its file's layout, it maps a file of four pages and touches its
 * second. With the stack's top at 0x410000 the file appears directly above the stack. */
#include "calls.h"
        .intel_syntax noprefix
        .globl  _start
        .equ    PLACE, 0x410000
        .text
_start:
        mov     rax, QWORD PTR [constant]       // read-only data: page 5 of the file

        mov     edi, AT_FDCWD
        lea     rsi, [name]
        mov     edx, O_RDWR
        mov     eax, SYS_openat
        syscall
        test    eax, eax
        js      failed

        mov     r8d, eax
        mov     edi, PLACE
        mov     esi, 4 * 4096
        mov     edx, PROT_READ | PROT_WRITE
        mov     r10d, MAP_SHARED | MAP_FIXED
        xor     r9d, r9d                        // from page 0 of the file
        mov     eax, SYS_mmap
        syscall
        cmp     rax, PLACE
        jne     failed

        mov     rbx, QWORD PTR [PLACE + 4096]   // the file's page 1 comes in
        mov     eax, SYS_sched_yield            // the other process, if there is one, does the same
        syscall
        mov     eax, SYS_sched_yield
        syscall

        cmp     rbx, 512                        // its first number: there are 512 in a page
        jne     failed
        xor     edi, edi
        mov     eax, SYS_exit
        syscall
failed:
        mov     edi, 1
        mov     eax, SYS_exit
        syscall

        .section .rodata
        .balign 4096
        .zero   3 * 4096                        // pages 2, 3 and 4
constant:
        .quad   21                              // page 5
name:
        .asciz  "numbers.bin"
        .balign 4096
        .data
        .balign 4096
        .quad   21                              // page 6
        .zero   2 * 4096                        // pages 7 and 8, the last not full
        .section .note.GNU-stack, "", @progbits
