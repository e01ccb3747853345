"""replyctl check and config: faults, reports, and settings that give the same policy."""

import re

from support import Case, run


class TestCheck(Case):
    def test_good(self):
        output = self.text("check", self.policy)
        self.assertIn("no fault found", output)
        self.assertRegex(output, r"(?s)bad-helo\s+refuses with 550 5\.7\.1 at RCPT")
        self.assertRegex(output, r"(?s)spam-brief\s+never +reject, footer, delivery")
        self.assertRegex(output, r"end of message +it waits for our answer: too-large")
        self.assertEqual(self.text("check", "--quiet", self.policy), "")

    def test_what_is_asked_for(self):
        self.policy.write_text("")
        output = self.text("check", self.policy)
        self.assertIn("neither headers nor body are sent", output)
        self.assertNotIn("waits for our answer", output)
        self.policy.write_text("bounces = { tag = true; };")
        output = self.text("check", self.policy)
        self.assertRegex(output, r"the message +headers and body are sent of reports only, see there")
        self.assertRegex(output, r"reports +headers and body are sent of mail with the null sender")

    def test_every_fault_has_file_and_line(self):
        self.policy.write_text('site = { reference = "yes"; };\nreplies = {\n  mod = "keep";\n  default = "anotate";\n};\n')
        faults = self.fault(1, "check", self.policy).splitlines()
        self.assertEqual(len(faults), 3, faults)
        for line, fault in zip((1, 3, 4), faults):
            self.assertTrue(fault.startswith(f"{self.policy}:{line}: "), fault)
        self.assertIn('did you mean "annotate"?', faults[2])

    def test_a_rule_that_works_nowhere_is_a_warning(self):
        self.policy.write_text(
            'replies = { rules = (\n'
            '  { name = "seen"; when = { code = 550; }; then = { mode = "annotate"; text = "x"; }; },\n'
            '  { name = "idle"; when = { auth_user = "ann"; }; then = { mode = "keep"; }; } ); };\n'
        )
        done = run("check", self.policy)
        self.assertEqual(done.returncode, 0)
        warning = f'warning: {self.policy}:3: rule "idle" works at no table: auth_user is not known'
        self.assertIn(warning, done.stderr.decode())
        self.assertNotIn('"seen"', done.stderr.decode())

    def test_missing_file(self):
        self.assertIn("/no/such/file", self.fault(1, "check", "/no/such/file"))

    def test_one_file(self):
        for command in ("check", "config"):
            self.fault(2, command, self.policy, self.policy)
            self.fault(2, command, "--config", self.policy, self.policy)

    def test_file_as_an_option(self):
        for command in ("check", "config"):
            self.assertEqual(run(command, "-c", self.policy).stdout, run(command, self.policy).stdout)

    def test_hostile_file(self):
        self.policy.write_bytes(b'site = { hostname = "\x1b[2J\xff"; };\nnot \x1b[31m good')
        done = run("check", self.policy)
        self.assertEqual(done.returncode, 1)
        self.assertNotIn(b"\x1b", done.stderr)


class TestConfig(Case):
    def test_gives_the_same_policy(self):
        printed = run("config", self.policy)
        self.assertEqual(printed.returncode, 0)
        again = self.folder / "again.conf"
        again.write_bytes(printed.stdout)
        self.assertEqual(run("config", again).stdout, printed.stdout)
        strip = re.compile(r"\A.*: no fault found")
        self.assertEqual(strip.sub("", self.text("check", again)), strip.sub("", self.text("check", self.policy)))

    def test_fault(self):
        self.policy.write_text("nonsense = 1;")
        self.assertIn(f"{self.policy}:1: ", self.fault(1, "config", self.policy))
