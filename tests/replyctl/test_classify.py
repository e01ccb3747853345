"""replyctl classify: mails, mboxes, Maildirs, logs and replies, however they come."""

import base64
import gzip
import json
import os
import pty
import subprocess
import time

from support import PROGRAM, TIMEOUT, Case, run

FIELDS = ["kind", "recipient", "status", "code", "category", "permanent", "action", "confidence", "text", "reporting_mta",
          "remote_mta", "evidence"]
EXTRA = {"provider", "dnsbl", "retry_after"}

NOTES = """From: alice@sender.example
To: bob@remote.example
Subject: lunch
Date: Sat, 21 Nov 2026 12:00:00 +0000

At one?
"""

LOG = (
    "Nov 21 12:00:01 mx postfix/smtp[1]: 4Xy001: to=<a@b.example>, relay=mx.b.example[192.0.2.1]:25, delay=1, dsn=5.1.1, "
    "status=bounced (host mx.b.example[192.0.2.1] said: 550 5.1.1 <a@b.example>: Recipient address rejected: User unknown (in "
    "reply to RCPT TO command))\n"
    "Nov 21 12:00:02 mx postfix/smtp[1]: 4Xy002: to=<c@d.example>, relay=none, delay=1, dsn=4.4.1, status=deferred (connect to "
    "mx.d.example[192.0.2.2]:25: Connection timed out)\n"
    "2026-11-21T12:00:03.000001+01:00 mx postfix/smtpd[1]: NOQUEUE: reject: RCPT from unknown[192.0.2.9]: 450 4.7.1 "
    "<n@b.example>: Recipient address rejected: Greylisted; from=<s@t.example> to=<n@b.example> proto=ESMTP helo=<x>\n"
    "Nov 21 12:00:04 mx postfix/smtp[1]: 4Xy003: to=<e@f.example>, relay=x[192.0.2.3]:25, dsn=2.0.0, status=sent (250 ok)\n"
    "Nov 21 12:00:05 mx sm-mta[1]: xALC0001012345: to=<g@h.example>,<i@h.example>, mailer=esmtp, relay=mx.h.example. "
    "[192.0.2.4], dsn=5.2.2, stat=Mailbox full\n"
    "Nov 21 12:00:06 mx postfix/cleanup[1]: 4Xy004: milter-reject: END-OF-MESSAGE from c.example[192.0.2.9]: 5.7.1 Spam message "
    "rejected; from=<s@t.example> to=<n@b.example> proto=ESMTP helo=<x>\n"
    "Nov 21 12:00:07 mx dovecot: imap-login: Login: user=<x>\n")


def bounce(recipient, diagnostic="550 5.1.1 <{0}>: Recipient address rejected: User unknown", status="5.1.1", action="failed"):
    return f"""Return-Path: <>
From: MAILER-DAEMON@mx.sender.example (Mail Delivery System)
To: alice@sender.example
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="XX"

--XX
Content-Type: text/plain; charset=us-ascii

This is the mail system at host mx.sender.example.

I'm sorry to have to inform you that your message could not be delivered.

--XX
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.sender.example

Final-Recipient: rfc822; {recipient}
Action: {action}
Status: {status}
Remote-MTA: dns; mx.remote.example
Diagnostic-Code: smtp; {diagnostic.format(recipient)}

--XX
Content-Type: message/rfc822

{NOTES}
--XX--
"""


class ClassifyCase(Case):
    def path(self, name, content):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def objects(self, *arguments, status=0, **options):
        done = run("classify", "--json", *arguments, **options)
        self.assertEqual(done.returncode, status, done.stderr.decode(errors="replace"))
        return [json.loads(line) for line in done.stdout.splitlines()]

    def recipients(self, *arguments, **options):
        return [entry["recipient"] for entry in self.objects(*arguments, **options)]

    def peak(self, *arguments):
        """The most memory in use at a time, in KiB."""
        # AddressSanitizer keeps what was freed for a while.
        surroundings = {**os.environ, "ASAN_OPTIONS": "quarantine_size_mb=1"}
        words = [PROGRAM, "classify", "--summary", *arguments]
        with subprocess.Popen(words, stdout=subprocess.DEVNULL, env=surroundings) as process:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = status
        self.assertEqual(status, 0)
        return usage.ru_maxrss


