// The shared library of exceptions.cc and plug-in of plugins.cc: throws over the library's border, and counts
// its constructors and destructors.
#include "exceptions.h"

#include <cstdio>
#include <vector>

namespace {
struct Resource {
    explicit Resource(const char *name) : name(name) { std::printf("take %s\n", name); }
    ~Resource() { std::printf("give %s back\n", name); }
    const char *name;
};
Resource of_the_library("the library's");
thread_local std::vector<int> of_the_thread;
} // namespace

LibraryError::LibraryError(int depth) : std::runtime_error("depth " + std::to_string(depth)), depth(depth) {}

extern "C" int library_descend(int depth, int (*callback)(int)) {
    Resource here(depth % 2 ? "odd" : "even");
    of_the_thread.push_back(depth);
    if (depth == 0)
        throw LibraryError(static_cast<int>(of_the_thread.size()));
    return callback ? callback(depth - 1) : library_descend(depth - 1, nullptr);
}
