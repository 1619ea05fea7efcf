"""thimble trace: says what a trace holds and what is wrong with it; converts it to JSON lines.

run-trace-command.py THIMBLE"""
import json, os, pathlib, signal, subprocess, sys, tempfile, unittest

THIMBLE = sys.argv.pop(1)


class TraceCommand(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = pathlib.Path(holder.name)
        self.trace = self.folder / 'run.trace'
        subprocess.run([THIMBLE, 'run', '-n', '60', '--reserved', '3', '--deterministic', '--stats', 'none', '--trace', self.trace,
                        '/bin/echo', 'caf\x1b[31m'], check=True, stdout=subprocess.DEVNULL, timeout=60)

    def run_trace(self, *arguments):
        done = subprocess.run([THIMBLE, 'trace', *arguments], capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout, done.stderr

    def lines(self, path):
        return [json.loads(line) for line in path.read_text().splitlines()]

    def test_says_what_it_holds(self):
        status, said, wrong = self.run_trace(self.trace)
        self.assertEqual((status, wrong), (0, ''))
        lines = said.splitlines()
        self.assertEqual(lines[0], '/bin/echo caf\ufffd[31m')  # nothing that would change a terminal
        self.assertIn('60 frames, 3 reserved', lines[2])
        self.assertIn('1 process, ended with status 0', lines[3])
        self.assertRegex(lines[4], r'[0-9,]+ faults \([0-9,]+ major\), [0-9,]+ pages swapped out')
        self.assertEqual(lines[5], '  whole; every event follows from those before it')

    def test_agrees_with_the_events(self):
        out = self.folder / 'run.jsonl'
        self.assertEqual(self.run_trace(self.trace, '-o', out)[0], 0)
        served = [line for line in self.lines(out) if line.get('event') == 'fault_done' and line['kind'] != 'failed']
        self.assertIn('  {:,} faults ({:,} major)'.format(len(served), sum(line['major'] for line in served)), self.run_trace(self.trace)[1])

    def test_converts(self):
        out = self.folder / 'run.jsonl'
        self.assertEqual(self.run_trace(self.trace, '-o', out), (0, '', ''))
        direct = self.folder / 'direct.jsonl'
        subprocess.run([THIMBLE, 'run', '-n', '60', '--reserved', '3', '--deterministic', '--stats', 'none', '--trace', direct,
                        '/bin/echo', 'caf\x1b[31m'], check=True, stdout=subprocess.DEVNULL, timeout=60)
        self.assertEqual(out.read_bytes(), direct.read_bytes())
        packed = self.folder / 'run.jsonl.zst'
        self.assertEqual(self.run_trace('-o', packed, self.trace)[0], 0)
        self.assertEqual(packed.read_bytes()[:4], b'\x28\xb5\x2f\xfd')

    def test_a_cut_trace(self):
        os.truncate(self.trace, self.trace.stat().st_size - 100)  # the index is gone, no event is
        status, said, _ = self.run_trace(self.trace)
        self.assertEqual(status, 1)
        self.assertRegex(said, r'\n  the trace is cut: it ends after event \d+, and what happened then is not known\n')
        out = self.folder / 'run.jsonl'
        status, _, wrong = self.run_trace(self.trace, '-o', out)
        self.assertEqual(status, 1)
        self.assertIn('the trace is cut', wrong)
        self.assertNotIn('end', self.lines(out)[-1])

    def test_a_crash_of_thimble_itself(self):
        """The trace ends with the last event before it, though no block was full."""
        for name in ('crash.trace', 'crash.jsonl'):
            trace = self.folder / name
            run = subprocess.Popen([THIMBLE, 'run', '-n', '60', '--stats', 'none', '--trace', trace, '/bin/cat'], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            run.stdin.write(b'x')
            run.stdin.flush()
            self.assertEqual(run.stdout.read(1), b'x')
            run.send_signal(signal.SIGSEGV)
            wrong = run.communicate(timeout=60)[1].decode()
            self.assertEqual(run.returncode, -signal.SIGSEGV)
            self.assertIn('the trace ends with the last event before it', wrong)
            if name == 'crash.trace':
                status, said, _ = self.run_trace(trace)
                self.assertEqual(status, 1)
                self.assertNotIn('does not follow', said)
                trace = self.folder / 'converted.jsonl'
                self.run_trace(self.folder / name, '-o', trace)
            calls = [line['number'] for line in self.lines(trace) if line.get('event') == 'syscall_enter']
            self.assertIn(1, calls[-2:])  # the write of x, and perhaps the next read

    def refused(self, sentence, *arguments):
        status, said, wrong = self.run_trace(*arguments)
        self.assertEqual((status, said), (125, ''))
        self.assertIn(sentence, wrong)
        self.assertIn('thimble', wrong)

    def test_mistakes(self):
        empty = self.folder / 'empty'
        empty.touch()
        link = self.folder / 'link.jsonl'
        link.symlink_to(self.trace)
        before = self.trace.read_bytes()
        self.refused('the file is empty', empty)
        self.refused('No such file', self.folder / 'nothing')
        self.refused('not a trace', '/bin/echo')
        self.refused('.jsonl', self.trace, '-o', self.folder / 'out.trace')
        self.refused('is the trace itself', self.trace, '-o', link)
        self.refused('cannot be written: No such file', self.trace, '-o', '/nonexistent/x.jsonl')
        self.refused('which trace?')
        self.refused('one trace at a time', self.trace, self.trace)
        self.assertEqual(self.trace.read_bytes(), before)


unittest.main(verbosity=2)
