// dlopen, dlsym, dlclose, again and again, at the same and at other addresses; what a plug-in throws is
// caught here, and its static objects live as long as it is loaded. Arguments: the plug-in.
#include "exceptions.h"

#include <dlfcn.h>

#include <iostream>

static int use(const char *path, int depth) {
    void *plugin = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!plugin) {
        std::cout << "not loaded\n";
        return 1;
    }
    auto descend = reinterpret_cast<int (*)(int, int (*)(int))>(dlsym(plugin, "library_descend"));
    try {
        descend(depth, nullptr);
    } catch (const std::exception &error) {
        std::cout << "caught: " << error.what() << std::endl;
    }
    std::cout << (dlsym(plugin, "no_such_name") ? "found" : "not found") << std::endl;
    return dlclose(plugin);
}

int main(int, char **argv) {
    std::ios::sync_with_stdio();
    for (int i = 0; i < 5; i++)
        std::cout << "closed: " << use(argv[1], i) << std::endl;
    std::cout << (dlopen("/nonexistent.so", RTLD_NOW) ? "" : "no such plug-in") << std::endl;
    return 0;
}
