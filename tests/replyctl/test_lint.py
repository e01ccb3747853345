"""replyctl lint: findings and the repaired reply."""

from support import Case


class TestLint(Case):
    def rules(self, *arguments, **options):
        return [finding["rule"] for finding in self.json("lint", *arguments, **options)["findings"]]

    def test_right_reply(self):
        self.assertEqual(self.text("lint", "--stage", "rcpt", "550 5.1.1 No such user here"),
                         "This reply breaks no rule.\n")

    def test_findings_and_repair(self):
        output = self.text("lint", "--stage", "rcpt", "550 4.7.1 no")
        self.assertIn("class-mismatch", output)
        self.assertIn("  550 5.7.1 no\n", output)
        answer = self.json("lint", "--stage", "rcpt", "550 4.7.1 no")
        self.assertEqual([finding["rule"] for finding in answer["findings"]], ["class-mismatch"])
        self.assertEqual(answer["repaired"]["lines"], ["550 5.7.1 no"])
        self.assertEqual(answer["repaired"]["code"], 550)

    def test_number_that_is_no_code(self):
        answer = self.json("lint", "999 5.1.1 nobody here")
        finding, = answer["findings"]
        self.assertEqual(finding["rule"], "code-unknown")
        self.assertIn("since the enhanced status is 5.1.1", finding["repair"])
        self.assertEqual(answer["repaired"]["lines"], ["550 5.1.1 nobody here"])

    def test_raw_input(self):
        self.assertIn("bare-lf", self.rules("-", stdin=b"550-5.7.1 one\n550 5.7.1 two"))
        self.assertIn("codes-differ", self.rules("-", stdin=b"550-5.7.1 one\r\n551 5.7.1 two"))
        self.assertIn("8-bit-octet", self.rules("-", stdin=b"550 5.7.1 caf\xe9"))

    def test_the_end_of_a_file_is_no_finding(self):
        for end in (b"\n", b"\r\n"):
            self.assertEqual(self.rules("-", stdin=b"550 5.7.1 one" + end), [])
        self.assertEqual(self.rules("-", stdin=b"550 5.7.1 one\r\n\r\n"), ["line-end"])

    def test_milter_text(self):
        self.assertIn("percent-lone", self.rules("--milter", "550 5.7.1 100% sure"))
        self.assertNotIn("percent-lone", self.rules("550 5.7.1 100% sure"))

    def test_milter_text_stays_milter_text(self):
        repaired = self.json("lint", "--milter", "550 5.7.1 100% sure")["repaired"]["lines"]
        self.assertEqual(repaired, ["550 5.7.1 100%% sure"])
        self.assertEqual(self.rules("--milter", repaired[0]), [])

    def test_long_repaired_reply_fits(self):
        self.text("lint", "550 5.7.1 " + "many words " * 200)

    def test_repaired_reply_breaks_no_rule(self):
        for reply in ("550-5.7.1 one 551 two", "no code at all", "550", "550 5.7.1 \x1b[31m" + "x" * 2000):
            with self.subTest(reply):
                repaired = self.json("lint", reply)["repaired"]["lines"]
                again = self.json("lint", "-", stdin="\r\n".join(repaired).encode())
                self.assertEqual(again["repaired"]["lines"], repaired)
                self.assertEqual([f["rule"] for f in again["findings"] if f["rule"] != "hangup"], [])

    def test_stage(self):
        self.assertIn('did you mean "rcpt"?', self.fault(2, "lint", "--stage", "rctp", "550 x"))

    def test_hostile(self):
        output = self.text("lint", "-", stdin=b"550 5.7.1 a\x1b[2Jb\x00c\rd\ne")
        self.assertIn("control-octet", output)
