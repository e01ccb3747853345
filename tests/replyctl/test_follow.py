"""replyctl follow: which events come of a mail log, through rotation and restarts."""

import json
import os
import signal

from support import Case, Follower, run

STAMP = "2026-11-21T12:00:01.500000Z mx "
BOUNCED = STAMP + ("postfix/smtp[1]: 4Xy{0}: to=<a@b.example>, relay=mx.b.example[192.0.2.1]:25, delay=1, dsn=5.1.1, "
                   "status=bounced (host mx.b.example[192.0.2.1] said: 550 5.1.1 <a@b.example>: Recipient address "
                   "rejected: User unknown (in reply to RCPT TO command))\n")
DEFERRED = STAMP + ("postfix/smtp[1]: 4Xy{0}: to=<c@d.example>, relay=none, delay=1, dsn=4.4.1, status=deferred "
                    "(connect to mx.d.example[192.0.2.2]:25: Connection timed out)\n")
EXPIRED = STAMP + "postfix/qmgr[1]: 4Xy{0}: from=<s@t.example>, status=expired, returned to sender\n"
SENT = STAMP + "postfix/smtp[1]: 4Xy{0}: to=<c@d.example>, relay=x.example[192.0.2.3]:25, dsn=2.0.0, status=sent (250 ok)\n"
SENDMAIL = STAMP + ("sm-mta[1]: xALC0001012345: to=<e@f.example>,<g@h.example>, mailer=esmtp, relay=mx.f.example. "
                    "[192.0.2.4], dsn=5.2.2, stat=Mailbox full\n")
REFUSED = STAMP + ("postfix/smtpd[1]: NOQUEUE: reject: RCPT from unknown[192.0.2.9]: 550 5.1.1 <n@b.example>: User unknown; "
                   "from=<> to=<n@b.example> proto=ESMTP helo=<x>\n")


def write_log(path, *lines, mode="a"):
    with open(path, mode, encoding="utf-8") as log:
        log.write("".join(lines))


class FollowCase(Case):
    def setUp(self):
        super().setUp()
        self.log = self.folder / "mail.log"
        self.state = self.folder / "state"
        self.policy.write_text('log = { addresses = "plain"; };\n')

    def write(self, *lines, mode="a"):
        write_log(self.log, *lines, mode=mode)

    def once(self, *arguments, status=0):
        done = run("follow", "-c", self.policy, "--once", *arguments, self.log)
        self.assertEqual(done.returncode, status, done.stderr.decode())
        return [json.loads(line) for line in done.stdout.splitlines()]

    def again(self, *arguments):
        return self.once("--state", self.state, *arguments)


class TestEvents(FollowCase):
    def test_failure(self):
        self.write(STAMP + "postfix/cleanup[1]: 4Xy01: message-id=<1@t.example>\n",
                   STAMP + "postfix/qmgr[1]: 4Xy01: from=<s@t.example>, size=1, nrcpt=1 (queue active)\n",
                   BOUNCED.format("01"))
        event, = self.once()
        self.assertEqual(event["event"], "failure")
        self.assertEqual(event["door"], "log")
        self.assertEqual(event["time"], "2026-11-21T12:00:01.500000Z")
        self.assertEqual(event["queue_id"], "4Xy01")
        self.assertEqual(event["sender"], "s@t.example")
        self.assertEqual(event["recipient"], "a@b.example")
        self.assertEqual(event["message_id"], "1@t.example")
        self.assertEqual(event["category"], "user-unknown")
        self.assertTrue(event["permanent"])
        self.assertEqual(event["action"], "suppress")
        self.assertEqual(event["proof"], "own-mta")
        self.assertEqual(event["reporting_mta"], "mx")
        self.assertEqual(event["remote_mta"], "mx.b.example")
        self.assertEqual(event["stage"], "rcpt")
        self.assertEqual(event["original"]["code"], 550)

    def test_deferrals_are_folded(self):
        self.write(*[DEFERRED.format("02")] * 5, SENT.format("02"), DEFERRED.format("03"))
        events = self.once()
        self.assertEqual([(event["event"], event["queue_id"]) for event in events], [("delay", "4Xy02"), ("delay", "4Xy03")])
        self.assertFalse(events[0]["permanent"])

    def test_expired(self):
        self.write(DEFERRED.format("02"), EXPIRED.format("02"))
        delay, failure = self.once()
        self.assertEqual((delay["event"], failure["event"]), ("delay", "failure"))
        self.assertEqual(failure["recipient"], "c@d.example")
        self.assertEqual(failure["sender"], "s@t.example")
        self.assertEqual(failure["category"], "network-error")

    def test_sendmail(self):
        self.write(SENDMAIL)
        events = self.once()
        self.assertEqual([event["recipient"] for event in events], ["e@f.example", "g@h.example"])
        self.assertEqual({event["category"] for event in events}, {"mailbox-full"})

    def test_refusals_are_the_doors(self):
        self.write(REFUSED, "\0\xff nothing of ours\n", "x" * 200000 + "\n")
        self.assertEqual(self.once(), [])

    def test_event_log_and_privacy(self):
        events = self.folder / "events.jsonl"
        self.policy.write_text(f'log = {{ events = "{events}"; addresses = "domain"; }};\n')
        self.write(BOUNCED.format("01"))
        self.assertEqual(self.once(), [])
        event = json.loads(events.read_text())
        self.assertEqual(event["recipient"], "*@b.example")
        self.assertNotIn("a@b", events.read_text())
        self.assertEqual(len(self.once("--stdout")), 1)

    def test_site_rules(self):
        self.policy.write_text('classify = { rules = ( { name = "ours"; category = "policy"; text = "/User unknown/"; } ); };\n')
        self.write(BOUNCED.format("01"))
        event, = self.once()
        self.assertEqual((event["category"], event["evidence"]["rule"]), ("policy", "site:ours"))


