/* See fuzz-reader.c. */
#ifndef TESTS_TRACE_FUZZ_READER_H
#define TESTS_TRACE_FUZZ_READER_H

#include <stddef.h>
#include <stdint.h>

enum fuzz_input { FUZZ_FILE, FUZZ_CHECKPOINT, FUZZ_EVENTS, FUZZ_HEADER, FUZZ_INPUTS };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
