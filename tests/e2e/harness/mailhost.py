"""A mail host as the README sets one up: a Postfix, and a replymilter with its sockets in Postfix's queue folder."""

import grp
import os
import pwd

from .net import wait_for

MILTER = "unix:run/replymilter.sock"


def table(name, proxy=False):
    """The table's name in main.cf. Relative to the queue folder, so good inside and outside of a chroot."""
    return f"{'proxy:' if proxy else ''}socketmap:unix:run/replymilter-tables.sock:{name}"


class MailHost:
    """`postfix` with one SMTP service on `port`, `daemon`, and `sink`, which takes all mail that gets through.

    `policy` is the daemon's; `doors` are those of the daemon that Postfix is told of, from "milter", "footer", "reject",
    "delivery", "rbl"; `settings` are further main.cf parameters, `smtpd` those of the one SMTP service.
    """

    def __init__(
        self,
        make,
        policy="",
        doors=("milter", "footer"),
        chroot=False,
        settings=None,
        smtpd=None,
        refusals=None,
        **daemon,
    ):
        self.sink = make.sink(refusals)
        ways = {"far.test": self.sink.port, "sender.test": self.sink.port}
        self.postfix = make.postfix(relay=self.sink.port, sinks=ways)
        hooks = {
            "milter": ("smtpd_milters", MILTER),
            "footer": ("smtpd_reject_footer_maps", table("footer")),
            "reject": ("smtpd_reject_filter_maps", table("reject")),
            "delivery": ("default_delivery_status_filter", table("delivery")),
            "rbl": ("rbl_reply_maps", table("rbl")),
        }
        self.postfix.settings.update(hooks[door] for door in doors)
        # A daemon that is gone must not stop the mail; a test that wants another behaviour says so.
        self.postfix.settings["milter_default_action"] = "accept"
        self.postfix.settings.update(settings or {})
        self.port = self.postfix.smtpd(chroot=chroot, **(smtpd or {}))
        group = grp.getgrgid(pwd.getpwnam(self.postfix.owner).pw_gid).gr_name
        self.daemon = make.daemon(
            policy, run=os.path.join(self.postfix.queue, "run"), group=group, **daemon
        )

    def start(self):
        self.daemon.start()
        self.postfix.start()
        return self

    def close(self):
        for thing in (self.postfix, self.daemon, self.sink):
            thing.close()

    def settle(self):
        """Waits for the end of what is under way, then forgets all mails and events."""
        wait_for(
            lambda: {mail["queue_name"] for mail in self.postfix.queued()} <= {"deferred", "hold"},
            lambda: f"the queue to come to rest: {self.postfix.queued()}",
        )
        self.daemon.forget_events()
        self.sink.refusals = {}
        del self.sink.mails[:]
