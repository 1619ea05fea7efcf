/* copy-on-write: writes into a page, forks, and lets the child write into it: only then is it copied. */
#include "../lecture/calls.h"
        .intel_syntax noprefix
        .globl  _start
        .text
_start:
        mov     QWORD PTR [number], 1           // the page is the process's own from now on
        mov     eax, SYS_fork
        syscall
        test    eax, eax
        jz      child

        mov     edi, eax                        // the parent waits for it …
        xor     esi, esi
        xor     edx, edx
        xor     r10d, r10d
        mov     eax, SYS_wait4
        syscall
        mov     rdi, QWORD PTR [number]         // … and still finds 1
        dec     rdi
        mov     eax, SYS_exit
        syscall
child:
        mov     rbx, QWORD PTR [number]         // reading needs no copy
        mov     QWORD PTR [number], 2           // writing does
        xor     edi, edi
        mov     eax, SYS_exit
        syscall
        .data
        .balign 4096
number:
        .quad   0
        .section .note.GNU-stack, "", @progbits
