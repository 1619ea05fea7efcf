/* mypgm of pictures 023 and 023b: maps the shared object myfunc.so itself, as mypgm-map maps a file, and calls
 * the function that stands at the beginning of its page 1. Its argument says how: rwx, as the slide has it, or
 * r-x, as ld.so maps it. */
#include "calls.h"
        .intel_syntax noprefix
        .globl  _start
        .equ    PLACE, 0x410000
        .text
_start:
        mov     rax, QWORD PTR [constant]       // read-only data: page 5 of the file
        mov     r12d, PROT_READ | PROT_EXEC
        mov     rax, [rsp + 16]                 // argv[1]
        cmp     BYTE PTR [rax + 1], 'w'
        jne     1f
        or      r12d, PROT_WRITE
1:
        mov     edi, AT_FDCWD
        lea     rsi, [name]
        mov     edx, O_RDONLY                   // a private mapping may be written all the same
        mov     eax, SYS_openat
        syscall
        test    eax, eax
        js      failed

        mov     r8d, eax
        mov     edi, PLACE
        mov     esi, 4 * 4096
        mov     edx, r12d
        mov     r10d, MAP_PRIVATE | MAP_FIXED
        xor     r9d, r9d
        mov     eax, SYS_mmap
        syscall
        cmp     rax, PLACE
        jne     failed

        mov     edi, 20
        mov     eax, PLACE + 4096
        call    rax                             // myfunc(20)
        mov     ebx, eax
        mov     eax, SYS_sched_yield
        syscall
        mov     eax, SYS_sched_yield
        syscall
        cmp     ebx, 21
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
        .asciz  "myfunc.so"
        .balign 4096
        .data
        .balign 4096
        .quad   21                              // page 6
        .zero   2 * 4096                        // pages 7 and 8, the last not full
        .section .note.GNU-stack, "", @progbits
