"""Calls between processes, limits, and the rest of the system call interface: case by case, as on the host."""
import os
import pathlib

import machine
from cases import Case

FORKING = {"array": ("-n", "16"), "x86-64": ("-n", "96")}  # several processes, each with page tables


MANY = {"array": ("-n", "40"), "x86-64": ("-n", "200")}

IPC_TOOLS = r"""
id() { sed 's/[^0-9]*//g'; }
m=$(ipcmk -M 5000 -p 0640 | id); s=$(ipcmk -S 3 | id); q=$(ipcmk -Q | id)
plain() { grep -v time | sed 's/id=[0-9]*//g; s/0x[0-9a-f]*//; s/ [0-9]*$//'; }
ipcs -m -i $m | plain; ipcs -s -i $s | plain; ipcs -q -i $q | plain
ipcs -m | grep -c " $m "; ipcs -s | grep -c " $s "; ipcs -q | grep -c " $q "
ipcrm -m $m -s $s -q $q; ipcrm -m $m > /dev/null 2>&1; echo $?
ipcs -m | grep -c " $m "
"""

PRLIMIT = """
ulimit -S -n 50; prlimit --nofile --noheadings --output SOFT
prlimit --nofile=20:30 prlimit --nofile --noheadings --output SOFT,HARD
prlimit --nofile=40:30 true; echo $?
sleep 1000 & prlimit --pid $! --nofile=33:44; prlimit --pid $! --nofile --noheadings --output SOFT,HARD; kill $!
ulimit -f 8; trap '' XFSZ; head -c 100000 /dev/zero > large; echo $?; wc -c < large
(ulimit -f 4; trap - XFSZ; exec head -c 100000 /dev/zero > larger); echo $?; wc -c < larger
ulimit -t 1; (bash -c 'while :; do :; done'; exit $?) 2> /dev/null; echo $?
nice -n 5 nice; nice -n 5 bash -c 'nice -n 3 nice'; ionice -c 2 -n 3 ionice; chrt -p $$ | sed 's/.*current//'
"""

PYTHON_SHARED = """
from multiprocessing import Process, shared_memory
import os
def child(name):
    memory = shared_memory.SharedMemory(name=name)
    memory.buf[100:105] = b"child"
    memory.close()
memory = shared_memory.SharedMemory(create=True, size=100000)
memory.buf[:5] = b"hello"
process = Process(target=child, args=(memory.name,))
process.start(); process.join()
print(bytes(memory.buf[:5]), bytes(memory.buf[100:105]), memory.size, process.exitcode)
print(os.path.exists("/dev/shm/" + memory.name.lstrip("/")))
memory.close(); memory.unlink()
print(os.path.exists("/dev/shm/" + memory.name.lstrip("/")))
fd = os.pidfd_open(os.getpid())
print(os.get_inheritable(fd))
"""

PERL_SYSV = """
use IPC::SysV qw(IPC_PRIVATE IPC_RMID IPC_CREAT S_IRUSR S_IWUSR);
use IPC::Semaphore; use IPC::Msg; use IPC::SharedMem;
my $memory = IPC::SharedMem->new(IPC_PRIVATE, 100, S_IRUSR | S_IWUSR); my $semaphore = IPC::Semaphore->new(IPC_PRIVATE, 2, 0600);
my $queue = IPC::Msg->new(IPC_PRIVATE, 0600); $semaphore->setall(0, 5);
my $pid = fork();
if (!$pid) { $memory->write("from the child", 0, 14); $queue->snd(3, "a message"); $semaphore->op(0, 1, 0); exit 4 }
$semaphore->op(0, -1, 0); print $memory->read(0, 14), "\n"; my $text; my $type = $queue->rcv($text, 100, 0, 0);
waitpid($pid, 0); print "$type $text ", $? >> 8, " ", join(",", $semaphore->getall), "\n";
print $memory->stat->nattch, " ", $queue->stat->qnum, "\n"; $memory->remove; $semaphore->remove; $queue->remove;
"""


