"""Whatever befalls a filter: `on_failure` holds, in time; no mail is lost or comes twice; nothing of it stays in the daemon."""

import os
import random
import struct
import threading
import time

import pytest
from harness.alone import Dns, run_alone
from harness.filter import (
    CONTINUE,
    REJECT,
    Filter,
    add_header,
    after,
    cut,
    die,
    drip,
    hang,
    nth,
    replace_body,
    reply,
)
from harness.milter import packet
from harness.net import slow, wait_for
from harness.pair import KEEP, mail, talk

pytestmark = pytest.mark.threaded

HELLO = "EHLO client.test"
DIALOG = [HELLO, *mail("a@local.test"), "QUIT"]
SECONDS = slow(0.5)  # what the first filter may take; the second may take what the machine needs
STAGES = {
    b"O": "negotiation",
    b"C": "connect",
    b"M": "mail",
    b"R": "rcpt",
    b"L": "header",
    b"B": "body",
    b"E": "end of message",
}
CHANGES = add_header("X-First", "1") + replace_body("the first filter's body\r\n")
FAILURES = {
    "dies": die,
    "hangs": hang,
    "unknown answer": packet(b"!"),
    "endless packet": struct.pack(">I", 0xFFFFFFFF) + b"c" * 100,
    "empty packet": struct.pack(">I", 0),
    "random octets": bytes(random.Random(4).randrange(256) for _ in range(4096)),
    "an answer cut": cut(CONTINUE[:3]),
    "changes and the end": cut(CHANGES),
    "changes and silence": lambda session, data: session.write(CHANGES) or hang(session, data),
    "a change that is broken": packet(b"h", b"X-First") + CONTINUE,
    "a change of nothing": packet(b"m", struct.pack(">I", 1) + b"\0\0") + CONTINUE,
}
AT_THE_END = {
    "changes and the end",
    "changes and silence",
    "a change that is broken",
    "a change of nothing",
}
QUICK = [name for name in FAILURES if name not in ("hangs", "changes and silence")]
HEALTHY = {b"E": add_header("X-Second", "2") + CONTINUE}


def each(on_failure):
    first = f'timeout = {SECONDS}; connect_timeout = {SECONDS}; on_failure = "{on_failure}";'
    return [first, "timeout = 60.0;"]


@pytest.fixture
def pair(shared_pair):
    return lambda on_failure="tempfail": shared_pair(KEEP, each(on_failure))


def descriptors(pair):
    return len(os.listdir(f"/proc/{pair.daemon.process.pid}/fd"))


def assert_outcome(seen, on_failure):
    """One mail, or a refusal of the kind that was wished for; nothing in between."""
    codes = [line[:1] for line in seen.replies if line]
    if on_failure == "accept":
        assert set(codes) <= {b"2", b"3"}, seen.replies
        assert (
            len(seen.mails) == 1
            and "X-First" not in seen.mails[0].text
            and "Hello." in seen.mails[0].text
        )
        assert "X-Second: 2" in seen.mails[0].text
    else:
        expected = b"4" if on_failure == "tempfail" else b"5"
        assert next(code for code in codes if code in b"45") == expected, seen.replies
        assert seen.mails == []


def assert_well(pair):
    """With the next connection the filter is back."""
    seen = pair.say(pair.wrapped, DIALOG, {b"E": CHANGES + CONTINUE}, HEALTHY)
    assert len(seen.mails) == 1, seen.replies
    assert "X-First: 1" in seen.mails[0].text and "the first filter's body" in seen.mails[0].text


@pytest.mark.parametrize("on_failure", ["tempfail", "accept", "reject"])
@pytest.mark.parametrize("stage", STAGES, ids=STAGES.values())
def test_a_failure(pair, stage, on_failure):
    """Each way to fail, at each stage; one that has taken its time only is none."""
    host = pair(on_failure)
    assert_well(host)
    before = descriptors(host)
    names = QUICK if stage != b"E" else [*QUICK, "changes and silence"]
    if on_failure == "tempfail" or stage == b"R":
        names = [*names, "hangs"]
    for name in names:
        if name in AT_THE_END and stage != b"E":
            continue
        try:
            began = time.monotonic()
            assert_outcome(
                host.say(host.wrapped, DIALOG, {stage: FAILURES[name]}, HEALTHY), on_failure
            )
            assert time.monotonic() - began < SECONDS + slow(3)
        except AssertionError as error:
            raise AssertionError(f"{name}: {error}") from error
    assert_well(host)
    wait_for(
        lambda: descriptors(host) <= before,
        lambda: f"{before} descriptors; there are {descriptors(host)}",
    )
    if stage != b"O":
        assert host.daemon.events(filter="filter1"), "a failure is told"


