"""replyctl show and tail: events found by what was read out, and shown as they come."""

import grp
import gzip
import json
import os
import signal
import subprocess

from support import PROGRAM, SOURCE, TIMEOUT, Case, run


def event(number, **members):
    return {
        "v": 1, "time": f"2026-11-21T12:00:{number % 60:02}.000000Z", "id": f"{number:026}", "event": "refusal", "door": "milter",
        "stage": "rcpt", "client": {"addr": f"192.0.2.{number}", "name": "c.example"}, "sender": "s@t.example",
        "recipient": f"r{number}@u.example", "final": {"code": 550, "status": "5.1.1", "text": "no such user"},
        "changed": False, "repairs": [], "category": "user-unknown", "permanent": True, "action": "suppress",
        "confidence": "high", "evidence": {"rule": "no-such-user", "match": "no such user"}, **members,
    }


class EventCase(Case):
    def setUp(self):
        super().setUp()
        self.log = self.folder / "events.jsonl"
        self.policy.write_text(f'log = {{ events = "{self.log}"; }};\n')

    @staticmethod
    def lines(*events):
        return "".join(json.dumps(one) + "\n" for one in events)

    def write(self, *events, to=None):
        with open(to or self.log, "a", encoding="utf-8") as log:
            log.write(self.lines(*events))

    def denied(self, *arguments):
        """What a command says that may not read the log, which its group may."""
        self.log.chmod(0o040)
        # Not even root reads it without these.
        less = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
        done = subprocess.run([*less, PROGRAM, *arguments, "--log", self.log], stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=TIMEOUT, check=False)
        self.assertEqual((done.returncode, done.stdout), (1, b""))
        return done.stderr.decode()

    def hint(self):
        group = grp.getgrgid(self.log.stat().st_gid).gr_name
        return f"{self.log}: Permission denied (use sudo, or be a member of the group {group})\n"


class TestShow(EventCase):
    def found(self, typed, **options):
        done = run("show", "-c", self.policy, "--json", *typed.split(), **options)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        return [json.loads(line)["id"] for line in done.stdout.splitlines()]

    def test_by_reference_id_and_queue_id(self):
        self.write(event(1), event(2, reference="KXYM2QRT"), event(3, queue_id="4F1Q2"), event(4, queue_id="4F1Q2"))
        for typed in ("KXYM2QRT", "kxym2qrt", "KXYM 2QRT", "kxym-2qrt", f"{2:026}"):
            self.assertEqual(self.found(typed), [f"{2:026}"])
        self.assertEqual(self.found("4F1Q2"), [f"{3:026}", f"{4:026}"])

    def test_both_doors_of_one_refusal(self):
        self.write(event(1), event(2), event(3, joins=f"{1:026}", reference="KXYM2QRT"))
        self.assertEqual(self.found("KXYM2QRT"), [f"{1:026}", f"{3:026}"])
        self.assertEqual(self.found(f"{1:026}"), [f"{1:026}", f"{3:026}"])

    def test_rotated_and_packed(self):
        self.write(event(9))
        self.write(event(8, joins=f"{7:026}", reference="AAAA2222"), to=f"{self.log}.1")
        with gzip.open(f"{self.log}.2.gz", "wt") as packed:
            packed.write(self.lines(event(7), event(6, reference="BBBB2222")))
        self.write(event(5, reference="CCCC2222"), to=f"{self.log}-20261120")
        self.write(event(5, reference="DDDD2222"), to=f"{self.log}.save")
        for age, name in enumerate(("", ".1", ".2.gz", "-20261120")):
            os.utime(f"{self.log}{name}", (1_800_000_000 - age * 86400,) * 2)
        self.assertEqual(self.found("AAAA2222"), [f"{7:026}", f"{8:026}"])
        self.assertEqual(self.found("BBBB2222"), [f"{6:026}"])
        self.assertEqual(self.found("CCCC2222"), [f"{5:026}"])
        self.assertIn("no event has", self.fault(1, "show", "-c", self.policy, "DDDD2222"))

    def test_what_is_shown(self):
        self.write(event(2, reference="KXYM2QRT", changed=True, repairs=["no-status"],
                         original={"text": "no such user\x1b[31m"}))
        text = self.text("show", "-c", self.policy, "KXYM2QRT")
        for part in ("refusal", "c.example [192.0.2.2]", "<r2@u.example>", "550 5.1.1 no such user", "no-status", "KXYM2QRT",
                     "There is no such mailbox here."):
            self.assertIn(part, text)

    def test_a_filter_that_failed(self):
        failure = {name: event(3)[name] for name in ("v", "time", "id", "stage", "client", "sender")}
        self.write({**failure, "event": "filter-failure", "door": "filter", "queue_id": "4F1Q2", "filter": "clamav",
                    "reason": "no answer within 10.0 seconds", "on_failure": "tempfail", "filter_ms": 10002})
        text = self.text("show", "-c", self.policy, "4F1Q2")
        for part in ("filter-failure", "clamav", "no answer within 10.0 seconds", "tempfail"):
            self.assertIn(part, text)
        line = run("tail", "-c", self.policy, "--once", "on_failure=tempfail", "filter_ms=10*").stdout.decode()
        self.assertIn("4F1Q2: filter-failure rcpt", line)
        self.assertIn("filter=clamav on_failure=tempfail: no answer within 10.0 seconds", line)

    def test_faults(self):
        self.assertIn("No such file", self.fault(1, "show", "-c", self.policy, "KXYM2QRT"))
        self.log.write_text('garbage\n{"v":1,"id":\n' + self.lines(event(2, reference="KXYM2QRT")))
        done = run("show", "-c", self.policy, "KXYM2QRT")
        self.assertEqual(done.returncode, 0)
        self.assertEqual(done.stderr.decode().count("not JSON"), 1)
        self.policy.write_text('log = { events = "syslog"; };\n')
        self.assertIn("--log", self.fault(1, "show", "-c", self.policy, "KXYM2QRT"))
        self.assertIn("which reference", self.fault(2, "show"))
        self.assertIn("(no reference has a 0, ", self.fault(1, "show", "--log", self.log, "kxym2qr1"))
        self.assertNotIn("(no reference", self.fault(1, "show", "--log", self.log, "KXYM2QRR"))
        broken = self.folder / "events.jsonl.1.gz"
        broken.write_bytes(b"\x1f\x8b\x08 no gzip")
        self.assertIn('"KXYM2QRR" in what could be read of ', self.fault(1, "show", "--log", self.log, "KXYM2QRR"))

    def test_a_log_that_may_not_be_read(self):
        self.write(event(1))
        os.link(self.log, f"{self.log}.1")
        said = self.denied("show", "KXYM2QRT")
        self.assertIn(f"show: {self.hint()}", said)
        self.assertEqual(said.count("Permission denied"), 2)
        self.assertEqual(said.count("use sudo"), 1)


