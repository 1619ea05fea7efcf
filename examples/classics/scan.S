/* scan: reads twelve pages of its file from the first to the last, five times over. */
#include "../lecture/calls.h"
        .intel_syntax noprefix
        .globl  _start
        .equ    PAGES, 12
        .equ    ROUNDS, 5
        .text
_start:
        mov     ebx, ROUNDS
1:      xor     ecx, ecx
2:      mov     rax, QWORD PTR [pages + rcx]
        add     rcx, 4096
        cmp     rcx, PAGES * 4096
        jne     2b
        dec     ebx
        jnz     1b
        xor     edi, edi
        mov     eax, SYS_exit
        syscall
        .section .rodata
        .balign 4096
pages:
        .zero   PAGES * 4096
        .section .note.GNU-stack, "", @progbits
