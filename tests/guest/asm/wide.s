# Touches more pages than a small machine has, in the text too: sixteen functions, each in a page of its own,
# called in a fixed pseudo-random order, each adds to a counter in a data page of its own.
    .intel_syntax noprefix
    .globl  _start
    .equ    PAGES, 16
    .text
_start:
    mov     r12d, 2000              # rounds
    mov     r13d, 12345             # state of the generator
1:  imul    r13d, r13d, 1103515245
    add     r13d, 12345
    mov     eax, r13d
    shr     eax, 16
    and     eax, PAGES - 1
    shl     eax, 12
    lea     rbx, [rip + functions]
    add     rbx, rax
    lea     r14, [rip + counters]
    add     r14, rax
    call    rbx
    dec     r12d
    jnz     1b
    xor     r12d, r12d
    lea     rbx, [rip + counters]
    xor     ebp, ebp
2:  mov     rax, [rbx]
    imul    rax, rax, 31
    add     rbp, rax
    imul    rbp, rbp, 7
    add     rbx, 4096
    inc     r12d
    cmp     r12d, PAGES
    jb      2b
    mov     rdi, rbp                # a hash of all the counters
    call    print_number
    xor     edi, edi
    call    leave

    .balign 4096
functions:
    .set    i, 0
    .rept   PAGES
    .balign 4096
    add     qword ptr [r14], i + 1
    ret
    .set    i, i + 1
    .endr

    .bss
    .balign 4096
counters:
    .skip   PAGES * 4096
    .section .note.GNU-stack, "", @progbits
