/* Bytes as a file with a name, for readers that want one. */
#ifndef TESTS_FUZZ_JSON_FILE_H
#define TESTS_FUZZ_JSON_FILE_H

#include <stddef.h>
#include <stdint.h>

/* The name of a file of this content; good until the next call. Its folder is the working directory's. */
const char *json_file(const uint8_t *bytes, size_t size);

#endif
