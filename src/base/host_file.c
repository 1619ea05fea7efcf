#include "base/host_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

const char *host_temporary_folder(void) {
    const char *folder = getenv("TMPDIR");
    return folder && *folder ? folder : "/tmp";
}

int host_file_unnamed(const char *folder) {
    int descriptor = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (descriptor >= 0)
        return descriptor;
    char *path; /* not every file system has files without names */
    if (asprintf(&path, "%s/thimble-XXXXXX", folder) < 0)
        return -ENOMEM;
    descriptor = mkostemp(path, O_CLOEXEC);
    if (descriptor < 0)
        descriptor = -errno;
    else
        unlink(path);
    free(path);
    return descriptor;
}

int host_file_write(int descriptor, const void *bytes, size_t length) {
    for (const char *from = bytes; length;) {
        const ssize_t done = write(descriptor, from, length);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return -errno;
        from += done;
        length -= (size_t)done;
    }
    return 0;
}
