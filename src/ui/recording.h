/* Recorded runs by the names of their files: telling one from a program, opening one. */
#ifndef UI_RECORDING_H
#define UI_RECORDING_H

#include <stdbool.h>

#include "trace/film.h"

/* Both are false for a file that does not exist or cannot be read: what is wrong with it, opening it says. */
bool recording_is_native(const char *path);
/* A trace as JSON lines, by its name and its first character. */
bool recording_is_text(const char *path);

/* Opens a native trace. NULL: it cannot be, standard error was told why. That it was
 * cut is told there too. */
struct film *recording_open(const char *path);

#endif
