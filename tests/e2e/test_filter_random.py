"""Mails, filters and sessions that nobody has thought of: for each of them clients, recipients and filters must see the same
with the filters attached to Postfix and with replymilter between. What has failed once is found again by its seed."""

import random

import pytest
from harness.filter import (
    ACCEPT,
    CONTINUE,
    DISCARD,
    REJECT,
    SKIP,
    TEMPFAIL,
    add_header,
    add_recipient,
    change_header,
    change_sender,
    delete_recipient,
    insert_header,
    nth,
    quarantine,
    replace_body,
    reply,
)
from harness.milter import (
    HDR_LEADSPC,
    NOBODY,
    NOCONNECT,
    NODATA,
    NOEOH,
    NOHDRS,
    NOHELO,
    NOMAIL,
    NORCPT,
    RCPT_REJ,
)
from harness.pair import KEEP, assert_same, mail

DIALOGS = 20  # of one seed
NAMES = ["Subject", "X-A", "x-a", "X-B", "To", "Message-ID"]
SENT = ["v", "1", " 2", "a\r\n\tb", "a\r\n  b\r\n c", "", "\tt"]
WANTED = ["v", "two words", "a\n\tb", "a\nb", "x" * 900, "", "h\u00e9", " lead", "trail ", "\ttab"]
BODIES = ["", "Hello.\r\n", "\r\n\r\n", "a\r\n" * 20000, "x" * 3000 + "\r\n"]
NEW_BODIES = ["new\r\n", "no end", "", "line\r\n" * 20000, "a\nb\n"]
RECIPIENTS = ["a@local.test", "b@local.test", "refused@elsewhere.test"]
FLAGS = [NOHDRS, NOBODY, NOEOH, NOHELO, NOCONNECT, NORCPT, NOMAIL, NODATA, RCPT_REJ]


class Invention:
    def __init__(self, seed):
        self.chance = random.Random(seed)
        self.one = self.chance.choice

    def perhaps(self, share):
        return self.chance.random() < share

    def message(self):
        count = self.chance.randrange(8)
        header = [
            f"{self.one(NAMES)}:{self.one([' ', ''])}{self.one(SENT)}\r\n" for _ in range(count)
        ]
        if self.perhaps(0.8):
            header.insert(0, "From: s@sender.test\r\n")
        return ("".join(header) + "\r\n" + self.one(BODIES)).encode()

    def dialog(self):
        steps = ["EHLO client.test"]
        for _ in range(self.one([1, 1, 2, 3])):
            recipients = self.chance.sample(RECIPIENTS, self.one([1, 2, 3]))
            sent = mail(*recipients, content=self.message())
            if self.perhaps(0.15):  # ends before DATA
                sent = sent[: self.chance.randrange(1, len(sent) - 1)]
            steps += [*sent, "RSET"]
        return [*steps, "QUIT"]

    def changes(self, last):
        """What a filter wants done. Postfix shows a mail that one of them holds to no other: only the last one does."""
        kinds = [
            lambda: add_header(self.one(NAMES), self.one(WANTED)),
            lambda: insert_header(self.chance.randrange(9), self.one(NAMES), self.one(WANTED)),
            lambda: change_header(self.chance.randrange(5), self.one(NAMES), self.one(WANTED)),
            lambda: change_header(self.chance.randrange(5), self.one(NAMES), ""),
            lambda: add_recipient(self.one(["<new@local.test>", "<a@local.test>"])),
            lambda: delete_recipient(self.one(["<new@local.test>", "<b@local.test>"])),
            lambda: change_sender(self.one(["<other@sender.test>", "<>"])),
        ]
        wanted = [self.one(kinds)() for _ in range(self.one([0, 0, 1, 2, 3, 6]))]
        if self.perhaps(0.3):  # Postfix takes one body, in one piece
            wanted.insert(
                self.chance.randrange(len(wanted) + 1), replace_body(self.one(NEW_BODIES))
            )
        if last and self.perhaps(0.1):
            wanted.append(quarantine("why"))
        return b"".join(wanted)

    def filter(self, last):
        script = {b"E": self.changes(last) + self.one([CONTINUE] * 5 + [ACCEPT])}
        if self.perhaps(0.2):
            script[self.one([b"M", b"R", b"T", b"L", b"N", b"B"])] = ACCEPT
        if self.perhaps(0.1):
            script[self.one([b"R", b"L", b"B"])] = SKIP
        if self.perhaps(0.15):
            refusals = [reply("550 5.7.1 no"), REJECT, TEMPFAIL, DISCARD, nth(2, REJECT)]
            script[self.one([b"M", b"R", b"L", b"N", b"B", b"E"])] = self.one(refusals)
        steps = HDR_LEADSPC if self.perhaps(0.5) else 0
        for flag in FLAGS:
            steps |= flag if self.perhaps(0.12) else 0
        return {"script": script, "steps": steps}


@pytest.mark.parametrize("seed", range(3))
def test_whatever_comes(shared_pair, seed):
    pair = shared_pair(KEEP)
    invention = Invention(seed)
    for number in range(DIALOGS):
        dialog = invention.dialog()
        wants = [invention.filter(last=False), invention.filter(last=True)]
        try:
            assert_same(pair.both(dialog, *wants))
        except (AssertionError, TimeoutError) as error:
            raise AssertionError(f"dialog {number}: {dialog}\n{wants}\n{error}") from error
