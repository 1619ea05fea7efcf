/* usesumshared1dynamic of picture 026: an executable that names an interpreter, which has mapped
 * sumitshared.so at LIBRARY when this begins. */
#include "calls.h"
        .intel_syntax noprefix
        .globl  _start
        .equ    LIBRARY, 0x500000
        .section .interp, "a"
        .asciz  "ld.so"
        .text
_start:
        mov     rax, QWORD PTR [constant]       // read-only data: page 5 of the file
        mov     eax, SYS_sched_yield            // the other program starts
        syscall

        mov     edi, 100
        mov     eax, LIBRARY + 4096
        call    rax                             // sumit(100)
        mov     ebx, eax
        mov     eax, SYS_sched_yield
        syscall
        mov     eax, SYS_sched_yield
        syscall
        xor     edi, edi
        cmp     ebx, 5050
        setne   dil
        mov     eax, SYS_exit
        syscall

        .section .rodata
        .balign 4096
        .zero   3 * 4096                        // pages 2, 3 and 4
constant:
        .quad   21                              // page 5
        .balign 4096
        .data
        .balign 4096
        .quad   21                              // page 6
        .zero   2 * 4096                        // pages 7 and 8, the last not full
        .section .note.GNU-stack, "", @progbits
