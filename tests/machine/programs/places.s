# Places to be watched: in the middle of a block that loops, at an instruction that the engine executes alone,
# in a function that two threads call, and in one that a child calls, too. Leaves with status 3.
    .intel_syntax noprefix
    .globl  _start, middle, alone, shared, late, never
    .text
_start:
    mov     r12d, 1000
1:  add     rax, 1
middle:
    add     rcx, 3
    add     rdx, rcx
alone:
    pushf
    pop     rdx
    call    other
    dec     r12d
    jnz     1b

    mov     edi, 0x10f00            # CLONE_VM, FS, FILES, SIGHAND, THREAD
    lea     rsi, thread_stack_end[rip]
    xor     edx, edx
    xor     r10d, r10d
    xor     r8d, r8d
    mov     eax, 56                 # clone
    syscall
    test    eax, eax
    jz      thread
    call    shared
2:  mov     eax, 24                 # sched_yield
    syscall
    cmp     dword ptr thread_is_done[rip], 0
    je      2b

    mov     eax, 57                 # fork
    syscall
    test    eax, eax
    jz      child
    call    late
    mov     edi, -1
    xor     esi, esi
    xor     edx, edx
    xor     r10d, r10d
    mov     eax, 61                 # wait4
    syscall
    mov     edi, 3
    mov     eax, 231                # exit_group
    syscall

thread:
    call    shared
    mov     dword ptr thread_is_done[rip], 1
    mov     eax, 60                 # exit
    syscall

child:
    call    late
    xor     edi, edi
    mov     eax, 60
    syscall

shared:
    nop
other:
    ret
late:
    ret
never:
    ret
    .bss
thread_is_done:
    .long   0
thread_stack:
    .skip   1024
thread_stack_end:
    .section .note.GNU-stack, "", @progbits