class TestMails(ClassifyCase):
    def test_fields(self):
        path = self.path("one.eml", bounce("bob@remote.example"))
        entry, = self.objects(path)
        self.assertEqual([name for name in entry if name not in EXTRA], ["file"] + FIELDS)
        self.assertEqual(entry["file"], str(path))
        self.assertEqual(entry["kind"], "failure")
        self.assertEqual(entry["recipient"], "bob@remote.example")
        self.assertEqual((entry["code"], entry["status"]), (550, "5.1.1"))
        self.assertEqual((entry["category"], entry["permanent"], entry["action"]), ("user-unknown", True, "suppress"))
        self.assertEqual(entry["reporting_mta"], "mx.sender.example")
        self.assertEqual(entry["remote_mta"], "mx.remote.example")
        self.assertEqual(set(entry["evidence"]), {"rule", "match"})

    def test_not_a_bounce(self):
        entry, = self.objects(self.path("note.eml", NOTES))
        self.assertEqual(entry["kind"], "not-a-bounce")
        self.assertEqual([name for name in entry if name not in EXTRA], ["file"] + FIELDS)
        self.assertFalse(entry["permanent"])
        self.assertIsNone(entry["recipient"])

    def test_delay_is_no_failure(self):
        path = self.path("late.eml", bounce("bob@remote.example", "450 4.2.2 mailbox full", "4.2.2", "delayed"))
        entry, = self.objects(path)
        self.assertEqual((entry["kind"], entry["permanent"]), ("delay", False))

    def test_folder(self):
        self.path("box/b.eml", bounce("b@remote.example"))
        self.path("box/a.eml", bounce("a@remote.example"))
        self.path("box/deep/er/c.eml.gz", gzip.compress(bounce("c@remote.example").encode()))
        self.path("box/.hidden", bounce("hidden@remote.example"))
        os.mkfifo(self.folder / "box/pipe")
        os.symlink(self.folder / "box", self.folder / "box/deep/loop")
        os.symlink(self.folder / "box/a.eml", self.folder / "box/z.eml")
        self.assertEqual(self.recipients(self.folder / "box"),
                         ["a@remote.example", "b@remote.example", "c@remote.example", "a@remote.example"])

    def test_maildir(self):
        self.path("Maildir/cur/1:2,S", bounce("read@remote.example"))
        self.path("Maildir/new/2", bounce("new@remote.example"))
        self.path("Maildir/tmp/3", bounce("half@remote.example"))
        self.path("Maildir/dovecot-uidlist", "3 V1 N1\n")
        self.path("Maildir/.Bounces/cur/4", bounce("sub@remote.example"))
        (self.folder / "Maildir/.Bounces/new").mkdir()
        self.assertEqual(self.recipients(self.folder / "Maildir"),
                         ["sub@remote.example", "read@remote.example", "new@remote.example"])

    def test_standard_input(self):
        entry, = self.objects("-", stdin=bounce("bob@remote.example").encode())
        self.assertEqual((entry["file"], entry["recipient"]), ("-", "bob@remote.example"))

    def test_site_rules(self):
        self.policy.write_text('classify = { rules = ( { name = "ours"; category = "policy"; text = "/User unknown/"; } ); };\n')
        entry, = self.objects("-c", self.policy, self.path("one.eml", bounce("bob@remote.example")))
        self.assertEqual((entry["category"], entry["evidence"]["rule"]), ("policy", "site:ours"))

    def test_anything(self):
        odd = {"empty": b"", "nul": b"\0" * 5000, "random": bytes(range(256)) * 40, "cr": b"\r" * 100, "from": b"From ",
               "colon": b":" * 9000, "dashes": b"--" * 9000, "newline": b"\n"}
        entries = self.objects(*[self.path(name, content) for name, content in odd.items()])
        self.assertEqual([os.path.basename(entry["file"]) for entry in entries], list(odd))
        self.assertEqual({entry["kind"] for entry in entries}, {"not-a-bounce"})

    def test_large_mail(self):
        """100 MB; a hole in the file costs no disk."""
        path = self.path("large.eml", bounce("bob@remote.example") + "x" * 1_000_000)
        os.truncate(path, 100_000_000)
        entry, = self.objects(path)
        self.assertEqual(entry["recipient"], "bob@remote.example")
        self.assertIn("1 so large that not all was read", self.text("classify", "--summary", path))
        small = self.path("small.eml", bounce("bob@remote.example"))
        self.assertLess(self.peak("-j1", path), self.peak("-j1", small) + 200_000)

    def test_many_recipients(self):
        """100,000 in one report, of which 10,000 are told."""
        head, tail = bounce("bob@remote.example").split("\n--XX\nContent-Type: message/rfc822")
        groups = "".join(f"Final-Recipient:;u{number}@b.example\n\n" for number in range(100_000))
        path = self.path("many.eml", head + groups + "\n--XX\nContent-Type: message/rfc822" + tail)
        self.assertEqual(len(self.objects(path)), 10_000)
        self.assertIn("1 so large that not all was read", self.text("classify", "--summary", path))


