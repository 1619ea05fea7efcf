"""python3, perl, sqlite3 and gcc at work."""
from cases import MODEST, Case

PYTHON = "/usr/bin/python3"

JSON = r"""
import json, re
data = [{"id": i, "name": f"item {i}", "tags": ["a", "b"] * (i % 3), "value": i / 7} for i in range(COUNT)]
text = json.dumps(data, sort_keys=True)
assert json.loads(text) == data
print(len(text), text[:60])
words = re.findall(r'"item (\d+)5"', text)
print(len(words), re.sub(r"(\w+) (\d+)", r"\2 \1", "item 42"))
print(json.dumps({"ü": [1.5, None, True]}, indent=1))
try:
    json.loads("{")
except ValueError as error:
    print(error)
"""
HASHES = r"""
import hashlib, random, zlib, struct, collections
draw = random.Random(1)
data = draw.randbytes(COUNT)
for name in ("md5", "sha1", "sha256", "sha512", "blake2b", "sha3_256"):
    print(name, hashlib.new(name, data).hexdigest())
packed = zlib.compress(data[:20000] * 3)
assert zlib.decompress(packed) == data[:20000] * 3
print(zlib.crc32(data), len(packed), sorted(collections.Counter(data).most_common(3)))
print(struct.pack("<IHd", 1, 2, 3.5).hex(), pow(3, 10**5, 10**9 + 7), 2**200 // 3**50)
print(sum(draw.gauss(0, 1) > 1 for _ in range(5000)))
"""
SQLITE = r"""
import sqlite3, os
for where in (":memory:", "base.db"):
    db = sqlite3.connect(where)
    db.execute("create table t(id integer primary key, name text, value real)")
    db.executemany("insert into t values (?, ?, ?)", ((i, f"name {i % 97}", i / 3) for i in range(COUNT)))
    db.execute("create index by_name on t(name)")
    db.commit()
    print(db.execute("select count(*), sum(id), round(max(value), 3) from t where name = 'name 5'").fetchone())
    db.execute("delete from t where id % 2 = 0")
    db.rollback()
    print(db.execute("select count(*) from t").fetchone(), db.execute("pragma integrity_check").fetchone())
    db.close()
os.unlink("base.db")
"""
SUBPROCESS = r"""
import subprocess, signal, os, sys
print(subprocess.run(["sh", "-c", "cat; exit 4"], input=b"given", capture_output=True))
print(subprocess.check_output(["sort"], input="c\nb\na\n", text=True).split())
child = subprocess.Popen(["sleep", "100"])
child.terminate()
print(child.wait() == -signal.SIGTERM)
try:
    subprocess.run(["sleep", "5"], timeout=0.1)
except subprocess.TimeoutExpired:
    print("expired")
try:
    subprocess.run(["/does/not/exist"])
except FileNotFoundError as error:
    print(error)
r, w = os.pipe()
if os.fork() == 0:
    os.write(w, b"from the child")
    os._exit(0)
os.close(w)
print(os.read(r, 100), os.wait()[1])
print([subprocess.run([sys.executable, "-S", "-c", f"print({i} ** 2)"], capture_output=True).stdout for i in range(2)])
"""
MMAP = r"""
import mmap, os
with open("mapped", "w+b") as file:
    file.truncate(COUNT)
    with mmap.mmap(file.fileno(), COUNT) as m:
        m[0:5] = b"hello"
        m[COUNT - 5:] = b"world"
        print(m.find(b"world"), m.size())
        m.flush()
        m.move(100, 0, 5)
        m.resize(COUNT * 2)
        m[COUNT:COUNT + 4] = b"more"
    file.seek(100)
    print(file.read(5), os.fstat(file.fileno()).st_size)
m = mmap.mmap(-1, 100000)
if os.fork() == 0:
    m[50000:50005] = b"child"
    os._exit(0)
os.wait()
print(m[50000:50005])
private = mmap.mmap(os.open("mapped", os.O_RDONLY), 0, access=mmap.ACCESS_COPY)
private[0:5] = b"HELLO"
print(private[0:5], open("mapped", "rb").read(5))
"""
SIGNALS = r"""
import signal, os, time, gc, itertools
seen = []
signal.signal(signal.SIGUSR1, lambda number, frame: seen.append(number))
os.kill(os.getpid(), signal.SIGUSR1)
signal.signal(signal.SIGALRM, lambda number, frame: seen.append(number))
signal.setitimer(signal.ITIMER_REAL, 0.02)
start = time.monotonic()
time.sleep(0.05)
print(seen, time.monotonic() - start >= 0.05)
class Node:
    pass
for _ in range(2000):
    a, b = Node(), Node()
    a.other, b.other = b, a
print(gc.collect() > 0, sum(1 for _ in itertools.permutations(range(7))))
print(sorted({str(i): i for i in range(1000)})[-1], "%.10f" % (355 / 113))
"""
PERL = r"""
use strict; use warnings;
my (%count, @lines);
for my $i (1 .. COUNT) { my $w = "w" . ($i * 7919 % 101); $count{$w}++; push @lines, "$w $i" }
print join(",", map { "$_=$count{$_}" } (sort { $count{$b} <=> $count{$a} || $a cmp $b } keys %count)[0 .. 4]), "\n";
my $text = join "\n", @lines; my $n = () = $text =~ /w(\d+)5 /g; print "$n\n";
(my $swapped = $lines[41]) =~ s/(\w+) (\d+)/$2 $1/; print "$swapped\n";
open my $pipe, "-|", "echo from a pipe; exit 3" or die; print <$pipe>; close $pipe; print $? >> 8, "\n";
my $pid = fork // die; if (!$pid) { exit 7 } waitpid $pid, 0; print $? >> 8, "\n";
$SIG{USR1} = sub { print "signal\n" }; kill USR1 => $$;
eval { local $SIG{ALRM} = sub { die "alarm\n" }; alarm 1; select undef, undef, undef, 5; }; print $@;
open my $out, ">", "out.txt" or die; printf $out "%05d %s\n", $_, $lines[$_] for 0 .. 99; close $out; print -s "out.txt", "\n";
print pack("NnC", 1, 2, 3) eq "\0\0\0\1\0\2\3" ? "packed\n" : "not\n"; printf "%.12g %s\n", atan2(1, 1) * 4, 2 ** 0.5;
my @sorted = sort { $a <=> $b } map { $_ * 7919 % 10007 } 1 .. 5000; print "$sorted[0] $sorted[-1]\n"; exit 5;
"""
SQL = r"""
create table item(id integer primary key, name text, price integer);
create table sale(id integer primary key, item integer, amount integer);
begin;
insert into item with recursive n(i) as (select 1 union all select i + 1 from n where i < COUNT / 10)
  select i, 'item ' || (i % 97), i * 7919 % 1009 from n;
insert into sale with recursive n(i) as (select 1 union all select i + 1 from n where i < COUNT)
  select i, i * 31 % (COUNT / 10) + 1, i % 13 from n;
commit;
create index sale_item on sale(item);
select count(*), sum(amount) from sale;
select name, sum(price * amount) s from item join sale on sale.item = item.id group by name order by s desc, name limit 3;
update sale set amount = amount + 1 where item % 10 = 3;
delete from sale where id % 5 = 0;
select count(*), sum(amount) from sale;
pragma integrity_check;
"""
C_FILE = r"""
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
struct list { struct list *next; char name[32]; double value; };
static int cmp(const void *a, const void *b) { return strcmp((*(struct list **)a)->name, (*(struct list **)b)->name); }
int main(int argc, char **argv) {
    struct list *head = 0, *array[100];
    for (int i = 0; i < 100; i++) {
        struct list *l = malloc(sizeof *l);
        snprintf(l->name, sizeof l->name, "n%d", i * 37 % 100);
        l->value = i / 3.0, l->next = head, head = l, array[i] = l;
    }
    qsort(array, 100, sizeof *array, cmp);
    double sum = 0;
    for (struct list *l = head; l; l = l->next) sum += l->value;
    printf("%s %s %.3f %d\n", array[0]->name, array[99]->name, sum, argc);
    return argc;
}
"""
GCC = r"""
gcc -O2 -Wall -o program program.c && ./program a b; echo $?
gcc -O2 -S -o - program.c | grep -c qsort; echo 'int main(void) { return x; }' | gcc -x c -o bad - 2>&1 | grep -c error
gcc -c program.c && nm program.o | grep -w T && ar rcs lib.a program.o && gcc -static -o static lib.a && ./static; echo $?
rm -f program static lib.a program.o
"""


