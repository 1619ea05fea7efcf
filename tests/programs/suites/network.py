"""Sockets, pipes and waiting for many of them: C programs that show every call, and programs that serve."""
import contextlib
import os
import signal
import socket
import subprocess
import threading

import cases as judge
import machine
from cases import Case

PYTHON = "/usr/bin/python3"
MACHINES = {"array": ("-n", "24"), "x86-64": ("-n", "160")}  # a few processes at a time

ASYNCIO = r"""
import asyncio, os, socket, sys
async def answer(reader, writer):
    while line := await reader.readline():
        writer.write(line.upper())
        await writer.drain()
    writer.close()
async def ask(connect, n):
    reader, writer = await connect()
    out = []
    for i in range(5):
        writer.write(b"client %d line %d\n" % (n, i))
        out.append(await reader.readline())
    writer.close()
    await writer.wait_closed()
    return b"".join(out)
class Echo(asyncio.DatagramProtocol):
    def connection_made(self, transport): self.transport = transport
    def datagram_received(self, data, address): self.transport.sendto(data[::-1], address)
class Asker(asyncio.DatagramProtocol):
    def __init__(self, done): self.done = done
    def datagram_received(self, data, address): self.done.set_result(data)
async def main():
    loop = asyncio.get_running_loop()
    tcp = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = tcp.sockets[0].getsockname()[1]
    local = await asyncio.start_unix_server(answer, "server.socket")
    for connect in (lambda: asyncio.open_connection("127.0.0.1", port), lambda: asyncio.open_unix_connection("server.socket")):
        answers = await asyncio.gather(*(ask(connect, n) for n in range(20)))
        print(b"".join(answers).decode().count("LINE"), answers[7].decode().splitlines()[2])
    echo, _ = await loop.create_datagram_endpoint(Echo, local_addr=("127.0.0.1", 0))
    done = loop.create_future()
    asker, _ = await loop.create_datagram_endpoint(lambda: Asker(done), remote_addr=echo.get_extra_info("sockname"))
    asker.sendto(b"datagram")
    print(await asyncio.wait_for(done, 5))
    process = await asyncio.create_subprocess_exec("tr", "a-z", "A-Z", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
    print(await process.communicate(b"through a process"), process.returncode)
    try:
        await asyncio.wait_for(asyncio.sleep(10), 0.02)
    except asyncio.TimeoutError:
        print("timeout")
    try:
        await asyncio.open_connection("127.0.0.1", 1)
    except ConnectionRefusedError as error:
        print(error)
    a, b = socket.socketpair()
    reader, writer = await asyncio.open_connection(sock=a)
    b.setblocking(False)
    writer.write(b"x" * 1000000)
    total = 0
    while total < 1000000:
        total += len(await loop.sock_recv(b, 100000))
    await writer.drain()
    print(total)
    loop.add_signal_handler(10, lambda: print("signal"))
    os.kill(os.getpid(), 10)
    await asyncio.sleep(0.01)
    tcp.close(); local.close(); echo.close(); asker.close(); writer.close(); b.close()
asyncio.run(main())
"""

SERVERS = r"""
import socketserver, socket, threading, os
class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile: self.wfile.write(line[::-1])
class Datagrams(socketserver.DatagramRequestHandler):
    def handle(self): self.wfile.write(self.rfile.read() * 2)
def ask(family, address, text):
    with socket.socket(family) as s:
        s.connect(address)
        s.sendall(text); s.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: s.recv(100), b""))
for kind, family, address in ((socketserver.ThreadingTCPServer, socket.AF_INET, ("127.0.0.1", 0)),
                              (socketserver.ForkingTCPServer, socket.AF_INET, ("127.0.0.1", 0)),
                              (socketserver.ThreadingUnixStreamServer, socket.AF_UNIX, "threads"),
                              (socketserver.UnixStreamServer, socket.AF_UNIX, "\0thimble network test")):
    with kind(address, Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,)); thread.start()
        answers = [ask(family, server.server_address, b"one\ntwo %d\n" % i) for i in range(4)]
        server.shutdown(); thread.join()
        print(kind.__name__, answers)
with socketserver.UDPServer(("127.0.0.1", 0), Datagrams) as server:
    thread = threading.Thread(target=server.serve_forever, args=(0.01,)); thread.start()
    with socket.socket(type=socket.SOCK_DGRAM) as s:
        s.sendto(b"twice", server.server_address); print(s.recv(100))
    server.shutdown(); thread.join()
print(socket.create_server(("", 0), family=socket.AF_INET6, dualstack_ipv6=True).family.name if socket.has_dualstack_ipv6() else "-")
"""

