# Says argv[1] as often as argv[2] tells (one digit), and lets the others run after each time; leaves with the
# status argv[3] (one digit). `main` and `say` are there to be watched.
    .intel_syntax noprefix
    .globl  _start, main, say
    .text
_start:
    mov     rbx, rsp                # argc, argv[0], argv[1] ...
    call    main
    mov     rdi, rax
    mov     eax, 60                 # exit
    syscall

main:
    mov     rax, [rbx + 24]         # argv[2]
    movzx   r12d, byte ptr [rax]
    sub     r12d, '0'
1:  call    say
    mov     eax, 24                 # sched_yield
    syscall
    dec     r12d
    jnz     1b
    mov     rax, [rbx + 32]         # argv[3]
    movzx   eax, byte ptr [rax]
    sub     eax, '0'
    ret

say:
    mov     rsi, [rbx + 16]         # argv[1]
    mov     rdx, -1
2:  inc     rdx
    cmp     byte ptr [rsi + rdx], 0
    jnz     2b
    mov     edi, 1                  # standard output
    mov     eax, 1                  # write
    syscall
    ret
    .section .note.GNU-stack, "", @progbits
