/* unmap-all: gives up its whole address space, its own code and stack included. For a moment it runs with an
 * empty page table; the very next instruction is nowhere any more, and the program ends by SIGSEGV. */
#include "calls.h"
        .intel_syntax noprefix
        .globl  _start
        .text
_start:
        xor     edi, edi                        // from the first page of user space
        movabs  rsi, 0x7ffffffff000             // to the last
        mov     eax, SYS_munmap
        syscall
        .section .note.GNU-stack, "", @progbits