class TestMboxes(ClassifyCase):
    FROM = "From MAILER-DAEMON Sat Nov 21 12:00:01 2026\n"

    def mbox(self, form):
        """Three mails; the second one holds a From_ line of its own."""
        inner = "From evil Sat Nov 21 12:00:01 2026\n\nmore\n"
        mails = [bounce("one@remote.example"), NOTES + "\n" + inner, bounce("two@remote.example")]
        out = ""
        for mail in mails:
            header, body = mail.split("\n\n", 1)
            if form != "mboxcl2":
                body = body.replace("\nFrom ", "\n>From ")
            if form in ("mboxcl", "mboxcl2"):
                header += f"\nContent-Length: {len(body)}"
            out += self.FROM + header + "\n\n" + body + "\n"
        return out

    def test_dialects(self):
        for form in ("mboxo", "mboxrd", "mboxcl", "mboxcl2"):
            for ends in ("\n", "\r\n"):
                with self.subTest(form=form, ends=ends):
                    text = self.mbox(form)
                    if ends == "\r\n" and "cl" in form:
                        continue
                    entries = self.objects(self.path(form, text.replace("\n", ends)))
                    self.assertEqual([entry["message"] for entry in entries], [1, 2, 3])
                    self.assertEqual([entry["recipient"] for entry in entries],
                                     ["one@remote.example", None, "two@remote.example"])
                    self.assertEqual(list(entries[0])[:2], ["file", "message"])

    def test_gzip(self):
        whole = self.path("box.gz", gzip.compress(self.mbox("mboxo").encode()))
        self.assertEqual(len(self.objects(whole)), 3)
        members = gzip.compress(self.mbox("mboxo").encode()) + gzip.compress(b"\n" + self.mbox("mboxo").encode())
        self.assertEqual(len(self.objects("-", stdin=members + b"\0" * 100)), 6)

    def test_broken_gzip(self):
        octets = gzip.compress(os.urandom(300_000) + self.mbox("mboxo").encode())
        for name, broken in (("cut", octets[:-20]), ("bad", octets[:1000] + b"\xff" * 50 + octets[1050:])):
            with self.subTest(name):
                done = run("classify", "--json", self.path(name, broken), self.path("good", bounce("a@b.example")))
                self.assertEqual(done.returncode, 1)
                self.assertIn(b"gzip", done.stderr)
                self.assertIn(b"a@b.example", done.stdout)

    def test_gzip_bomb(self):
        bomb = gzip.compress(b"\0" * 400_000_000, 9)
        began = time.monotonic()
        done = run("classify", "--json", self.path("bomb", bomb), self.path("good", NOTES))
        self.assertLess(time.monotonic() - began, TIMEOUT / 2)
        self.assertEqual(len(done.stdout.splitlines()), 2)
        box = self.path("box", gzip.compress(self.FROM.encode() + b"A: b\n\n" + b"\0" * 400_000_000, 9))
        done = run("classify", "--json", box)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"unpacks to more than", done.stderr)

    def test_order_is_that_of_the_input(self):
        text = "".join(self.FROM + bounce(f"user{i}@remote.example") + "\n" for i in range(500))
        path = self.path("many", text)
        wanted = [f"user{i}@remote.example" for i in range(500)]
        for jobs in ("-j1", "-j4", "--jobs=7"):
            self.assertEqual(self.recipients(jobs, path), wanted)

    def test_charsets_on_threads(self):
        """Who reads a mail has nothing in common with who reads the next."""
        words = {"iso-2022-jp": "宛先が見つかりません", "koi8-r": "нет такого пользователя", "gb18030": "邮箱已满", "euc-kr": "수신자 없음",
                 "iso-8859-1": "Empfänger unbekannt", "big5": "查無此人", "utf-16": "Boîte pleine"}
        texts = []
        for charset, word in words.items():
            header = f"Subject: =?{charset}?B?{base64.b64encode(word.encode(charset)).decode()}?="
            part = base64.encodebytes(f"<bob@remote.example>: {word}\n".encode(charset)).decode()
            texts.append(f"{self.FROM}From: MAILER-DAEMON@mx.example\n{header}\nContent-Type: text/plain; charset={charset}\n"
                         f"Content-Transfer-Encoding: base64\n\n{part}\n")
        path = self.path("charsets", "".join(texts * 60))
        self.assertEqual(self.objects("-j4", path), self.objects("-j1", path))

    def test_memory_is_flat(self):
        text = (self.FROM + bounce("user@remote.example") + "x" * 10000 + "\n\n").encode() * 500
        path = self.folder / "large"
        with open(path, "wb") as box:
            for _ in range(20):
                box.write(text)
        small = self.path("small", text)
        self.assertLess(self.peak("-j2", path), self.peak("-j2", small) * 1.5 + 20_000)


