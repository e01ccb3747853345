"""replyctl follow on a journal: what systemd-journal-remote has written, without systemd running."""

import json
import os
import signal
import subprocess

from support import TIMEOUT, Case, Follower, run

WRITER = "/lib/systemd/systemd-journal-remote"
BEGAN_US = 1795262400000000  # 2026-11-21T12:00:00Z
BOUNCED = ("4Xy{0}: to=<a@b.example>, relay=mx.b.example[192.0.2.1]:25, delay=1, dsn=5.1.1, status=bounced (host "
           "mx.b.example[192.0.2.1] said: 550 5.1.1 <a@b.example>: Recipient address rejected: User unknown (in reply to RCPT TO "
           "command))")
DEFERRED = ("4Xy{0}: to=<c@d.example>, relay=none, delay=1, dsn=4.4.1, status=deferred (connect to mx.d.example[192.0.2.2]:25: "
            "Connection timed out)")
EXPIRED = "4Xy{0}: from=<s@t.example>, status=expired, returned to sender"


class Journal:
    """A folder with a journal in it, to which entries are added."""

    def __init__(self, folder):
        self.folder = folder
        self.file = folder / "system.journal"
        self.second = 0
        folder.mkdir()

    def entry(self, message, program, facility):
        """One entry of the export format, a second after the one before."""
        self.second += 1
        fields = {"__REALTIME_TIMESTAMP": BEGAN_US + self.second * 1_000_000, "__MONOTONIC_TIMESTAMP": self.second * 1_000_000,
                  "_BOOT_ID": "ab" * 16, "_TRANSPORT": "syslog", "_HOSTNAME": "mx", "SYSLOG_FACILITY": facility,
                  "SYSLOG_IDENTIFIER": program, "SYSLOG_PID": 7}
        text = message.encode()
        octets = b"MESSAGE\n" + len(text).to_bytes(8, "little") + text + b"\n"  # the form for texts of any octets
        return "".join(f"{name}={value}\n" for name, value in fields.items()).encode() + octets + b"\n"

    def write(self, *messages, program="postfix/smtp", facility=2):
        octets = b"".join(self.entry(message, program, facility) for message in messages)
        subprocess.run([WRITER, "-o", self.file, "-"], input=octets, stderr=subprocess.DEVNULL, timeout=TIMEOUT, check=True)

    def rotate(self):
        os.rename(self.file, self.folder / "system@0001.journal")


class JournalCase(Case):
    def setUp(self):
        super().setUp()
        self.journal = Journal(self.folder / "journal")
        self.state = self.folder / "state"
        self.policy.write_text('log = { addresses = "plain"; };\n')

    def follow(self, *arguments):
        return run("follow", "-c", self.policy, "--once", "--directory", self.journal.folder, *arguments)

    def once(self, *arguments):
        done = self.follow(*arguments)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        return [json.loads(line) for line in done.stdout.splitlines()]

    def again(self, *arguments):
        return self.once("--state", self.state, *arguments)

    def ids(self, events):
        return [event["queue_id"] for event in events]


class TestEntries(JournalCase):
    def test_failure(self):
        self.journal.write("4Xy01: message-id=<1@t.example>", program="postfix/cleanup")
        self.journal.write("4Xy01: from=<s@t.example>, size=1, nrcpt=1 (queue active)", program="postfix/qmgr")
        self.journal.write(BOUNCED.format("01"))
        event, = self.once()
        self.assertEqual((event["event"], event["door"]), ("failure", "log"))
        self.assertEqual(event["time"], "2026-11-21T12:00:03.000000Z")
        self.assertEqual((event["queue_id"], event["sender"], event["recipient"]), ("4Xy01", "s@t.example", "a@b.example"))
        self.assertEqual((event["category"], event["permanent"]), ("user-unknown", True))
        self.assertEqual((event["reporting_mta"], event["remote_mta"]), ("mx", "mx.b.example"))

    def test_sendmail(self):
        self.journal.write("xALC0001012345: to=<e@f.example>, mailer=esmtp, relay=mx.f.example. [192.0.2.4], dsn=5.2.2, stat=Mailbox full",
                   program="sendmail")
        event, = self.once()
        self.assertEqual((event["recipient"], event["category"]), ("e@f.example", "mailbox-full"))

    def test_mail_only(self):
        """Who may write to the journal is not who may write to it as the mail system."""
        self.journal.write(BOUNCED.format("01"), facility=1)
        self.journal.write(BOUNCED.format("02"))
        self.assertEqual(self.ids(self.once()), ["4Xy02"])

    def test_one_entry_is_one_line(self):
        self.journal.write(BOUNCED.format("01") + "\nNov 21 12:00:00 mx postfix/smtp[1]: " + BOUNCED.format("02"),
                   "no mail\nNov 21 12:00:00 mx postfix/smtp[1]: " + BOUNCED.format("03"))
        self.assertNotIn("4Xy03", self.ids(self.once()))
        self.journal.write(BOUNCED.format("04"), program="postfix/smtp[1]: 4Xy05:")
        self.assertNotIn("4Xy05", self.ids(self.once()))


