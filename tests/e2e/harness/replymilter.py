"""Runs the daemon under test: its policy, its sockets, its events, its end.

The binaries are taken from the build folder that REPLYMILTER_BUILD names. A daemon whose standard error shows a finding
of a sanitizer fails the test that ran it, whatever else the test saw.
"""

import contextlib
import functools
import json
import os
import queue
import re
import signal
import socket
import subprocess
import threading
import time

import jsonschema

from . import guard
from .net import slow, wait_for

_SCHEMA = os.path.join(os.path.dirname(__file__), "../../../doc/event.schema.json")
_SUPPRESSIONS = os.path.abspath(os.path.join(os.path.dirname(__file__), "../../tsan.supp"))
_FINDING = re.compile(
    r"(AddressSanitizer|LeakSanitizer|ThreadSanitizer|UndefinedBehaviorSanitizer|runtime error:|Assertion .* failed|GLib.*-(CRITICAL|ERROR))"
)


def build_folder():
    folder = os.environ.get("REPLYMILTER_BUILD")
    if not folder:
        raise RuntimeError(
            "set REPLYMILTER_BUILD to the folder in which replymilter and replyctl were built"
        )
    return os.path.abspath(folder)


def program(name):
    path = os.path.join(build_folder(), name)
    if not os.access(path, os.X_OK):
        raise RuntimeError(f"there is no {name} in {build_folder()}: run make there first")
    return path


def replyctl(*arguments, check=True, **options):
    """Runs replyctl to its end, output captured as text."""
    environment = os.environ | {"NO_COLOR": "1"} | options.pop("env", {})
    result = subprocess.run(
        [program("replyctl"), *arguments],
        text=True,
        capture_output=True,
        env=environment,
        timeout=slow(60),
        **options,
    )
    assert not _FINDING.search(result.stderr), result.stderr
    if check:
        assert (
            result.returncode == 0
        ), f"replyctl {' '.join(arguments)}: {result.returncode}\n{result.stdout}{result.stderr}"
    return result


@functools.cache
def event_validator():
    with open(_SCHEMA, encoding="utf-8") as file:
        return jsonschema.Draft202012Validator(json.load(file))


def check_event(event):
    """Fails unless the event is as doc/event.schema.json says."""
    problem = jsonschema.exceptions.best_match(event_validator().iter_errors(event))
    assert problem is None, f"{problem.json_path}: {problem.message}\nin the event {event}"