def case(name, *arguments, program=None, **keywords):
    keywords.setdefault("smallest", FORKING)
    keywords.setdefault("few", 40)
    return Case(name, ["{guests}/ipc/ipc-" + (program or name), *arguments], **keywords)


def host_seals_execution():
    """MFD_EXEC and what belongs to it: Linux 6.3."""
    try:
        os.close(os.memfd_create("probe", 0x10))
    except OSError:
        return False
    return True


def host_has_one_node():
    """And a kernel that knows of nodes."""
    return [path.name for path in pathlib.Path("/sys/devices/system/node").glob("node[0-9]*")] == ["node0"]


def cases():
    for name in ("memfd", "shm", "sem", "msg", "process-vm", "pidfd", "scheduling", "limits", "prctl"):
        yield case(name)
    if host_seals_execution():
        yield case("memfd-exec", "exec", program="memfd")
    if host_has_one_node():
        yield case("nodes", "nodes", program="prctl")
    yield case("exhaust-memory", program="exhaust")
    yield Case("ipcs", ["bash", "-c", IPC_TOOLS], few=200, smallest=MANY)
    yield Case("prlimit", ["bash", "-c", PRLIMIT], few=200, smallest=MANY, heavy=True)
    yield Case("shared-memory-python", ["/usr/bin/python3", "-c", PYTHON_SHARED], few=1200, smallest=None)
    yield Case("sysv-perl", ["perl", "-e", PERL_SYSV], few=400, smallest=None)

def exhausted(workshop, mode, *options, timeout=60):
    return workshop.machine(Case("exhaust", ["{guests}/ipc/ipc-exhaust", *mode.split()]), list(options), timeout)


def tasks_run_out(workshop, report, full):
    """Processes and threads beyond the limit are EAGAIN, and the others go on."""
    result = exhausted(workshop, "processes tell", "-n", "2000", "--max-processes", "16")
    expected = b"fork: EAGAIN\n15 children\na thread: EAGAIN\nchild: exit 7\n"
    problems = [] if result.out == expected else [f"output: {result.out}"]
    problems += [] if result.status == 0 else [f"status {result.status}"]
    report("a loop of forks", problems)


def bomb(workshop, report, full):
    """The shell's fork bomb is refused what it wants, again and again, and who started it goes on."""
    script = "bomb() { bomb | bomb & }; bomb 2> /dev/null; sleep 0.3; echo still there"
    options = ["-n", "4000", "--max-processes", "24", "--max-seconds", "2"]
    result = workshop.machine(Case("bomb", ["bash", "-c", script]), options, 60)
    good = result.out == b"still there\n" and b"stopped after" in result.err
    report("a fork bomb", [] if good else [f"{result.status} {result.out} {result.err[-300:]}"])


def memory_runs_out(workshop, report, full):
    """Who takes all memory is killed and named; its parent works on."""
    result = exhausted(workshop, "eat", "-n", "400", "--swap", "4M")
    problems = [] if result.out == b"killed by 9, worked meanwhile, 0 wrong\nchild: exit 3\n" else [f"output: {result.out}"]
    if b"out of memory: killed PID" not in result.err or b"(ipc-exhaust)" not in result.err:
        problems.append(f"not named: {result.err}")
    report("one that eats all memory", problems)


def descriptors_run_out(workshop, report, full):
    """EMFILE for who has reached its limit; ENFILE when it is the host that gives no more."""
    for limit, expected in (30, b"EMFILE"), (64, b"ENFILE"):
        command = ["bash", "-c", f"ulimit -S -n {limit}; exec {{guests}}/ipc/ipc-exhaust descriptors"]
        words = ["prlimit", "--nofile=40:64", *map(str, workshop.machine_command(Case("descriptors", command), ["-n", "400"]))]
        result = machine.run(words, workshop.folder)
        good = result.out.startswith(expected + b"\n") and result.out.endswith(b": 1\n")
        report(f"descriptors, limit {limit} of 64", [] if good else [f"output: {result.out} {result.err}"])


def checks():
    return [tasks_run_out, bomb, memory_runs_out, descriptors_run_out]
