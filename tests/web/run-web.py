"""`thimble web` as browsers and other programs meet it."""
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest

from server import PATIENCE, Feed, Server

THIMBLE = pathlib.Path(sys.argv[1]).resolve()
GUESTS = pathlib.Path(sys.argv[2]).resolve()
NINE = ["-n", "9", "--reserved", "3", "--deterministic", "--stats", "none"]
RECORD = 64  # bytes of an event


def wide():
    return GUESTS / "asm-wide"


class WebCase(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="thimble-test-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def serve(self, *arguments):
        server = Server(THIMBLE, *arguments, cwd=self.folder)
        self.addCleanup(server.close)
        return server

    def record(self, name="trace", program=None, options=()):
        path = self.folder / name
        subprocess.run([THIMBLE, "run", *NINE, *options, "--trace", path, "--", program or wide()], check=True,
                       stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL, timeout=PATIENCE)
        return path

    def refuse(self, *arguments):
        """What `thimble web` says when it does not even begin; its status."""
        done = subprocess.run([THIMBLE, "web", *map(os.fspath, arguments)], capture_output=True, check=False,
                              timeout=PATIENCE, cwd=self.folder, stdin=subprocess.DEVNULL)
        return done.returncode, done.stderr.decode()

    def feed(self, server):
        feed = Feed(server)
        self.addCleanup(feed.close)
        return feed


def events_of(content):
    """(sequence, kind) of each record."""
    assert len(content) % RECORD == 0
    return [struct.unpack_from("<QQIH", content, at)[0::3] for at in range(0, len(content), RECORD)]


class Recorded(WebCase):
    def setUp(self):
        super().setUp()
        self.server = self.serve(self.record())

    def test_what_it_is(self):
        info = self.server.json("/info")
        self.assertEqual((info["live"], info["state"], info["finished"], info["cut"]),
                         (False, "recorded", True, False))
        self.assertIn("asm-wide", info["title"])
        self.assertEqual((info["header"]["frames"], info["header"]["reserved"]), (9, 3))
        self.assertRegex(info["version"], r"^\d+\.\d+\.\d+$")
        self.assertGreater(info["events"], 10000)

    def test_events_by_number(self):
        last = self.server.json("/info")["events"]
        every = []
        while len(every) < last:
            every += events_of(self.server.get("/events", **{"from": len(every) + 1, "count": 65536})[2])
        self.assertEqual([sequence for sequence, _ in every], list(range(1, last + 1)))
        status, headers, content = self.server.get("/events", **{"from": last - 1, "count": 10})
        self.assertEqual((status, headers["Content-Type"]), (200, "application/octet-stream"))
        self.assertEqual([n for n, _ in events_of(content)], [last - 1, last])
        self.assertEqual(self.server.get("/events", **{"from": last + 1, "count": 1})[2], b"")

    def test_states_differ_and_come_again(self):
        first, second = (self.server.get("/state", n=n)[2] for n in (0, 500))
        self.assertNotEqual(first, second)
        self.assertEqual(self.server.get("/state", n=0)[2], first)
        self.assertEqual(self.server.get("/state", n=500)[2], second)

    def test_searches(self):
        def find(goal, start, backwards=0):
            return self.server.json("/find", goal=goal, backwards=backwards, **{"from": start})["n"]
        first = find("fault", 0)
        second = find("fault", first)
        self.assertEqual(find("fault=2", 0), second)
        self.assertEqual(find("fault", second, 1), first)
        self.assertIsNone(find("fault", first, 1))
        self.assertIsNone(find("end", 0))
        kind = events_of(self.server.get("/events", **{"from": second, "count": 1})[2])[0][1]
        self.assertEqual(kind, events_of(self.server.get("/events", **{"from": first, "count": 1})[2])[0][1])

    def test_the_timeline_has_every_fault(self):
        many, one = (self.server.json("/timeline", buckets=n)["counts"] for n in (100, 1))
        self.assertEqual((len(many), len(one)), (100, 1))
        self.assertEqual([sum(column) for column in zip(*many)], one[0])
        self.assertEqual(len(one[0]), 6)
        self.assertGreater(sum(one[0]), 1000)

    def test_the_history_is_json(self):
        history = self.server.json("/history")
        self.assertEqual(history["events"], self.server.json("/info")["events"])
        self.assertEqual(self.server.json("/history"), history)

    def test_the_feed_says_what_it_is_once(self):
        feed = self.feed(self.server)
        self.assertEqual(feed.next(), {"events": self.server.json("/info")["events"], "state": "recorded"})

    def test_nothing_runs(self):
        for status, headers, content in self.server.control("continue"), self.server.post("/input", body=b"x"):
            self.assertEqual((status, headers["Content-Type"]), (409, "text/plain; charset=utf-8"))
            self.assertIn(b"recording", content)
        self.assertEqual(self.server.output(), b"")

    def test_signals_end_it(self):
        self.server.interrupt()
        self.assertEqual(self.server.finish(), (0, ""))
        server = self.serve(self.folder / "trace")
        server.interrupt(signal.SIGTERM)
        self.assertEqual(server.finish(), (0, ""))

    def test_bad_parameters(self):
        last = self.server.json("/info")["events"]
        for path, parameters in [
                ("/events", {}), ("/events", {"from": 0, "count": 1}), ("/events", {"from": 1, "count": 65537}),
                ("/events", {"from": 1, "count": 0}), ("/events", {"from": "x", "count": 1}),
                ("/events", {"from": -1, "count": 1}), ("/events", {"from": 2**64, "count": 1}),
                ("/events", {"from": " 1", "count": 1}), ("/events", {"from": "1x", "count": 1}),
                ("/state", {}), ("/state", {"n": "1.5"}), ("/find", {"from": 0, "backwards": 0}),
                ("/find", {"goal": "fault", "from": 0, "backwards": 2}),
                ("/find", {"goal": "fault=x", "from": 0, "backwards": 0}),
                ("/find", {"goal": "some_symbol", "from": 0, "backwards": 0}),
                ("/timeline", {"buckets": 0}), ("/timeline", {"buckets": 100000}), ("/output", {})]:
            status, headers, content = self.server.get(path, **parameters)
            self.assertEqual((status, headers["Content-Type"]), (400, "text/plain; charset=utf-8"), (path, parameters))
            self.assertTrue(content.endswith(b".\n"), content)
        self.assertEqual(self.server.get("/state", n=last + 1)[0], 404)


class Protection(WebCase):
    def setUp(self):
        super().setUp()
        self.server = self.serve(*NINE, "--", wide())

    def raw(self, request):
        """The status line and the rest of what is answered to these bytes."""
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=PATIENCE) as connection:
            connection.sendall(request)
            answer = b""
            while got := connection.recv(65536):
                answer += got
        return answer

    def status(self, *headers, path="/info", version="1.1"):
        lines = [f"GET {path} HTTP/{version}", *headers, "Connection: close", "", ""]
        return int(self.raw("\r\n".join(lines).encode()).split()[1])

    def test_only_our_own_names_are_answered(self):
        port = self.server.port
        self.assertEqual(self.status(f"Host: 127.0.0.1:{port}"), 200)
        self.assertEqual(self.status(f"Host: localhost:{port}"), 200)
        for host in ("evil.example", f"evil.example:{port}", "127.0.0.1", "127.0.0.1:1", f"127.0.0.1:{port}0", "",
                     f"localhost.evil.example:{port}", f"127.0.0.1:{port}@evil.example", f"[::1]:{port}"):
            self.assertEqual(self.status(f"Host: {host}"), 403, host)
        self.assertIn(self.status(version="1.1"), (400, 403))
        self.assertEqual(self.status(version="1.0"), 403)
        self.assertIn(self.status(f"Host: 127.0.0.1:{port}", f"Host: evil.example:{port}"), (400, 403))

    def test_pages_of_other_sites_are_not_answered(self):
        port = self.server.port
        host = f"Host: 127.0.0.1:{port}"
        self.assertEqual(self.status(host, f"Origin: http://127.0.0.1:{port}"), 200)
        self.assertEqual(self.status(host, f"Origin: http://localhost:{port}"), 200)
        for origin in ("http://evil.example", "null", f"https://127.0.0.1:{port}", "http://127.0.0.1",
                       f"http://127.0.0.1:{port}.evil.example", ""):
            self.assertEqual(self.status(host, f"Origin: {origin}"), 403, origin)
        for path in "/", "/live", "/events?from=1&count=1":
            self.assertEqual(self.status(host, "Origin: http://evil.example", path=path), 403, path)

    def test_control_needs_the_token(self):
        good = self.server.token
        for token in ("x", "0" * 32, good[:-1], good + "0", good.upper() + " ", good[::-1]):
            for path in "/control?do=stop", "/input":
                status, headers, _ = self.server.post(path, body=b"x", token=token)
                self.assertEqual(status, 403, (path, token))
                self.assertEqual(headers["X-Content-Type-Options"], "nosniff")
        self.assertEqual(self.server.ask("POST", "/control?do=stop")[0], 403)
        self.assertEqual(self.server.ask("POST", f"/control?do=stop&token={good}")[0], 403)
        self.server.wait(state="paused")  # nobody stopped it
        self.assertEqual(self.server.control("run", goal="step")[0], 200)

    def test_tokens_are_new_each_time(self):
        tokens = {self.server.token} | {self.serve(*NINE, "--", wide()).token for _ in range(3)}
        self.assertEqual(len(tokens), 4)

    def test_methods(self):
        for method, path in [("POST", "/info"), ("PUT", "/events"), ("DELETE", "/state"), ("GET", "/control"),
                             ("GET", "/input"), ("OPTIONS", "/control"), ("POST", "/"), ("TRACE", "/")]:
            status, headers, _ = self.server.ask(method, path, headers={"X-Thimble-Token": self.server.token})
            self.assertEqual(status, 405, (method, path))
            self.assertTrue(headers["Allow"], (method, path))

    def test_it_serves_no_file(self):
        (self.folder / "secret").write_text("secret")
        for path in ("/secret", "/../secret", "/../../../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "//etc/passwd",
                     "/etc/passwd", "/..%2fsecret", "/./secret", "/info/../secret", "/page.js/../secret",
                     "/\\..\\secret", "/info%00", "/page.html%00.js", "file:///etc/passwd", "/trace"):
            with self.subTest(path):
                answer = self.raw(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.server.port}\r\n"
                                  "Connection: close\r\n\r\n".encode())
                self.assertNotIn(b"root:", answer)
                self.assertNotIn(b"\r\n\r\nsecret", answer)
                if path != "/info%00":
                    self.assertIn(answer.split()[1], (b"404", b"400"), answer)

    def test_every_answer_has_the_headers(self):
        for path in "/", "/info", "/nothing", "/events", "/live":
            connection = self.server.connect()
            connection.request("GET", path)
            headers = connection.getresponse().headers
            policy = headers["Content-Security-Policy"]
            for part in "default-src 'none'", "wasm-unsafe-eval", "frame-ancestors 'none'", "form-action 'none'":
                self.assertIn(part, policy)
            self.assertNotIn("http:", policy)
            self.assertNotIn("'unsafe-eval'", policy)
            self.assertEqual(headers["X-Content-Type-Options"], "nosniff", path)
            self.assertEqual(headers["Cache-Control"], "no-store")
            self.assertEqual(headers["Referrer-Policy"], "no-referrer")
            self.assertIsNone(headers["Access-Control-Allow-Origin"])
            connection.close()

    def test_the_page_is_there(self):
        status, headers, content = self.server.get("/")
        self.assertEqual(status, 200)
        self.assertTrue(headers["Content-Type"].startswith("text/html"))
        self.assertIn(b"<html", content)
        self.assertNotIn(self.server.token.encode(), content)
        status, headers, content = self.server.ask("HEAD", "/")
        self.assertEqual((status, content), (200, b""))

    def test_requests_that_are_too_large(self):
        self.assertEqual(self.server.post("/input", body=b"x" * 4097)[0], 413)
        self.assertEqual(self.server.post("/input", body=b"x" * 100000)[0], 413)
        with self.assertRaises(OSError):  # nobody listens to the end of it
            self.server.post("/input", body=(b"x" * 65536 for _ in range(1000)))
        for line in "GET /" + "x" * 100000, "GET /info HTTP/1.1\r\nX: " + "x" * 100000:
            with self.subTest(line[:12]):
                try:
                    answer = self.raw(line.encode() + b" HTTP/1.1\r\n\r\n")
                except ConnectionError:
                    answer = b""
                self.assertNotIn(b" 200 ", answer[:20])
        self.assertEqual(self.server.get("/info")[0], 200)

    def test_nonsense_does_not_harm_it(self):
        for bytes_ in (b"\x00" * 1000, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", b"GET\r\n\r\n", b"\r\n" * 100,
                       b"GET /info HTTP/9.9\r\n\r\n", b"POST /input HTTP/1.1\r\nContent-Length: -1\r\n\r\n"):
            try:
                with socket.create_connection(("127.0.0.1", self.server.port), timeout=1) as connection:
                    connection.sendall(bytes_)
                    connection.recv(1000)
            except OSError:
                pass
        self.assertEqual(self.server.get("/info")[0], 200)

    def test_it_listens_on_the_loopback_interface_only(self):
        listening = []
        for name in "tcp", "tcp6":
            for line in pathlib.Path(f"/proc/net/{name}").read_text().splitlines()[1:]:
                address, state = line.split()[1], line.split()[3]
                if state == "0A" and address.endswith(f":{self.server.port:04X}"):
                    listening.append(address)
        self.assertEqual(listening, [f"0100007F:{self.server.port:04X}"])

    def test_names_of_the_guests_are_data(self):
        name = "<script>alert(1)</script>\"'&\xff"
        program = os.fsencode(self.folder) + b"/" + name.replace("/", "_").encode("latin-1")
        shutil.copy(wide(), program)
        server = self.serve(*NINE, "--", program)
        info = server.json("/info")
        self.assertIn("<script>alert(1)<_script>\"'&\ufffd", info["title"])
        self.assertEqual(server.get("/")[2], self.server.get("/")[2])  # nothing of it is in the page