class TestLogs(ClassifyCase):
    def test_log(self):
        path = self.path("mail.log", LOG)
        entries = self.objects(path)
        self.assertEqual([name for name in entries[0] if name not in EXTRA], ["file", "line", "queue_id"] + FIELDS)
        self.assertEqual([(entry["line"], entry["kind"], entry["recipient"], entry["category"]) for entry in entries], [
            (1, "failure", "a@b.example", "user-unknown"),
            (2, "delay", "c@d.example", "network-error"),
            (3, "delay", "n@b.example", "greylisted"),
            (5, "failure", "g@h.example", "mailbox-full"),
            (5, "failure", "i@h.example", "mailbox-full"),
            (6, "failure", "n@b.example", "spam")])
        self.assertEqual([entry["queue_id"] for entry in entries[:3]], ["4Xy001", "4Xy002", None])
        self.assertEqual(entries[0]["remote_mta"], "mx.b.example")
        self.assertEqual(entries[0]["reporting_mta"], "mx")
        self.assertEqual(entries[3]["status"], "5.2.2")

    def test_gzip_and_standard_input(self):
        wanted = [{**entry, "file": "-"} for entry in self.objects(self.path("mail.log", LOG))]
        self.assertEqual(self.objects("-", stdin=gzip.compress(LOG.encode())), wanted)

    def test_line_numbers_across_blocks(self):
        noise = "Nov 21 12:00:07 mx dovecot: imap-login: Login: user=<x>\n" * 30000
        entries = self.objects(self.path("mail.log", noise + "x" * 300_000 + "\n" + LOG), "-j4")
        self.assertEqual([entry["line"] for entry in entries], [30002, 30003, 30004, 30006, 30006, 30007])

    def test_hostile_recipient(self):
        line = LOG.splitlines()[0].replace("to=<a@b.example>", 'to=<"x>, status=sent (ok)\\"\\n\x1b[2J"@b.example>')
        entry, = self.objects("-", stdin=(line + "\n").encode())
        self.assertEqual(entry["kind"], "failure")
        self.text("classify", "-", stdin=(line + "\n").encode())


class TestLines(ClassifyCase):
    LINES = ("550 5.1.1 User unknown\n\n452 4.2.2 mailbox full\r\nnothing that anybody knows\n"
             "550 5.7.1 Service unavailable; client [192.0.2.1] blocked using zen.spamhaus.org\n").encode()

    def test_json(self):
        entries = self.objects("--lines", stdin=self.LINES)
        self.assertEqual(self.objects("--lines", "-", stdin=self.LINES), entries)
        self.assertEqual([name for name in entries[0] if name not in EXTRA],
                         ["line", "category", "permanent", "action", "confidence", "code", "status", "evidence"])
        self.assertEqual([(entry["line"], entry["category"], entry["permanent"]) for entry in entries], [
            (1, "user-unknown", True), (3, "mailbox-full", False), (4, "unclassified", False), (5, "host-blocked", False)])
        self.assertEqual(entries[3]["dnsbl"], "zen.spamhaus.org")
        self.assertIsNone(entries[2]["code"])

    def test_log_lines_among_them(self):
        entries = self.objects("--lines", stdin=LOG.encode())
        self.assertEqual([entry["category"] for entry in entries][:3], ["user-unknown", "network-error", "greylisted"])

    def test_answers_at_once(self):
        """Who asks line by line gets each answer before the next question."""
        words = [PROGRAM, "classify", "--lines", "--json"]
        with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            for number in (1, 2, 3):
                process.stdin.write(b"550 5.1.1 User unknown\n")
                process.stdin.flush()
                self.assertEqual(json.loads(process.stdout.readline())["line"], number)
            process.stdin.close()
            self.assertEqual(process.wait(TIMEOUT), 0)

    def test_many(self):
        entries = self.objects("--lines", "-j3", stdin=b"550 5.1.1 User unknown\n" * 20000)
        self.assertEqual([entry["line"] for entry in entries], list(range(1, 20001)))

    def test_without_end(self):
        entry, = self.objects("--lines", stdin=b"550 5.1.1 User unknown" + b"x" * 1_000_000)
        self.assertEqual(entry["code"], 550)


