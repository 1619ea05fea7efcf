"""coreutils, find, grep, sed, awk, tar, gzip, bzip2, diff: over real data, made the same for each run."""
import os
import random

from cases import MODEST, Case

LONG_AGO = 1_000_000_000  # a modification time
WORDS = ("frame", "page", "victim", "swap", "fault", "mapping", "backing", "policy", "dirty", "referenced")


def set_times(folder):
    """All times long ago, so that listings are equal. Folders last: what changes in them changes theirs."""
    for parent, folders, names in os.walk(folder, topdown=False):
        for name in names + folders:
            os.utime(os.path.join(parent, name), (LONG_AGO, LONG_AGO), follow_symlinks=False)
    os.utime(folder, (LONG_AGO, LONG_AGO))


def tree(folder):
    """About 200 files in 30 folders, with links, odd names and modes."""
    draw = random.Random(7)
    for d in range(30):
        inner = folder / f"d{d % 6}" / f"e{d}"
        inner.mkdir(parents=True)
        for f in range(6):
            text = (f"{draw.randrange(10**6)} line {n} of file {f} in {d}\n" for n in range(draw.randrange(60)))
            (inner / f"file {f}.txt").write_text("".join(text))
        (inner / "link").symlink_to("file 1.txt")
        (inner / "file 2.txt").chmod(0o640 if d % 2 else 0o755)
        os.link(inner / "file 3.txt", inner / "hard")
    (folder / "dangling").symlink_to("nowhere")
    (folder / "ünïcode").write_text("grüße\n")
    set_times(folder)


def lines(count):
    def files(folder):
        draw = random.Random(count)
        with open(folder / "lines", "w", encoding="ascii") as out:
            for _ in range(count):
                out.write(f"{draw.randrange(10**9)} {draw.choice(WORDS)}\n")
        set_times(folder)

    return files


def blob(size):
    def files(folder):
        (folder / "blob").write_bytes(random.Random(size).randbytes(size))
        set_times(folder)

    return files


def script(name, text, files=None, small=None, few=None):
    """The script over real data, and a second case over a small input, for machines of 48 frames; with one
    input only (small=None) the one case is for all machines."""
    command = ["sh", "-c", text.strip()]
    if small:
        yield Case(name, command, files=files, few=few, heavy=True, timeout=120)
        yield Case(name + "-small", command, files=small, smallest=MODEST, few=64)
    else:
        yield Case(name, command, files=files, smallest=MODEST)


