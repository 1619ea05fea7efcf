"""Language runtimes with threads, processes, sockets and compilers of their own: python3, perl, node, sqlite3 twice."""
from cases import Case

PYTHON = "/usr/bin/python3"

THREADS = r"""
import threading, queue, concurrent.futures, time
work, results, lock = queue.Queue(8), [], threading.Lock()
def consume():
    while (item := work.get()) is not None:
        with lock:
            results.append(item * item)
threads = [threading.Thread(target=consume, name=f"t{i}") for i in range(6)]
for t in threads: t.start()
for i in range(2000): work.put(i)
for t in threads: work.put(None)
for t in threads: t.join()
print(sum(results), len(results))
with concurrent.futures.ThreadPoolExecutor(4) as pool:
    print(sum(pool.map(lambda n: sum(range(n)), range(300))))
event, barrier, local = threading.Event(), threading.Barrier(3), threading.local()
def meet():
    local.value = barrier.wait()
    event.wait(5)
    with lock: results.append(local.value)
results.clear()
threads = [threading.Thread(target=meet) for _ in range(3)]
for t in threads: t.start()
event.set()
for t in threads: t.join()
print(sorted(results), hasattr(local, "value"))
timer = threading.Timer(0.02, lambda: print("timer")); timer.start(); timer.join()
condition, turn = threading.Condition(), []
def alternate(me):
    for i in range(50):
        with condition:
            condition.wait_for(lambda: len(turn) % 2 == me)
            turn.append(me)
            condition.notify_all()
a, b = threading.Thread(target=alternate, args=(0,)), threading.Thread(target=alternate, args=(1,))
a.start(); b.start(); a.join(); b.join()
print("".join(map(str, turn[:10])), len(turn), threading.active_count())
def fail(): raise ValueError("in a thread")
threading.excepthook = lambda args: print("hook:", args.exc_value)
t = threading.Thread(target=fail); t.start(); t.join()
semaphore = threading.BoundedSemaphore(2)
print([semaphore.acquire(timeout=0.01) for _ in range(3)])
"""
PROCESSES = r"""
import multiprocessing, os, sys, time
from multiprocessing import shared_memory
def square(n): return n * n
def serve(pipe, queue, value, array, lock):
    while (item := pipe.recv()) is not None:
        queue.put(item + 1)
        with lock: value.value += item
        array[item % 4] += 1
    pipe.close()
    sys.exit(5)
def main():
    for method in ("fork", "spawn"):
        context = multiprocessing.get_context(method)
        with context.Pool(2) as pool:
            print(method, pool.map(square, range(10)), pool.apply_async(square, (12,)).get(60))
        here, there = context.Pipe()
        queue, value, array, lock = context.Queue(), context.Value("i", 0), context.Array("i", 4), context.Lock()
        child = context.Process(target=serve, args=(there, queue, value, array, lock))
        child.start()
        there.close()
        for i in range(20): here.send(i)
        print([queue.get(timeout=60) for _ in range(20)])
        here.send(None)
        child.join(60)
        print(child.exitcode, value.value, array[:])
    memory = shared_memory.SharedMemory(create=True, size=10000)
    other = shared_memory.SharedMemory(memory.name)
    memory.buf[9999] = 7
    print(other.buf[9999])
    other.close(); memory.close(); memory.unlink()
    child = multiprocessing.Process(target=time.sleep, args=(100,)); child.start(); child.terminate(); child.join()
    print(child.exitcode)
if __name__ == "__main__":
    main()
"""
ASYNC = r"""
import asyncio, signal, os, sys
async def handle(reader, writer):
    while line := await reader.readline():
        writer.write(line.upper())
        await writer.drain()
    writer.close()
async def client(port, number):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answers = []
    for i in range(5):
        writer.write(b"client %d line %d\n" % (number, i))
        answers.append(await reader.readline())
    writer.close()
    return b"".join(answers)
async def main():
    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    print(b"".join(await asyncio.gather(*[client(port, i) for i in range(25)])).decode())
    process = await asyncio.create_subprocess_exec("tr", "a-z", "A-Z", stdin=-1, stdout=-1)
    print(await process.communicate(b"through a child\n"), process.returncode)
    loop, got = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGUSR1, got.set)
    os.kill(os.getpid(), signal.SIGUSR1)
    await asyncio.wait_for(got.wait(), 5)
    try:
        await asyncio.wait_for(asyncio.sleep(10), 0.01)
    except asyncio.TimeoutError:
        print("timeout")
    print(await loop.run_in_executor(None, sum, range(1000)))
    server.close()
asyncio.run(main())
"""
CTYPES = r"""
import ctypes, ctypes.util, errno, mmap
libc = ctypes.CDLL("libc.so.6", use_errno=True)
print(libc.abs(-3), libc.strlen(b"hello"), ctypes.cast(libc.getenv, ctypes.c_void_p).value is not None)
compare = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))
numbers = (ctypes.c_int * 8)(5, 3, 8, 1, 7, 2, 6, 4)
libc.qsort(numbers, 8, 4, compare(lambda a, b: a[0] - b[0]))
print(list(numbers), libc.open(b"/nonexistent", 0), errno.errorcode[ctypes.get_errno()])
libm = ctypes.CDLL("libm.so.6"); libm.pow.restype = ctypes.c_double; libm.pow.argtypes = [ctypes.c_double] * 2
print(libm.pow(2, 0.5))
class Point(ctypes.Structure): _fields_ = [("x", ctypes.c_short), ("y", ctypes.c_double), ("name", ctypes.c_char * 5)]
print(ctypes.sizeof(Point), bytes(Point(1, 2.5, b"ab")).hex())
code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
for number in range(3):
    code.seek(0); code.write(b"\xb8" + number.to_bytes(4, "little") + b"\xc3")
    print(ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))())
"""
PERL = r"""
use strict; use warnings; use IO::Socket::INET; use IO::Select; use POSIX ":sys_wait_h"; $| = 1;
my $server = IO::Socket::INET->new(Listen => 10, LocalAddr => "127.0.0.1", Proto => "tcp") or die;
my $port = $server->sockport;
my @children;
for my $n (1 .. 6) {
    my $pid = fork // die; push @children, $pid; next if $pid;
    my $socket = IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => $port) or die;
    print $socket "request $n\n"; my $answer = <$socket>; exit($answer eq "REQUEST $n\n" ? $n : 99);
}
my ($select, $served) = (IO::Select->new($server), 0);
while ($served < 6) {
    for my $ready ($select->can_read(10)) {
        if ($ready == $server) { $select->add(scalar $server->accept); next }
        my $line = <$ready>; print $ready uc $line; $select->remove($ready); close $ready; $served++;
    }
}
print join(",", map { waitpid($_, 0) == $_ ? $? >> 8 : -1 } @children), "\n";
pipe my $r, my $w; my $pid = fork // die;
if (!$pid) { close $r; $SIG{TERM} = sub { print $w "terminated\n"; exit 3 }; print $w "ready\n"; close STDIN; $w->flush; sleep 10 while 1 }
close $w; print scalar <$r>; kill TERM => $pid; print scalar <$r>; waitpid $pid, 0; print $? >> 8, "\n";
socketpair my $a, my $b, AF_UNIX, SOCK_STREAM, PF_UNSPEC; syswrite $a, "x" x 1000; sysread $b, my $data, 5000; print length $data, "\n";
print waitpid(-1, WNOHANG), "\n";
"""
NODE = r"""
const assert = require('assert'), { Worker } = require('worker_threads'), child = require('child_process'), net = require('net');
console.log([1, 2, 3].map(x => x * x).join(), process.argv.length, typeof WebAssembly);
let sum = 0; function hot(n) { let s = 0; for (let i = 0; i < n; i++) s = (s * 31 + i) | 0; return s } for (let i = 0; i < 200; i++) sum ^= hot(3000);
console.log(sum, JSON.stringify({ a: [1, { b: null }] }), /(\d+)-(\d+)/.exec('x 12-34 y').slice(1), 2n ** 100n);
console.log(child.execSync('echo from a child').toString().trim(), require('crypto').createHash('sha256').update('x').digest('hex').slice(0, 16));
const worker = new Worker("const { parentPort: p } = require('worker_threads'); p.on('message', n => { p.postMessage(n * 2); p.close() })", { eval: true });
worker.on('message', n => { console.log('worker', n);
    const server = net.createServer(s => s.end('served')).listen(0, '127.0.0.1', () =>
        net.connect(server.address().port).on('data', d => console.log(d.toString())).on('close', () => { server.close(); setTimeout(() => { console.log('timer'); process.exit(3) }, 20) })) });
worker.postMessage(21);
"""
# Four writers, each of which must see every row in the end: an unlocked data base loses some.
SQLITE = r"""
sqlite3 base.db "create table t(who integer, n integer)"
writer() { for n in $(seq 15); do sqlite3 -cmd ".timeout 60000" base.db "begin immediate; insert into t select $1, count(*) from t; commit" || echo failed; done; }
for who in 1 2 3; do writer $who & done; wait
sqlite3 base.db "select who, count(*) from t group by who; select count(distinct n), max(n) from t; pragma integrity_check"
sqlite3 base.db "pragma journal_mode = wal" && for who in 4 5; do writer $who & done; wait
sqlite3 base.db "select count(*), count(distinct n) from t; pragma integrity_check"
rm -f base.db*
"""


def file_of(name, text):
    return lambda folder: (folder / name).write_text(text)



def cases():
    yield Case("python-threads", [PYTHON, "-c", THREADS], timeout=120)
    yield Case("python-processes", ["sh", "-c", f"{PYTHON} processes.py; s=$?; rm -rf __pycache__; exit $s"],
               files=file_of("processes.py", PROCESSES), heavy=True, few=2300, timeout=200)
    yield Case("python-asyncio", [PYTHON, "-c", ASYNC], heavy=True, few=1000, timeout=120)
    yield Case("python-ctypes", [PYTHON, "-c", CTYPES], timeout=120)
    yield Case("perl-sockets", ["perl", "-e", PERL], timeout=120)
    yield Case("sqlite-processes", ["bash", "-c", SQLITE], timeout=200)
    yield Case("node", ["node", "-e", NODE], heavy=True, few=2200, timeout=300)
