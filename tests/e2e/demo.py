"""The demonstration behind scripts/demo: one mail server without replymilter, the same one with it, and what each says.

It is written for an administrator who has never seen replymilter. Nothing shown is made up: each reply is what came over
the wire, each event is a line of the event log, each bounce is what Postfix delivered.
"""

import contextlib
import os
import re
import shutil
import subprocess
import sys
import textwrap

from harness import smtp
from harness.postfix import INSIDER, Postfix
from harness.replymilter import Replymilter, program, replyctl
from harness.sink import Sink

WIDTH = min(80, shutil.get_terminal_size((80, 24)).columns)
COLOUR = sys.stdout.isatty() and "NO_COLOR" not in os.environ

POLICY = """\
site = {
  hostname = "mx.test";
  help_url = "https://help.example.net/mail/%{status}";
  contact  = "postmaster@example.net";
  reference = true;
};
replies = {
  default = "annotate";
  rules = (
    { name = "strangers";
      when = { category = "relay-denied"; };
      then = { text = [ "We take mail for local.test only.",
                        "Our own users log in first, on port 587. %{help_url}" ]; }; }
  );
};
checks = (
  { name = "bad-helo";
    when = { helo = "/^localhost$/i"; client = "!127.0.0.9"; };
    then = { code = 550; status = "5.7.1";
             text = [ "HELO localhost is not yours to use.",
                      "Configure your server to say its own full name." ]; }; },
  { name = "moved";
    when = { recipient = "old@local.test"; };
    then = { code = 551; status = "5.1.6";
             text = [ "This mailbox has moved to new@local.test.",
                      "Please write there, and correct your address book.",
                      "Reference %{reference}; more at %{help_url}" ]; }; }
);
"""

# What the administrator adds to main.cf; the paths are relative to Postfix's queue folder, so they serve a
# chrooted smtpd as well.
WITH_REPLYMILTER = {
    "smtpd_milters": "unix:run/replymilter.sock",
    "smtpd_reject_footer_maps": "socketmap:unix:run/replymilter-tables.sock:footer",
    "default_delivery_status_filter": "socketmap:unix:run/replymilter-tables.sock:delivery",
}
PARTNER_SAYS = b"550 5.7.1 <sales@partner.test> no such mailbox here"


def paint(text, code):
    return f"\033[{code}m{text}\033[0m" if COLOUR else text


def heading(text):
    print("\n" + paint(text, "1"))
    print(paint("-" * len(text), "1"))


def prose(text):
    print(textwrap.fill(" ".join(text.split()), WIDTH))


def lines(label, texts, colour):
    """Lines of a reply or a mail behind a label, folded so that a fold cannot be taken for a line."""
    for text in texts:
        folds = textwrap.wrap(
            text, WIDTH - 12, break_on_hyphens=False, subsequent_indent="    "
        ) or [""]
        for fold in folds:
            print(f"  {paint(f'{label:<8}', colour)}  {fold}")
            label = ""


def without(texts):
    lines("without", texts, "31")


def with_it(texts):
    lines("with", texts, "32")


def key_value(pairs):
    for name, value in pairs:
        if value not in (None, "", [], {}):
            folds = textwrap.wrap(str(value), WIDTH - 20, break_on_hyphens=False) or [""]
            print(f"  {name:<16}  {folds[0]}")
            for fold in folds[1:]:
                print(" " * 20 + fold)


class Stage:
    """The two mail servers, the partner's server, and the daemon."""

    def __init__(self, stack):
        self.sink = stack.enter_context(Sink(refusals={"sales@partner.test": PARTNER_SAYS}))
        ways = {
            "partner.test": self.sink.port,
            "sender.test": self.sink.port,
            "staff.test": self.sink.port,
        }
        self.bounces = 0
        settings = {
            "smtpd_helo_required": "yes",
            "local_recipient_maps": "inline:{ user=x, old=x }",
        }
        self.plain = Postfix(settings, relay=self.sink.port, sinks=ways)
        stack.callback(self.plain.close)
        # Before, the moved mailbox was refused in Postfix, in the way Postfix has for it.
        self.plain_port = self.plain.smtpd(
            smtpd_recipient_restrictions="check_recipient_access inline:{ { old@local.test = REJECT } }"
        )
        self.plain.start()

        self.full = Postfix(settings | WITH_REPLYMILTER, relay=self.sink.port, sinks=ways)
        stack.callback(self.full.close)
        self.full_port = self.full.smtpd()
        self.daemon = Replymilter(POLICY, run=os.path.join(self.full.queue, "run"))
        stack.callback(self.daemon.close)
        self.daemon.start()
        self.full.start()

    def both(self, **mail):
        """The same mail to both servers: the last reply of each, as lines."""
        for show, port in ((without, self.plain_port), (with_it, self.full_port)):
            got = smtp.send(port, **mail)
            last = got["end"] or (got["rcpt"] or [got["mail"]])[-1]
            show(last.wire_lines)

    def bounce(self, port):
        """Sends a mail that the partner refuses; returns the delivery status notification that comes back."""
        self.bounces += 1
        smtp.send(port, sender="ann@staff.test", recipients=["sales@partner.test"], source=INSIDER)
        return self.sink.wait_mail(self.bounces, recipient="ann@staff.test")[-1].text


