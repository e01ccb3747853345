"""Nothing that befalls the daemon stops the mail, and no event of an answer that the milter door gave is lost."""

import os
import re
import threading
import time

import pytest
from harness import smtp
from harness.net import slow, wait_for

pytestmark = pytest.mark.threaded

# Each refusal carries the reference of its event, so a client can say later which events there must be.
POLICY = """
site = { reference = true; };
checks = (
  { name = "listed"; when = { recipient = "second@local.test"; };
    then = { code = 550; status = "5.7.1"; text = "Refused, reference %{reference}."; }; },
  { name = "subject"; when = { header = "Subject: *bad*"; };
    then = { code = 550; status = "5.7.1"; text = "Refused, reference %{reference}."; }; }
);
"""
BAD = "Subject: bad\r\n\r\nx\r\n"


def reference(reply):
    found = re.search(r"reference ([A-Za-z0-9]+)\.", reply.text)
    return found.group(1) if found else None


def assert_events(daemon, references):
    """Each of these references stands in an event."""
    assert references
    wait_for(
        lambda: set(references) <= {event.get("reference") for event in daemon.events()},
        lambda: f"events for {len(references)} references; there are {len(daemon.events())} events",
    )


class Load:
    """Clients that send mail until stopped: refused at RCPT, refused at the end, taken. Collects what was said to them."""

    def __init__(self, port, clients=4):
        self.port = port
        self.references, self.taken, self.others, self.errors = [], 0, [], []
        self.going = True
        self.threads = [threading.Thread(target=self._client) for _ in range(clients)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_error):
        self.going = False
        for thread in self.threads:
            thread.join()

    def _note(self, reply, expected):
        if reply.code == expected == 250:
            self.taken += 1
        elif reply.code == 550 and reference(reply):
            self.references.append(reference(reply))
        else:
            self.others.append(reply)

    def _client(self):
        while self.going:
            time.sleep(0.005)  # two processors are for the daemon and Postfix too
            try:
                with smtp.Smtp(self.port) as session:
                    session.ehlo()
                    for content, expected in ((BAD, 550), ("Subject: good\r\n\r\nx\r\n", 250)):
                        session.mail()
                        self._note(session.rcpt("second@local.test"), 550)
                        session.rcpt("user@local.test")
                        session.data()
                        self._note(session.message(content), expected)
                    session.quit()
            except Exception as error:
                self.errors.append(error)


def test_killed_in_mid_transaction(make_host):
    """With milter_default_action=accept the client notices nothing; what had been answered is on the log."""
    host = make_host(POLICY)
    with smtp.Smtp(host.port) as session:
        session.ehlo()
        session.mail()
        refused = session.rcpt("second@local.test")
        assert session.rcpt("user@local.test").code == 250
        before = host.daemon.events()
        host.daemon.kill()
        assert session.rcpt("third@local.test").code == 250
        assert session.data().code == 354
        assert session.message(BAD).code == 250
        session.quit()
    assert sorted(host.sink.wait_mail()[0].recipients) == ["third@local.test", "user@local.test"]
    assert reference(refused) in [
        event.get("reference") for event in before
    ], "the event is on the disk before the client has its reply"


def test_killed_in_mid_transaction_with_tempfail(make_host):
    host = make_host(POLICY, settings={"milter_default_action": "tempfail"})
    with smtp.Smtp(host.port) as session:
        session.ehlo()
        session.mail()
        session.rcpt("user@local.test")
        host.daemon.kill()
        assert session.rcpt("third@local.test").code == 451
    host.daemon.start()
    assert smtp.send(host.port)["end"].code == 250


def test_killed_again_and_again_under_load(make_host):
    host = make_host(POLICY)
    with Load(host.port) as load:
        for _ in range(5):
            time.sleep(slow(0.3))
            host.daemon.kill()
            time.sleep(0.05)
            host.daemon.start()
        time.sleep(slow(0.3))
    assert load.errors == []
    # Without the daemon everything is taken: nothing but 250 and our own 550 was said.
    assert [reply for reply in load.others if reply.code != 250] == []
    assert_events(host.daemon, load.references)


def test_socket_gone(make_host):
    host = make_host(POLICY)
    os.unlink(host.daemon.socket)
    got = smtp.send(host.port, recipients=["second@local.test"])
    assert got["end"].code == 250
    host.postfix.wait_log("connect to Milter service .*No such file or directory")


def full_disk(make_host, folder, events):
    return make_host(
        POLICY + f'log = {{ events = "{events}"; rate = 0; }};',
        # The log's folder is a file system of 64 KB, in a mount namespace of the daemon's own.
        wrapper=[
            "unshare",
            "-m",
            "sh",
            "-c",
            f'mount -t tmpfs -o size=64k,mode=777 none {folder} && exec "$@"',
            "sh",
        ],
    )


