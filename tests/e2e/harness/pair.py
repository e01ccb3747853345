"""The same filters twice behind the same Postfix: attached directly, and with replymilter between.

Whatever a client says can be said at both ports; what it was told, what was delivered and what the filters were told is
kept, so that a test can ask for the same.
"""

import os
import re
import subprocess

from . import smtp
from .filter import Filter
from .net import slow, wait_for

STRANGER = "127.0.0.2"  # not of Postfix's own addresses, for whose mail it would add headers that are missing
# A policy that leaves replies as they are
KEEP = 'site = { reference = false; }; replies = { default = "keep"; };'
_QUEUES = ("maildrop", "incoming", "active", "deferred")
_QUEUE_ID = rb"[0-9A-F]{8,15}"


class Told:
    """One filter's view: `commands` of all its connections (letter, data), `macros` by letter of the last connection."""

    def __init__(self, sessions):
        self.sessions = sessions
        self.commands = [entry for session in sessions for entry in _commands(session)]

    def macros(self, letter):
        return self.sessions[-1].macros(letter) if self.sessions else {}

    @property
    def order(self):
        return b"".join(command for command, _ in self.commands)


def _commands(session):
    """All but macros and negotiation; the pieces of a body in one, the client's port left out."""
    commands = []
    for command, data in session.commands():
        if command == b"B" and commands and commands[-1][0] == b"B":
            commands[-1] = (b"B", commands[-1][1] + data)
        elif command == b"C":
            name, _, rest = data.partition(b"\0")
            commands.append((command, name + b"\0" + rest[:1] + rest[3:]))
        elif command != b"O":
            commands.append((command, data))
    return commands


class Seen:
    """What came of a dialog. `replies`: raw, in order, the last None if the server hung up; `mails`; `held`; `told`: one for each filter."""

    def __init__(self, replies, mails, held, told):
        self.replies = [
            reply and re.sub(rb"queued as " + _QUEUE_ID, b"queued as ID", reply)
            for reply in replies
        ]
        self.mails, self.held, self.told = mails, held, told

    def last(self):
        return [reply for reply in self.replies if reply][-1]


def talk(port, steps, **options):
    """Says each step and returns the raw replies, None where the server hung up. A step is a command (str), several of them
    at once (a list), or the content of a message (bytes), sent if DATA was answered with 354."""
    replies = []
    options = {"strict": False, "timeout": 8.0, "source": STRANGER} | options
    try:
        with smtp.Smtp(port, **options) as session:
            replies.append(session.banner.raw)
            for step in steps:
                if isinstance(step, bytes):
                    if replies[-1][:3] == b"354":
                        replies.append(_message(session, step))
                elif isinstance(step, list):
                    replies += [reply.raw for reply in session.pipeline(*step)]
                else:
                    replies.append(session.command(step).raw)
    except (smtp.Closed, ConnectionError):
        replies.append(None)
    return replies


def _message(session, content):
    session.socket.sendall(re.sub(rb"(?m)^\.", b"..", content) + b".\r\n")
    return session.reply("(message)").raw


def mail(
    *recipients, sender="s@sender.test", content=b"Subject: test\r\n\r\nHello.\r\n", options=""
):
    """The steps of one mail."""
    return [
        f"MAIL FROM:<{sender}>{options}",
        *(f"RCPT TO:<{recipient}>" for recipient in recipients or ("user@local.test",)),
        "DATA",
        content,
    ]


def delivered(found):
    """A mail without what differs from one delivery to the next: queue ids and times in what Postfix adds."""
    content = re.sub(rb"(?m)^(\tby mx\.test \(Postfix\) with \w+ id )" + _QUEUE_ID, rb"\1ID", found)
    return re.sub(
        rb"[A-Z][a-z]{2}, [ \d]\d [A-Z][a-z]{2} \d{4} [\d:]{8} \+0000 \(UTC\)", b"DATE", content
    )


