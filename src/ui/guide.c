/* What Thimble prints when it is asked about itself. */
#include "ui/guide.h"

#include "policy/policy.h"

void guide_print(FILE *to) {
    fputs(
        "Thimble runs real Linux programs in as many page frames as you choose, and says what virtual\n"
        "memory did for them.\n"
        "\n"
        "    thimble run PROGRAM [ARG...]         run it, and say what virtual memory did\n"
        "    thimble step PROGRAM|TRACE           watch it step by step in this terminal\n"
        "    thimble web PROGRAM|TRACE            the same in a browser on this computer\n"
        "    thimble where --sizes N PROGRAM      which places in it miss, and drive out which\n"
        "    thimble curve PROGRAM|FILE           its misses at each size of memory, by policy\n"
        "    thimble compare PROGRAM|FILE         policies side by side, with OPT; --suite: many programs\n"
        "    thimble heat PROGRAM|FILE            where its references go over time; its working set\n"
        "    thimble draw TRACE --step N -o FILE  pictures of a recorded run, exercises with blanks\n"
        "    thimble html TRACE -o FILE           a recorded run as one file that replays itself\n"
        "    thimble trace TRACE                  what a recorded run holds; -o FILE.jsonl: as JSON lines\n"
        "    thimble import|export FILE -o FILE   page references of other tools, and for them\n"
        "    thimble policies [--new NAME]        which replacement policies there are; begin your own\n"
        "    thimble record -o FILE PROGRAM       which pages it used and when, for the analyses\n"
        "    thimble scenario list                a lecture's pictures and classics, each a real run\n"
        "    thimble check SUBMISSION...          grade programs by what they do\n"
        "    thimble doctor                       what this computer can do, and how to fix the rest\n"
        "\n"
        "Ways to begin:\n"
        "\n"
        "    thimble run --stats text -- ls /\n"
        "        ls on an ordinary machine of 65536 frames (256 MiB), and a summary of its faults\n"
        "\n"
        "    thimble run -n 48 -- bash -c 'ls / | wc -l'\n"
        "        bash, ls and wc at once in 48 frames (192 KiB): pages come and go, the result is the same\n"
        "\n"
        "    thimble run -n 64 --policy lru --trace ls.trace -- ls /\n"
        "    thimble step ls.trace\n"
        "        another replacement policy, every event of the run in a file, and a walk through them\n"
        "\n"
        "    thimble step -n 24 --until main -- ./a.out\n"
        "        your own program, from where its main begins\n"
        "\n"
        "thimble COMMAND --help lists the options; man thimble explains them.\n",
        to);
}

void guide_print_version(FILE *to) {
    fputs("thimble " THIMBLE_VERSION "\n"
          "Licence GPL-2.0-or-later: you may share and change it; there is no warranty.\n",
          to);
}

void guide_print_policy(FILE *to, const struct policy_ops *ops) {
    static const char *const needs[] = {
        [POLICY_NEEDS_NOTHING] = "",
        [POLICY_NEEDS_REFERENCED_BITS] = " [referenced bits]",
        [POLICY_NEEDS_EVERY_REFERENCE] = " [every reference: programs run slower]",
    };
    fprintf(to, "%-14s %s%s\n", ops->name, ops->description, needs[ops->needs]);
    if (ops->parameters)
        fprintf(to, "%14s   %s\n", "", ops->parameters);
}

void guide_print_policies(FILE *to) {
    for (const struct policy_ops *const *p = policies; *p; p++)
        guide_print_policy(to, *p);
}
