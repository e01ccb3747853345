"""replyctl try: sessions and replies against a policy."""

from support import Case, run

UNKNOWN = "550 5.1.1 <c@example.net>: Recipient address rejected: User unknown in local recipient table"


class TestSession(Case):
    def session(self, *arguments, **options):
        return self.json("try", "-c", self.policy, *arguments, **options)

    def answers(self, *arguments, **options):
        """{(point, recipient): the check that spoke}, and the outcome."""
        session = self.session(*arguments, **options)
        spoken = {(point["point"], point.get("recipient")): point["check"]
                  for point in session["points"] if "check" in point}
        return spoken, session["outcome"]

    def test_nothing_matches(self):
        spoken, outcome = self.answers("--client", "192.0.2.1", "--helo", "mx.example.org", "--sender", "a@b.example",
                                       "--recipient", "c@example.net")
        self.assertEqual((spoken, outcome), ({}, "accepted"))

    def test_helo_is_refused_at_each_recipient(self):
        spoken, outcome = self.answers("--helo", "localhost", "--recipient", "a@example.net", "--recipient",
                                       "b@example.net")
        self.assertEqual(spoken, {("rcpt", "a@example.net"): "bad-helo", ("rcpt", "b@example.net"): "bad-helo"})
        self.assertEqual(outcome, "refused")

    def test_one_recipient_of_two(self):
        spoken, outcome = self.answers("--helo", "mx.example.org", "--recipient", "old@example.net", "--recipient",
                                       "new@example.net")
        self.assertEqual(spoken, {("rcpt", "old@example.net"): "moved"})
        self.assertEqual(outcome, "partly")

    def test_header_and_all_recipients(self):
        header = ("--helo", "mx", "--header", "Subject: some blocked words")
        spoken, _ = self.answers(*header, "--recipient", "a@example.net", "--recipient", "b@example.net")
        self.assertEqual(spoken, {("headers", None): "subject"})
        spoken, outcome = self.answers(*header, "--recipient", "a@example.net", "--recipient", "b@example.org")
        self.assertEqual((spoken, outcome), ({}, "accepted"))
        session = self.session(*header, "--recipient", "a@example.net", "--recipient", "b@example.org")
        why = {check["name"]: check["why"] for point in session["points"] for check in point["checks"]}
        self.assertIn("b@example.org", why["subject"])

    def test_why_of_all_recipients(self):
        self.policy.write_text(self.policy.read_text().replace(
            '"too-large"; when = {', '"too-large"; when = { recipient = "*@example.net";'))
        header = ("--helo", "mx", "--header", "Subject: some", "--size", "5", "--recipient", "a@example.net")
        session = self.session(*header)
        why = {check["name"]: check["why"] for point in session["points"] for check in point["checks"]}
        self.assertIn("header is", why["subject"])
        self.assertIn("size is", why["too-large"])

    def test_what_a_message_reports(self):
        message = self.folder / "bounce.eml"
        message.write_text(
            "From: MAILER-DAEMON@far.example\nSubject: Undelivered Mail Returned to Sender\nMIME-Version: 1.0\n"
            "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n"
            "--b\nContent-Type: text/plain\n\nIt could not be delivered.\n"
            "--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.far.example\n\n"
            "Final-Recipient: rfc822; jo@far.example\nAction: failed\nStatus: 5.1.1\n"
            "Diagnostic-Code: smtp; 550 5.1.1 no such user\n\n--b--\n"
        )
        policy = self.folder / "reports.conf"
        policy.write_text('bounces = { recipients = "bounces@*"; tag = true; };\n'
                          'checks = ( { name = "dead"; when = { category = "user-unknown"; }; then = { text = "No."; }; } );')
        session = self.json("try", "-c", policy, "--sender", "<>", "--recipient",
                            "bounces+jo=far.example@example.net", "--message", message)
        self.assertEqual((session["outcome"], session["report"]["kind"]), ("refused", "failure"))
        (told,) = session["report"]["recipients"]
        self.assertEqual((told["recipient"], told["proof"]), ("jo@far.example", "verp"))
        self.assertEqual((told["classification"]["category"], told["classification"]["action"]),
                         ("user-unknown", "suppress"))
        # Of other mail nobody knows what it reports.
        session = self.json("try", "-c", policy, "--sender", "a@b.example", "--recipient", "jo@example.net",
                            "--message", message)
        self.assertEqual((session["outcome"], session["message_read"]), ("accepted", False))
        self.assertNotIn("report", session)
        text = run("try", "-c", policy, "--sender", "<>", "--recipient", "jo@example.net", "--message", message).stdout
        self.assertIn(b"What the message reports", text)

    def test_message(self):
        message = self.folder / "x.eml"
        message.write_text("From: a@b.example\nSubject: some\n blocked words\n\nSubject: not a header\n")
        arguments = ("--helo", "mx", "--recipient", "a@example.net", "--message")
        self.assertEqual(self.answers(*arguments, message)[1], "accepted")
        message.write_text("Subject: some blocked words\r\n\r\nbody\r\n")
        self.assertEqual(self.answers(*arguments, message)[1], "refused")
        self.assertEqual(self.answers(*arguments, "-", stdin=message.read_bytes())[1], "refused")
        message.write_text("Subject: x\n\n" + "y\n" * 400000)
        spoken, _ = self.answers(*arguments, message)
        self.assertEqual(spoken, {("eom", None): "too-large"})

    def test_size(self):
        spoken, _ = self.answers("--helo", "mx", "--recipient", "a@example.net", "--size", "1000001")
        self.assertEqual(spoken, {("eom", None): "too-large"})

    def test_not_known_never_matches(self):
        session = self.session("--recipient", "c@example.net")
        why = {check["name"]: check["why"] for point in session["points"] for check in point["checks"]}
        self.assertIn("helo is not known", why["bad-helo"])
        self.assertIn('recipient is "c@example.net"', why["moved"])

    def test_stage_ends_the_session(self):
        session = self.session("--helo", "localhost", "--recipient", "c@example.net", "--stage", "mail")
        self.assertEqual(session["outcome"], "undecided")
        self.assertEqual([point["point"] for point in session["points"]], ["connect", "helo", "mail"])

    def test_text(self):
        output = self.text("try", "-c", self.policy, "--helo", "LOCALHOST", "--recipient", "c@example.net")
        self.assertIn("RCPT c@example.net: refused", output)
        self.assertIn("550 5.7.1 HELO LOCALHOST is not yours to use.", output)
        self.assertIn('"bad-helo" matches', output)

    def test_hostile_session(self):
        policy = self.folder / "any.conf"
        policy.write_text('checks = ( { name = "all"; when = { helo = "*"; }; then = { code = 550; '
                          'status = "5.7.1"; text = "HELO %{helo} from %{sender}"; }; } );')
        output = self.text("try", "-c", policy, "--helo", b"x\r\n250 ok \x1b[2J\xff", "--sender", b"a\x1b@b",
                           "--recipient", "c@example.net")
        self.assertNotIn("\n250", output)
        answer = self.json("try", "-c", policy, "--helo", b"x\r\n250 ok \x1b[2J\xff", "--sender", "a@b",
                           "--recipient", "c@example.net")
        final = [point["final"]["lines"] for point in answer["points"] if "final" in point]
        self.assertEqual(len(final), 1)
        self.assertEqual(len(final[0]), 1)
        self.assertTrue(final[0][0].isascii() and final[0][0].isprintable())

    def test_known_by_the_first_digit_alone(self):
        self.assertIn("the first digit (low confidence)", self.text("try", "-c", self.policy, "--reply", "550 x"))

    def test_no_checks(self):
        self.policy.write_text("")
        self.assertIn("no checks", self.text("try", "-c", self.policy, "--recipient", "a@b"))

    def test_usage(self):
        self.assertIn("--reply", self.fault(2, "try", "-c", self.policy, "--door", "footer"))
        self.assertIn('did you mean "footer"?', self.fault(2, "try", "--door", "foter", "--reply", "550 x"))
        self.assertIn("No such file", self.fault(1, "try", "-c", self.policy, "--message", "/no/such/file"))
        self.fault(1, "try", "-c", "/no/such/policy", "--recipient", "a@b")


