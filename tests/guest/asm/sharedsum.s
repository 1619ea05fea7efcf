# A shared object of two position-independent functions that add up the numbers from 1 to rdi; `sum_up` counts
# up, `sum_down` counts down. Its entry point (ld -e) is `sum_up`, which tells a program that maps the file
# itself where the code is; `sum_down` follows 32 bytes later.
    .intel_syntax noprefix
    .globl  sum_up, sum_down
    .type   sum_up, @function
    .type   sum_down, @function
    .text
    .balign 32
sum_up:
    xor     eax, eax
    xor     ecx, ecx
1:  inc     rcx
    add     rax, rcx
    cmp     rcx, rdi
    jb      1b
    ret
    .balign 32
sum_down:
    xor     eax, eax
1:  add     rax, rdi
    dec     rdi
    jnz     1b
    ret
    .section .note.GNU-stack, "", @progbits
