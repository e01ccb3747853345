"""The frame: commands, help, wrong usage, standard output, completion, manual."""

import os
import pty
import re
import subprocess

import support
from support import Case, run

COMMANDS = re.findall(r"(?m)^  (\w+)  ", run("--help").stdout.decode())


def read_terminal(arguments, env):
    """What the program writes to a terminal."""
    leader, follower = pty.openpty()
    with subprocess.Popen([support.PROGRAM, *arguments], stdout=follower, stdin=subprocess.DEVNULL,
                          env={**os.environ, **env}) as process:
        os.close(follower)
        output = b""
        while True:
            try:
                block = os.read(leader, 65536)
            except OSError:
                break
            if not block:
                break
            output += block
        process.wait()
    os.close(leader)
    return output


class TestFrame(Case):
    def test_help_names_every_command(self):
        for option in ("--help", "-h", "help"):
            output = self.text(option)
            for command in ("explain", "classify", "follow", "lint", "try", "check", "config", "show", "tail", "version"):
                self.assertRegex(output, rf"(?m)^  {command} ")

    def test_each_command_has_help_in_80_columns(self):
        for command in COMMANDS:
            output = self.text(command, "--help", env={"LC_ALL": "C"})
            self.assertIn("[OPTION...]", output)
            self.assertIn(f"replyctl {command}", output)
            self.assertEqual(output, self.text("help", command, env={"LC_ALL": "C"}))

    def test_no_command_is_wrong_usage(self):
        self.assertIn("usage: replyctl", self.fault(2))

    def test_unknown_command_gets_the_nearest_name(self):
        self.assertIn('did you mean "explain"?', self.fault(2, "explian"))
        self.assertIn("see replyctl --help", self.fault(2, "frobnicate-everything"))

    def test_unknown_option(self):
        for command in COMMANDS:
            error = self.fault(2, command, "--frob")
            self.assertIn(f"replyctl {command} --help", error)

    def test_missing_arguments(self):
        for command in ("explain", "classify", "lint", "pages", "show"):
            self.fault(2, command)

    def test_words_too_many(self):
        for command in ("version", "try", "postfix", "sendmail", "status", "stats"):
            self.assertIn(f'replyctl: {command}: what is "more"?', self.fault(2, command, "more", "yet"))
        for command, limit in (("loglevel", "level"), ("follow", "log"), ("check", "file"), ("config", "file")):
            self.assertIn(f'replyctl: {command}: one {limit} at a time, what is "more"?',
                          self.fault(2, command, "one", "more", "yet"))
        for command in ("check", "config"):
            self.assertIn('what is "more"?', self.fault(2, command, "--config", "one", "more"))

    def test_version(self):
        for command in ("version", "--version", "-V"):
            self.assertRegex(self.text(command), r"^replyctl \d+\.\d+")

    def test_hostile_words_do_not_reach_the_terminal(self):
        for arguments in (["explian\x1b[2J"], ["explain", "no\x1b]0;x\x07thing"], ["lint", "--stage", "\x1b[31m", "x"],
                          ["try", "\x1b[31m"], ["check", "/no/such\x1b[31m\nfile"]):
            done = run(*arguments)
            self.assertNotIn(b"\x1b", done.stdout + done.stderr)
            self.assertEqual(done.stderr.count(b"\n"), len(done.stderr.splitlines()))


class TestOutput(Case):
    def test_full_device(self):
        with open("/dev/full", "wb") as full:
            done = run("explain", "550", stdout=full)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"standard output", done.stderr)

    def test_closed_output(self):
        done = subprocess.run(["sh", "-c", 'exec "$0" explain 550 >&-', support.PROGRAM], stderr=subprocess.PIPE,
                              timeout=support.TIMEOUT, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"standard output", done.stderr)

    def test_closed_output_does_not_reach_a_file(self):
        done = subprocess.run(["sh", "-c", 'exec "$0" pages "$1" >&-', support.PROGRAM, self.folder / "pages"],
                              stderr=subprocess.PIPE, timeout=support.TIMEOUT, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertTrue((self.folder / "pages/index.html").read_text().startswith("<!DOCTYPE html>"))

    def test_colours_only_on_a_terminal_and_not_with_no_color(self):
        self.assertNotIn(b"\x1b", run("explain", "550").stdout)
        plain = {"TERM": "xterm", "NO_COLOR": ""}
        self.assertIn(b"\x1b[1m", read_terminal(["explain", "550"], plain))
        self.assertNotIn(b"\x1b", read_terminal(["explain", "550"], {**plain, "NO_COLOR": "1"}))
        self.assertNotIn(b"\x1b", read_terminal(["explain", "550"], {**plain, "TERM": "dumb"}))


class TestCompletion(Case):
    def complete(self, line):
        script = ('source "$1"; COMP_LINE=$2; read -ra COMP_WORDS <<<"${2//=/ = }"; '
                  '[[ $2 == *" " ]] && COMP_WORDS+=(""); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); '
                  '_replyctl; printf "%s\\n" "${COMPREPLY[@]}"')
        path = os.path.dirname(os.path.abspath(support.PROGRAM)) + ":" + os.environ["PATH"]
        done = subprocess.run(["bash", "-c", script, "bash", support.SOURCE / "completions/replyctl", line],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "PATH": path},
                              timeout=support.TIMEOUT, check=True)
        self.assertEqual(done.stderr, b"")
        return done.stdout.decode().split()

    def test_commands(self):
        self.assertEqual(self.complete("replyctl ex"), ["explain"])
        for command in COMMANDS:
            self.assertIn(command, self.complete("replyctl "))

    def test_options_are_those_of_the_help(self):
        for command in COMMANDS:
            known = set(re.findall(r"--[a-z][a-z0-9-]*", self.text(command, "--help")))
            self.assertEqual(set(self.complete(f"replyctl {command} --")), known)

    def test_values(self):
        self.assertEqual(self.complete("replyctl try --door f"), ["filter", "footer"])
        self.assertEqual(self.complete("replyctl lint --stage=rc"), ["rcpt"])
        self.assertEqual(self.complete("replyctl try --client "), [])
        self.assertEqual(self.complete(f"replyctl try -c {self.folder}/pol"), [str(self.policy)])
        self.assertEqual(self.complete("replyctl pages -c "), [])
        self.assertEqual(self.complete(f"replyctl classify {self.folder}/pol"), [str(self.policy)])
        self.assertEqual(self.complete(f"replyctl follow --state {self.folder}/pol"), [str(self.policy)])
        self.assertEqual(self.complete("replyctl classify -j "), [])
        self.assertEqual(self.complete("replyctl explain user-un"), ["user-unknown"])
        self.assertEqual(self.complete(f"replyctl check {self.folder}/pol"), [str(self.policy)])
        self.assertEqual(self.complete(f"replyctl check -c {self.folder}/pol"), [str(self.policy)])
