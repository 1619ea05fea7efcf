/* Opening beneath a root. The host does it in one call where it has openat2(); elsewhere (an old kernel, a
 * container that forbids it) each component is opened on its own. Either way a link that somebody slips in
 * meanwhile is an error, never a way out. */
#include "kernel/files/beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { DIRECTORY_FLAGS = O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW };

static int open_by_component(int root, const char *relative) {
    char name[NAME_MAX + 1];
    int at = openat(root, ".", DIRECTORY_FLAGS);
    while (at >= 0 && *relative) {
        size_t length = strcspn(relative, "/");
        if (length > NAME_MAX) {
            close(at);
            return -ENAMETOOLONG;
        }
        memcpy(name, relative, length);
        name[length] = '\0';
        relative += length + strspn(relative + length, "/");
        int next = openat(at, name, DIRECTORY_FLAGS), error = errno;
        close(at);
        errno = error;
        at = next;
    }
    return at < 0 ? -errno : at;
}

int beneath_open_directory(int root, const char *path) {
    struct open_how how = {.flags = DIRECTORY_FLAGS, .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};
    const char *relative = path[1] ? path + 1 : ".";
    long fd = syscall(SYS_openat2, root, relative, &how, sizeof(how));
    if (fd >= 0)
        return (int)fd;
    if (errno != ENOSYS && errno != EPERM && errno != EAGAIN)
        return -errno;
    return open_by_component(root, relative);
}

int beneath_open_parent(int root, const char *path, const char **ret_name) {
    char parent[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t length = slash == path ? 1 : (size_t)(slash - path);
    if (length >= sizeof(parent))
        return -ENAMETOOLONG;
    memcpy(parent, path, length);
    parent[length] = '\0';
    *ret_name = slash[1] ? slash + 1 : ".";
    return beneath_open_directory(root, parent);
}
