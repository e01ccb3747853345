"""The rbl table words the refusal of a DNS list. It is asked by Postfix alone, with the restriction's argument as the key."""

from harness import smtp
from harness.alone import Dns, run_alone

POLICY = """
site = { help_url = "https://help.test/why"; reference = false; };
replies = { rules = ( { name = "listed"; when = { category = "host-blocked"; };
  then = { mode = "replace"; code = 554; status = "5.7.1"; text = "Your address %{client_addr} is on a list. 100% $5, see %{help_url}"; }; } ); };
"""
RESTRICTION = {"smtpd_client_restrictions": "reject_rbl_client rbl.test=127.0.0.[2..11]"}


def refused(host):
    return smtp.send(host.port)["rcpt"][0]


def test_the_refusal_of_a_dns_list(make_host):
    def alone():
        Dns({"1.0.0.127.rbl.test": ("127.0.0.2", "see https://rbl.test/?127.0.0.1")})
        host = make_host(POLICY, doors=["rbl"], smtpd=RESTRICTION)
        try:
            reply = refused(host)
            assert reply.wire_lines[0].startswith("554 5.7.1 ")
            assert (
                "Your address 127.0.0.1 is on a list. 100% $5, see https://help.test/why"
                in reply.text
            )
            assert host.daemon.wait_event(door="rbl")["category"] == "host-blocked"
        finally:
            host.daemon.close()
            host.postfix.close()

    run_alone(alone)


def test_without_a_rule_the_mta_says_its_own(make_host):
    def alone():
        Dns({"1.0.0.127.rbl.test": ("127.0.0.2", "listed")})
        host = make_host("", doors=["milter", "rbl"], smtpd=RESTRICTION)
        try:
            reply = refused(host)
            assert reply.wire_lines[0].startswith(
                "554 5.7.1 Service unavailable; Client host [127.0.0.1] blocked using rbl.test"
            )
            event = host.daemon.wait_event(door="milter")
            assert (event["category"], event.get("dnsbl")) == ("host-blocked", "rbl.test")
        finally:
            host.daemon.close()
            host.postfix.close()

    run_alone(alone)


def test_it_fails_closed(make_host):
    """Postfix's own way, and the reason why this table is a choice (see the manual): a missing server makes it temporary."""

    def alone():
        Dns({"1.0.0.127.rbl.test": ("127.0.0.2", "listed")})
        host = make_host(POLICY, doors=["rbl"], smtpd=RESTRICTION)
        try:
            host.daemon.kill()
            assert refused(host).wire_lines == ["451 4.3.5 Server configuration error"]
        finally:
            host.postfix.close()

    run_alone(alone)