def show_setup(stage):
    heading("What is set up")
    prose(
        f"""Two private copies of Postfix {stage.plain.tree.version_text} run on 127.0.0.1, alike but for three lines
        that the second one has in its main.cf:"""
    )
    print()
    for name, value in WITH_REPLYMILTER.items():
        print(f"  {name} =\n      {value}")
    print("\nThe policy file of replymilter (the real one is /etc/replymilter.conf):\n")
    print(textwrap.indent(POLICY.rstrip(), "  "))


def show_refusals(stage):
    heading("1. Mail for a mailbox that does not exist")
    print("  RCPT TO:<jane@local.test>\n")
    stage.both(recipients=["jane@local.test"])

    heading("2. A stranger wants to relay")
    print("  RCPT TO:<someone@elsewhere.test>\n")
    stage.both(recipients=["someone@elsewhere.test"])

    heading("3. A client that calls itself localhost (a check of our own)")
    print("  EHLO localhost\n")
    stage.both(helo="localhost")

    heading("4. A mailbox that has moved: several lines, a reference, a help page")
    print("  RCPT TO:<old@local.test>\n")
    stage.both(recipients=["old@local.test"])


def interesting(bounce):
    """The lines of a bounce that its reader and a machine look at."""
    human = re.search(r"<sales@partner\.test>:.*?(?=\n\n)", bounce, re.DOTALL)
    fields = re.findall(r"(?m)^(?:Action|Status|Diagnostic-Code): .*(?:\n[ \t].*)*", bounce)
    return [" ".join(text.split()) for text in ([human.group()] if human else []) + fields]


def show_bounce(stage):
    heading("5. Outgoing mail that a partner's server refuses with the wrong code")
    print("  The partner's server answers RCPT TO:<sales@partner.test> with\n")
    lines("partner", [PARTNER_SAYS.decode()], "33")
    print("\n  and this stands in the bounce that the sender gets:\n")
    without(interesting(stage.bounce(stage.plain_port)))
    print()
    with_it(interesting(stage.bounce(stage.full_port)))


def one_line(part):
    """A reply in an event, as one line."""
    if not part:
        return None
    text = part.get("text")
    text = (
        " / ".join(text)
        if isinstance(text, list)
        else (text or "").replace("\n", " / ").replace("\r", "")
    )
    return " ".join(str(word) for word in (part.get("code"), part.get("status"), text) if word)


def show_event(event):
    client = event.get("client") or {}
    key_value(
        [
            ("time", event.get("time")),
            ("door, stage", " ".join(filter(None, (event.get("door"), event.get("stage"))))),
            ("client", " ".join(filter(None, (client.get("addr"), client.get("helo"))))),
            ("recipient", event.get("recipient")),
            ("category", f"{event.get('category')} (confidence: {event.get('confidence')})"),
            ("permanent", {True: "yes", False: "no"}.get(event.get("permanent"))),
            ("what to do", event.get("action")),
            ("original", one_line(event.get("original"))),
            ("final", one_line(event.get("final")) if event.get("changed") else None),
            ("rule", event.get("rule")),
            ("check", event.get("check")),
            ("reference", event.get("reference")),
            ("joins", event.get("joins")),
        ]
    )


def show_events(stage):
    heading("6. What the event log says about all this")
    stage.daemon.wait_event(door="delivery")
    events = stage.daemon.events()
    prose(f"{len(events)} events, one JSON object a line, were written. The main fields of each:")
    for event in events:
        print()
        show_event(event)
    print("\nThe last of them as it stands in the file:\n")
    print(stage.daemon.raw_events().decode().splitlines()[-1])


def show_command(command, argument, most=None):
    print(f"\n$ replyctl {command} '{argument}'\n")
    said = replyctl(command, argument).stdout.rstrip().splitlines()
    print(textwrap.indent("\n".join(said[:most]), "  "))
    if most and len(said) > most:
        print(f"  (and {len(said) - most} lines more)")


def show_explanation():
    heading("7. What is wrong with a reply, and what does it mean?")
    show_command("lint", "550 4.7.1 no")
    show_command("explain", PARTNER_SAYS.decode(), most=28)


def main():
    version = subprocess.run(
        [program("replymilter"), "-V"], check=True, text=True, capture_output=True
    ).stdout.strip()
    with contextlib.ExitStack() as stack:
        stage = Stage(stack)
        print(paint(f"\n{version}, beside a Postfix: the same mail without it and with it", "1"))
        show_setup(stage)
        show_refusals(stage)
        show_bounce(stage)
        show_events(stage)
        show_explanation()
    print("\nDone. Both Postfixes and replymilter have been stopped, and their folders removed.")


if __name__ == "__main__":
    main()