class Pair:
    """A Postfix with the SMTP services `direct` and `wrapped` (ports), `count` filters behind each, one without, `plain`, and a `sink`.

    `policy` is the rest of the daemon's policy; `each` are further settings of the filters in it, one text for all or a list
    of one for each; `milters`: what the filters are, if not Filters of ours: [(replymilter's address, Postfix's address)].
    """

    def __init__(
        self,
        make,
        policy="",
        each="",
        count=2,
        inet=False,
        settings=None,
        milters=None,
        daemon=None,
    ):
        self.filters = [] if milters else [Filter(inet=inet) for _ in range(count)]
        self.sink = make.sink()
        self.postfix = make.postfix(relay=self.sink.port)
        self.postfix.settings.update(
            {"local_recipient_maps": "", "milter_default_action": "tempfail"}
        )
        self.postfix.settings.update(settings or {})
        self.addresses = milters or [(one.socket, one.postfix_socket) for one in self.filters]
        self.daemon = make.daemon(policy + self.section(each), tables=False, **(daemon or {}))
        self.direct = self.postfix.smtpd(
            smtpd_milters=" ".join(address for _, address in self.addresses)
        )
        self.wrapped = self.postfix.smtpd(smtpd_milters=f"unix:{self.daemon.socket}")
        self.plain = self.postfix.smtpd()

    def section(self, each=""):
        """The `filters` section of the policy."""
        settings = [each] * len(self.addresses) if isinstance(each, str) else each
        listed = ",\n".join(
            f'  {{ name = "filter{number}"; socket = "{address}"; {more} }}'
            for number, ((address, _), more) in enumerate(zip(self.addresses, settings), 1)
        )
        return f"\nfilters = (\n{listed}\n);\n"

    def start(self):
        self.daemon.start()
        self.postfix.start()
        return self

    def switch(self, policy, each=""):
        """Goes over to another policy, with the same filters; forgets what was seen."""
        self.daemon.switch(policy + self.section(each))
        self.daemon.forget_events()
        self.reset()

    def close(self):
        for thing in (self.postfix, self.daemon, self.sink, *self.filters):
            thing.close()

    def at_rest(self):
        """Is no mail under way? (What is held stays.)"""
        return not any(
            files
            for queue in _QUEUES
            for _, _, files in os.walk(os.path.join(self.postfix.queue, queue))
        )

    def say(self, port, steps, *wants, **options):
        """Says the steps at the port while the filters are as `wants` says: for each Filter.reset()'s arguments."""
        self.reset(*wants)
        replies = talk(port, steps, **options)
        told = [Told(one.settle()) for one in self.filters]
        wait_for(
            self.at_rest,
            lambda: f"the queue to come to rest: {self.postfix.queued()}",
            step=0.005,
        )
        mails = sorted(self.sink.mails, key=lambda got: (got.recipients, delivered(got.content)))
        return Seen(replies, mails, self.take_held(), told)

    def reset(self, *wants):
        for number, one in enumerate(self.filters):
            want = wants[number] if number < len(wants) else {}
            one.reset(
                **want
                if set(want) <= {"script", "steps", "actions", "macros", "version"}
                else {"script": want}
            )
        del self.sink.mails[:]

    def take_held(self):
        """The contents of the mails on hold, as they are in the queue file; they are removed."""
        names = [
            name
            for _, _, files in os.walk(os.path.join(self.postfix.queue, "hold"))
            for name in files
        ]
        held = []
        for name in names:
            command = [
                os.path.join(self.postfix.tree.commands, "postcat"),
                "-c",
                self.postfix.config,
                "-q",
                "-bh",
                name,
            ]
            said = subprocess.run(
                command,
                env=self.postfix.tree.environment(),
                capture_output=True,
                check=True,
                timeout=slow(20),
            )
            held.append(delivered(said.stdout))
        if names:
            self.postfix.run("postsuper", "-d", "ALL", "hold")
        return sorted(held)

    def both(self, steps, *wants, **options):
        """The same at both ports: (direct, wrapped)."""
        return tuple(
            self.say(port, steps, *wants, **options) for port in (self.direct, self.wrapped)
        )


def mails(seen):
    """All that was delivered, in order: envelope and content."""
    return [(got.envelope, delivered(got.content)) for got in seen.mails]


def told(view):
    """What a filter was told, without ABORT and QUIT: how often Postfix says these is a matter of its own."""
    return [entry for entry in view.commands if entry[0] not in b"AQK"]


def assert_same(seen, all_told=True):
    """Client, recipients and filters saw the same, directly attached or not: `seen` is what Pair.both() gave."""
    direct, wrapped = seen
    assert wrapped.replies == direct.replies
    assert mails(wrapped) == mails(direct)
    assert wrapped.held == direct.held
    for ours, theirs in zip(wrapped.told, direct.told):
        assert not all_told or told(ours) == told(theirs)