def python(name, text, count=None, small=None, few=None):
    def command(number):
        return [PYTHON, "-c", text.replace("COUNT", str(number))]

    if small:
        yield Case(name, command(count), few=few, heavy=True)
        yield Case(name + "-small", command(small), smallest=MODEST, few=200, heavy=True)
    else:
        yield Case(name, command(count), smallest=MODEST, few=few, heavy=True)


def perl(name, count, **keywords):
    yield Case(name, ["perl", "-e", PERL.replace("COUNT", str(count))], smallest=MODEST, heavy=True, **keywords)


def sqlite(name, base, count, **keywords):
    script = SQL.replace("COUNT", str(count)).encode()
    yield Case(name, ["sqlite3", "-batch", base], stdin=script, **keywords)


def c_file(folder):
    (folder / "program.c").write_text(C_FILE)


def cases():
    yield from python("python-json", JSON, 20000, 200, few=1600)
    yield from python("python-hashes", HASHES, 2_000_000, 20_000, few=870)
    yield from python("python-sqlite", SQLITE, 30_000, 500, few=690)
    yield from python("python-subprocess", SUBPROCESS)
    yield from python("python-mmap", MMAP, 1_000_000, 50_000)
    yield from python("python-signals", SIGNALS)
    yield from perl("perl", 20000, few=500)
    yield from perl("perl-small", 500, few=200)
    yield from sqlite("sqlite-memory", ":memory:", 100_000, few=460, heavy=True, timeout=120)
    yield from sqlite("sqlite-disk", "shop.db", 100_000, few=410, heavy=True, timeout=120)
    yield from sqlite("sqlite-small", "shop.db", 2000, smallest=MODEST, few=100)
    yield Case("gcc", ["sh", "-c", GCC], files=c_file, few=3900, heavy=True, timeout=120)
    yield Case("gcc-48", ["sh", "-c", "gcc -c -o /dev/null program.c && echo compiled"], files=c_file, smallest=MODEST,
               few=200, full_only=True, timeout=600)
