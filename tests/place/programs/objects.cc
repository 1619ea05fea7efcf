// Objects of C++, of which one kind thrashes.
#include <cstdio>
#include <memory>
#include <vector>

namespace farm {
struct cow {
    long weight;
    char rest[240];
};

// Inlined on purpose; the load is an instruction of its own.
__attribute__((always_inline)) inline long weight_of(const std::unique_ptr<cow> &c) {
    long weight = c->weight; // READ
    __asm__ volatile("" : "+r"(weight));
    return weight;
}

struct herd {
    std::vector<std::unique_ptr<cow>> cows;
    __attribute__((noinline)) void grow(int by) {
        for (int i = 0; i < by; i++)
            cows.emplace_back(new cow{i, {}}); // HERE
    }
    __attribute__((noinline)) long weigh() const {
        long sum = 0;
        for (const auto &c : cows)
            sum += weight_of(c); // ADDED
        return sum;
    }
};
} // namespace farm

int main() {
    farm::herd herd;
    long sum = 0;
    herd.grow(4000);
    for (int i = 0; i < 8; i++)
        sum += herd.weigh();
    std::printf("%ld\n", sum);
}
