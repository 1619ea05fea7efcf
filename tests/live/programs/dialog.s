# Asks for a name, reads a line, greets, and exits with status 7.
        .globl  _start
        .text
_start: mov     $1, %eax                # write(1, question, 6)
        mov     $1, %edi
        mov     $question, %esi
        mov     $6, %edx
        syscall
        xor     %eax, %eax              # read(0, name, 64)
        xor     %edi, %edi
        mov     $name, %esi
        mov     $64, %edx
        syscall
        mov     %rax, %rbx
        mov     $1, %eax                # write(1, hello, 6)
        mov     $1, %edi
        mov     $hello, %esi
        mov     $6, %edx
        syscall
        mov     $1, %eax                # write(1, name, what was read)
        mov     $1, %edi
        mov     $name, %esi
        mov     %rbx, %rdx
        syscall
        mov     $60, %eax               # exit(7)
        mov     $7, %edi
        syscall
        .section .rodata
question: .ascii "Name? "
hello:  .ascii  "Hello "
        .bss
name:   .skip   64