class TestReply(Case):
    def reply(self, *arguments, **options):
        return self.json("try", "-c", self.policy, *arguments, **options)

    def test_replace(self):
        answer = self.reply("--reply", UNKNOWN, "--stage", "rcpt", "--recipient", "c@example.net")
        self.assertEqual(answer["rule"], "no-such-user")
        self.assertEqual(answer["mode"], "replace")
        self.assertEqual(answer["classification"]["category"], "user-unknown")
        self.assertEqual(answer["final"]["lines"][0], "550-5.1.1 No mailbox c@example.net here.")
        self.assertIn(answer["reference"], answer["final"]["lines"][-1])

    def test_trace(self):
        answer = self.reply("--reply", "550 5.7.1 leave me", "--client", "192.0.2.1", "--stage", "rcpt")
        self.assertEqual([(rule["name"], rule["matched"]) for rule in answer["rules"]],
                         [("no-such-user", False), ("spam-brief", False), ("left-alone", True)])
        self.assertEqual(answer["verdict"], "pass")
        self.assertIn("keep", answer["unchanged_because"])

    def test_client_is_not_known_at_a_table(self):
        given = ("--reply", "550 5.7.1 this is spam", "--client", "192.0.2.1")
        at_table = {rule["name"]: rule for rule in self.reply(*given, "--door", "reject")["rules"]}
        self.assertIn("client is not known", at_table["spam-brief"]["why"])
        self.assertEqual(self.reply(*given, "--stage", "rcpt")["rule"], "spam-brief")

    def test_footer(self):
        answer = self.reply("--reply", UNKNOWN, "--door", "footer")
        self.assertEqual(answer["key"], UNKNOWN)
        self.assertIn("No mailbox c@example.net here.", answer["answer"])
        self.assertIn("\\n", answer["answer"])
        self.assertTrue(answer["final"]["lines"][0].endswith("User unknown in local recipient table"))

    def test_reject(self):
        answer = self.reply("--reply", UNKNOWN, "--door", "reject")
        self.assertEqual(answer["answer"].split("\r\n"), answer["final"]["lines"])

    def test_delivery(self):
        answer = self.reply("--reply", "host mx.example.org[192.0.2.1] said: 550 5.1.1 User unknown "
                                       "(in reply to RCPT TO command)", "--door", "delivery")
        self.assertTrue(answer["key"].startswith("5.1.1 host mx.example.org"))
        self.assertTrue(answer["answer"].startswith("5.1.1 "))

    def test_rbl(self):
        answer = self.reply("--reply", "zen.spamhaus.org=127.0.0.[2..11]", "--door", "rbl")
        self.assertTrue(answer["answer"].startswith("$rbl_code "))
        answer = self.reply("--reply", "554 5.7.1 Client host [192.0.2.7] blocked using zen.spamhaus.org", "--door", "rbl")
        self.assertIsNone(answer["answer"])
        self.assertIn("reject_rbl_client", answer["unchanged_because"])

    def test_milter_only_watches(self):
        answer = self.reply("--reply", UNKNOWN, "--door", "milter")
        self.assertEqual(answer["verdict"], "pass")
        self.assertIn("watches", answer["unchanged_because"])

    def test_own_reply_passes(self):
        said = "\r\n".join(self.reply("--reply", UNKNOWN, "--door", "reject")["final"]["lines"])
        answer = self.reply("--reply", said, "--door", "footer")
        self.assertIsNone(answer["answer"])
        self.assertIn("passes as it is", answer["unchanged_because"])

    def test_success_is_not_ours(self):
        answer = self.reply("--reply", "250 2.0.0 ok", "--door", "reject")
        self.assertIsNone(answer["answer"])

    def test_filter_writes_percent_twice(self):
        for said, heard, repairs in (("550 5.7.1 100%% spam", "100% spam", []),
                                     ("550 5.7.1 100% spam", "100% spam", ["percent-lone"]),
                                     ("550-5.7.1 100%% spam\n550 5.7.1 Really.", "100% spam", [])):
            with self.subTest(said):
                reply = self.reply("--reply", said, "--filter", "rspamd", "--stage", "eom")
                self.assertIn(heard, reply["final"]["lines"][0])
                self.assertNotIn("%%", "".join(reply["final"]["lines"]))
                self.assertEqual([name for name in reply["repairs"] if name != "status-vague"], repairs)

    def test_text_for_every_door(self):
        for door in ("milter", "filter", "reject", "footer", "delivery", "rbl", "command"):
            with self.subTest(door):
                output = self.text("try", "-c", self.policy, "--door", door, "--reply",
                                   "zen.example.org" if door == "rbl" else UNKNOWN)
                self.assertIn("category", output)

    def test_what_is_no_address_and_no_header(self):
        self.assertIn("no IP address", self.fault(2, "try", "-c", self.policy, "--client", "1.2.3"))
        self.assertIn("Name: value", self.fault(2, "try", "-c", self.policy, "--header", "Subject"))
        self.assertNotIn("command", self.fault(2, "try", "--door", "nowhere", "--reply", "550"))

    def test_warnings_are_for_check(self):
        self.policy.write_text('milter = { socket = "unix:/run/x.sock"; mode = "0666"; };')
        self.assertIn(b"warning", run("check", self.policy).stderr)
        self.assertEqual(run("try", "-c", self.policy).stderr, b"")

    def test_hostile_reply(self):
        hostile = b"550 5.7.1 evil\x1b[2J\r\n550 second \xff line\x07"
        for door in ("reject", "delivery"):
            with self.subTest(door):
                self.text("try", "-c", self.policy, "--door", door, "--reply", hostile)
                answer = self.reply("--door", door, "--reply", hostile)
                if answer.get("answer"):
                    for line in answer["answer"].split("\r\n"):
                        self.assertTrue(line.isascii() and line.isprintable(), line)
