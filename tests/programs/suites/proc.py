"""What programs see of the machine in /proc and /sys. Much of it must be this machine's, whatever the host is:
it is compared with the run's options and with its summary."""
import json
import os
import re

from cases import Case

SWAP_KIB = 8192
OPTIONS = ("--swap", f"{SWAP_KIB}K")


def run(workshop, command, *options, files=None):
    if isinstance(command, str):
        command = ["sh", "-c", command]
    return workshop.machine(Case("check", command, files=files), [*OPTIONS, *options], 120)


def lines(result):
    return result.out.decode().splitlines()


def cases():
    """The same on the host: what ldd says of files that are not dynamic, and that names in /proc are found."""
    yield Case("ldd-others", ["bash", "-c", "for f in /etc/passwd {guests}/static-hello /nonexistent; do ldd $f; echo $?; done"],
               few=60)
    yield Case("paths", ["bash", "-c", "cd /proc/self && pwd -P | tr -d 0-9 && ls -d fd fdinfo maps task exe; cd ../sys/kernel; "
                                       "pwd; cat ../kernel/ostype /proc/../proc/sys/kernel/osrelease; "
                                       "cd /sys/devices/system/cpu/; ls -d online ../cpu/possible; ls -d ../cpu/cpu0/topology"], few=60)
    yield Case("own-files", ["bash", "-c", "exec 7</etc/passwd; readlink /proc/self/fd/7 /proc/$$/fd/7; cat /proc/self/comm; "
                             "tr '\\0' ' ' < /proc/self/cmdline; A=b env -i C=d cat /proc/self/environ; "
                             "head -c 3 /proc/$$/fd/7; cat /dev/fd/0 < /etc/hostname; printf name > /proc/$$/comm; "
                             "cat /proc/$$/comm; readlink /proc/self/cwd | wc -l; cat /proc/self/oom_score_adj; "
                             "echo 17 > /proc/self/oom_score_adj; echo 2000 > /proc/self/oom_score_adj; "
                             "cat /proc/$$/task/$$/comm /proc/self/personality /proc/self/setgroups"], few=80)


def memory_is_the_machines(workshop, report, full):
    """MemTotal: its frames but those of the OS. Swap: its slots. What free adds up is what there is."""
    for frames in (1000, 5000):
        result = run(workshop, "cat /proc/meminfo; free -k", "-n", str(frames))
        found = dict(re.findall(r"^([\w()]+): +(\d+)", result.out.decode(), re.M))
        problems = []
        if int(found["MemTotal"]) != (frames - result.summary["frames"]["reserved"]) * 4:
            problems.append(f"MemTotal {found['MemTotal']}")
        if int(found["SwapTotal"]) != SWAP_KIB or result.summary["swap"]["pages"] * 4 != SWAP_KIB:
            problems.append(f"SwapTotal {found['SwapTotal']}")
        table = re.search(r"^Mem: +(\d+) +(\d+) +(\d+) +\d+ +(\d+) +(\d+)", result.out.decode(), re.M)
        total, used, free, cache, available = (int(word) for word in table.groups())
        if used + free + cache != total or not free <= available <= total:
            problems.append(f"free: {table.group(0)}")
        report(f"{frames} frames", problems)


def everybody_agrees_on_memory(workshop, report, full):
    program = ("import os,json; print(json.dumps([os.sysconf('SC_PHYS_PAGES'), os.sysconf('SC_NPROCESSORS_ONLN'), "
               "os.sysconf('SC_NPROCESSORS_CONF'), os.cpu_count(), len(os.sched_getaffinity(0)), os.sysconf('SC_PAGE_SIZE')]))")
    result = run(workshop, ["/usr/bin/python3", "-c", program], "-n", "6000")
    pages, *cpus, page_size = json.loads(result.out)
    problems = [] if pages == 6000 - result.summary["frames"]["reserved"] else [f"{pages} pages"]
    report("python", problems + ([] if cpus == [1, 1, 1, 1] and page_size == 4096 else [f"CPUs {cpus}"]))
    got = lines(run(workshop, "nproc; nproc --all; getconf _NPROCESSORS_ONLN; cat /sys/devices/system/cpu/online; "
                              "grep -c ^processor /proc/cpuinfo; ls -d /sys/devices/system/cpu/cpu[0-9]* | wc -l", "-n", "2000"))
    report("one CPU", [] if got == ["1", "1", "1", "0", "1", "1"] else [f"{got}"])