class TestPeople(ClassifyCase):
    def test_table_and_summary(self):
        path = self.path("mail.log", LOG)
        output = self.text("classify", path, self.path("one.eml", bounce("bob@remote.example")))
        for text in ("recipient", "a@b.example", "user-unknown", "dead", "delay: greylisted", "By category", "By provider",
                     "By action", "1 mail and 7 lines read"):
            self.assertIn(text, output)
        summary = self.text("classify", "--summary", path)
        self.assertNotIn("a@b.example", summary)
        self.assertIn("4 failed, 2 delayed", summary)

    def test_how_many(self):
        (self.folder / "none").mkdir()
        self.assertIn("0 mails read", self.text("classify", self.folder / "none"))
        answer = "From: a@b.example\nTo: c@d.example\nAuto-Submitted: auto-replied\nSubject: away\n\nI am away.\n"
        one = self.path("one.eml", answer)
        self.assertIn("1 automatic answer\n", self.text("classify", one))
        self.assertIn("2 automatic answers\n", self.text("classify", one, one))

    def test_control_letters(self):
        hostile = b"550 5.1.1 \x1b[2J\x1b]0;title\x07 \xff\xfe\x9b31m " + "\u202e\u2066 \u30e6\u30fc".encode() + b" User unknown\n"
        self.text("classify", "--lines", stdin=hostile)
        self.text("classify", self.path("x\x1b[31m\n.eml", bounce("b\x1b[2J\u202eob@remote.example")))

    def test_progress_is_for_terminals(self):
        """A file whose size is known, and then what takes its time to come."""
        master, slave = pty.openpty()
        path = self.path("one.eml", bounce("user@remote.example"))
        words = [PROGRAM, "classify", "--json", path, "-"]
        with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=slave) as process:
            os.close(slave)
            said = os.read(master, 4096)
            process.stdin.close()
            try:
                while block := os.read(master, 4096):
                    said += block
            except OSError:
                pass
            self.assertEqual(process.wait(TIMEOUT), 0)
        os.close(master)
        self.assertIn(b"%  ", said)
        self.assertTrue(said.endswith(b"\r\x1b[K"), said[-100:])
        self.assertEqual(run("classify", "--json", path, stdout=subprocess.DEVNULL).stderr, b"")


class TestFaults(ClassifyCase):
    def test_the_rest_is_still_done(self):
        good = self.path("good.eml", bounce("bob@remote.example"))
        done = run("classify", "--json", self.folder / "none", good, self.folder / "x\ny")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(len(done.stdout.splitlines()), 1)
        self.assertIn(b"none: No such file", done.stderr)
        self.assertIn(b"x\\ny: No such file", done.stderr)

    def test_usage(self):
        self.assertIn("which mails", self.fault(2, "classify"))
        self.fault(2, "classify", "--jobs=1000", self.policy)
        self.fault(2, "classify", "--jobs=x", self.policy)
        self.fault(2, "classify", "--summary", "--json", self.policy)
        self.fault(2, "classify", "--nonsense", self.policy)
        self.fault(1, "classify", "-c", self.folder / "none", self.policy)

    def test_full_disk(self):
        with open("/dev/full", "wb") as full:
            done = run("classify", "--lines", "--json", stdin=b"550 no\n" * 100000, stdout=full)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"No space left", done.stderr)

    def test_closed_pipe(self):
        path = self.path("many", "550 5.1.1 User unknown\n" * 100000)
        with subprocess.Popen([PROGRAM, "classify", "--lines", path], stdout=subprocess.PIPE) as process:
            process.stdout.readline()
            process.stdout.close()
            self.assertNotEqual(process.wait(TIMEOUT), 0)