LS = "ls -lR; ls -a; ls -1St d0/e0; ls -ln nowhere dangling"
FIND = r"""
find . -type f -name '*2.txt' -size +1k | sort; find . -type l | sort | wc -l
find d1 -name '*.txt' -print0 | sort -z | xargs -0 wc -l | tail -n 3
find . -name hard -exec stat -c '%h %s %n' {} + | sort; find . -newer d0 | wc -l
"""
FILES = r"""
mkdir a; touch -d @1000 a/x; ln a/x a/y; ln -s x a/z; mv a/y b; chmod 600 b; stat -c '%a %h %s %Y' b
readlink a/z; realpath --relative-to=. a/z; rm a/x; test -e a/z || echo dangling; rm -r a; ls
install -m 711 /dev/null c; truncate -s 10000 c; stat -c '%A %s' c; mktemp -u tXXX | wc -c
basename /x/y.c .c; dirname /x/y; du -b c; id -u; uname -sm; date -u -d @0; expr 6 \* 7; printenv TZ
sleep 0.01; timeout 5 true; timeout 0.05 sleep 5; echo $?; nice true; env -i A=1 env; tty; df . > df && rm df
mkfifo f; cat f & echo through > f; wait; rm f; link b d; unlink d; chmod u+x,go= b; ls -l b | cut -c1-10
"""
SORT = r"""
sort --parallel=1 lines | md5sum
sort --parallel=1 -k2,2 -k1,1n lines | tail -n 2
"""
WC = "wc lines; wc -l < lines; head -c 100000 lines | wc -w; tail -n 2 lines"
COLUMNS = r"""
cut -d' ' -f2 lines | sort --parallel=1 | uniq -c; tr -d 0-5 < lines | md5sum; nl lines | tail -n 1
fold -w 7 lines | head -n 5; comm -12 lines lines 2>/dev/null | wc -l; shuf -n 3 lines | wc -l
split -n 4 lines part. && cat part.* | cmp - lines && expand lines | fmt | tail -n 1; tac lines | head -n 1
sort -u -k2,2 lines > s; join -1 2 -2 2 s s | wc -l; paste -d, s s | head -n 1; seq -w 8 11; factor 1234567890
"""
GREP = r"""
grep -c page lines; grep -E '^[0-9]*(12|34)5 (swap|dirty)$' lines | md5sum; grep -vi FRAME lines | wc -l
grep -n -m2 -o 'fa.*t' lines; grep -rl page .; grep -F -x nothing lines; echo $?
"""
SED = r"""
sed -n '10,12p;$p' lines; sed -E 's/([0-9]+) (.*)/\2 \1/; /victim/d; y/abc/ABC/' lines | md5sum
sed -i.bak '1,100d' lines; wc -l lines lines.bak
"""
AWK = r"""
AWK '{ sum[$2] += $1; count++ } END { for (w in sum) print w, sum[w] % 1000003, count | "sort" }' lines
AWK 'length($0) > 14 { n++ } /swap/ { s = s substr($1, 1, 1) } END { print n, length(s); printf "%.6f\n", exp(1) }' lines
AWK 'BEGIN { while (i++ < 20000) x = (x * 31 + i) % 65521; print x }'
"""
DIFF = r"""
sed '5d;700s/$/ changed/;1000a new' lines > other; diff lines other; diff -u --label a --label b lines other | tail -n 4
cmp lines other; diff -q lines lines && echo same
diff lines other > p; diff3 lines other lines | head -n 2; sdiff -s lines other | head -n 2
"""
SUMS = r"""
md5sum blob; sha1sum blob; sha256sum blob > s; sha512sum blob; b2sum blob; cksum blob; sum blob; sha256sum -c s
"""
OD = r"""
od -A x -t x1z blob | tail -n 3; od -t d4 -N 64 blob; od -t fD -j 8 -N 32 blob
base64 blob | md5sum; base64 blob | base64 -d | cmp - blob && echo same
"""
DD = r"""
dd if=blob of=copy bs=4k 2>/dev/null; cmp blob copy; dd if=/dev/zero bs=64k count=30 2>/dev/null | md5sum
dd if=blob of=copy bs=1000 skip=3 seek=5 count=20 conv=notrunc 2>/dev/null; md5sum copy
dd if=blob bs=512 count=3 2>&1 >/dev/null | head -n 2
dd if=/dev/zero of=sparse bs=1 count=1 seek=1000000 2>/dev/null; wc -c sparse
"""
CP = r"""
cp -a d0 copied && diff -r d0 copied && echo equal; cp -r d0 d9; cp --sparse=always 'd1/e1/file 1.txt' x
ls d9/e0; cmp x 'd1/e1/file 1.txt'; cp -l x y; cp -s x z; stat -c '%h %F' x z; rm -rf copied
"""
TEE = r"""
tee one two < blob | tee -a three | cmp - blob && cmp one two && cmp two three && echo equal
cat blob blob > twice; wc -c twice; tail -c +50000 twice | head -c 100 | md5sum; rm one two three
"""
TAR = r"""
tar cf t.tar --sort=name d0 d1 dangling && tar tvf t.tar | md5sum; md5sum < t.tar; mkdir out; tar xf t.tar -C out
diff -r d0 out/d0 && echo equal; tar czf - d1 | tar tzf - | wc -l; tar cjf z.tbz d2
tar xjOf z.tbz 'd2/e2/file 2.txt' | md5sum; rm z.tbz; tar xf lost 2>&1 | head -n 1
"""
GZIP = r"""
gzip -9nk lines; gzip -l lines.gz | awk '{ print $1, $2 }'; md5sum lines.gz; zcat lines.gz | cmp - lines && echo same
gzip -t lines.gz; gzip -1c lines | gunzip | md5sum; echo bad | gunzip; echo $?
"""
BZIP2 = r"""
bzip2 -k lines; md5sum lines.bz2; bunzip2 -c lines.bz2 | cmp - lines && echo same; bzip2 -t lines.bz2 && echo good
"""


def cases():
    yield from script("ls", LS, tree)
    yield from script("find", FIND, tree)
    yield from script("files", FILES)
    yield from script("sort", SORT, lines(400_000), lines(3000), few=1600)
    yield from script("wc", WC, lines(300_000), lines(2000))
    yield from script("columns", COLUMNS, lines(20_000), lines(1500))
    yield from script("grep", GREP, lines(300_000), lines(2000))
    yield from script("sed", SED, lines(200_000), lines(2000), few=100)
    yield from script("gawk", AWK.replace("AWK", "gawk"), lines(200_000), lines(2000), few=160)
    yield from script("mawk", AWK.replace("AWK", "mawk"), lines(200_000), lines(2000), few=100)
    yield from script("diff", DIFF, lines(20_000), lines(1500))
    yield from script("sums", SUMS, blob(8_000_000), blob(100_000))
    yield from script("od", OD, blob(1_000_000), blob(30_000), few=100)
    yield from script("dd", DD, blob(4_000_000), blob(100_000))
    yield from script("cp", CP, tree)
    yield from script("tee", TEE, blob(3_000_000), blob(60_000))
    yield from script("tar", TAR, tree)
    yield from script("gzip", GZIP, lines(100_000), lines(1500))
    yield from script("bzip2", BZIP2, lines(30_000), lines(1000))
