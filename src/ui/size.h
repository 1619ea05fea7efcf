/* Numbers and sizes as people type them. */
#ifndef UI_SIZE_H
#define UI_SIZE_H

#include <stdbool.h>
#include <stdint.h>

/* Both return NULL, or what is wrong with the text (a phrase to stand behind "'text' "); the result is
 * untouched then. Only digits and one suffix letter are accepted: no sign, no blanks, no fractions. */

/* A whole number from min to max. */
const char *number_parse(const char *text, uint64_t min, uint64_t max, uint64_t *ret_number);
/* Bytes with an optional K, M, G or T (powers of 1024; small letters too) in pages, rounded up: at least one
 * page. With `or_pages` also a number of pages: "28p". */
const char *size_parse(const char *text, bool or_pages, uint64_t *ret_pages);

/* A whole number as the value of an option; 0, or -EINVAL with *ret_message (malloc'd): "--top: '5M' is not a
 * whole number: give a whole number from 1 to 20", where `max` is below INT64_MAX. */
int number_take(const char *option, const char *text, uint64_t min, uint64_t max, uint64_t *ret_number,
                char **ret_message);

/* "192 KiB", "1 GiB", "1.5 MiB": into `text`, which is returned. */
enum { SIZE_TEXT = 32 };
char *size_format(uint64_t bytes, char text[SIZE_TEXT]);
/* "12,345,678": into `text`, which is returned. */
char *number_format(uint64_t number, char text[SIZE_TEXT]);

/* 32 hexadecimal digits of a trace's hash, or "" for one that is all zeros: not known. */
enum { HASH_BYTES = 16, HASH_TEXT = 2 * HASH_BYTES + 1 };
char *hash_format(const uint8_t hash[HASH_BYTES], char text[HASH_TEXT]);

#endif
