/* hostcopy.h's copy. One instruction touches memory: when the host cannot provide a page of it, SIGBUS arrives
 * with rip at that instruction, and hostcopy_signal() sends it on to hostcopy_failed. */
        .text

        .globl hostcopy
        .type hostcopy, @function
        .p2align 4
hostcopy:
        mov     %rdx, %rcx
        .globl hostcopy_touches
hostcopy_touches:
        rep movsb
        xor     %eax, %eax
        ret
        .globl hostcopy_failed
hostcopy_failed:
        mov     $-14, %eax              /* -EFAULT */
        ret
        .size hostcopy, . - hostcopy

        .section .note.GNU-stack, "", @progbits
