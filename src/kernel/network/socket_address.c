/* Addresses of sockets: from and to user memory, and what the host must be given for them.
 *
 * A local path is relative to the program's working directory, not to ours, and perhaps in a sandbox: it is
 * named through a descriptor of its directory. An abstract name is the host's as well, unless the machine is
 * to be apart from it. */
#include "kernel/network/socket_address.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "kernel/files/lookup.h"
#include "kernel/files/path.h"

static int name_through(int directory, const char *name, struct socket_address *a) {
    struct sockaddr_un *host = (struct sockaddr_un *)&a->host;
    int n = snprintf(host->sun_path, sizeof(host->sun_path), "/proc/self/fd/%d/%s", directory, name);
    if ((size_t)n >= sizeof(host->sun_path))
        return -ENAMETOOLONG;
    a->host_length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)n + 1);
    return 0;
}

/* In a sandbox only sockets can be met that its programs may make themselves. The directory stays open until
 * the next address, since the address names it. */
static int translate_in_sandbox(struct thread *t, const char *path, bool makes, struct socket_address *a) {
    struct sandbox *box = t->process->kernel->sandbox;
    struct lookup l;
    int r = lookup_path(t, AT_FDCWD, path, makes ? 0 : LOOKUP_FOLLOW, &l);
    if (r < 0)
        return r;
    r = l.kind == LOOKUP_HOST ? 0 : -EACCES;
    if (r == 0 && makes)
        r = lookup_change(t, &l, SANDBOX_MAKE);
    else if (r == 0 && l.layer != SANDBOX_MISSING)
        r = sandbox_may_connect(box, l.inside, l.name, l.layer);
    int directory = r < 0 ? r : fcntl(l.directory, F_DUPFD_CLOEXEC, 3);
    if (directory >= 0) {
        sandbox_hold(box, directory);
        r = name_through(directory, l.name, a);
    }
    lookup_end(&l);
    return r == -EEXIST ? -EADDRINUSE : r;
}

static int translate_local(struct thread *t, bool makes, struct socket_address *a) {
    const struct kernel *k = t->process->kernel;
    const struct sockaddr_un *given = (const struct sockaddr_un *)&a->given;
    char path[sizeof(given->sun_path) + 1] = ""; /* NUL-terminated */
    size_t start = offsetof(struct sockaddr_un, sun_path);
    if (a->given_length <= start)
        return 0; /* unnamed */
    if (!given->sun_path[0]) {
        a->on_host = !k->config.no_network && !k->sandbox;
        return 0;
    }
    memcpy(path, given->sun_path, min_size(a->given_length - start, sizeof(given->sun_path)));
    if (k->sandbox)
        return translate_in_sandbox(t, path, makes, a);
    if (path[0] == '/')
        return 0;
    if (t->process->fs->directory < 0)
        return -EACCES; /* in /proc */
    return name_through(t->process->fs->directory, path, a);
}

int socket_address_load(struct thread *t, uint64_t user, uint64_t length, bool makes,
                        struct socket_address *ret_address) {
    struct socket_address *a = ret_address;
    if ((int)length < 0 || length > sizeof(a->given))
        return -EINVAL;
    memset(&a->given, 0, sizeof(a->given));
    int r = user_read(t->process->space, user, &a->given, length);
    if (r < 0)
        return r;
    a->given_length = a->host_length = (socklen_t)length;
    a->host = a->given;
    a->on_host = true;
    if (length >= sizeof(sa_family_t) && a->given.ss_family == AF_UNIX)
        r = translate_local(t, makes, a);
    return r;
}

int socket_address_store(struct thread *t, const struct socket_address *a, uint64_t user,
                         uint64_t user_length) {
    return user ? socket_address_return(t, a, user, user_length) : 0;
}

int socket_address_return(struct thread *t, const struct socket_address *a, uint64_t user,
                          uint64_t user_length) {
    struct space *space = t->process->space;
    int room;
    int r = user_read(space, user_length, &room, sizeof(room));
    if (r < 0 || room < 0)
        return r < 0 ? r : -EINVAL;
    r = user_write(space, user, &a->given, min_size((size_t)room, a->given_length));
    return r < 0 ? r : user_write(space, user_length, &a->given_length, sizeof(a->given_length));
}
