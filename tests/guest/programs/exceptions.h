// What exceptions.cc and its shared library have in common.
#ifndef GUEST_EXCEPTIONS_H
#define GUEST_EXCEPTIONS_H

#include <stdexcept>
#include <string>

struct __attribute__((visibility("default"))) LibraryError : std::runtime_error {
    explicit LibraryError(int depth);
    int depth;
};
extern "C" __attribute__((visibility("default"))) int library_descend(int depth, int (*callback)(int));

#endif
