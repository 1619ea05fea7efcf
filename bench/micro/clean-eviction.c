/* Clean eviction with refill: reads a byte from each page of a file mapping, in order, ROUNDS times. When the
 * mapping is larger than memory, every touch (under any policy that does not know the future) evicts a clean
 * page and fills its frame from the file again.
 *
 *   clean-eviction FILE PAGES ROUNDS     FILE is extended to PAGES pages if it is shorter
 *
 * The time of R2 rounds less that of R1, divided by (R2 - R1) * PAGES, is the cost of one. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int main(int argc, char **argv) {
    if (argc != 4)
        return 2;
    const size_t length = strtoul(argv[2], NULL, 0) * 4096;
    const unsigned long rounds = strtoul(argv[3], NULL, 0);
    struct stat status;
    const int fd = open(argv[1], O_RDWR | O_CREAT, 0600);
    if (fd < 0 || fstat(fd, &status) < 0)
        return 1;
    if ((size_t)status.st_size < length && ftruncate(fd, (off_t)length) < 0)
        return 1;
    const volatile unsigned char *start = mmap(NULL, length, PROT_READ, MAP_PRIVATE, fd, 0);
    if (start == MAP_FAILED)
        return 1;
    unsigned long sum = 0;
    for (unsigned long round = 0; round < rounds; round++)
        for (size_t offset = 0; offset < length; offset += 4096)
            sum += 1UL + start[offset];
    printf("%lu\n", sum);
    return 0;
}