class TestState(JournalCase):
    def test_goes_on(self):
        self.journal.write(BOUNCED.format("01"))
        self.assertEqual(self.ids(self.again()), ["4Xy01"])
        self.assertEqual(self.again(), [])
        self.journal.write(BOUNCED.format("02"), "nothing of ours", BOUNCED.format("03"))
        self.assertEqual(self.ids(self.again()), ["4Xy02", "4Xy03"])
        self.assertEqual(len(self.again("--from-start")), 3)

    def test_open_deferrals_are_remembered(self):
        self.journal.write(DEFERRED.format("02"))
        self.assertEqual(len(self.again()), 1)
        self.journal.write(DEFERRED.format("02"))
        self.assertEqual(self.again(), [])
        self.journal.write(EXPIRED.format("02"), program="postfix/qmgr")
        event, = self.again()
        self.assertEqual((event["event"], event["recipient"]), ("failure", "c@d.example"))

    def test_rotation_meanwhile(self):
        self.journal.write(BOUNCED.format("01"))
        self.assertEqual(self.ids(self.again()), ["4Xy01"])
        self.journal.write(BOUNCED.format("02"))
        self.journal.rotate()
        self.journal.write(BOUNCED.format("03"))
        self.assertEqual(self.ids(self.again()), ["4Xy02", "4Xy03"])

    def test_gone_meanwhile(self):
        self.journal.write(BOUNCED.format("01"))
        self.assertEqual(len(self.again()), 1)
        self.journal.file.unlink()
        self.journal.write(BOUNCED.format("02"))
        done = self.follow("--state", self.state)
        self.assertIn(b"lines may be missing", done.stderr)
        self.assertEqual(json.loads(done.stdout)["queue_id"], "4Xy02")

    def test_broken_state(self):
        self.journal.write(BOUNCED.format("01"))
        for broken in ('{"cursor": 1}', '{"cursor": "no cursor"}', '{"cursor": ""}', '{"file": {}}'):
            with self.subTest(broken):
                self.state.write_text(broken)
                done = self.follow("--state", self.state)
                self.assertEqual((done.returncode, len(done.stdout.splitlines())), (0, 1))

    def test_broken_journal(self):
        self.journal.write(BOUNCED.format("01"))
        octets = self.journal.file.read_bytes()
        for name, broken in (("cut", octets[:5000]), ("odd", octets[:3000] + os.urandom(2000) + octets[5000:]), ("not", b"x" * 999)):
            with self.subTest(name):
                self.journal.file.write_bytes(broken)
                done = self.follow()
                self.assertIn(done.returncode, (0, 1))


class TestRunning(Follower):
    """While the journal grows."""

    def setUp(self):
        super().setUp()
        self.journal = Journal(self.folder / "journal")

    def follow(self):
        self.start("--directory", self.journal.folder)

    def test_grows_and_rotates_and_goes_on(self):
        self.journal.write(BOUNCED.format("00"))
        self.follow()
        self.journal.write(BOUNCED.format("01"))
        self.await_ids("4Xy01")
        self.journal.rotate()
        self.journal.write(BOUNCED.format("02"))
        self.await_ids("4Xy01", "4Xy02")
        self.stop()
        self.journal.write(BOUNCED.format("03"))
        self.follow()
        self.await_ids("4Xy01", "4Xy02", "4Xy03")

    def test_begins_with_nothing(self):
        self.follow()
        self.journal.write(BOUNCED.format("01"))
        self.await_ids("4Xy01")
        self.stop(signal.SIGKILL)
        self.journal.write(BOUNCED.format("02"))
        self.follow()
        self.until(lambda: "4Xy02" in self.queue_ids())