def cpuinfo_says_what_cpuid_says(workshop, report, full):
    for level in ("x86-64-v2", "x86-64-v3"):
        result = run(workshop, ["{guests}/files/files-cpuinfo"], "-n", "1000", "--cpu", level)
        report(level, [] if result.out == b"" and result.status == 0 else [f"{result.out}"])


def time_begins_with_the_machine(workshop, report, full):
    result = run(workshop, "cat /proc/uptime; grep btime /proc/stat; date +%s; ps -o etimes=,lstart= $$; cat /proc/loadavg", "-n", "3000")
    uptime, boot, now, process, load = lines(result)
    problems = []
    if not 0 <= float(uptime.split()[0]) < 60:
        problems.append(f"uptime {uptime}")
    if not 0 <= int(now) - int(boot.split()[1]) < 60:
        problems.append(f"{boot}, now {now}")
    if not 0 <= int(process.split()[0]) < 60:
        problems.append(f"ps: {process}")
    if not re.fullmatch(r"(\d+\.\d\d ){3}\d+/\d+ \d+", load) or float(load.split()[0]) > 1:
        problems.append(f"load {load}")
    report("uptime, btime, ps, loadavg", problems)


def several_first_programs(workshop, report, full):
    """The first programs of a machine are its only processes, children of nobody."""
    programs = [{"pid": 10, "file": "/bin/sleep", "args": ["3"]}, {"pid": 20, "file": "/bin/sleep", "args": ["3"]},
                {"pid": 30, "file": "/bin/bash", "args": ["-c", "ps -e -o pid=,ppid=,comm=; echo --; ls /proc | grep '^[0-9]*$'; "
                 "echo --; pgrep -x sleep; pidof sleep; echo --; ps -e --forest -o comm=; "
                 "top -b -n 2 -d 0.1 | grep -c ' sleep$'; pkill sleep; killall -q nothing; echo $?; true"]}]
    description = json.dumps({"frames": 20000, "programs": programs})
    workshop.prepare(lambda folder: (folder / "machine.json").write_text(description))
    command = [workshop.thimble, "run", "--machine", workshop.folder / "machine.json"]
    import machine
    result = machine.run(command, workshop.folder, timeout=60)
    parts = [part.split("\n") for part in result.out.decode().replace("\n--\n", "--").split("--")]
    table = [line.split() for line in parts[0] if line.split()]
    problems = [] if len(parts) == 4 else [f"{result.out} {result.err}"]
    first = [row for row in table if row[1] == "1"]
    if sorted(first) != [["10", "1", "sleep"], ["20", "1", "sleep"], ["30", "1", "bash"]]:
        problems.append(f"ps: {table}")
    if any(int(row[0]) > 40 for row in table):
        problems.append(f"processes of others: {table}")
    if not problems and not {"10", "20", "30"} <= set(parts[1]) or len(parts[1]) > 6:
        problems.append(f"/proc: {parts[1]}")
    if not problems and parts[2] != ["10", "20", "20 10"]:
        problems.append(f"pgrep, pidof: {parts[2]}")
    if not problems and parts[3][-3:-1] != ["4", "1"]:
        problems.append(f"top, killall: {parts[3]}")
    report("ps, pgrep, pidof, top, pkill", problems)


