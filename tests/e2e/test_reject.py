"""The reject table on a Postfix that has it (3.11 and newer): scripts/test-postfix runs these."""

import pytest
from harness import smtp

pytestmark = pytest.mark.postfix("3.11")

POLICY = """
site = { help_url = "https://help.test/%{status}"; reference = true; };
replies = { rules = (
  { name = "nobody"; when = { category = "user-unknown"; };
    then = { mode = "replace"; code = 550; status = "5.1.1"; text = [ "No mailbox %{recipient}, $5, 100%.", "Reference %{reference}" ]; }; },
  { name = "later"; when = { category = "relay-denied"; };
    then = { mode = "replace"; code = 450; status = "4.7.1"; text = "Not now."; change_class = true; }; }
); };
checks = ( { name = "c"; when = { recipient = "third@local.test"; }; then = { code = 550; status = "5.7.1"; text = [ "one", "two" ]; }; } );
"""


@pytest.mark.parametrize("chroot", [False, True], ids=["plain", "chroot"])
@pytest.mark.parametrize(
    "doors", [["reject"], ["reject", "footer"], ["milter", "reject", "footer"]], ids="-".join
)
def test_replies_are_replaced(make_host, doors, chroot):
    host = make_host(POLICY, doors=doors, chroot=chroot)
    got = smtp.send(
        host.port,
        recipients=["nouser@local.test", "x@else.test", "third@local.test", "user@local.test"],
    )["rcpt"]
    event = host.daemon.wait_event(door="reject", recipient="nouser@local.test")
    assert got[0].texts == [
        "No mailbox nouser@local.test, $5, 100%.",
        f"Reference {event['reference']}",
    ]
    assert got[1].wire_lines[0].endswith("4.7.1 Not now.")
    if "milter" in doors:
        assert got[2].texts == ["one", "two"]
    assert got[3].code == 250
    assert not host.postfix.log_lines("invalid reject filter result")


def test_without_the_daemon(make_host):
    host = make_host(POLICY, doors=["reject", "footer"])
    host.daemon.kill()
    got = smtp.send(host.port, recipients=["nouser@local.test", "user@local.test"])
    assert got["rcpt"][0].wire_lines == [
        "550 5.1.1 <nouser@local.test>: Recipient address rejected: User unknown in local recipient table"
    ]
    assert got["end"].code == 250