def test_event_log_on_a_full_disk(make_host, folder):
    """The mail goes on, the log says so, and when there is room again the log is written on, broken lines apart."""
    host = full_disk(make_host, folder, f"{folder}/events.jsonl")
    inside = f"/proc/{host.daemon.process.pid}/root{folder}"
    with open(f"{inside}/ballast", "wb") as file:
        try:
            file.write(b"x" * (1 << 20))
            file.flush()
        except OSError:
            pass
    references = []
    with smtp.Smtp(host.port) as session:
        session.ehlo()
        session.mail()
        for _ in range(100):
            reply = session.rcpt("second@local.test")
            assert reply.code == 550
            references.append(reference(reply))
        assert session.rcpt("user@local.test").code == 250
        session.data()
        assert session.message().code == 250
        session.quit()
    assert re.search(r"(?i)no space left|ENOSPC", host.daemon.errors())
    os.unlink(f"{inside}/ballast")
    host.daemon.hup()
    time.sleep(slow(0.5))
    last = reference(smtp.send(host.port, recipients=["second@local.test"])["rcpt"][0])
    with open(f"{inside}/events.jsonl", "rb") as file:
        wait_for(
            lambda: last.encode() in file.read() or file.seek(0),
            "the event after the disk had room again",
        )
        file.seek(0)
        assert file.read().endswith(b"\n")


def test_event_log_on_dev_full(make_host):
    host = make_host(POLICY + 'log = { events = "/dev/full"; rate = 0; };')
    began = time.monotonic()
    got = smtp.send(host.port, recipients=["second@local.test", "user@local.test"])
    assert [reply.code for reply in got["rcpt"]] == [550, 250] and got["end"].code == 250
    assert time.monotonic() - began < slow(5)


def test_log_file_removed_and_moved(make_host):
    """logrotate: moved, then SIGHUP; afterwards a new file has the new events and the old one the old."""
    host = make_host(POLICY)
    first = reference(smtp.send(host.port, recipients=["second@local.test"])["rcpt"][0])
    assert_events(host.daemon, [first])
    os.rename(host.daemon.events_path, host.daemon.events_path + ".1")
    host.daemon.reload()
    second = reference(smtp.send(host.port, recipients=["second@local.test"])["rcpt"][0])
    assert_events(host.daemon, [second])
    assert first not in [event.get("reference") for event in host.daemon.events()]


def test_a_thousand_hangups_under_load(make_host):
    host = make_host(POLICY)
    with Load(host.port) as load:
        for _ in range(1000):
            host.daemon.hup()
            time.sleep(slow(0.005))
        time.sleep(slow(0.3))
    assert load.errors == [] and load.others == []
    assert load.taken > 20 and len(load.references) > 40
    assert_events(host.daemon, load.references)
    assert host.daemon.is_alive()


@pytest.mark.parametrize("broken", ["checks = (", 'site = { hostnam = "x"; };', 'replies = { default = "shout"; };', "\0", None],
                         ids=["syntax", "unknown setting", "wrong value", "nul", "no file"])  # fmt: skip
def test_reload_with_a_broken_file_under_load(make_host, broken):
    """The old policy stays in force until a new one is whole."""
    host = make_host(POLICY)
    with Load(host.port, clients=2) as load:
        for _ in range(5):
            if broken is None:
                os.unlink(host.daemon.policy_path)
            else:
                host.daemon.write_policy(broken)
            host.daemon.reload()
            host.daemon.write_policy(POLICY)
    assert load.errors == [] and load.others == []
    assert_events(host.daemon, load.references)
    if broken is not None:
        assert re.search(rf"{re.escape(host.daemon.policy_path)}(:\d+)?: ", host.daemon.errors())


def test_a_new_policy_holds_for_new_sessions(make_host):
    host = make_host(POLICY)
    with smtp.Smtp(host.port) as old:
        old.ehlo()
        old.mail()
        assert old.rcpt("second@local.test").code == 550
        host.daemon.reload(POLICY.replace("second@", "third@"))
        assert (
            old.rcpt("third@local.test").code == 250
        ), "a session keeps the policy that it began with"
        with smtp.Smtp(host.port) as new:
            new.ehlo()
            new.mail()
            assert new.rcpt("second@local.test").code == 250
            assert new.rcpt("third@local.test").code == 550


def test_stop_drains(make_host):
    """On SIGTERM a message that is under way is finished first."""
    host = make_host(POLICY)
    with smtp.Smtp(host.port) as session:
        session.ehlo()
        session.mail()
        session.rcpt("user@local.test")
        session.data()
        ending = threading.Thread(target=host.daemon.stop)
        ending.start()
        time.sleep(slow(0.5))
        refused = session.message(BAD)
        assert refused.code == 550 and reference(refused)
        ending.join()
        # the same session goes on without us
        session.mail()
        assert session.rcpt("second@local.test").code == 250
        session.quit()
    assert_events(host.daemon, [reference(refused)])


def test_stop_does_not_wait_for_ever(make_host):
    host = make_host(POLICY + "limits = { stop_timeout = 2; };")
    with smtp.Smtp(host.port) as session:
        session.ehlo()
        session.mail()
        session.rcpt("user@local.test")
        began = time.monotonic()
        host.daemon.stop()
        assert time.monotonic() - began < slow(8)


def test_restarts_under_load(make_host):
    host = make_host(POLICY)
    with Load(host.port) as load:
        for _ in range(3):
            time.sleep(slow(0.4))
            host.daemon.stop()
            host.daemon.start()
        time.sleep(slow(0.3))
    assert load.errors == []
    assert [reply for reply in load.others if reply.code != 250] == []
    assert_events(host.daemon, load.references)
