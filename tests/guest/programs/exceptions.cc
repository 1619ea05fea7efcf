// C++ exceptions through frames of two shared objects, from other threads, rethrown, and out of functions
// that have objects to destroy; iostreams and containers beside them.
#include "exceptions.h"

#include <exception>
#include <future>
#include <iostream>
#include <map>
#include <memory>
#include <thread>

static int calls_back(int depth) {
    std::string local(static_cast<size_t>(depth) + 1, 'x');
    try {
        return library_descend(depth, calls_back) + static_cast<int>(local.size());
    } catch (const LibraryError &error) {
        if (depth < 2)
            throw;
        std::throw_with_nested(std::logic_error("around " + local));
    }
}

static void unwind(const std::exception &error, int level = 0) {
    std::cout << std::string(static_cast<size_t>(level), ' ') << error.what() << '\n';
    try {
        std::rethrow_if_nested(error);
    } catch (const std::exception &inner) {
        unwind(inner, level + 1);
    }
}

static int in_a_thread(int n) {
    if (n % 3 == 0)
        library_descend(n, nullptr);
    return n * n;
}

int main() {
    std::ios::sync_with_stdio();
    try {
        library_descend(5, calls_back);
    } catch (const std::exception &error) {
        unwind(error);
    }
    std::map<int, std::string> results;
    for (int n = 0; n < 6; n++) {
        auto result = std::async(std::launch::async, in_a_thread, n);
        try {
            results[n] = std::to_string(result.get());
        } catch (const LibraryError &error) {
            results[n] = error.what();
        }
    }
    for (const auto &[n, text] : results)
        std::cout << n << ": " << text << '\n';
    try {
        std::string().at(5);
    } catch (const std::out_of_range &) {
        std::cout << "out of range" << std::endl;
    }
    auto shared = std::make_shared<std::thread>([] {
        try {
            throw 42;
        } catch (int n) {
            std::cout << "caught " << n << std::endl;
        }
    });
    shared->join();
    std::set_terminate([] {
        std::cout << "terminated" << std::endl;
        std::abort();
    });
    throw LibraryError(99);
}
