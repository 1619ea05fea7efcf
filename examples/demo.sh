#!/bin/sh
# A tour of Thimble: real programs in tiny machines. Usage: demo.sh BUILD-FOLDER
set -eu
build=$1
thimble=$build/thimble
guests=$build/tests/guest
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

heading() { printf '\n== %s\n\n' "$*"; }
explain() { printf '%s\n' "$@"; }

# show [VARIABLE=VALUE...] COMMAND...: prints the command line, runs it, goes on whatever its status.
show() {
    printf '\n$ %s\n' "$*"
    status=0
    eval "$*" || status=$?
    [ "$status" -eq 0 ] || printf '(exit status %d)\n' "$status"
}

# number FILE KEY...: a number of a JSON summary.
number() {
    /usr/bin/python3 -c 'import functools, json, sys
print("{:,}".format(functools.reduce(dict.get, sys.argv[2:], json.load(open(sys.argv[1])))))' "$@"
}

heading "1. Nine page frames"
explain "An assembly program without a C library, in 36 KiB of memory. Three of the nine frames are kept for" \
    "the operating system. The program maps a text file, shared, and changes letters in it in memory; the" \
    "file on this disk has changed when it is over."
echo 'a small machine can map a file' >"$folder/text"
show "cat $folder/text"
show "$thimble run -n 9 --stats text $guests/asm-shout $folder/text"
show "cat $folder/text"

heading "2. A mistake stays inside"
explain "A program that reads through a wild pointer gets SIGSEGV, as everywhere: 128 + 11."
show "$thimble run -n 9 $guests/asm-wild"

heading "3. bash, ls and wc in 48 frames"
explain "The shell alone touches several hundred pages. In 48 frames they come and go all the time, and the" \
    "answer is the same:"
show "ls / | wc -l"
show "$thimble run -n 48 --stats-file $folder/bash.json -- bash -c 'ls / | wc -l'"
printf '\nTo get there: %s page faults, %s of them misses; %s victims, %s of them written to swap.\n' \
    "$(number "$folder/bash.json" faults total)" "$(number "$folder/bash.json" faults misses)" \
    "$(number "$folder/bash.json" evictions total)" "$(number "$folder/bash.json" evictions to_swap)"

heading "4. 64 MiB of data in 16 MiB of memory"
explain "The program writes 64 MiB and reads it back, again and again. Three quarters of it are on the swap" \
    "disk at any time; what it reads is what it wrote."
show "$thimble run -m 16M --stats-file $folder/bigset.json $guests/c-bigset"
printf '\nPages swapped out: %s, swapped in: %s, in the swap area at most: %s.\n' \
    "$(number "$folder/bigset.json" swap out)" "$(number "$folder/bigset.json" swap in)" \
    "$(number "$folder/bigset.json" swap peak)"

heading "5. The policy decides"
explain "The same sort in 96 frames under each replacement policy:"
printf '\n%-8s %12s %12s\n' policy misses "swapped out"
seq 20000 >"$folder/numbers"
for policy in fifo clock lru random; do
    $thimble run -n 96 --policy $policy --deterministic --stats-file "$folder/policy.json" -- \
        sort --parallel=1 -o /dev/null "$folder/numbers"
    printf '%-8s %12s %12s\n' $policy "$(number "$folder/policy.json" faults misses)" \
        "$(number "$folder/policy.json" swap out)"
done

printf '\nNow your own program: %s run -n 48 --stats text -- PROGRAM\n' "$thimble"