def sizes_add_up(workshop, report, full):
    """smaps, its roll-up, statm, status and ps tell the same of one process; a forked one shares."""
    program = r"""
import os, re, sys
def sums(name):
    found = {}
    for key, value in re.findall(r'^(\w+): +(\d+) kB', open(f'/proc/self/{name}').read(), re.M):
        found[key] = found.get(key, 0) + int(value)
    return found
data = bytearray(3 << 20)
child = os.fork()
if child == 0:
    all, roll = sums('smaps'), sums('smaps_rollup')
    print(all['Rss'], roll['Rss'], all['Pss'], all['Shared_Dirty'], all['Private_Dirty'], all['Rss'] - all['Shared_Clean']
          - all['Shared_Dirty'] - all['Private_Clean'] - all['Private_Dirty'])
    status = dict(re.findall(r'^(\w+):\s+(\d+) kB', open('/proc/self/status').read(), re.M))
    statm = open('/proc/self/statm').read().split()
    print(int(status['VmRSS']) - int(status['RssAnon']) - int(status['RssFile']) - int(status['RssShmem']))
    print(int(statm[0]) * 4 - int(status['VmSize']), int(status['VmHWM']) >= int(status['VmRSS']))
    sys.stdout.flush()
    os._exit(0)
os.waitpid(child, 0)
"""
    result = run(workshop, ["/usr/bin/python3", "-c", program], "-n", "20000")
    (rss, roll, pss, shared_dirty, private_dirty, rest), (left,), (size, peak) = (line.split() for line in lines(result))
    problems = []
    if abs(int(rss) - int(roll)) > 500 or int(rest) != 0:
        problems.append(f"smaps {rss}, rollup {roll}, rest {rest}")
    if not int(rss) - int(shared_dirty) / 2 - 3000 < int(pss) < int(rss) - 1400 or int(shared_dirty) < 3072:
        problems.append(f"of {rss}: proportional {pss}, shared and dirty {shared_dirty}")
    if (left, size, peak) != ("0", "0", "True"):
        problems.append(f"status: {left} {size} {peak}")
    report("smaps, status, statm", problems)


def swap_is_told(workshop, report, full):
    program = ("data = bytearray(6 << 20)\nfor name in ('status', 'smaps_rollup'):\n for line in open('/proc/self/' + name):\n"
               "  if line.startswith(('VmSwap', 'Swap:')): print(line.split()[1])\n"
               "print(next(l for l in open('/proc/meminfo') if l.startswith('SwapFree')).split()[1])\n"
               "print(open('/proc/swaps').read().split()[-2])")
    result = run(workshop, ["/usr/bin/python3", "-c", program], "-n", "2000", "--page-table", "array")
    status, rollup, free, used = (int(line) for line in lines(result))
    problems = []
    if not 1000 < status <= used <= SWAP_KIB or abs(status - rollup) > 300 or abs(SWAP_KIB - free - used) > 300:
        problems.append(f"VmSwap {status}, smaps {rollup}, SwapFree {free}, swaps {used}")
    report("status, smaps, meminfo, swaps", problems)


def psutil_reads_it(workshop, report, full):
    program = r"""
import json, os, psutil, socket, subprocess, time
p = psutil.Process()
child = subprocess.Popen(['sleep', '30'])
listener = socket.socket(); listener.bind(('127.0.0.1', 0)); listener.listen()
client = socket.create_connection(listener.getsockname())
file = open('/etc/passwd')
say = {'total': psutil.virtual_memory().total, 'swap': psutil.swap_memory().total, 'cpus': [psutil.cpu_count(), psutil.cpu_count(False)],
 'pids': psutil.pids(), 'children': [c.name() for c in p.children()], 'open': '/etc/passwd' in [f.path for f in p.open_files()],
 'connections': sorted(c.status for c in p.connections()), 'threads': p.num_threads(), 'boot': abs(time.time() - psutil.boot_time()) < 60,
 'created': abs(time.time() - p.create_time()) < 60, 'rss': p.memory_info().rss > 1 << 20, 'uss': 0 < p.memory_full_info().uss <= p.memory_info().rss,
 'times': p.cpu_times().user > 0, 'disk': psutil.disk_usage('/').total > 0, 'name': p.name(), 'status': p.status(), 'maps': len(p.memory_maps()) > 5,
 'cwd': p.cwd() == os.getcwd(), 'exe': os.path.samefile(p.exe(), '/usr/bin/python3'), 'parent': p.ppid(), 'fds': p.num_fds() >= 6,
 'io': p.io_counters().read_count > 10, 'stat': psutil.cpu_times().idle >= 0, 'load': len(psutil.getloadavg())}
child.kill(); child.wait()
print(json.dumps(say))
"""
    result = run(workshop, ["/usr/bin/python3", "-c", program], "-n", "20000")
    if result.status and b"No module named" in result.err:
        report("everything", [], skip="python3-psutil is not installed")
        return
    got = json.loads(result.out)
    expected = {"total": (20000 - result.summary["frames"]["reserved"]) * 4096, "swap": SWAP_KIB * 1024, "cpus": [1, 1],
                "pids": [2, 3], "children": ["sleep"], "connections": ["ESTABLISHED", "LISTEN"],
                "threads": 1, "name": "python3", "status": "running", "parent": 1, "load": 3}
    problems = [f"{key}: {value}, expected {expected.get(key, True)}" for key, value in got.items()
                if value != expected.get(key, True)]
    report("everything", problems)


