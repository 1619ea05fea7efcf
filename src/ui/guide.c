/* What Thimble prints when it is asked about itself. */
#include "ui/guide.h"

#include "policy/policy.h"

void guide_print(FILE *to) {
    fputs(
        "Thimble runs real Linux programs in as many page frames as you choose, and says what virtual\n"
        "memory did for them.\n"
        "\n"
        "    thimble run [OPTION...] [--] PROGRAM [ARG...]\n"
        "\n"
        "Three ways to begin:\n"
        "\n"
        "    thimble run --stats text -- ls /\n"
        "        ls on an ordinary machine of 65536 frames (256 MiB), and a summary of its faults\n"
        "\n"
        "    thimble run -n 48 -- bash -c 'ls / | wc -l'\n"
        "        bash, ls and wc at once in 48 frames (192 KiB): pages come and go, the result is the same\n"
        "\n"
        "    thimble run -n 64 --policy lru --trace events.jsonl -- sort /etc/services\n"
        "        another replacement policy, and every event of the run in a file\n"
        "\n"
        "thimble run --help lists the options; man thimble explains them.\n",
        to);
}

void guide_print_version(FILE *to) {
    fputs("thimble " THIMBLE_VERSION "\n"
          "Licence GPL-2.0-or-later: you may share and change it; there is no warranty.\n",
          to);
}

void guide_print_policies(FILE *to) {
    static const char *const needs[] = {
        [POLICY_NEEDS_NOTHING] = "",
        [POLICY_NEEDS_REFERENCED_BITS] = " [referenced bits]",
        [POLICY_NEEDS_EVERY_REFERENCE] = " [every reference: programs run slower]",
    };
    for (const struct policy_ops *const *p = policies; *p; p++)
        fprintf(to, "%-8s %s%s\n", (*p)->name, (*p)->description, needs[(*p)->needs]);
}
