/* Enters translated code, and is where it comes back to: area.h.
 *
 * While translated code runs, rbp is the area and the stack is as area_enter() left it, so that each way back
 * finds the callee-saved registers at rsp. Translated code keeps rsp, and jumps here with the guest's rip
 * written to the area. */
#include "engine/soft/offsets.h"

        .text

        .globl area_enter
        .type area_enter, @function
        .p2align 4
area_enter:
        push    %rbx
        push    %rbp
        push    %r12
        push    %r13
        push    %r14
        push    %r15
        push    %rdi                    /* aligns the stack for helpers */
        mov     %rsp, AREA_STACK(%rdi)
        mov     %rdi, %rbp
        jmp     *%rsi
        .size area_enter, . - area_enter

        .globl area_leave
        .type area_leave, @function
        .p2align 4
area_leave:
        mov     AREA_STACK(%rdi), %rsp
        mov     %rsi, %rax
        jmp     return                  /* the value is in rdx already */
        .size area_leave, . - area_leave

        .globl area_indirect
        .type area_indirect, @function
        .p2align 4
area_indirect:
        mov     AREA_RIP(%rbp), %rax
        mov     %eax, %ecx
        and     $(JUMP_ENTRIES - 1), %ecx
        shl     $JUMP_SHIFT, %ecx
        cmp     AREA_JUMPS(%rbp,%rcx), %rax
        jne     1f
        jmp     *AREA_JUMPS + 8(%rbp,%rcx)
1:      mov     $EXIT_INDIRECT, %eax
        jmp     return
        .size area_indirect, . - area_indirect

        .globl area_chain
        .type area_chain, @function
        .p2align 4
area_chain:
        pop     %rdx
        mov     $EXIT_CHAIN, %eax
        jmp     return
        .size area_chain, . - area_chain

        .globl area_fetch_failed
        .type area_fetch_failed, @function
area_fetch_failed:
        mov     $EXIT_FETCH, %eax
        jmp     return
        .size area_fetch_failed, . - area_fetch_failed

        .globl area_event
        .type area_event, @function
area_event:
        mov     $EXIT_EVENT, %eax
        jmp     return
        .size area_event, . - area_event

        .globl area_assist
        .type area_assist, @function
area_assist:
        mov     %rbp, %rdx              /* the library put the reason there */
        mov     $EXIT_ASSIST, %eax
return:
        pop     %rdi
        pop     %r15
        pop     %r14
        pop     %r13
        pop     %r12
        pop     %rbp
        pop     %rbx
        ret
        .size area_assist, . - area_assist

/* A TLB miss comes here with the address in rdi, the description of the access in esi and the block's entries
 * in the log in ecx (thunk.c): goes on to access_miss(area, address, description, entries). */
        .globl area_miss
        .type area_miss, @function
        .p2align 4
area_miss:
        mov     %esi, %edx
        mov     %rdi, %rsi
        mov     %rbp, %rdi
        jmp     access_miss
        .size area_miss, . - area_miss

        .section .note.GNU-stack, "", @progbits
