"""replyctl with filters behind us: check --connect and try --filters, against scripted filters."""

import os
import sys

from support import SOURCE, Case, run

sys.path.insert(0, os.fspath(SOURCE / "tests" / "e2e"))

from harness import guard  # noqa: E402
from harness.filter import (  # noqa: E402
    ACCEPT, CONTINUE, DISCARD, PROGRESS, REJECT, TEMPFAIL, Filter, add_header, add_recipient, change_header,
    change_sender, delete_recipient, die, insert_header, quarantine, replace_body, reply,
)
from harness.net import wait_for  # noqa: E402

SESSION = ("--client", "192.0.2.1", "--helo", "mx.example.org", "--sender", "a@b.example", "--recipient", "c@example.net")
NO_CONNECT, NO_HELO, NO_BODY, NR_MAIL = 0x1, 0x2, 0x10, 0x4000


class FilterCase(Case):
    def filters(self, *scripts, more="", rules="", **wants):
        """Filters named f0, f1 ... with these scripts, and the policy with them."""
        self.all = [Filter(script, **wants) for script in scripts]
        for one in self.all:
            self.addCleanup(guard.remove, one.folder)
            self.addCleanup(one.shut, unlink=False)
        entries = ", ".join(
            f'{{ name = "f{number}"; socket = "{one.socket}"; timeout = 5; {more} }}' for number, one in enumerate(self.all)
        )
        self.policy.write_text(f"filters = ( {entries} );\nsite = {{ reference = false; }};\n{rules}\n")
        return self.all

    def tried(self, *arguments, **options):
        session = self.json("try", "-c", self.policy, "--filters", *SESSION, *arguments, **options)
        return {point["point"]: point for point in session["points"]}, session["outcome"]

    @staticmethod
    def lines(point):
        return "\r\n".join(point["final"]["lines"])


class TestCheck(FilterCase):
    def test_lists_filters_and_what_the_mta_must_know(self):
        self.policy.write_text(
            'filters = ( { name = "dkim"; socket = "inet:8891@127.0.0.1"; timeout = 22.5; on_failure = "accept"; },\n'
            ' { name = "clam"; socket = "unix:/run/clam"; timeout = 20; connect_timeout = 0.5; } );\n'
            'replies = { rules = ( { name = "r"; when = { auth_user = "x"; filter = "clamav"; };\n'
            ' then = { mode = "keep"; }; } ); };\n'
        )
        done = run("check", self.policy)
        self.assertEqual(done.returncode, 0)
        faults = done.stderr.decode()
        self.assertIn(':3: there is no filter "clamav": did you mean "clam"?', faults)
        self.assertNotIn("works at no", faults)
        output = " ".join(done.stdout.decode().split())
        for part in ("dkim socket inet:8891@127.0.0.1 waited for at most 22.5 s for an answer, 3 s for the connection",
                     "if it fails the mail goes on without it", "0.5 s for the connection", "the mail is put off",
                     "milter_default_action = tempfail", "they may take 42.5 s for one command", "in full filter never reject"):
            self.assertIn(part, output)

    def test_no_filters(self):
        self.assertNotIn("ilters behind us", self.text("check", self.policy))
        self.assertIn("the policy has no filters", self.text("check", "--connect", self.policy))

    def test_connect(self):
        first, second = self.filters({}, {}, version=4, steps=NO_CONNECT | NO_HELO | NO_BODY | NR_MAIL, actions=0x21,
                                     macros={0: "j _", 2: "i {auth_type}"})
        second.version, second.steps, second.macros, second.actions = 6, 0, {}, 0
        output = " ".join(self.text("check", "--connect", self.policy).split())
        self.assertRegex(output, r"f0: it answers, protocol version 4 is told MAIL, RCPT, DATA, headers, end of headers, end of message, "
                                 r"unknown commands answers RCPT, DATA, .* may add and insert headers, quarantine "
                                 r"macros connect: j _; MAIL: i \{auth_type\}")
        self.assertRegex(output, r"f1: it answers, protocol version 6 is told connect, HELO, .* may nothing macros those that the MTA")
        self.assertRegex(output, r"all of them together is told connect, HELO, MAIL, .* may add and insert headers, quarantine")
        self.assertEqual(first.sessions[-1].order()[:1], b"O")
        self.assertEqual(self.text("check", "-q", "--connect", self.policy), "")

    def test_one_that_does_not_answer(self):
        first, _ = self.filters({}, {b"O": die})
        fault = self.fault(1, "check", "--connect", "-q", self.policy)
        self.assertIn('filter "f1" does not answer: ', fault)
        self.assertNotIn('"f0"', fault)
        first.shut(unlink=False)
        fault = self.fault(1, "check", "--connect", "-q", self.policy)
        self.assertIn('filter "f0" does not answer: ', fault)
        self.assertRegex(fault, '"f0" does not answer: unix:[^ ]*: at the negotiation: cannot connect: ')
        output = " ".join(self.text("check", "--connect", self.policy, status=1).split())
        self.assertRegex(output, "f0: it does not answer because .*: cannot connect: .* until then the mail is put off")


