# Writes its own first page into memory that only a descriptor names, again and again, in one call that needs
# more frames than there are: a page that was filled by the call must go before the call is over.
    .intel_syntax noprefix
    .globl  _start
    .text
_start:
    lea     rdi, _start[rip]        # any name
    xor     esi, esi
    mov     eax, 319                # memfd_create
    syscall
    mov     r12, rax
    lea     rbx, vector[rip]
    mov     ecx, 12
1:  mov     qword ptr [rbx], 0x400000
    mov     qword ptr [rbx + 8], 4096
    add     rbx, 16
    dec     ecx
    jnz     1b
    mov     rdi, r12
    lea     rsi, vector[rip]
    mov     edx, 12
    mov     eax, 20                 # writev
    syscall
    xor     edi, edi
    cmp     rax, 12 * 4096
    setne   dil
    mov     eax, 60                 # exit
    syscall
    .bss
vector:
    .skip   12 * 16
    .section .note.GNU-stack, "", @progbits
