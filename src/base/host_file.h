/* Files of the host that are for us alone, and writing all of something. */
#ifndef BASE_HOST_FILE_H
#define BASE_HOST_FILE_H

#include <stddef.h>

/* Where temporary files belong: TMPDIR, or /tmp. */
const char *host_temporary_folder(void);

/* A file without a name in the folder, which is gone when it is closed: its descriptor, or -errno. */
int host_file_unnamed(const char *folder);

/* All of it, however many calls it takes. 0 or -errno. */
int host_file_write(int descriptor, const void *bytes, size_t length);

#endif
