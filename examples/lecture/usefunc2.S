/* mypgm2 of pictures 023 and 023b: calls the same function of the same shared object. It has no stack when it
 * does so (the picture has none), so the function comes back by a jump: it finds the address in r11. */
#include "calls.h"
        .intel_syntax noprefix
        .globl  _start
        .equ    PLACE, 0x410000
        .text
        .zero   2 * 4096                        // pages 1 and 2
_start:
        mov     r12d, PROT_READ | PROT_EXEC
        mov     rax, [rsp + 16]                 // argv[1]
        cmp     BYTE PTR [rax + 1], 'w'
        jne     1f
        or      r12d, PROT_WRITE
1:
        mov     rdi, rsp
        and     rdi, -4096
        mov     esi, 4096
        mov     eax, SYS_munmap                 // the stack's only page
        syscall

        mov     edi, AT_FDCWD
        lea     rsi, [name]
        mov     edx, O_RDONLY
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

        mov     edi, 41
        lea     r11, [2f]
        mov     eax, PLACE + 4096 + 16          // myfunc's second entry: returns by r11
        jmp     rax
2:
        mov     ebx, eax
        mov     eax, SYS_sched_yield
        syscall
        cmp     ebx, 42
        jne     failed
        xor     edi, edi
        mov     eax, SYS_exit
        syscall
failed:
        mov     edi, 1
        mov     eax, SYS_exit
        syscall
name:
        .asciz  "myfunc.so"
        .section .note.GNU-stack, "", @progbits
