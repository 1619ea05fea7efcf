/* Directories of the host, opened by a path below a root without following any link. */
#ifndef KERNEL_BENEATH_H
#define KERNEL_BENEATH_H

/* Opens `path`, absolute as seen from `root` and without links, "." and "..": an O_PATH descriptor, or -errno
 * (-ELOOP or -ENOTDIR when a component turns out to be a link). */
int beneath_open_directory(int root, const char *path);

/* The same for the directory that the path's last name is in; *ret_name, in `path`, is that name ("." for
 * "/"): what the host's *at calls want. */
int beneath_open_parent(int root, const char *path, const char **ret_name);

#endif
