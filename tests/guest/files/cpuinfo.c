/* Compares the flags of /proc/cpuinfo with what the CPUID instruction says, for the flags that the machine
 * may have. Prints what does not agree; nothing else. */
#include <cpuid.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum where { LEAF_1_EDX, LEAF_1_ECX, LEAF_7_EBX, EXTENDED_EDX, EXTENDED_ECX, WORDS };
static const struct {
    const char *name;
    enum where where;
    unsigned bit;
} flags[] = {
    {"fpu", LEAF_1_EDX, 0},       {"tsc", LEAF_1_EDX, 4},       {"cx8", LEAF_1_EDX, 8},
    {"sep", LEAF_1_EDX, 11},      {"cmov", LEAF_1_EDX, 15},     {"clflush", LEAF_1_EDX, 19},
    {"mmx", LEAF_1_EDX, 23},      {"fxsr", LEAF_1_EDX, 24},     {"sse", LEAF_1_EDX, 25},
    {"sse2", LEAF_1_EDX, 26},     {"pni", LEAF_1_ECX, 0},       {"pclmulqdq", LEAF_1_ECX, 1},
    {"ssse3", LEAF_1_ECX, 9},     {"fma", LEAF_1_ECX, 12},      {"cx16", LEAF_1_ECX, 13},
    {"sse4_1", LEAF_1_ECX, 19},   {"sse4_2", LEAF_1_ECX, 20},   {"movbe", LEAF_1_ECX, 22},
    {"popcnt", LEAF_1_ECX, 23},   {"aes", LEAF_1_ECX, 25},      {"xsave", LEAF_1_ECX, 26},
    {"avx", LEAF_1_ECX, 28},      {"f16c", LEAF_1_ECX, 29},     {"bmi1", LEAF_7_EBX, 3},
    {"avx2", LEAF_7_EBX, 5},      {"bmi2", LEAF_7_EBX, 8},      {"syscall", EXTENDED_EDX, 11},
    {"nx", EXTENDED_EDX, 20},     {"rdtscp", EXTENDED_EDX, 27}, {"lm", EXTENDED_EDX, 29},
    {"lahf_lm", EXTENDED_ECX, 0}, {"abm", EXTENDED_ECX, 5},     {"rdrand", LEAF_1_ECX, 30},
    {"erms", LEAF_7_EBX, 9},      {"avx512f", LEAF_7_EBX, 16},  {"sha_ni", LEAF_7_EBX, 29},
};

static bool has_word(const char *line, const char *word) {
    size_t length = strlen(word);
    for (const char *at = line; (at = strstr(at, word)); at += length) {
        if (at[-1] == ' ' && (at[length] == ' ' || at[length] == '\n'))
            return true;
    }
    return false;
}

int main(void) {
    static char line[16384];
    unsigned words[WORDS] = {0}, unused;
    FILE *info = fopen("/proc/cpuinfo", "r");
    while (info && fgets(line, sizeof(line), info) && strncmp(line, "flags", 5) != 0)
        ;
    if (!info || strncmp(line, "flags", 5) != 0)
        return 1;
    fclose(info);
    __get_cpuid(1, &unused, &unused, &words[LEAF_1_ECX], &words[LEAF_1_EDX]);
    __get_cpuid_count(7, 0, &unused, &words[LEAF_7_EBX], &unused, &unused);
    __get_cpuid(0x80000001, &unused, &unused, &words[EXTENDED_ECX], &words[EXTENDED_EDX]);
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        if (has_word(line, flags[i].name) != (words[flags[i].where] >> flags[i].bit & 1))
            printf("%s\n", flags[i].name);
    }
    return 0;
}
