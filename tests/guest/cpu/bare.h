/* What a guest program without the C library needs: nothing here uses thread-local storage, a stack of the
 * library's, or a vector register, so that it runs whatever an instruction under test has done to the CPU. */
#ifndef GUEST_BARE_H
#define GUEST_BARE_H

#include <stddef.h>
#include <stdint.h>

long bare_call(long number, long a, long b, long c, long d, long e, long f);
_Noreturn void bare_exit(int status);

/* Standard output, through a buffer. */
void bare_print(const char *text);
void bare_print_hex(uint64_t value, unsigned digits); /* as many as needed if digits is 0 */
void bare_flush(void);

/* The arguments of the program; main() of such a program. */
int bare_main(int argc, char **argv);
uint64_t bare_number(const char *text);

/* A handler on an alternate stack for the signals that instructions raise, of which none is blocked in it. */
void bare_catch(void (*handler)(int, void *, void *));

#endif
