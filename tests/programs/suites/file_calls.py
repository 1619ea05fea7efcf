"""System calls about files, case by case: a line for each, the same on the host and in the machine. And two
processes that depend on locks: on one database, inside and outside."""
import subprocess

from cases import SMALL, Case

TRANSFER = ("bytes", "vectors", "flags", "positioned", "seeking", "sizes", "allocation", "advice", "controls",
            "mapping", "status", "copies", "copy-borders", "limits", "special", "direct")
PATHS = ("opening", "opening-2", "looking", "times", "attributes", "directories", "unnamed", "masks", "statx")
LOCKS = ("arguments", "releases", "deadlocks", "interruptions", "flocks")
FORKING = {"array": ("-n", "24"), "x86-64": ("-n", "96")}

INSERTS = "for i in $(seq {count}); do sqlite3 -cmd '.timeout 20000' base \"insert into t values('{who}', $i)\" || exit 1; done"
TWO = ("sqlite3 base 'create table t(who, n)'; (" + INSERTS.format(count=6, who="a") + ") & (" + INSERTS.format(count=6, who="b")
       + "); wait; sqlite3 base 'select who, count(*), sum(n) from t group by who; pragma integrity_check'; rm base")


def case(program, part, *arguments, **keywords):
    keywords.setdefault("few", 40)
    keywords.setdefault("smallest", SMALL)
    name = "-".join((program, part, *arguments))
    return Case(name, [f"{{guests}}/files/files-{program}", part, *arguments], **keywords)


def cases():
    for part in TRANSFER:
        yield case("transfer", part)
    yield Case("listing", ["{guests}/files/files-listing"], few=40, smallest=SMALL)
    for part in PATHS:
        yield case("paths", part, heavy=part == "opening")
    for first, last in ((0, 6), (6, 14), (14, 22), (22, 29)):
        yield case("paths", "changing", str(first), str(last), heavy=True)
    for part in LOCKS:
        yield case("locks", part, smallest=FORKING)
    for seed in range(1, 4):
        yield case("locks", "ranges", str(seed), smallest=FORKING)
    for seed in range(4, 40):
        yield case("locks", "ranges", str(seed), smallest=FORKING, full_only=True)
    yield Case("sqlite-two", ["bash", "-c", TWO], few=300, heavy=True, timeout=120)


def one_database_inside_and_outside(workshop, report, full):
    """A program of the machine and one of the host write to the same database at the same time."""
    workshop.prepare(None)
    subprocess.run(["sqlite3", "base", "create table t(who, n)"], cwd=workshop.folder, check=True)
    outside = subprocess.Popen(["bash", "-c", INSERTS.format(count=30, who="outside")], cwd=workshop.folder)
    inside = [workshop.thimble, "run", "-n", "3000", "--", "bash", "-c", INSERTS.format(count=8, who="inside")]
    status = subprocess.run(inside, cwd=workshop.folder, timeout=120).returncode
    problems = [f"exit statuses {status}, {outside.wait(120)}"] if status or outside.wait(120) else []
    found = subprocess.run(["sqlite3", "base", "select who, count(*) from t group by who; pragma integrity_check"],
                           cwd=workshop.folder, capture_output=True, check=True).stdout
    report("sqlite3", problems if found == b"inside|8\noutside|30\nok\n" else [*problems, f"{found}"])


def a_lock_of_the_host_keeps_out(workshop, report, full):
    """flock(1) outside holds a lock; the machine's program waits for it, and the other way round."""
    workshop.prepare(lambda folder: (folder / "lock").write_text(""))
    holder = subprocess.Popen(["flock", "lock", "sh", "-c", "echo held; sleep 1; echo outside >> order"], cwd=workshop.folder,
                              stdout=subprocess.PIPE)
    holder.stdout.readline()
    command = [workshop.thimble, "run", "-n", "2000", "--", "sh", "-c",
               "flock -n lock true; echo $? >> order; flock lock sh -c 'echo inside >> order'"]
    subprocess.run(command, cwd=workshop.folder, timeout=60, check=True)
    holder.wait(60)
    holder.stdout.close()
    order = (workshop.folder / "order").read_text().split()
    report("flock", [] if order == ["1", "outside", "inside"] else [f"{order}"])


def checks():
    return one_database_inside_and_outside, a_lock_of_the_host_keeps_out
