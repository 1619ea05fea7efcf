# A breakpoint instruction without a debugger or a handler: ends by SIGTRAP, status 128 + 5.
    .intel_syntax noprefix
    .globl  _start
    .text
_start:
    lea     rdi, [rip + text]
    lea     rsi, [rip + text_end]
    sub     rsi, rdi
    call    print
    int3
    mov     edi, 1                  # not reached
    call    leave

    .section .rodata
text:
    .ascii  "now int3\n"
text_end:
    .section .note.GNU-stack, "", @progbits
