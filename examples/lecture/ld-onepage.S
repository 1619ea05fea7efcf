/* ld.so of picture 026, played by one page: the kernel starts it in the program's place (PT_INTERP). It maps
 * the shared object that the programs use at PLACE, then jumps to the program's entry point, which it finds in
 * the auxiliary vector on the stack. A real ld.so also looks names up and fills in addresses; the programs
 * here know where the functions are. */
#include "calls.h"
        .intel_syntax noprefix
        .globl  _start
        .equ    PLACE, 0x500000
        .text
_start:
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
        mov     edx, PROT_READ | PROT_EXEC
        mov     r10d, MAP_PRIVATE | MAP_FIXED
        xor     r9d, r9d
        mov     eax, SYS_mmap
        syscall
        cmp     rax, PLACE
        jne     failed

        mov     rax, [rsp]                      // argc
        lea     rsi, [rsp + 8 * rax + 16]       // behind argv and its NULL: envp
1:      lodsq
        test    rax, rax
        jnz     1b                              // to the end of envp
2:      lodsq                                   // type
        mov     rcx, rax
        lodsq                                   // value
        cmp     rcx, AT_ENTRY
        jne     2b
        jmp     rax
failed:
        mov     edi, 127
        mov     eax, SYS_exit
        syscall
name:
        .asciz  "sumitshared.so"
        .section .note.GNU-stack, "", @progbits
