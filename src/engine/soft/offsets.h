/* Places in the CPU state area (area.h) that dispatch.S needs; area.h asserts that they are right. */
#ifndef ENGINE_SOFT_OFFSETS_H
#define ENGINE_SOFT_OFFSETS_H

#define AREA_RIP          184 /* the guest's program counter */
#define AREA_COUNTER      8
#define AREA_FETCH_FAILED 936   /* address of area_fetch_failed() */
#define AREA_STACK        928   /* the host's stack pointer at the entry of translated code */
#define AREA_JUMPS        10976 /* the table of indirect jumps: {guest address, host code} */
#define JUMP_SHIFT        4     /* log2 of the size of one entry */
#define JUMP_ENTRIES      4096

/* How translated code came back. */
#define EXIT_INDIRECT 0 /* an indirect jump whose target is not in the table */
#define EXIT_CHAIN    1 /* a direct jump that is not chained yet: the value is behind its call */
#define EXIT_EVENT    2 /* the counter of instructions is used up */
#define EXIT_ASSIST   3 /* the value is a VEX_TRC_ code */
#define EXIT_FETCH    6 /* the block's page is not in the fetch TLB */
#define EXIT_SLOW     4 /* a helper asks for the slow path; the value is the number of instructions left */
#define EXIT_FAULT    5 /* a helper raised an exception (engine.trap); the value likewise */

/* Where rip, at an EXIT_ASSIST, holds the number of instructions left; the address is below. */
#define EXIT_LEFT_SHIFT 48

#endif