HTTP = r"""
mkdir site; seq 20000 > site/numbers; echo hello > site/index.html
/usr/bin/python3 -c '
import http.server, functools
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(http.server.SimpleHTTPRequestHandler, directory="site"))
open("port.new", "w").write(str(server.server_port)); import os; os.rename("port.new", "port")
server.serve_forever()' 2> /dev/null & server=$!
while ! [ -e port ]; do sleep 0.02; done
port=$(cat port); rm port
curl -s http://127.0.0.1:$port/; curl -s http://127.0.0.1:$port/numbers | cksum
curl -s -o /dev/null -w '%{http_code} %{size_download}\n' http://127.0.0.1:$port/missing
curl -s --parallel http://127.0.0.1:$port/numbers -o a http://127.0.0.1:$port/ -o b 2> /dev/null; cksum a b
curl -s -I http://127.0.0.1:$port/ | head -1; kill $server; wait $server 2> /dev/null; echo $?
curl -s http://127.0.0.1:$port/; echo $?
"""

PAIRS = r"""
socat -u UNIX-LISTEN:there,fork OPEN:got,creat,append & listener=$!
while ! [ -S there ]; do sleep 0.02; done
for i in 1 2 3; do echo "line $i" | socat -u - UNIX-CONNECT:there; done
for i in $(seq 100); do [ "$(wc -l < got)" = 3 ] && break; sleep 0.02; done
kill $listener; wait $listener 2> /dev/null; sort got
socat TCP-LISTEN:0,bind=127.0.0.1,fork EXEC:'tr a-z A-Z' 2> /dev/null & listener=$!
nc -lU local > by-nc & nc=$!
while ! [ -S local ]; do sleep 0.02; done
seq 30000 | nc -NU local; wait $nc; cksum by-nc
kill $listener; wait $listener 2> /dev/null; echo $?
mkfifo way; (tr a-z A-Z < way > upper) & echo fifo > way; wait $!; cat upper
socat -u EXEC:'seq 1000',pipes STDOUT | cksum; socat - EXEC:cat <<< pair; rm -f there local way
"""

PERL = r"""
use strict; use IO::Socket::INET; use IO::Socket::UNIX; use IO::Select; use Socket; $| = 1;
my $server = IO::Socket::INET->new(Listen => 5, LocalAddr => "127.0.0.1", ReuseAddr => 1) or die $!;
my $port = $server->sockport; my @children;
for my $n (1 .. 5) { my $pid = fork; if (!$pid) { my $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port") or die $!;
    print $s "hello $n\n"; $s->shutdown(1); my $answer = <$s>; exit($answer eq "HELLO $n\n" ? $n : 99) } push @children, $pid }
my $select = IO::Select->new($server); my $done = 0;
while ($done < 5) { for my $s ($select->can_read(5)) {
    if ($s == $server) { $select->add($server->accept) } else { my $line = <$s>; print $s uc $line; $select->remove($s); close $s; $done++ } } }
print join(",", map { waitpid($_, 0); $? >> 8 } @children), "\n";
socketpair(my $a, my $b, AF_UNIX, SOCK_STREAM, PF_UNSPEC) or die; my $pid = fork;
if (!$pid) { close $a; while (<$b>) { print $b scalar reverse($_) if 0; syswrite $b, length($_) . "\n" } exit 3 }
close $b; for (qw(one three seventeen)) { syswrite $a, "$_\n"; print scalar <$a> } shutdown($a, 1); waitpid $pid, 0; print $? >> 8, "\n";
my $u = IO::Socket::UNIX->new(Local => "perl", Listen => 1) or die; my $c = IO::Socket::UNIX->new(Peer => "perl") or die; my $x = $u->accept;
print $c "through a name\n"; $c->flush; print scalar <$x>; unlink "perl"; print inet_ntoa(scalar gethostbyname("localhost")), "\n";
"""


def case(name, *arguments, program=None, **keywords):
    keywords.setdefault("smallest", MACHINES)
    keywords.setdefault("few", 48)
    return Case(name, ["{guests}/network/network-" + (program or name), *arguments], **keywords)


def cases():
    yield case("inet")
    yield case("notify")
    yield case("pipe")
    yield case("rights")
    yield case("unix")
    yield case("wait")
    for family in ("tcp", "unix"):
        yield case(f"load-{family}", "both", family, "200", "10", program="load", few=200)
        yield case(f"load-many-{family}", "many", family, "40", "5", program="load", few=400, smallest=None)
        yield case(f"load-minute-{family}", "both", family, "200", "60s", program="load", few=200, full_only=True,
                   timeout=120)
    yield Case("asyncio", [PYTHON, "-c", ASYNCIO], few=1500)
    yield Case("socketserver", [PYTHON, "-c", SERVERS], few=1500)
    yield Case("http-server", ["bash", "-c", HTTP], few=3000)
    yield Case("pairs", ["bash", "-c", PAIRS], few=1500)
    yield Case("perl", ["perl", "-e", PERL], few=1000)


