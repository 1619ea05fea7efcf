# Reads from an address where nothing is mapped: ends by SIGSEGV, status 128 + 11.
    .intel_syntax noprefix
    .globl  _start
    .text
_start:
    lea     rdi, [rip + text]
    lea     rsi, [rip + text_end]
    sub     rsi, rdi
    call    print
    mov     rbx, 0x123456789000
    mov     rax, [rbx]
    mov     edi, 1                  # not reached
    call    leave

    .section .rodata
text:
    .ascii  "now a wild address\n"
text_end:
    .section .note.GNU-stack, "", @progbits
