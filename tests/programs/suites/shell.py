"""bash and dash: pipelines, here-documents, substitution, background jobs, traps, arithmetic, many forks."""
import re

from cases import MODEST, Case


def pids(data):
    """bash names the pid of a process that died of a signal."""
    return re.sub(rb"(line \d+:) +\d+ ", rb"\1 PID ", data)


def bash(name, script, **keywords):
    keywords.setdefault("smallest", MODEST)
    return Case(name, ["bash", "-c", script], mask=pids, **keywords)


def dash(name, script, **keywords):
    return Case(name, ["dash", "-c", script], mask=pids, smallest=MODEST, **keywords)


def scripts(folder):
    (folder / "hello.sh").write_text('#!/bin/sh\necho "script $0 with $# arguments: $*"\nexit 3\n')
    (folder / "awk.sh").write_text("#!/usr/bin/awk -f\nBEGIN { print 6 * 7 }\n")
    (folder / "bad.sh").write_text("#!/does/not/exist\n")
    (folder / "no.sh").write_text("echo run by the shell itself\n")
    for name in ("hello.sh", "awk.sh", "bad.sh", "no.sh"):
        (folder / name).chmod(0o755)


PIPELINE = r"""
seq 1 200 | tac | sed 's/^/n/' | sort | head -n 3
printf '%s\n' b a c | sort | tr a-c A-C | paste -sd, -
yes | head -n 5000 | wc -c
false | true | (exit 7); echo "${PIPESTATUS[*]}"
set -o pipefail; (exit 4) | true; echo $?
"""
HERE = r"""
name=world
cat <<EOF
hello $name $((6 * 7)) $(echo from a substitution)
EOF
cat <<'EOF'
literal $name
EOF
cat <<-EOF
	a tab is taken off
	EOF
tr a-z A-Z <<< "here string"
while read -r a b; do echo "$b $a"; done <<EOF
one two
three four
EOF
"""
SUBSTITUTION = r"""
x=$(echo a; echo b; (echo c >&2) 2>&1)
echo "$x" | wc -l
echo "$(printf '%d' $(( $(seq 1 10 | wc -l) * 2 )))"
diff <(seq 1 5) <(seq 2 6)
echo `echo old style`
y=${x//b/BB}; echo "${y^^} ${#y} ${x:2:3}"
cat < <(echo process substitution)
"""
JOBS = r"""
for i in 1 2 3 4 5; do (sleep 0.0$i; exit $i) & pids[$i]=$!; done
for i in 5 3 1 2 4; do wait ${pids[$i]}; echo "$i: $?"; done
sleep 100 & kill $!; wait $!; echo "killed: $?"
(exit 9) & wait -n; echo "first: $?"
{ sleep 0.02; echo later; } & echo sooner; wait
coproc cat; echo through the coprocess >&${COPROC[1]}; read -r line <&${COPROC[0]}; echo "$line"
eval "exec ${COPROC[1]}>&-"; wait
"""
TRAPS = r"""
trap 'echo "got USR1"' USR1
kill -USR1 $$; echo after
trap 'echo leaving with $?' EXIT
trap '' TERM; kill -TERM $$; echo "not ended"
(trap 'echo "child: TERM"; exit 5' TERM; while :; do sleep 0.01; done) & sleep 0.1; kill -TERM $!; wait $!; echo $?
trap 'echo "wait is interrupted"' USR2
(sleep 0.05; kill -USR2 $$) & child=$!; sleep 0.5 & wait $!; echo $(( $? > 128 )); wait $child
bash -c 'kill -SEGV $$'; echo $?
bash -c 'kill -INT $$'; echo $?
exit 6
"""
TIMERS = r"""
yes | timeout 0.3 cat > /dev/null; echo ${PIPESTATUS[*]}
timeout 0.2 bash -c 'while :; do :; done'; echo $?
timeout -s KILL 0.2 sleep 10; echo $?
timeout 0.2 dd if=/dev/zero of=/dev/null 2> /dev/null; echo $?
read -t 0.1 line < <(sleep 1); echo $(($? > 128))
"""
ARITHMETIC = r"""
sum=0; for ((i = 0; i < 20000; i++)); do ((sum += i * i % 7)); done; echo $sum
a=1 b=1; for i in {1..80}; do ((c = a + b, a = b, b = c)); done; echo $c
is_prime() { local n=$1 d; for ((d = 2; d * d <= n; d++)); do ((n % d)) || return 1; done; }
for n in {900..1000}; do is_prime $n && printf '%d ' $n; done; echo
declare -A map; for w in one two three two one two; do ((map[$w]++)); done; for k in one two three; do echo $k ${map[$k]}; done
echo $((16#ff ^ 2#1010)) $((-7 / 2)) $((-7 % 3)) $((1 << 40))
f() { (($1 < 2)) && echo 1 && return; echo $(($1 * $(f $(($1 - 1))))); }; f 10
"""
REDIRECTIONS = r"""
echo one > f; echo two >> f; exec 5<> f; read -r x <&5; echo "read $x"; echo three >&5; exec 5>&-; cat f
{ echo out; echo err >&2; } 2>&1 | sort
ls /does/not/exist 2> errors; echo $?; wc -l < errors
set -C; echo x > f 2>/dev/null || echo "not overwritten"
mkdir d && cd d && pwd | sed 's,.*/,,' && cd .. && rmdir d
umask 027; : > new; stat -c %A new; test -r new && echo readable
echo "$(< f)" | rev; (cd /; pwd); [ -t 0 ] || echo "no terminal"
"""
STATUSES = r"""
./hello.sh a 'b c'; echo $?
./awk.sh; ./no.sh
./bad.sh 2>/dev/null; echo $?
/does/not/exist 2>/dev/null; echo $?; /etc/passwd 2>/dev/null; echo $?
{guests}/asm-trap; echo $?
{guests}/asm-wild; echo $?
{guests}/c-status abort; echo $?
! true; echo $?; (exec false); echo $?
command -v nonesuch; echo $?
"""
FORKS = "i=0; while [ $i -lt 100 ]; do /bin/true || exit 1; i=$((i + 1)); done; echo $i"
DASH = r"""
i=0; while [ $i -lt 5 ]; do echo $i; i=$((i + 1)); done | while read -r n; do echo $((n * n)); done
set -- a b c; for x; do printf '%s-' "$x"; done; echo "$#"
case hello in h*o) echo matches;; *) echo no;; esac
f() { return 3; }; f || echo $?
trap 'echo bye' EXIT; (sleep 0.02 & wait; echo waited); cat <<E
$(echo here)
E
echo a b c | { read -r x y; echo "$y $x"; }; kill -USR1 $$
"""


def cases():
    yield bash("bash-nothing", ":")
    yield bash("bash-count", "ls / | wc -l")
    yield bash("bash-pipeline", PIPELINE)
    yield bash("bash-here", HERE)
    yield bash("bash-substitution", SUBSTITUTION)
    yield bash("bash-jobs", JOBS)
    yield bash("bash-traps", TRAPS)
    yield bash("bash-timers", TIMERS)
    yield bash("bash-arithmetic", ARITHMETIC)
    yield bash("bash-redirections", REDIRECTIONS)
    yield bash("bash-statuses", STATUSES, files=scripts)
    yield bash("bash-forks", FORKS, heavy=True)
    yield bash("bash-own-killing", "echo before; kill -KILL $$")
    yield Case("bash-from-standard-input", ["bash", "-s", "x"], stdin=b"read -r l\nthis line\necho \"$l $1\"\nexit 2\n",
               smallest=MODEST)
    yield dash("dash-script", DASH)
    yield dash("dash-forks", FORKS)
    yield Case("script", ["./hello.sh", "x"], files=scripts, smallest=MODEST)
