/* Page references from a file of one format into a file of another. What the other cannot hold is said, not
 * passed over. */
#ifndef UI_EXPORTED_H
#define UI_EXPORTED_H

#include "refs/refs.h"

/* The format that a file's name asks for; REFS_FORMAT_ANY: none. */
enum refs_format exported_format(const char *path);

/* References from a file of this format (NULL: by its content) that may be read more than once; "-" is
 * standard input. 0 or -errno with *ret_message. */
int exported_open(const char *path, const char *format, struct refs_source **ret_source, char **ret_message);

/* False: it was read to its end, and is a recording that was cut, which is said. */
bool exported_close(struct refs_source *, const char *path);

/* "-" is a standard stream, of this name. */
const char *exported_path(const char *path, const char *stream);

/* "--format VALUE": 0, or -EINVAL with *ret_message. */
int exported_take_format(const char *value, enum refs_format *ret_format, char **ret_message);

/* False: there is no such file, which was said. *ret_whole: the source was not cut. */
bool exported_write(const char *from, enum refs_format from_format, const char *to,
                    enum refs_format to_format, bool *ret_whole);

#endif
