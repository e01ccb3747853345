"""What the cases of replyctl share: the built program, a policy, and what is asked of any output."""

import json
import os
import pathlib
import signal
import subprocess
import tempfile
import time
import unittest

BUILD = pathlib.Path(os.environ.get("top_builddir", "."))
SOURCE = pathlib.Path(os.environ.get("top_srcdir", "."))
PROGRAM = str(BUILD / "replyctl")
TIMEOUT = 60

POLICY = r"""
site = {
  networks = [ "127.0.0.0/8", "::1" ];
  help_url = "https://mail.example.net/why/%{status}";
  contact = "postmaster@example.net";
};
replies = {
  default = "annotate";
  rules = (
    { name = "no-such-user"; when = { category = "user-unknown"; };
      then = { mode = "replace"; code = 550; status = "5.1.1";
               text = [ "No mailbox %{recipient} here.", "See %{help_url}" ]; }; },
    { name = "spam-brief"; when = { client = "!127.0.0.0/8"; text = "/spam/i"; };
      then = { disclosure = "brief"; }; },
    { name = "left-alone"; when = { text = "/leave me/"; }; then = { mode = "keep"; }; }
  );
};
checks = (
  { name = "bad-helo"; when = { helo = "/^localhost$/i"; };
    then = { code = 550; status = "5.7.1"; text = "HELO %{helo} is not yours to use."; }; },
  { name = "moved"; when = { recipient = "old@example.net"; };
    then = { code = 551; status = "5.1.6"; text = "Now at new@example.net"; }; },
  { name = "subject"; when = { header = "/^Subject: .*blocked words/i"; recipient = "*@example.net"; };
    then = { code = 554; status = "5.7.1"; text = "Not this subject."; }; },
  { name = "too-large"; when = { size = ">1000000"; };
    then = { code = 552; status = "5.3.4"; text = "Too large."; }; }
);
"""


def run(*arguments, stdin=None, env=None, stdout=subprocess.PIPE):
    """Run the program; input and output are octets."""
    surroundings = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "TERM")}
    surroundings.update(env or {})
    words = [argument if isinstance(argument, bytes) else str(argument).encode() for argument in arguments]
    # What is not given to a command must not be waited for.
    source = {"input": stdin} if stdin is not None else {"stdin": subprocess.DEVNULL}
    return subprocess.run([PROGRAM.encode(), *words], stdout=stdout, stderr=subprocess.PIPE, env=surroundings,
                          timeout=TIMEOUT, check=False, **source)


class Case(unittest.TestCase):
    """A folder of its own with POLICY in it, and checks of outputs."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.policy = self.folder / "policy.conf"
        self.policy.write_text(POLICY)

    def text(self, *arguments, status=0, **options):
        """The standard output, after it has been found fit for a terminal of 80 columns."""
        done = run(*arguments, **options)
        self.assertEqual(done.returncode, status, done.stderr.decode(errors="replace"))
        output = done.stdout.decode()
        self.assert_fit_for_terminal(output)
        return output

    def json(self, *arguments, **options):
        done = run(*arguments, "--json", **options)
        self.assertEqual(done.returncode, 0, done.stderr.decode(errors="replace"))
        return json.loads(done.stdout)

    def fault(self, status, *arguments, **options):
        """The standard error of a command that fails so."""
        done = run(*arguments, **options)
        self.assertEqual(done.returncode, status, done.stderr.decode(errors="replace"))
        self.assertEqual(done.stdout, b"")
        return done.stderr.decode()

    def assert_fit_for_terminal(self, output):
        for line in output.split("\n"):
            for letter in line:
                self.assertTrue(letter.isprintable(), repr(line))
            # A word that is longer than a line is never broken.
            if len(line) > 80:
                self.assertGreater(max(len(word) for word in line.split()), 50, line)


class Follower(Case):
    """replyctl follow while its log grows: what it has told stands in self.events, its place in self.state."""

    def setUp(self):
        super().setUp()
        self.state = self.folder / "state"
        self.events = self.folder / "events.jsonl"
        self.policy.write_text(f'log = {{ events = "{self.events}"; }};\n')

    def start(self, *source):
        # pylint: disable=consider-using-with
        self.process = subprocess.Popen([PROGRAM, "follow", "-c", self.policy, "--state", self.state, *source],
                                        stdin=subprocess.DEVNULL)
        self.addCleanup(self.stop)
        self.until(self.state.exists)

    def stop(self, how=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(how)
        self.assertIn(self.process.wait(TIMEOUT), (0, -signal.SIGKILL))

    def until(self, condition):
        end = time.monotonic() + TIMEOUT
        while not condition():
            self.assertIsNone(self.process.poll())
            self.assertLess(time.monotonic(), end)
            time.sleep(0.02)

    def queue_ids(self):
        text = self.events.read_text() if self.events.exists() else ""
        return [json.loads(line)["queue_id"] for line in text.splitlines()]

    def await_ids(self, *wanted):
        self.until(lambda: len(self.queue_ids()) >= len(wanted))
        self.assertEqual(self.queue_ids(), list(wanted))