class TestState(FollowCase):
    def test_goes_on(self):
        self.write(BOUNCED.format("01"))
        self.assertEqual(len(self.again()), 1)
        self.assertEqual(self.again(), [])
        self.write(BOUNCED.format("02")[:-10])
        self.assertEqual(self.again(), [])
        self.write(BOUNCED.format("02")[-10:])
        event, = self.again()
        self.assertEqual(event["queue_id"], "4Xy02")
        self.assertEqual(len(self.again("--from-start")), 2)
        self.assertEqual(os.stat(self.state).st_mode & 0o777, 0o600)

    def test_open_deferrals_are_remembered(self):
        self.write(DEFERRED.format("02"))
        self.assertEqual(len(self.again()), 1)
        self.write(DEFERRED.format("02"))
        self.assertEqual(self.again(), [])
        self.write(EXPIRED.format("02"))
        event, = self.again()
        self.assertEqual((event["event"], event["recipient"]), ("failure", "c@d.example"))

    def test_rotation_meanwhile(self):
        self.write(BOUNCED.format("01"))
        self.assertEqual(len(self.again()), 1)
        self.write(BOUNCED.format("02"))
        os.rename(self.log, self.folder / "mail.log.1")
        self.write(BOUNCED.format("03"))
        self.assertEqual([event["queue_id"] for event in self.again()], ["4Xy02", "4Xy03"])

    def test_copytruncate_meanwhile(self):
        self.write(BOUNCED.format("01"))
        self.assertEqual(len(self.again()), 1)
        self.write(BOUNCED.format("02"))
        (self.folder / "mail.log-20261121").write_bytes(self.log.read_bytes())
        self.write(BOUNCED.format("03"), mode="w")
        self.assertEqual([event["queue_id"] for event in self.again()], ["4Xy02", "4Xy03"])

    def test_gone_meanwhile(self):
        self.write(BOUNCED.format("01"))
        self.again()
        self.log.unlink()
        self.write(DEFERRED.format("02"))
        done = run("follow", "-c", self.policy, "--once", "--state", self.state, self.log)
        self.assertIn(b"lines may be missing", done.stderr)
        self.assertEqual(len(done.stdout.splitlines()), 1)

    def test_broken_state(self):
        self.write(BOUNCED.format("01"))
        for broken in ("", "{", "[]", '{"file": 1, "open": 2}'):
            with self.subTest(broken):
                self.state.write_text(broken)
                self.assertEqual(len(self.again()), 1)

    def test_unreadable(self):
        self.assertIn("No such file", self.fault(1, "follow", "-c", self.policy, "--once", self.log))
        self.assertIn("no regular file", self.fault(1, "follow", "-c", self.policy, "--once", self.folder))
        self.assertIn("not both", self.fault(2, "follow", "--journal", self.log))
        self.assertIn("replyctl classify", self.fault(2, "follow", "-"))
        self.fault(1, "follow", "-c", self.folder / "none.conf", "--once", self.log)
        self.fault(1, "follow", "-c", self.policy, "--once", "--directory", self.folder / "none")


class TestRunning(Follower):
    """While the log grows."""

    def setUp(self):
        super().setUp()
        self.log = self.folder / "mail.log"
        self.write(BOUNCED.format("00"))
        self.start(self.log)

    def write(self, *lines, mode="a"):
        write_log(self.log, *lines, mode=mode)

    def test_grows_and_rotates(self):
        self.write(BOUNCED.format("01"))
        self.await_ids("4Xy01")
        os.rename(self.log, self.folder / "mail.log.1")
        self.write(BOUNCED.format("02"))
        self.await_ids("4Xy01", "4Xy02")
        self.write(BOUNCED.format("03"), mode="w")
        self.await_ids("4Xy01", "4Xy02", "4Xy03")
        self.stop()
        self.write(BOUNCED.format("04"))
        self.start(self.log)
        self.await_ids("4Xy01", "4Xy02", "4Xy03", "4Xy04")

    def test_event_log_rotates(self):
        self.write(BOUNCED.format("01"))
        self.await_ids("4Xy01")
        os.rename(self.events, self.folder / "events.old")
        self.process.send_signal(signal.SIGHUP)
        self.until(self.events.exists)
        self.write(BOUNCED.format("02"))
        self.await_ids("4Xy02")

    def test_only_one(self):
        done = run("follow", "-c", self.policy, "--state", self.state, self.log)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"another process", done.stderr)

    def test_killed(self):
        self.write(BOUNCED.format("01"))
        self.await_ids("4Xy01")
        self.stop(signal.SIGKILL)
        self.write(BOUNCED.format("02"))
        self.start(self.log)
        self.until(lambda: "4Xy02" in self.queue_ids())
