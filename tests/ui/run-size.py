"""`thimble size`: its answer is what the machine then does, natively measured or not, from a program or a file."""
import json

import thimble_case
from thimble_case import ThimbleCase

LS = ["ls", "/"]
# Half of its pages are given up before the other half is made, and read again after it.
GIVEN_UP = """
import mmap
def pages(of): return range(0, len(of), 4096)
lost, kept = (mmap.mmap(-1, 300 * 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) for _ in range(2))
for of in lost, kept:
    for at in pages(of): of[at] = 1
    if of is lost: of.madvise(mmap.MADV_FREE)
sum(lost[at] for at in pages(lost))
"""
# Ten pages read in a ring, five times over, beside one that is written all the time.
RING = "page,kind\n" + "".join(f"100,w\n{i},r\n" for _ in range(5) for i in range(10))


class Size(ThimbleCase):
    def size(self, *arguments, status=0):
        """What --json says."""
        done = self.run_thimble("size", "--json", *arguments)
        self.assertEqual(done.returncode, status, done.stderr)
        return json.loads(done.stdout)

    def refused(self, *arguments):
        done = self.run_thimble("size", *arguments)
        self.assertEqual(done.returncode, 125)
        self.assertEqual(done.stdout, b"")
        return done.stderr.decode()

    def ring(self, *options, status=0):
        return self.size("--cpu-seconds", "0.01", *options, self.ring_file(), status=status)

    def ring_file(self):
        path = self.folder / "ring.csv"
        path.write_text(RING)
        return path

    def test_the_answer_and_one_page_less_are_as_predicted(self):
        said = self.size("--slowdown", "1.5", "--cpu-seconds", "0.01", *LS)
        answer, (enough, less) = said["answer"], said["reruns"]
        self.assertEqual(enough["pages"], answer["pages"])
        self.assertEqual(less["pages"], answer["pages"] - 1)
        self.assertTrue(enough["predicted"] and less["predicted"])
        self.assertEqual(enough["misses"], answer["misses"])
        self.assertLessEqual(enough["slowdown"], 1.5)
        self.assertGreater(less["slowdown"], 1.5)
        self.assertEqual(answer["anonymous"] + answer["file"], answer["pages"])
        self.assertEqual(answer["bytes"], 4096 * (answer["pages"] + answer["page_tables"]))

    def test_page_tables_are_estimated_where_nothing_is_run(self):
        program = ["sh", "-c", "ls / | wc -l; true"]
        counted = self.size("--cpu-seconds", "0.01", *program)["answer"]
        estimated = self.size("--cpu-seconds", "0.01", "--no-rerun", *program)["answer"]
        self.assertEqual((counted["page_tables_label"], estimated["page_tables_label"]), ("exact", "estimated"))
        self.assertEqual(estimated["page_tables"], counted["page_tables"])
        self.assertGreater(counted["page_tables"], 20)

    def test_below_the_floor_somebody_is_killed(self):
        said = self.size("--slowdown", "1000", "--cpu-seconds", "0.01", *LS)
        self.assertEqual(said["answer"]["pages"], said["floor"])
        enough, less = said["reruns"]
        self.assertEqual((enough["oom_kills"], enough["exit_status"]), (0, 0))
        self.assertGreater(less["oom_kills"], 0)

    def test_the_floor_has_room_for_pages_that_are_lost_and_come_back(self):
        said = self.size("--slowdown", "1000", "--cpu-seconds", "0.01", "/usr/bin/python3", "-ES", "-c", GIVEN_UP)
        self.assertEqual(said["answer"]["pages"], said["floor"])
        self.assertEqual((said["answer"]["anonymous"], said["answer"]["file"]), (said["floor"] - 1, 1))
        enough, less = said["reruns"]
        self.assertEqual((enough["oom_kills"], less["oom_kills"]), (0, 1))

    def test_a_swap_area_that_is_full(self):
        for policy in "clock", "lirs":
            said = self.size("--slowdown", "1000", "--cpu-seconds", "0.01", "--swap", "64K", "--policy", policy, *LS)
            enough, less = said["reruns"]
            self.assertEqual((said["label"], said["floor"]), ("exact", said["answer"]["pages"]))
            self.assertEqual((enough["predicted"], enough["oom_kills"]), (True, 0))
            self.assertTrue(less["predicted"])
            self.assertGreater(less["oom_kills"], 0)
            self.assertGreater(said["answer"]["writes"], 100)

    def test_a_run_with_the_answer_has_as_many_misses(self):
        said = self.size("--slowdown", "1.2", "--cpu-seconds", "0.01", "--swap", "1G", "--policy", "lru", *LS)
        live = self.summary(*LS, options=["--deterministic", "--policy", "lru", "--page-table", "x86-64",
                                          "--available", str(said["answer"]["pages"])])
        self.assertEqual(live["faults"]["misses"], said["answer"]["misses"])

    def test_a_ring_fits_as_a_whole_or_not_at_all(self):
        said = self.ring("--swap", "1G", "--policy", "lru")
        self.assertEqual(said["all"], 11)
        self.assertEqual(said["answer"]["pages"], 11)
        self.assertEqual(said["answer"]["misses"], 11)
        misses = {point["pages"]: point["misses"] for point in said["points"]}
        self.assertEqual(misses[10], 51)
        self.assertEqual(said["reruns"], [])

    def test_misses_of_the_warm_up_do_not_count(self):
        said = self.ring("--swap", "1G", "--policy", "lru", "--warm-up", "50i")
        misses = {point["pages"]: point["misses"] for point in said["points"]}
        self.assertEqual((misses[11], misses[10]), (0, 25))

    def test_data_that_is_read_takes_frames_where_it_is_wanted(self):
        data = self.folder / "data"
        data.write_bytes(bytes(range(256)) * 16 * 300)
        command = ["--cpu-seconds", "0.01", "--slowdown", "1.2", "--", "md5sum", data]
        mapped, everything = self.size(*command), self.size("--page-cache", "all", *command)
        self.assertIn(everything["pages"] - mapped["pages"], range(300, 320))  # and what else it reads
        self.assertEqual(everything["floor"], mapped["floor"])
        for said in mapped, everything:
            self.assertEqual([rerun["predicted"] for rerun in said["reruns"]], [True, True])
        plain = self.run_program("md5sum", data)
        cached = self.run_program("md5sum", data, options=["--page-cache", "all", "--available", "40"])
        self.assertEqual((cached.returncode, cached.stdout), (0, plain.stdout))

    def test_a_service_is_stopped(self):
        said = self.size("--warm-up", "0.1", "--duration", "0.1", "--", "sh", "-c", "while :; do :; done")
        self.assertEqual(said["cpu_seconds_are"], "assumed")
        for run in said["reruns"]:
            self.assertEqual((run["finished"], run["predicted"]), (False, None))

    def test_a_program_that_fails_is_said_to(self):
        done = self.run_thimble("size", "--no-rerun", "--swap", "unlimited", "--cpu-seconds", "1", "sh", "-c", "exit 3")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("The program ended with status 3", done.stdout.decode())
        self.assertIn("--memory-swap=-1", done.stdout.decode())

    def test_phases_add_up(self):
        said = self.ring("--swap", "1G", "--policy", "lru", "--interval", "20", "--slowdown", "1000")
        phases = said["phases"]
        self.assertEqual([phase["start"] for phase in phases], [0, 20, 40, 60, 80])
        self.assertEqual(sum(phase["references"] for phase in phases), said["references"])
        self.assertEqual(sum(phase["misses"] for phase in phases), said["answer"]["misses"])
        self.assertEqual(phases[0]["cold"], 11)

    def test_the_text_has_lines_to_paste(self):
        done = self.run_thimble("size", "--slowdown", "1.5", "--no-rerun", *LS)
        self.assertEqual(done.returncode, 0, done.stderr)
        text = done.stdout.decode()
        self.assertRegex(text, r"\n    --memory=6m --memory-swap=6m +\(the least that Docker takes is 6m\)\n")
        limit = next(line for line in text.splitlines() if "memory.max=" in line)
        self.assertEqual(int(limit.split("=")[1]) % 4096, 0)

    def test_what_cannot_be_answered_is_refused(self):
        self.assertIn("--slowdown: '0.5'", self.refused("--slowdown", "0.5", *LS))
        self.assertIn("--interval: '0' is too small: give", self.refused("--interval", "0", *LS))
        self.assertIn("--interval: '5M' is not a whole number: give", self.refused("--interval", "5M", *LS))
        self.assertIn("floppy", self.refused("--disk", "floppy", *LS))
        self.assertIn("--swap: 'much'", self.refused("--swap", "much", *LS))
        self.assertIn("no program was given", self.refused())
        self.assertIn("--cpu-seconds is needed", self.refused(self.ring_file()))
        self.assertIn("unknown policy", self.refused("--cpu-seconds", "1", "--policy", "best", self.ring_file()))


if __name__ == "__main__":
    thimble_case.main()