class TestTry(FilterCase):
    def test_says_that_they_were_not_asked(self):
        self.filters({}, rules='checks = ( { name = "c"; when = { helo = "x"; }; then = { text = "no"; }; } );')
        self.assertIn("were not asked", self.text("try", "-c", self.policy, *SESSION))
        self.assertNotIn("were not asked", self.text("try", "-c", self.policy, "--filters", *SESSION))

    def test_nobody_minds(self):
        first, second = self.filters({}, {})
        message = self.folder / "mail.eml"
        message.write_bytes(b"From x Thu Jan  1 00:00:00 1970\nFrom: a@b.example\nSubject:folded\n  line\n\nbody\r\nend")
        points, outcome = self.tried("--message", message, "--tls", "TLSv1.3", "--auth-user", "ann", "--queue-id", "4ABC")
        self.assertEqual(outcome, "accepted")
        for name in ("connect", "helo", "mail", "rcpt", "data", "eom"):
            self.assertEqual([(one["filter"], one["verdict"]) for one in points[name]["filters"]],
                             [("f0", "continue"), ("f1", "continue")], name)
        for one in (first, second):
            told = one.sessions[-1]
            # Nobody waits for the filter at the end.
            wait_for(lambda told=told: told.order().endswith(b"Q"), "QUIT")
            self.assertEqual(told.order(), b"OCHMRTLLNBEQ")
            self.assertEqual(told.commands(b"C"), [b"unknown\x004" + (25).to_bytes(2, "big") + b"192.0.2.1\x00"])
            self.assertEqual(told.commands(b"M"), [b"<a@b.example>\x00"])
            self.assertEqual(told.headers(), [(b"From", b"a@b.example"), (b"Subject", b"folded\n  line")])
            self.assertEqual(told.body(), b"body\r\nend\r\n")
            self.assertEqual(told.macros(b"M")["{auth_authen}"], b"ann")
            self.assertEqual(told.macros(b"E")["i"], b"4ABC")

    def test_refusals(self):
        answers = iter((reply("550 5.7.1 rejected by DMARC policy"), reply("451 5.7.1 no"), REJECT, TEMPFAIL, reply("550 5.7.1 mine")))
        self.filters({}, {b"R": lambda session, data: next(answers)},
                     rules='replies = { rules = ( { name = "r"; when = { filter = "f1"; text = "mine"; };'
                     ' then = { mode = "replace"; text = "Not %{recipient}."; }; } ); };')
        others = [word for number in range(4) for word in ("--recipient", f"r{number}@example.net")]
        session = self.json("try", "-c", self.policy, "--filters", *SESSION, *others)
        refused = [point for point in session["points"] if point["point"] == "rcpt"]
        expected = (
            ("550-5.7.26 rejected by DMARC policy\r\n", ["status-vague"]),
            ("451-4.7.1 no\r\n", ["class-mismatch"]),
            ("550 5.7.1 A rule of this site does not allow the message. ", ["text-empty"]),
            ("451 4.7.1 The mail system had an internal error. ", ["text-empty"]),
            ("550 5.7.1 Not r3@example.net.", []),
        )
        self.assertEqual(session["outcome"], "refused")
        self.assertEqual(len(refused), len(expected))
        for point, (said, repairs) in zip(refused, expected):
            self.assertEqual((point["filter"], point["verdict"]), ("f1", "reply"))
            self.assertTrue(self.lines(point).startswith(said), self.lines(point))
            self.assertEqual(point["repairs"], repairs)
        self.assertEqual(refused[-1]["rule"], "r")

    def test_changes(self):
        wishes = (add_header("X-A", "b") + insert_header(1, "X-I", "i") + change_header(1, "Subject", "y") + change_header(2, "To", "")
                  + add_recipient("<r@s.example>") + delete_recipient("<c@example.net>") + change_sender("<n@o.example>")
                  + PROGRESS + replace_body("new\r\n") + CONTINUE)
        _, second = self.filters({b"E": wishes}, {})
        points, outcome = self.tried("--header", "Subject: x")
        self.assertEqual(outcome, "accepted")
        first_heard, second_heard = points["eom"]["filters"]
        self.assertEqual([change["change"] for change in first_heard["changes"]],
                         ["add-header", "insert-header", "change-header", "delete-header", "add-recipient", "delete-recipient",
                          "change-sender", "replace-body"])
        self.assertEqual(second_heard["changes"], [])
        self.assertIn((b"X-A", b"b"), second.sessions[-1].headers())
        self.assertEqual(second.sessions[-1].body(), b"new\r\n")

    def test_on_the_screen(self):
        self.filters({b"E": add_header("X-A", "\x1b[2J") + replace_body("x") + quarantine("\x1b[31m") + CONTINUE})
        text = " ".join(self.text("try", "-c", self.policy, "--filters", *SESSION).split())
        for part in (r'f0 adds the header "X-A: \x1b[2J"', "f0 replaces the body", "f0 has the message held", "put into quarantine"):
            self.assertIn(part, text)

    def test_thrown_away(self):
        self.filters({b"M": ACCEPT}, {b"T": DISCARD})
        points, outcome = self.tried()
        self.assertEqual(outcome, "taken")
        self.assertEqual((points["data"]["verdict"], points["data"]["filter"]), ("discard", "f1"))
        self.assertEqual([one["filter"] for one in points["rcpt"]["filters"]], ["f1"])

    def test_failures(self):
        for on_failure, point, code in (("reject", "mail", 554), ("accept", "eom", None)):
            first, _ = self.filters({b"M": die}, {}, more=f'on_failure = "{on_failure}";')
            points, outcome = self.tried()
            self.assertEqual(points["mail"]["filters"][0]["verdict"], "failed")
            self.assertIn(first.socket, points["mail"]["filters"][0]["failure"])
            self.assertEqual(list(points)[-1], point)
            self.assertEqual(points[point].get("final", {}).get("code"), code)
            self.assertEqual(outcome, "refused" if code else "accepted")
            if code:
                self.assertIn("mail filter of this site is not available", self.lines(points[point]))
                self.assertNotIn("f0", self.lines(points[point]))

    def test_own_checks_come_first(self):
        first, _ = self.filters({}, {}, rules='checks = ( { name = "c"; when = { recipient = "c@*"; }; then = { code = 550; '
                                             'status = "5.7.1"; text = "No."; }; } );')
        points, outcome = self.tried()
        self.assertEqual((outcome, points["rcpt"]["check"]), ("refused", "c"))
        self.assertNotIn(b"R", first.sessions[-1].order())

    def test_usage(self):
        self.filters({})
        self.assertIn("--sender", self.fault(2, "try", "-c", self.policy, "--filters"))
        self.assertIn("--reply", self.fault(2, "try", "-c", self.policy, "--filters", "--reply", "550 no", *SESSION))
