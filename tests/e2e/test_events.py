"""The event log: its promises as doc/events.md makes them."""

import json
import os
import re
import socket
import time

import pytest
from harness import smtp
from harness.net import slow
from harness.replymilter import check_event

CHECK = (
    'checks = ( { name = "no"; when = { recipient = "second@local.test"; }; then = { code = 550; status = "5.7.1"; '
    'text = "Not %{recipient} for %{sender} at %{client_addr}."; }; } );\n'
)
FIELDS = "v time id event door stage client sender recipient final changed category permanent action confidence".split()


def refuse(host, count=1, **mail):
    with smtp.Smtp(host.port, source=mail.get("source", "127.0.0.1")) as session:
        session.ehlo()
        session.mail("someone@sender.test")
        for _ in range(count):
            assert session.rcpt("second@local.test").code == 550
        session.quit()


def test_fields(shared_host):
    host = shared_host(CHECK)
    refuse(host)
    event = host.daemon.wait_event(door="milter")
    assert [name for name in FIELDS if name not in event] == []
    assert event["v"] == 1 and event["changed"] in (True, False)
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", event["time"])


@pytest.mark.parametrize(
    "addresses, client", [("plain", "plain"), ("domain", "prefix"), ("hashed", "hashed")]
)
def test_privacy_covers_every_field(make_host, folder, addresses, client):
    with open(f"{folder}/key", "w", encoding="ascii") as file:
        file.write("0123456789abcdef0123456789abcdef\n")
    os.chmod(f"{folder}/key", 0o600)
    host = make_host(
        CHECK, log=f'addresses = "{addresses}"; client = "{client}"; key_file = "{folder}/key";'
    )
    refuse(host, source="127.0.0.77")
    smtp.send(
        host.port,
        sender="someone@sender.test",
        recipients=["second2@local.test"],
        source="127.0.0.77",
    )
    host.daemon.wait_events(3)
    raw = host.daemon.raw_events().decode()
    assert ("someone@sender.test" in raw) == (addresses == "plain")
    assert ("second@local.test" in raw) == (addresses == "plain")
    assert ("someone" in raw) == (addresses == "plain")
    assert ("127.0.0.77" in raw) == (client == "plain")
    if addresses == "domain":
        assert "sender.test" in raw


def test_rate_limit_is_counted(make_host):
    host = make_host(CHECK, doors=["milter"])
    host.daemon.stop()
    host.daemon.write_policy(
        CHECK + f'log = {{ events = "{host.daemon.events_path}"; rate = 10; }};'
    )
    host.daemon.start()
    refuse(host, 200)
    time.sleep(slow(1.5))
    refuse(host)
    time.sleep(slow(1.5))
    lines = [json.loads(line) for line in host.daemon.raw_events().splitlines()]
    assert len(lines) < 100
    assert any(
        re.search(r"\d", json.dumps(line)) and line.get("event") not in ("refusal",)
        for line in lines
    ), "no summary of what was left out"


def test_standard_output(make_host):
    host = make_host(CHECK + 'log = { events = "stdout"; rate = 0; };', doors=["milter"])
    refuse(host)
    time.sleep(slow(0.3))
    lines = [json.loads(line) for line in host.daemon.errors().splitlines() if line.startswith("{")]
    assert [line["recipient"] for line in lines] == ["second@local.test"]


class Syslog:
    """A syslog daemon's socket. A process that wrapper() starts has it as /dev/log, in a /dev of its own."""

    def __init__(self, folder):
        self.dev = f"{folder}/dev"
        os.mkdir(self.dev)
        for name in ("null", "random", "urandom"):
            open(f"{self.dev}/{name}", "w", encoding="ascii").close()
        self.socket = None
        self.start()

    def wrapper(self):
        script = """
            for name in null random urandom; do mount --bind "/dev/$name" "$0/$name" || exit; done
            mount --rbind "$0" /dev && exec "$@"
        """
        return ["unshare", "--mount", "sh", "-c", script, self.dev]

    def start(self):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(f"{self.dev}/log")
        self.socket.settimeout(slow(10))

    def stop(self):
        self.socket.close()
        os.unlink(f"{self.dev}/log")

    def message(self):
        """The next one as (priority, program, text)."""
        said = self.socket.recv(65536)
        return re.fullmatch(
            rb"<(\d+)>\w{3} [\d ]\d \d\d:\d\d:\d\d (\w+)(?:\[\d+\])?: (.*)", said
        ).groups()

    def event(self):
        """The next one, which is an event of facility local3 and severity info, as doc/events.md says."""
        priority, program, text = self.message()
        assert (priority, program) == (b"158", b"replymilter")
        event = json.loads(text)
        check_event(event)
        return event


TO_SYSLOG = CHECK + 'log = { events = "syslog"; syslog = "local3"; rate = 0; };'


def test_syslog(make_host, folder):
    syslog = Syslog(folder)
    host = make_host(TO_SYSLOG, wrapper=syslog.wrapper())
    refuse(host)
    event = syslog.event()
    assert (event["door"], event["recipient"]) == ("milter", "second@local.test")
    assert event["final"]["text"].startswith("Not second@local.test for someone@sender.test")
    assert smtp.send(host.port, recipients=["nouser@local.test"])["rcpt"][0].code == 550
    events = [syslog.event(), syslog.event()]
    assert {event["door"] for event in events} == {"milter", "footer"}
    assert [event["joins"] for event in events if "joins" in event] in (
        [events[0]["id"]],
        [events[1]["id"]],
    )
    # SIGHUP has no file to open anew, and does no harm
    host.daemon.reload()
    refuse(host, 3)
    assert [syslog.event()["recipient"] for _ in range(3)] == ["second@local.test"] * 3
    assert host.daemon.raw_events() == b""


def test_syslog_that_is_gone_for_a_while(make_host, folder):
    """Its socket is new when it is back. What was lost meanwhile is counted; the mail goes on."""
    syslog = Syslog(folder)
    host = make_host(TO_SYSLOG, wrapper=syslog.wrapper(), doors=["milter"])
    refuse(host)
    before = syslog.event()
    syslog.stop()
    refuse(host)
    assert smtp.send(host.port)["end"].code == 250
    syslog.start()
    refuse(host)
    lost, after = sorted((syslog.event(), syslog.event()), key=lambda event: event["event"], reverse=True)
    assert (lost["event"], lost["count"], lost["reason"]) == ("suppressed", 1, "sink")
    assert "No such file or directory" in host.daemon.errors()
    assert before["recipient"] == after["recipient"] and before["id"] < after["id"]


def test_ids_are_unique_and_in_order(shared_host):
    host = shared_host(CHECK, doors=["milter"])
    refuse(host, 50)
    identifiers = [event["id"] for event in host.daemon.wait_events(50)]
    assert len(set(identifiers)) == 50
    assert all(len(identifier) == 26 for identifier in identifiers)


def test_two_like_refusals_do_not_join(make_host):
    """With two candidates there is no join: rather none than a wrong one."""
    host = make_host("site = { reference = true; };")
    with smtp.Smtp(host.port) as first, smtp.Smtp(host.port) as second:
        for session in (first, second):
            session.ehlo()
            session.mail()
        for session in (first, second):
            session.rcpt("nouser@local.test")
    events = host.daemon.wait_events(4)
    joins = [event["joins"] for event in events if event.get("joins")]
    assert len(joins) == len(set(joins)) and set(joins) <= {event["id"] for event in events}
