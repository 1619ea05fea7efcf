/* Linux's numbers for what these programs ask for. (The C library's headers have most of them too, between
 * declarations that an assembler cannot read.) */
#include <sys/syscall.h> // SYS_write, SYS_mmap …

#define AT_FDCWD (-100) // openat(): relative names begin at the working directory
#define O_RDONLY 0
#define O_RDWR   2

#define PROT_READ  1
#define PROT_WRITE 2
#define PROT_EXEC  4

#define MAP_SHARED    0x01
#define MAP_PRIVATE   0x02
#define MAP_FIXED     0x10
#define MAP_ANONYMOUS 0x20
#define MAP_NORESERVE 0x4000

#define AT_ENTRY 9 // auxiliary vector: the program's entry point