class Replymilter:
    """A daemon. `policy`: libconfig text; the sockets and the event log are set by the harness unless the text sets them.

    `run` is the folder of its sockets (on a Postfix host: `run` in the queue directory), `group` who may connect,
    `wrapper` a command that runs the daemon by exec. `handed_over`: file descriptors of listening sockets.
    """

    def __init__(
        self,
        policy="",
        run=None,
        group=None,
        milter=True,
        tables=True,
        log="",
        arguments=(),
        wrapper=(),
    ):
        self.top = guard.folder("daemon")
        self.run = run or self.top
        self.socket = os.path.join(self.run, "replymilter.sock")
        self.tables = os.path.join(self.run, "replymilter-tables.sock")
        self.events_path = os.path.join(self.top, "events.jsonl")
        self.policy_path = os.path.join(self.top, "replymilter.conf")
        self.error_path = os.path.join(self.top, "stderr")
        self.group = group
        self.with_milter, self.with_tables, self.log_settings = milter, tables, log
        self.arguments = arguments
        self.wrapper = wrapper
        self.handed_over = []
        self.process = None
        self.notices = None
        self.forgotten = 0
        self.write_policy(policy)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_error):
        self.close()

    def write_policy(self, policy):
        """Writes the policy file whole, with the harness's own sections before the text."""
        self.policy = policy
        access = 'mode = "0660"; group = "%s";' % self.group if self.group else 'mode = "0666";'
        sections = ""
        if self.with_milter and not re.search(r"(?m)^milter\b", policy):
            sections += f'milter = {{ socket = "unix:{self.socket}"; {access} }};\n'
        if self.with_tables and not re.search(r"(?m)^tables\b", policy):
            sections += f'tables = {{ socket = "unix:{self.tables}"; {access} }};\n'
        if not re.search(r"(?m)^log\b", policy):
            sections += (
                f'log = {{ events = "{self.events_path}"; rate = 0; {self.log_settings} }};\n'
            )
        fresh = self.policy_path + ".new"
        with open(fresh, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(sections + policy)
        os.chmod(fresh, 0o644)
        os.rename(fresh, self.policy_path)

    def _notify_socket(self):
        path = os.path.join(self.top, "notify")
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        self.notices = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notices.bind(path)
        os.chmod(path, 0o666)
        self.noticed = queue.SimpleQueue()
        threading.Thread(
            target=self._take_notices, args=(self.notices, self.noticed), daemon=True
        ).start()
        return path

    @staticmethod
    def _take_notices(notices, noticed):
        """As systemd does: a daemon whose notices nobody takes waits for ever."""
        with contextlib.suppress(OSError):
            while lines := notices.recv(4096).decode().splitlines():
                noticed.put(lines)
        notices.close()

    def start(self):
        """Starts it and waits until it says, as to systemd, that it is ready."""
        environment = os.environ | {
            "NOTIFY_SOCKET": self._notify_socket(),
            "ASAN_OPTIONS": "exitcode=99:detect_leaks=1:" + os.environ.get("ASAN_OPTIONS", ""),
            "TSAN_OPTIONS": f"exitcode=66:suppressions={_SUPPRESSIONS}:"
            + os.environ.get("TSAN_OPTIONS", ""),
            # the sanitizers cannot see into GLib's own allocator
            "G_SLICE": "always-malloc",
            "UBSAN_OPTIONS": "print_stacktrace=1:" + os.environ.get("UBSAN_OPTIONS", ""),
        }
        argv = [program("replymilter"), "-f", "-c", self.policy_path, *self.arguments]
        with open(self.error_path, "ab") as errors:
            self.process = guard.spawn(
                [*self.wrapper, *self._handing_over(), *argv],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
                pass_fds=self.handed_over,
            )
        self.wait_notice("READY=1", lambda: f"the daemon to be ready:\n{self.errors()}")

    def _handing_over(self):
        """What hands the listening sockets in `handed_over` to the daemon as systemd does: from descriptor 3 on."""
        if not self.handed_over:
            return []
        moves = " ".join(f"{3 + at}<&{number}" for at, number in enumerate(self.handed_over))
        script = f'export LISTEN_PID=$$ LISTEN_FDS={len(self.handed_over)}; exec "$@" {moves}'
        return ["bash", "-c", script, "bash"]

    def notice(self):
        """The next datagram to systemd as a list of lines, or None."""
        try:
            return self.noticed.get_nowait()
        except queue.Empty:
            return None

    def wait_notice(self, wanted, what):
        def came():
            while (lines := self.notice()) is not None:
                if wanted in lines:
                    return True
            if self.process.poll() is not None:
                status = self._end(0)
                raise AssertionError(f"the daemon ended with {status}:\n{self.errors()}")
            return False

        wait_for(came, what, seconds=20)

    def errors(self):
        """What it has written to standard error so far."""
        try:
            with open(self.error_path, encoding="utf-8", errors="backslashreplace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def is_alive(self):
        return self.process is not None and self.process.poll() is None

    def reload(self, policy=None):
        """SIGHUP, with a new policy if one is given; waits until the daemon says that it has dealt with it."""
        if policy is not None:
            self.write_policy(policy)
        while self.notice() is not None:
            pass
        self.hup()
        self.wait_notice("READY=1", lambda: f"the daemon to have reloaded:\n{self.errors()}")

    def switch(self, policy):
        """Goes over to a policy by SIGHUP, if it is another one; fails if the daemon does not take it."""
        if policy == self.policy:
            return
        before = len(self.errors())
        self.reload(policy)
        said = self.errors()[before:]
        assert f"{self.policy_path}: loaded" in said, said

    def hup(self):
        self.process.send_signal(signal.SIGHUP)

    def kill(self):
        """SIGKILL: what a crash or the kernel's out-of-memory killer does."""
        self._end(signal.SIGKILL)

    def stop(self, seconds=30):
        """SIGTERM, and waits for its end; fails unless it ends in time with status 0 and without a sanitizer's finding."""
        if self.process is None:
            return
        status = self._end(signal.SIGTERM, seconds)
        assert status == 0, f"the daemon ended with {status}:\n{self.errors()}"
        self.check_findings()

    def _end(self, signum, seconds=30):
        process, self.process = self.process, None
        if signum:
            process.send_signal(signum)
        try:
            status = process.wait(slow(seconds))
        except subprocess.TimeoutExpired:
            status = f"SIGKILL, after {slow(seconds):g} s of no answer to signal {signum}"
        guard.end_group(process.pid)
        process.wait()
        guard.released(process)
        with contextlib.suppress(OSError):
            self.notices.shutdown(socket.SHUT_RDWR)
        return status

    def check_findings(self):
        errors = self.errors()
        assert not _FINDING.search(errors), f"found by a sanitizer:\n{errors}"

    def close(self):
        """Ends it, looks at all its events, and removes its folder (kept if REPLYMILTER_TEST_KEEP is set)."""
        if not os.path.isdir(self.top):
            return
        try:
            self.stop()
            self.check_findings()
            self.forgotten = 0
            for event in self.events():
                check_event(event)
        finally:
            if not os.environ.get("REPLYMILTER_TEST_KEEP"):
                guard.remove(self.top)

    def raw_events(self):
        """The event log since forget_events()."""
        try:
            with open(self.events_path, "rb") as file:
                file.seek(self.forgotten)
                return file.read()
        except FileNotFoundError:
            return b""

    def forget_events(self):
        """What has happened so far is of no interest. Waits for events that are still on their way, as those of tables may be."""
        self.forgotten = 0
        before = -1
        while before != (now := len(self.raw_events())):
            before = now
            time.sleep(slow(0.03))
        self.forgotten = now

    def events(self, **wanted):
        """The events so far that have these values, e.g. events(door="milter", recipient="u@x"); fails on a broken line.

        A last line without a newline is still being written and left out. `client__addr=` looks into an object.
        """
        found = []
        for line in self.raw_events().split(b"\n")[:-1]:
            assert not re.search(
                rb"[\x00-\x1f\x7f]", line
            ), f"a control octet in an event: {line!r}"
            event = json.loads(line.decode("utf-8"))
            if all(_dig(event, path) == value for path, value in wanted.items()):
                found.append(event)
        return found

    def wait_events(self, count=1, seconds=10, **wanted):
        """Waits until `count` events with these values are there; returns them."""

        def enough():
            events = self.events(**wanted)
            return events if len(events) >= count else None

        return wait_for(
            enough,
            lambda: f"{count} event(s) with {wanted} in:\n{self.raw_events().decode(errors='replace')}{self.errors()}",
            seconds,
        )

    def wait_event(self, **wanted):
        """Waits for exactly one event with these values."""
        events = self.wait_events(1, **wanted)
        assert len(events) == 1, events
        return events[0]


def _dig(event, path):
    for name in path.split("__"):
        event = event.get(name) if isinstance(event, dict) else None
    return event