class TestTail(EventCase):
    def tail(self, *arguments):
        done = run("tail", "-c", self.policy, "--once", *arguments)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        return done.stdout.decode().splitlines()

    def numbers(self, *arguments):
        return [int(json.loads(line)["id"]) for line in self.tail("--json", *arguments)]

    def test_the_last_ones(self):
        self.write(*map(event, range(1, 30)))
        self.assertEqual(self.numbers(), list(range(20, 30)))
        self.assertEqual(self.numbers("-n", "2"), [28, 29])
        self.assertEqual(self.numbers("-n", "0"), [])
        self.assertEqual(self.numbers("-n", "100", "recipient=R?@u.*"), list(range(1, 10)))

    def test_conditions(self):
        self.write(event(1, event="failure", client={}), event(2, check="bad-helo", repairs=["a", "b"]), event(3, permanent=False))
        self.assertEqual(self.numbers("event=failure"), [1])
        self.assertEqual(self.numbers("client.addr=192.0.2.*"), [2, 3])
        self.assertEqual(self.numbers("check!=bad-helo"), [1, 3])
        self.assertEqual(self.numbers("repairs=b", "final.code=550"), [2])
        self.assertEqual(self.numbers("permanent=false"), [3])
        self.assertIn("MEMBER=PATTERN", self.fault(2, "tail", "event"))
        self.assertIn('did you mean "category"', self.fault(2, "tail", "categry=x"))

    def test_every_member_can_be_asked_for(self):
        schema = json.loads((SOURCE / "doc/event.schema.json").read_text())
        self.write(event(1))
        names = set()

        def walk(node, path):
            for name, inner in node.get("properties", {}).items():
                inner = schema["$defs"][inner["$ref"].rsplit("/", 1)[1]] if "$ref" in inner else inner
                if inner.get("properties"):
                    walk(inner, path + name + ".")
                else:
                    names.add(path + name)
            for part in ("allOf", "oneOf", "anyOf"):
                for inner in node.get(part, []):
                    walk(schema["$defs"][inner["$ref"].rsplit("/", 1)[1]] if "$ref" in inner else inner, path)
            for part in {"if", "then", "else"} & set(node):
                walk(node[part], path)

        walk(schema, "")
        self.assertIn("client.addr", names)
        for name in names - {"v", "time", "count"}:
            self.tail(f"{name}=x")

    def test_a_line(self):
        self.write(event(2, queue_id="4F1Q2", sender="", reference="KXYM2QRT", final={"code": 550, "status": "5.1.1", "text": "a\nb"}))
        line, = self.tail()
        self.assertRegex(line, r"^\w{3} .\d \d\d:\d\d:02 4F1Q2: refusal rcpt 550 5\.1\.1 user-unknown from=<> to=<r2@u\.example> ")
        self.assertTrue(line.endswith(r" client=c.example[192.0.2.2] door=milter reference=KXYM2QRT: a\nb"), line)

    def test_waits_for_the_log(self):
        process = subprocess.Popen([PROGRAM, "tail", "-c", self.policy, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            self.assertIn(b"No such file or directory: waiting for it", process.stderr.readline())
            self.write(event(1))
            self.assertEqual(int(json.loads(process.stdout.readline())["id"]), 1)
        finally:
            process.kill()
            process.communicate()

    def test_a_log_that_may_not_be_read(self):
        self.write(event(1))
        self.assertEqual(self.denied("tail", "--once"), f"replyctl: tail: {self.hint()}")

    def test_follows_through_rotation(self):
        self.write(event(1))
        process = subprocess.Popen([PROGRAM, "tail", "-c", self.policy, "--json"], stdout=subprocess.PIPE)
        try:
            self.assertEqual(int(json.loads(process.stdout.readline())["id"]), 1)
            self.write(event(2))
            self.assertEqual(int(json.loads(process.stdout.readline())["id"]), 2)
            os.rename(self.log, f"{self.log}.1")
            self.write(event(3))
            self.assertEqual(int(json.loads(process.stdout.readline())["id"]), 3)
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(TIMEOUT), 0)
        finally:
            process.kill()
            process.wait()
            process.stdout.close()
