"""A `thimble web` to be asked: its address, requests, its end."""
import http.client
import json
import os
import re
import select
import signal
import subprocess
import time
import urllib.parse

PATIENCE = 20  # seconds


class Server:
    """Runs `thimble web ARGUMENTS`."""

    def __init__(self, thimble, *arguments, cwd=None):
        self.process = subprocess.Popen([thimble, "web", *map(os.fspath, arguments)], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=cwd)
        line = self.read_line()
        found = re.fullmatch(r"http://127\.0\.0\.1:(\d+)/#token=([0-9a-f]{32})(?:&s=(\d+))?\n", line)
        if not found:
            self.process.kill()
            raise AssertionError(f"no address: {line!r} {self.process.communicate()[1]!r}")
        self.port, self.token = int(found[1]), found[2]
        self.begin = found[3] and int(found[3])

    def read_line(self):
        if not select.select([self.process.stdout], [], [], PATIENCE)[0]:
            return ""
        return self.process.stdout.readline().decode()

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)

    def ask(self, method, path, body=None, headers=None):
        """(status, headers, content) of a request as a browser makes it."""
        connection = self.connect()
        try:
            connection.request(method, path, body=body, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def get(self, path, **parameters):
        query = "?" + urllib.parse.urlencode(parameters) if parameters else ""
        return self.ask("GET", path + query)

    def json(self, path, **parameters):
        status, headers, content = self.get(path, **parameters)
        assert status == 200, (status, content)
        assert headers["Content-Type"] == "application/json", headers
        return json.loads(content)

    def post(self, path, body=None, token=None, **parameters):
        query = "?" + urllib.parse.urlencode(parameters) if parameters else ""
        return self.ask("POST", path + query, body=body, headers={"X-Thimble-Token": token or self.token})

    def control(self, what, **parameters):
        return self.post("/control", do=what, **parameters)

    def wait(self, **wanted):
        """Until /info says so."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            info = self.json("/info")
            if all(info[key] == value for key, value in wanted.items()):
                return info
            time.sleep(0.01)
        raise AssertionError(f"not {wanted}: {info}")

    def output(self):
        return self.get("/output", **{"from": 0})[2]

    def wait_for_output(self, wanted):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if wanted in self.output():
                return
            time.sleep(0.02)
        raise AssertionError(f"{wanted!r} is not in {self.output()!r}")

    def interrupt(self, number=signal.SIGINT):
        self.process.send_signal(number)

    def finish(self):
        """Its exit status, and what it said on standard error."""
        errors = self.process.communicate(timeout=PATIENCE)[1]
        return self.process.returncode, errors.decode()

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


class Feed:
    """The Server-Sent Events of /live, as a browser reads them."""

    def __init__(self, server):
        self.connection = server.connect()
        self.connection.request("GET", "/live")
        self.answer = self.connection.getresponse()
        assert self.answer.status == 200, self.answer.status
        assert self.answer.headers["Content-Type"] == "text/event-stream"

    def next(self):
        """The next event's data."""
        while True:
            line = self.answer.readline()
            assert line, "the feed has ended"
            if line.startswith(b"data: "):
                return json.loads(line[6:])

    def wait(self, **wanted):
        while True:
            news = self.next()
            if all(news[key] == value for key, value in wanted.items()):
                return news

    def close(self):
        self.connection.close()
