/* What the C library believes to need of a system, where there is none: the formatting of text into memory
 * drags in its streams, which nobody opens. The calls behind them say so. With these, page.wasm imports
 * nothing.
 *
 * The names are those by which wasi-libc imports the calls of WASI, preview 1. */
#include <stdint.h>
#include <wasi/api.h>

#define CALL(name) __imported_wasi_snapshot_preview1_##name

int32_t CALL(fd_close)(int32_t fd);
int32_t CALL(fd_seek)(int32_t fd, int64_t offset, int32_t whence, int32_t position);
int32_t CALL(fd_write)(int32_t fd, int32_t pieces, int32_t count, int32_t written);

int32_t CALL(fd_close)(int32_t fd) {
    return __WASI_ERRNO_BADF;
}

int32_t CALL(fd_seek)(int32_t fd, int64_t offset, int32_t whence, int32_t position) {
    return __WASI_ERRNO_BADF;
}

int32_t CALL(fd_write)(int32_t fd, int32_t pieces, int32_t count, int32_t written) {
    return __WASI_ERRNO_BADF;
}
