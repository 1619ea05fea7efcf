/* Telling a recording from a program by the beginning of the file. */
#ifndef UI_RECORDING_H
#define UI_RECORDING_H

#include <stdbool.h>

/* Both are false for a file that does not exist or cannot be read: what is wrong with it, opening it says. */
bool recording_is_native(const char *path);
/* A trace as JSON lines, by its name and its first character. */
bool recording_is_text(const char *path);

#endif
