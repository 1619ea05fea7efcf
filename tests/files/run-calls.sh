#!/bin/sh
# run-calls.sh THIMBLE PROGRAM [OPTION...]: PROGRAM prints the same on the host and in the machine.
set -eu
thimble=$(realpath "$1") program=$(realpath "$2")
shift 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/host" "$work/machine"
(cd "$work/host" && "$program" </dev/null >../host.out)
(cd "$work/machine" && "$thimble" run "$@" -- "$program" </dev/null >../machine.out)
diff "$work/host.out" "$work/machine.out"
test "$(wc -l <"$work/host.out")" -gt 150
