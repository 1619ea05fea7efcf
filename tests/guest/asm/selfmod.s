# Self-modifying code; linked so that its text is writable (ld -N). In four ways: an immediate operand of an
# instruction further on, one in the same straight line (so in the block that runs), a whole function
# replaced, and a jump's target. Prints what each gives.
    .intel_syntax noprefix
    .globl  _start
    .text
_start:
    mov     r12d, 5                 # 1. an operand in a loop, changed in each round
    xor     ebx, ebx
1:  mov     [rip + operand + 1], r12d
    jmp     operand
operand:
    mov     eax, 0x11223344
    add     rbx, rax
    dec     r12d
    jnz     1b
    mov     rdi, rbx                # 5 + 4 + 3 + 2 + 1
    call    print_number

    mov     dword ptr [rip + next + 1], 77
next:                               # 2. the very next instruction
    mov     edi, 0
    call    print_number

    call    function                # 3. a function, before and after
    mov     rdi, rax
    call    print_number
    lea     rdi, [rip + function]
    lea     rsi, [rip + other]
    lea     rcx, [rip + other_end]
    sub     rcx, rsi
    cld
    rep movsb
    call    function
    mov     rdi, rax
    call    print_number

    xor     r13d, r13d              # 4. a jump that is turned back and forth
    mov     r12d, 6
2:  xor     byte ptr [rip + jump + 1], 4
jump:
    jmp     3f                      # eb 00 and eb 04 in turn
3:  add     r13d, 1                 # 4 bytes: 41 83 c5 01
    add     r13d, 16
    dec     r12d
    jnz     2b
    mov     edi, r13d               # 3 × 17 + 3 × 16
    call    print_number
    xor     edi, edi
    call    leave

function:
    mov     eax, 1
    ret
    .skip   16, 0x90
other:
    mov     eax, 2
    imul    eax, eax, 21
    ret
other_end:
    .section .note.GNU-stack, "", @progbits
