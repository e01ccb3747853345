"""replyctl explain: what stands where, for codes, statuses, replies, digits and categories."""

from support import Case, run

LOG_LINE = ("Nov 21 12:00:01 mx postfix/smtp[123]: 4XyZ: to=<a@b.example>, relay=mx.example.org[192.0.2.1]:25, "
            "delay=1, dsn=5.1.1, status=bounced (host mx.example.org[192.0.2.1] said: 550 5.1.1 <a@b.example>: "
            "Recipient address rejected: User unknown (in reply to RCPT TO command))")


class TestNumbers(Case):
    def test_550_has_several_readings(self):
        output = self.text("explain", "550")
        for category in ("user-unknown", "relay-denied", "host-blocked", "authentication-failed"):
            self.assertIn(category, output)
        self.assertLess(output.index("meaning"), output.index("Likely causes"))
        self.assertLess(output.index("Likely causes"), output.index("About the number 550"))

    def test_all_says_what_to_do(self):
        short, full = self.text("explain", "550"), self.text("explain", "--all", "550")
        self.assertNotIn("     receiver  ", short)
        self.assertIn("     receiver  ", full)
        self.assertGreater(len(full), 2 * len(short))

    def test_pair(self):
        output = self.text("explain", "550", "5.7.26")
        self.assertTrue(output.startswith("5.7.26: "))
        self.assertIn("550: ", output)
        self.assertEqual(output, self.text("explain", "550 5.7.26"))

    def test_pair_that_disagrees(self):
        self.assertIn("first digits disagree", self.text("explain", "550 4.7.1"))
        self.assertEqual(self.json("explain", "550 4.7.1")["pair"], "class-mismatch")

    def test_success_is_no_failure(self):
        output = self.text("explain", "250")
        self.assertIn("accepted", output)
        self.assertNotIn("counts as", output)
        self.assertNotIn("classification", self.json("explain", "250"))

    def test_code_of_no_table(self):
        output = self.text("explain", "599")
        self.assertIn("in no table", output)
        self.assertIn("Permanent failure", output)
        self.assertFalse(self.json("explain", "599")["reply_code"]["known"])
        self.assertIn("no SMTP reply code begins with 9", self.text("explain", "999"))

    def test_number_that_is_none(self):
        for text in ("5.1", "6.7.1", "4.7"):
            self.assertIn("as in 5.1.1 or 5.1.x", self.fault(2, "explain", text))
        self.assertIn("three digits", self.fault(2, "explain", "5500"))

    def test_subject_of_no_table(self):
        for text in ("5.99.1", "x.9.1"):
            output = self.text("explain", text)
            self.assertIn("no such subject", output)
            self.assertNotIn("class and subject", output)
        self.assertNotIn("Such statuses", self.text("explain", "x.9.1"))

    def test_end_of_options(self):
        self.assertEqual(self.text("explain", "--", "550"), self.text("explain", "550"))
        self.assertEqual(self.text("explain", "--", "-", stdin=b"550"), self.text("explain", "550"))

    def test_number_of_a_provider_says_one_thing(self):
        self.assertEqual(self.json("explain", "5.7.509")["classification"]["category"], "authentication-failed")

    def test_categories(self):
        output = self.text("explain", "categories")
        listed = self.json("explain", "categories")["categories"]
        self.assertGreater(len(listed), 20)
        for entry in listed:
            self.assertIn(entry["category"], output)
            self.assertEqual(set(entry), {"category", "group", "meaning"})

    def test_digits(self):
        self.assertIn("554", self.text("explain", "5xx"))
        self.assertIn("X.7.26", self.text("explain", "5.7.x"))
        self.assertTrue(self.text("explain", "X.7.26").startswith("5.7.26: "))
        self.assertEqual(self.json("explain", "x5x")["codes"][0]["code"], 250)

    def test_nothing_known(self):
        self.assertIn('did you mean "user-unknown"?', self.fault(2, "explain", "user-unknwon"))
        self.assertIn("the input is empty", self.fault(2, "explain", ""))
        self.assertIn("the input is empty", self.fault(2, "explain", " \t "))
        self.assertIn("the input is empty", self.fault(2, "explain", "-", stdin=b""))


class TestCategories(Case):
    def test_category(self):
        output = self.text("explain", "relay-denied")
        self.assertTrue(output.startswith("relay-denied: "))
        self.assertIn("5.7.1", output)
        answer = self.json("explain", "relay-denied")
        self.assertEqual(answer["action"], "fix-configuration")
        self.assertFalse(answer["permanent"])
        self.assertTrue(answer["causes"])


class TestReplies(Case):
    def assert_user_unknown(self, *arguments, **options):
        answer = self.json("explain", *arguments, **options)
        self.assertEqual(answer["classification"]["category"], "user-unknown")
        self.assertTrue(answer["classification"]["permanent"])
        self.assertEqual(answer["enhanced_status"]["status"], "5.1.1")
        self.assertEqual(answer["reply_code"]["code"], 550)
        return answer

    def test_reply_in_many_wrappings(self):
        for text in ("smtp; 550 5.1.1 <a@b.example>: User unknown", LOG_LINE):
            with self.subTest(text):
                self.assert_user_unknown(text)

    def test_standard_input(self):
        self.assert_user_unknown("-", stdin=b"550-5.1.1 <a@b.example>:\r\n550 5.1.1 User unknown\r\n")

    def test_what_it_is_stands_first(self):
        output = self.text("explain", LOG_LINE)
        self.assertTrue(output.startswith("This reply: user-unknown"))
        self.assertLess(output.index("what to do"), output.index("known by"))
        self.assertLess(output.index("known by"), output.index("About the number"))

    def test_hostile_reply(self):
        hostile = (b"550 5.1.1 User unknown \x1b[2J\x1b]0;title\x07 \xff\xfe\x9b31m " + "\u202e\u2066".encode() +
                   b"\r\n\x1b[31m250 ok")
        self.text("explain", "-", stdin=hostile)
        self.text("explain", hostile)
        self.json("explain", hostile)

    def test_too_long(self):
        self.assertIn("more than", self.fault(1, "explain", "-", stdin=b"550 x" + b"y" * (1 << 20)))

    def test_nul(self):
        done = run("explain", "-", stdin=b"550 5.1.1 User\0unknown")
        self.assertEqual(done.returncode, 0)