# Machines on which names, time and files are not quite the host's: nobody must notice.
OTHER_MACHINES = (("--files=overlay",), ("--deterministic",))


def other_machines(workshop, report, full):
    for options in OTHER_MACHINES:
        problems = []
        for program in (case("unix"), case("rights"), case("pipe"), case("wait")):
            native = workshop.native(program)
            result = workshop.machine(program, list(options), program.timeout)
            result.files = native.files  # an overlay leaves the host's folder as it was
            problems += [f"{program.name}: {problem}" for problem in judge.differences(program, native, result)]
        report(" ".join(options), problems)


# ---- the machine and programs outside of it ----


@contextlib.contextmanager
def running(command, folder):
    """A server; its first line is where it is."""
    process = subprocess.Popen([os.fspath(word) for word in command], cwd=folder, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=machine.ENVIRONMENT,
                               start_new_session=True)
    watchdog = threading.Timer(60, lambda: os.killpg(process.pid, signal.SIGKILL))
    watchdog.start()
    try:
        yield process, process.stdout.readline().decode().strip()
    finally:
        watchdog.cancel()
        machine.end_group(process)
        process.communicate()


def in_machine(workshop, words, frames="2000"):
    return [workshop.thimble, "run", "-n", frames, "--", *workshop.words(words)]


def load_problems(workshop, family, server_in_machine, full):
    """A server on one side and its clients on the other: every answer must be right, and both must end."""
    load, rounds = "{guests}/network/network-load", "60s" if full else "20"
    workshop.prepare(None)
    server, clients = [load, "server", family, "200"], [load, "clients", family]
    command = in_machine(workshop, server) if server_in_machine else workshop.words(server)
    with running(command, workshop.folder) as (process, address):
        clients = [*clients, address, "200", rounds]
        result = machine.run(workshop.words(clients) if server_in_machine else in_machine(workshop, clients),
                             workshop.folder, timeout=150)
        wanted = b"200 clients: all answers right: yes\n" if full else b"200 clients, 4000 answers, 0 wrong\n"
        problems = [] if result.status == 0 and result.out == wanted else [
            f"clients: status {result.status}, {result.out!r} {result.err!r}"]
        try:
            status = process.wait(20)
        except subprocess.TimeoutExpired:
            status = "none: it goes on"
        return problems + ([] if status == 0 else [f"server: status {status}"])


def outside(workshop, report, full):
    for family in ("tcp", "unix"):
        for server_in_machine in (True, False):
            where = "server in the machine, clients outside" if server_in_machine else "clients in the machine, server outside"
            report(f"{family}: {where}", load_problems(workshop, family, server_in_machine, full))


SEND_FILES = r"""
import array, os, socket, sys
s = socket.socket(socket.AF_UNIX); s.bind("rights"); s.listen(); print("rights", flush=True)
c, _ = s.accept()
data, control, flags, _ = c.recvmsg(10, socket.CMSG_SPACE(8))
fds = array.array("i"); fds.frombytes(control[0][2])
os.lseek(fds[0], 0, 0)
text = os.read(fds[0], 100); os.write(fds[1], b"written inside\n")
pid, uid, gid = array.array("i", c.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
file = os.open("own", os.O_RDWR | os.O_CREAT); os.write(file, b"from inside")
socket.send_fds(c, [b"%s pid %d uid %d" % (text, pid, uid == os.getuid())], [file])
ends = os.pipe()
try: socket.send_fds(c, [b"x"], [ends[0]])
except OSError as e: print(e.strerror, flush=True)
"""


def files_to_and_from_outside(workshop, report, full):
    """Files of the host can be sent to and from programs outside; what only the machine has cannot."""
    workshop.prepare(None)
    with running(in_machine(workshop, [PYTHON, "-c", SEND_FILES], "65536"), workshop.folder) as (process, name):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(30)
            s.connect(os.fspath(workshop.folder / name))
            given = os.open(workshop.folder / "given", os.O_RDWR | os.O_CREAT)
            os.write(given, b"given")
            reader, writer = os.pipe()
            socket.send_fds(s, [b"go"], [given, writer])
            data, fds, _, _ = socket.recv_fds(s, 100, 4)
            got = (data, os.pread(fds[0], 100, 0) if fds else None, os.read(reader, 100), process.stdout.readline())
        for fd in (given, reader, writer, *fds):
            os.close(fd)
    wanted = (b"given pid 0 uid 1", b"from inside", b"written inside\n", b"Operation not supported\n")
    report("sent both ways", [] if got == wanted else [f"expected {wanted}, got {got}"])


def checks():
    return [other_machines, outside, files_to_and_from_outside]