def test_at_each_octet(pair):
    """A filter whose connection ends after any number of octets of its answer has failed, whole or not at all."""
    host = pair("accept")
    answer = add_header("X-First", "1") + CONTINUE
    for count in range(len(answer)):
        seen = host.say(host.wrapped, DIALOG, {b"E": cut(answer[:count])}, HEALTHY)
        assert_outcome(seen, "accept")
    assert_well(host)


def test_slow_but_alive(pair):
    """An answer in pieces, and one that comes late with PROGRESS before it, are answers."""
    host = pair("reject")
    late = packet(b"p")

    def progress(session, _data):
        for _ in range(3):
            time.sleep(SECONDS * 0.6)
            session.write(late)
        return add_header("X-First", "1") + CONTINUE

    for answer in (drip(add_header("X-First", "1") + CONTINUE, 0.002), progress):
        seen = host.say(host.wrapped, DIALOG, {b"E": answer}, HEALTHY)
        assert len(seen.mails) == 1 and "X-First: 1" in seen.mails[0].text, seen.replies


@pytest.mark.parametrize("stage", [b"M", b"R", b"E"], ids=lambda stage: STAGES[stage])
def test_answers_twice(pair, stage):
    """What comes unasked is not the answer to what is asked next."""
    host = pair("tempfail")
    for answer in (
        CONTINUE + CONTINUE,
        CONTINUE + REJECT,
        reply("550 5.7.1 No.") + CONTINUE,
        CONTINUE * 100,
    ):
        seen = host.say(
            host.wrapped,
            [HELLO, *mail("a@local.test"), *mail("b@local.test"), "QUIT"],
            {stage: answer},
            HEALTHY,
        )
        refusals = [line for line in seen.replies if line and line.startswith(b"550")]
        assert b"550" in answer or refusals == [], seen.replies
        assert len(seen.mails) == sum(
            line.startswith(b"250 2.0.0 Ok: queued") for line in seen.replies if line
        )
    assert_well(host)


def test_gone_and_back(pair):
    """The socket gone, a socket nobody listens at, and a filter that is back: it joins at the next connection."""
    for on_failure in ("tempfail", "accept", "reject"):
        host = pair(on_failure)
        first = host.filters[0]
        for unlink in (True, False):
            first.shut(unlink=unlink)
            for _ in range(8):  # enough to be remembered as one that is down
                assert_outcome(host.say(host.wrapped, DIALOG, {}, HEALTHY), on_failure)
            first.open()
            assert_well(host)


def test_nobody_home(make_pair):
    """Filters that take a connection and say nothing are waited for at the same time."""
    host = make_pair(
        KEEP, f'timeout = {SECONDS}; connect_timeout = {SECONDS}; on_failure = "accept";', count=4
    ).start()
    began = time.monotonic()
    seen = host.say(host.wrapped, DIALOG, *[{b"O": hang}] * 4)
    assert len(seen.mails) == 1, seen.replies
    assert time.monotonic() - began < 2 * SECONDS + slow(2)


def test_a_mail_that_kills(pair):
    """A mail that kills a scanner each time never gets past it, and does not stop other mail."""
    host = pair("tempfail")
    killing = {
        b"B": lambda session, data: session.close() if b"deadly" in data else CONTINUE,
        b"E": CHANGES + CONTINUE,
    }
    for _ in range(12):
        seen = host.say(
            host.wrapped,
            [HELLO, *mail("a@local.test", content=b"Subject: x\r\n\r\ndeadly\r\n")],
            killing,
            HEALTHY,
        )
        assert seen.mails == [] and seen.replies[-1].startswith(b"4")
    assert_well(host)


def test_the_daemon_ends_meanwhile(make_pair):
    """It does not wait for a filter that hangs, and leaves no connection behind."""
    host = make_pair(KEEP + " limits = { stop_timeout = 1; };", "timeout = 30.0;").start()
    host.reset({b"R": hang})
    client = threading.Thread(target=talk, args=(host.wrapped, DIALOG), kwargs={"timeout": 40})
    client.start()
    wait_for(
        lambda: host.filters[0].sessions and host.filters[0].sessions[0].commands(b"R"),
        "the recipient to reach the filter",
    )
    began = time.monotonic()
    host.daemon.stop()
    assert time.monotonic() - began < slow(10)
    client.join()
    host.filters[0].settle()