class Live(WebCase):
    def test_it_is_held_where_the_program_begins(self):
        server = self.serve(*NINE, "--", wide())
        info = server.wait(state="paused")
        self.assertEqual((info["live"], info["finished"], server.output()), (True, False, b""))
        time.sleep(0.2)
        self.assertEqual(server.json("/info")["events"], info["events"])

    def test_it_is_stepped_exactly(self):
        server = self.serve(*NINE, "--", wide())
        feed = self.feed(server)
        before = feed.wait(state="paused")["events"]
        for _ in range(20):
            self.assertEqual(server.control("run", goal="fault")[0], 200)
            news = feed.next()
            while news["state"] != "paused" or news["events"] == before:
                news = feed.next()
            found = server.json("/find", goal="fault", backwards=0, **{"from": before})["n"]
            self.assertEqual(found, news["events"])
            before = found

    def test_until(self):
        server = self.serve(*NINE, "--until", "fault=3", "--", wide())
        server.wait(state="paused")
        third = server.json("/find", goal="fault=3", backwards=0, **{"from": 0})["n"]
        self.assertEqual(server.json("/info")["events"], third)

    def test_it_goes_on_and_is_paused(self):
        server = self.serve("-n", "64", "--stats", "none", "--", "sh", "-c", "while :; do :; done")
        feed = self.feed(server)
        feed.wait(state="paused")
        server.control("continue")
        feed.wait(state="running")
        server.control("pause")
        # It is held at the next event that is a step; a loop without system calls has few of them.
        self.assertIn(server.json("/info")["state"], ("running", "paused"))
        server.control("stop")
        feed.wait(state="ended")
        server.interrupt()
        self.assertEqual(server.finish()[0], 130)

    def test_the_status_is_the_programs(self):
        for command, status in (["sh", "-c", "exit 7"], 7), (["sh", "-c", "kill -9 $$"], 137):
            server = self.serve("-n", "64", "--stats", "none", "--", *command)
            server.wait(state="paused")
            server.control("continue")
            server.wait(state="ended", finished=True)
            self.assertIsNone(server.process.poll())  # the page stays
            server.interrupt()
            code, errors = server.finish()
            self.assertEqual(code, status)
            self.assertIn("the page stays until Ctrl-C", errors)

    def test_ctrl_c_ends_program_and_page(self):
        for number in signal.SIGINT, signal.SIGTERM:
            server = self.serve(*NINE, "--", wide())
            server.wait(state="paused")
            feed = self.feed(server)
            feed.next()
            server.interrupt(number)
            self.assertEqual(server.finish()[0], 128 + number)

    def test_ctrl_c_ends_a_program_that_ignores_it(self):
        server = self.serve("-n", "64", "--stats", "none", "--", "sh", "-c", "trap '' INT; sleep 60")
        server.wait(state="paused")
        server.control("continue")
        time.sleep(0.3)
        server.interrupt()
        self.assertEqual(server.finish()[0], 130)

    def test_a_program_that_is_not_there(self):
        self.assertEqual(self.status_of("no-such-program"), (127, True))
        (self.folder / "empty").write_bytes(b"")
        (self.folder / "empty").chmod(0o755)
        self.assertEqual(self.status_of("./empty"), (126, True))

    def status_of(self, program):
        """Its exit status, and whether its name is in the message."""
        server = self.serve(*NINE, "--", program)
        code, errors = server.finish()
        return code, errors.startswith(f"thimble: {program}: ")

    def test_the_terminal(self):
        server = self.serve("-n", "64", "--stats", "none", "--", "sh", "-c", "echo name?; read n; echo hello $n; tty")
        server.wait(state="paused")
        server.control("continue")
        server.wait_for_output(b"name?\r\n")
        self.assertEqual(server.post("/input", body=b"Ada\r")[0], 200)
        server.wait(state="ended")
        output = server.output()
        self.assertIn(b"Ada\r\nhello Ada\r\n", output)
        status, headers, rest = server.get("/output", **{"from": 7})
        self.assertEqual((status, headers["X-Offset"], rest), (200, "7", output[7:]))

    def test_bad_control(self):
        server = self.serve(*NINE, "--", wide())
        for parameters in ({"do": "dance"}, {"do": "run"}, {"do": "run", "goal": "x=y"}, {"do": ""},
                           {"do": "run", "goal": "symbol"}):
            status, _, content = server.post("/control", **parameters)
            self.assertEqual((status, content[-2:]), (400, b".\n"), parameters)
        self.assertEqual(server.post("/control")[0], 400)