def lsof_and_fuser_see_files(workshop, report, full):
    result = run(workshop, "exec 9</etc/passwd; lsof -n -p $$ -a -d 9 -Fn | tail -1; fuser /etc/passwd 2>/dev/null | wc -w; "
                           "for f in /proc/self/fd/*; do readlink $f >/dev/null || echo gone; done | wc -l", "-n", "20000")
    got = lines(result)
    problems = [] if got[0] == "n/etc/passwd" and int(got[1]) >= 1 else [f"{got}"]
    report("a file", problems)


def pmap_and_vmstat_run(workshop, report, full):
    result = run(workshop, "sleep 5 & pmap $! | tail -1; pmap -x $! | tail -1; pmap -X $! | tail -1; vmstat -s | head -1; "
                           "vmstat 1 2 | tail -1; kill $!", "-n", "20000")
    got = lines(result)
    problems = [] if len(got) == 5 and got[0].startswith(" total") and got[1].startswith("total kB") else [f"{got}"]
    if not problems and int(got[3].split()[0]) != (20000 - result.summary["frames"]["reserved"]) * 4:
        problems.append(got[3])
    if not problems and len(got[4].split()) != 17:
        problems.append(got[4])
    report("pmap, vmstat", problems)


def memory_is_read_and_written(workshop, report, full):
    """/proc/self/mem with page faults, pagemap, and dropping caches."""
    program = r"""
import ctypes, mmap, os, struct
m = mmap.mmap(-1, 8192)
address = ctypes.addressof(ctypes.c_char.from_buffer(m))
pages = open('/proc/self/pagemap', 'rb', 0)
def present(page):
    pages.seek((address // 4096 + page) * 8)
    return struct.unpack('Q', pages.read(8))[0] >> 63
print(present(0), present(1))
mem = open('/proc/self/mem', 'r+b', 0)
mem.seek(address + 4096)
mem.write(b'written')
print(present(0), present(1), m[4096:4103])
mem.seek(address + 4097)
print(mem.read(6))
try:
    mem.seek(0x10)
    mem.read(1)
except OSError as error:
    print(error.errno)
libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
fixed = libc.mmap(None, ctypes.c_size_t(4096), 1, 0x22, -1, ctypes.c_long(0))
mem.seek(fixed)
print(mem.write(b'into a read-only mapping'))
print(ctypes.string_at(fixed, 24))
"""
    case = Case("memory", ["/usr/bin/python3", "-c", program])
    native, result = workshop.native(case), run(workshop, ["/usr/bin/python3", "-c", program], "-n", "3000")
    report("mem, pagemap", [] if native.out == result.out and native.status == result.status
           else [f"{result.out} {result.err[-300:]}, expected {native.out}"])
    text = "head -c 300000 /usr/bin/bash >/dev/null; {guests}/c-hello </dev/null >/dev/null; grep ^Cached /proc/meminfo; echo 1 > /proc/sys/vm/drop_caches; grep ^Cached /proc/meminfo"
    if os.geteuid() == 0:
        before, after = (int(line.split()[1]) for line in lines(run(workshop, ["sh", "-c", text], "-n", "5000")))
        report("drop_caches", [] if after < before else [f"{before} before, {after} after"])


def checks():
    return (memory_is_the_machines, everybody_agrees_on_memory, cpuinfo_says_what_cpuid_says, time_begins_with_the_machine,
            several_first_programs, sizes_add_up, swap_is_told, psutil_reads_it, lsof_and_fuser_see_files, pmap_and_vmstat_run,
            memory_is_read_and_written)