def test_reload_with_filters(pair):
    """A connection keeps the filters that it began with; other connections have the new ones; none is kept for ever."""
    host = pair("tempfail")
    before = descriptors(host)
    for turn in range(10):
        host.daemon.reload(KEEP + host.section(f"timeout = {30 + turn}.0;"))
        assert_well(host)
    wait_for(
        lambda: descriptors(host) <= before,
        lambda: f"{before} descriptors; there are {descriptors(host)}",
    )


MOODS = [
    CONTINUE,
    CONTINUE,
    die,
    cut(b"\0\0"),
    packet(b"!"),
    after(0.05, CONTINUE),
    drip(CONTINUE, 0.001),
]


def test_fifty_at_once(pair):
    """Fifty clients, several mails each, filters that fail in all ways at random: each mail that was taken arrives once."""
    host = pair("accept")
    assert_well(host)
    before = descriptors(host)
    chance = random.Random(50)

    def moody(session, data):
        mood = chance.choice(MOODS)
        return mood(session, data) if callable(mood) else mood

    host.reset({letter: moody for letter in (b"C", b"M", b"R", b"L", b"B", b"E")}, HEALTHY)
    taken, problems = [], []

    def client(number):
        names = [f"c{number}m{turn}@local.test" for turn in range(3)]
        steps = [HELLO, *(step for name in names for step in mail(name)), "QUIT"]
        try:
            replies = talk(host.wrapped, steps, timeout=60)
            ends = [line for line in replies if line and b": queued as" in line]
            if len(ends) != 3 or None in replies:
                problems.append(replies)
            taken.extend(names)
        except Exception as error:
            problems.append(error)

    threads = [threading.Thread(target=client, args=(number,)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    wait_for(host.at_rest, "the queue to come to rest", seconds=30)
    arrived = sorted(recipient for got in host.sink.mails for recipient in got.recipients)
    assert arrived == sorted(taken)
    assert all("X-Second: 2" in got.text for got in host.sink.mails)
    for one in host.filters:
        one.settle()
    wait_for(
        lambda: descriptors(host) <= before + 2,
        lambda: f"{before} descriptors; there are {descriptors(host)}",
    )
    assert host.daemon.is_alive()


def test_second_recipient_only(pair):
    """A filter that fails at the second recipient: the rest of the connection is as on_failure says."""
    host = pair("tempfail")
    steps = [
        HELLO,
        *mail("a@local.test", "b@local.test", "c@local.test"),
        "RSET",
        *mail("d@local.test"),
        "QUIT",
    ]
    seen = host.say(host.wrapped, steps, {b"R": nth(2, packet(b"!"))}, HEALTHY)
    assert seen.mails == [] and seen.replies[4][:1] == b"4", seen.replies
    assert_well(host)


def test_name_servers_that_do_not_answer(make_pair):
    """Nobody waits for them longer than for the filter, and what they said once stays in use."""
    name = "filter.example"

    def alone():
        with open("/etc/resolv.conf", "w", encoding="ascii") as file:
            file.write(f"nameserver 127.0.0.1\noptions timeout:{int(slow(1))} attempts:1\n")
        dns = Dns({name: ("127.0.0.1", None)})
        dns.silent = True
        far = Filter({b"E": add_header("X-Far", "1") + CONTINUE}, inet=True)
        address = (f"inet:{far.port}@{name}", far.postfix_socket)
        pair = make_pair(KEEP, f"connect_timeout = {slow(0.3)};", milters=[address])
        pair.start()
        try:
            said = talk(pair.wrapped, DIALOG)
            assert said[2][:4] == b"451 ", said
            failure = pair.daemon.wait_event(event="filter-failure")["reason"]
            # "in time", or what the resolver said when it gave up: whichever is first.
            assert "its host is not found" in failure, failure
            dns.silent = False
            wait_for(
                lambda: pair.say(pair.wrapped, DIALOG).mails, "the filter to be found", step=0.2
            )
            dns.silent = True
            (arrived,) = pair.say(pair.wrapped, DIALOG).mails
            assert "X-Far: 1" in arrived.text
        finally:
            pair.close()
            far.close()

    run_alone(alone)