class Connections(WebCase):
    def big(self):
        """A run of many thousand events, and how long it takes without anybody who looks."""
        return [*NINE, "--", wide()]

    def test_a_browser_that_comes_back_finds_everything(self):
        server = self.serve(*self.big())
        feed = self.feed(server)
        feed.wait(state="paused")
        server.control("run", goal="fault=5")
        events = feed.wait(state="paused")["events"]
        seen = server.get("/events", **{"from": 1, "count": events})[2]
        feed.close()
        for _ in range(5):
            again = self.feed(server)
            self.assertEqual(again.next(), {"events": events, "state": "paused"})
            again.close()
        self.assertEqual(server.get("/events", **{"from": 1, "count": events})[2], seen)

    def test_browsers_that_vanish_leave_nothing(self):
        server = self.serve(*self.big())
        server.wait(state="paused")
        before = len(os.listdir(f"/proc/{server.process.pid}/fd"))
        for _ in range(3):
            feeds = [Feed(server) for _ in range(20)]
            for feed in feeds:
                feed.next()
                feed.close()
        server.control("run", goal="step")
        deadline = time.monotonic() + PATIENCE
        while len(os.listdir(f"/proc/{server.process.pid}/fd")) > before:
            self.assertLess(time.monotonic(), deadline)
            server.control("run", goal="step")
            time.sleep(0.1)

    def test_a_slow_reader_does_not_hold_the_machine_up(self):
        server = self.serve(*self.big())
        server.wait(state="paused")
        slow = []
        for _ in range(4):
            connection = socket.socket()
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
            connection.connect(("127.0.0.1", server.port))
            connection.sendall(f"GET /live HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n".encode())
            connection.sendall(f"GET /events?from=1&count=65536 HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n"
                               .encode())
            self.addCleanup(connection.close)
            slow.append(connection)
        feed = self.feed(server)
        feed.wait(state="paused")
        server.control("continue")
        info = feed.wait(state="ended")  # none of the others has read a byte
        self.assertEqual(info["events"], server.json("/info")["events"])

    def test_a_run_that_is_held_uses_no_processor_time(self):
        server = self.serve(*self.big())
        feed = self.feed(server)
        feed.wait(state="paused")
        ticks = []
        for _ in range(2):
            fields = pathlib.Path(f"/proc/{server.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
            ticks.append(int(fields[11]) + int(fields[12]))
            time.sleep(1)
        self.assertLessEqual(ticks[1] - ticks[0], 1)

    def test_a_port_that_is_in_use(self):
        server = self.serve(*self.big())
        status, errors = self.refuse("--port", str(server.port), *self.big())
        self.assertEqual(status, 125)
        self.assertIn(f"thimble: port {server.port} is in use: give another one with --port", errors)

    def test_a_port_can_be_chosen_again_at_once(self):
        server = self.serve(*self.big())
        server.json("/info")
        server.interrupt()
        server.finish()
        again = self.serve("--port", str(server.port), *self.big())
        self.assertEqual(again.port, server.port)


class BadRecordings(WebCase):
    def test_one_that_was_cut_is_shown_up_to_there(self):
        path = self.record()
        path.write_bytes(path.read_bytes()[:-3000])
        server = self.serve(path)
        info = server.json("/info")
        self.assertTrue(info["cut"])
        self.assertEqual(len(server.get("/state", n=info["events"])[2]) > 0, True)
        server.interrupt()
        status, errors = server.finish()
        self.assertEqual(status, 0)
        self.assertIn(f"the trace is cut: it ends after event {info['events']}", errors)

    def test_one_that_is_damaged_at_its_beginning(self):
        path = self.record()
        content = bytearray(path.read_bytes())
        content[60:120] = bytes(60)
        path.write_bytes(content)
        status, errors = self.refuse(path)
        self.assertEqual(status, 125)
        self.assertIn(f"thimble: {path}: the trace is damaged", errors)

    def test_one_of_another_version(self):
        path = self.record()
        content = bytearray(path.read_bytes())
        content[24] ^= 0xff  # the opening's version
        path.write_bytes(content)
        status, errors = self.refuse(path)
        self.assertEqual(status, 125)
        self.assertIn("it is a trace of format 254", errors)

    def test_json_lines(self):
        path = self.record("trace.jsonl")
        status, errors = self.refuse(path)
        self.assertEqual(status, 125)
        self.assertIn("holds its events as JSON lines", errors)

    def test_where_it_begins(self):
        path = self.record()
        server = self.serve("--until", "fault=3", path)
        self.assertEqual(server.begin, server.json("/find", goal="fault=3", backwards=0, **{"from": 0})["n"])
        status, errors = self.refuse("--until", "fault=99999999", path)
        self.assertEqual(status, 125)
        self.assertIn("never came to what --until names", errors)

    def test_a_program_of_the_same_name(self):
        path = self.record()
        status, errors = self.refuse("--", path)
        self.assertEqual(status, 126, errors)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
