"""A private Sendmail in a temporary folder: its own configuration, queue, log and loopback port, nothing of the host's.

The programs come from a tree that need not be installed: what scripts/install-deps unpacked. The configuration is made by
m4 from sendmail-cf. Sendmail logs to /dev/log and nowhere else, so it runs in a mount namespace in which /dev/log is a
socket of ours; what comes there is written to `mail.log`, as a syslog daemon would write it.

Sendmail must be started as root.
"""

import grp
import os
import re
import shutil
import socket
import subprocess
import threading

from . import guard
from .net import LOOPBACK, free_port, slow, wait_for
from .postfix import default_cache

HOSTNAME = "smx.test"
LOCAL_USERS = ("user", "second", "third", "postmaster")
STRANGER = "127.0.0.2"  # known as client.test; 127.0.0.1 and whatever is called localhost may send anywhere
INSIDER = "127.0.0.9"  # may do so too

# Where the instance's folder is for Sendmail, which would not trust a file below a folder that all may write to, as /tmp.
INSIDE = "/mnt"
CONFIG = f"{INSIDE}/etc/sendmail.cf"

_ALONE = """
top=$1; shift
for device in null zero full random urandom tty; do
    : >>$top/dev/$device
    mount --bind /dev/$device $top/dev/$device
done
mount --rbind $top/dev /dev
mount --bind $top/etc/hosts /etc/hosts
mount --bind $top/etc/nsswitch.conf /etc/nsswitch.conf
mount --bind $top %s
hostname %s
exec "$@"
""" % (INSIDE, HOSTNAME)


def default_tree():
    """The folder of the Sendmail to use."""
    tree = os.path.join(default_cache(), "sendmail")
    if not os.access(os.path.join(tree, "usr/libexec/sendmail/sendmail"), os.X_OK):
        raise FileNotFoundError(f"no Sendmail in {tree}: run scripts/install-deps")
    return os.path.realpath(tree)


def milter(failure="", path="replymilter.sock"):
    """What INPUT_MAIL_FILTER takes for a socket in the instance's `run` folder; `failure` stands behind F=."""
    return f"S=local:{INSIDE}/run/{path}, F={failure}, T=C:5m;S:10s;R:10s;E:5m"


class Sendmail:
    """One instance, with one SMTP service on `port`; start() it, or use it as a context manager.

    Mail for local.test's users and for far.test and sender.test goes to the SMTP server at `sink` (a port), mail for
    closed.test to a port where nobody listens. `filters`: what INPUT_MAIL_FILTER takes, by name; `m4`: further lines before
    the mailers; `rules`: lines for the end of the file that m4 reads.
    """

    def __init__(self, sink, filters=None, m4="", rules="", tree=None):
        self.tree = tree or default_tree()
        self.top = guard.folder("sendmail")
        self.queue = os.path.join(self.top, "queue")
        self.log_path = os.path.join(self.top, "mail.log")
        self.port, self.closed_port, self.sink = free_port(), free_port(), sink
        self.filters, self.m4, self.rules = filters or {}, m4, rules
        self.daemon = None
        for name in ("queue", "dev", "etc", "run"):
            os.mkdir(self.path(name), 0o700 if name == "queue" else 0o755)
        self._take_log()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_error):
        self.close()

    def path(self, name):
        """A path in the instance's folder."""
        return os.path.join(self.top, name)

    def program(self, name):
        return os.path.join(self.tree, "usr/libexec/sendmail", name)

    # ---- the log

    def _take_log(self):
        self.log_socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.log_socket.bind(self.path("dev/log"))
        os.chmod(self.path("dev/log"), 0o666)
        self.log_thread = threading.Thread(target=self._write_log, daemon=True)
        self.log_thread.start()

    def _write_log(self):
        """One line for each datagram, as rsyslog's traditional format has it: the host's name behind the time."""
        with open(self.log_path, "ab", buffering=0) as log:
            while datagram := self.log_socket.recv(65536):
                text = re.sub(rb"^<\d+>", b"", datagram).rstrip(b"\n\0")
                log.write(text[:16] + HOSTNAME.encode() + b" " + text[16:] + b"\n")

    def mark(self):
        """The present end of the log, for log(since) and wait_log(since)."""
        return os.path.getsize(self.log_path) if os.path.exists(self.log_path) else 0

    def log(self, since=0):
        if not os.path.exists(self.log_path):
            return ""
        with open(self.log_path, "rb") as log:
            log.seek(since)
            return log.read().decode("utf-8", "backslashreplace")

    def wait_log(self, pattern, since=0, count=1, seconds=15):
        """Waits until the expression was found in `count` lines; returns them."""

        def enough():
            lines = [line for line in self.log(since).splitlines() if re.search(pattern, line)]
            return lines if len(lines) >= count else None

        return wait_for(enough, lambda: f"{count} log line(s) with {pattern!r} in:\n{self.log(since)}", seconds)

    # ---- the configuration

    def _master_config(self):
        filters = "\n".join(f"INPUT_MAIL_FILTER(`{name}', `{text}')" for name, text in self.filters.items())
        return _MASTER_CONFIG.format(
            top=INSIDE,
            port=self.port,
            sink=self.sink,
            closed=self.closed_port,
            users=" ".join(LOCAL_USERS),
            filters=filters + "\n" + self.m4,
            rules=self.rules,
        )

    def write_config(self):
        """Writes sendmail.cf, as `make -C /etc/mail` does, and the databases that it names."""
        macros = os.path.join(self.tree, "usr/share/sendmail/cf")
        with open(self.path("etc/sendmail.mc"), "w", encoding="ascii") as file:
            file.write(self._master_config())
        for name, text in _ETC.items():
            with open(self.path(f"etc/{name}"), "w", encoding="ascii") as file:
                file.write(text)
        made = subprocess.run(
            ["m4", f"-D_CF_DIR_={macros}/", f"{macros}/m4/cf.m4", self.path("etc/sendmail.mc")],
            check=True, capture_output=True, text=True, timeout=slow(20),
        )  # fmt: skip
        assert not made.stderr, made.stderr
        with open(self.path("etc/sendmail.cf"), "w", encoding="ascii") as file:
            file.write(made.stdout)
        subprocess.run(
            self._alone(self.program("makemap"), "-C", CONFIG, "hash", f"{INSIDE}/etc/access"),
            check=True, input=_ACCESS, capture_output=True, text=True, timeout=slow(20),
        )  # fmt: skip

    # ---- its life

    def _alone(self, *command):
        """The command, in namespaces in which the log, the host's name and what it knows of other hosts are ours."""
        return ["unshare", "--mount", "--uts", "sh", "-ec", _ALONE, "sh", self.top, *command]

    def start(self):
        """Starts it and waits until its port is open."""
        self.write_config()
        mark = self.mark()
        with open(self.path("stderr"), "wb") as errors:
            self.daemon = guard.spawn(
                self._alone(self.program("sendmail"), "-L", "sm-mta", "-C", CONFIG, "-bD"),
                cwd=self.top,
                stdin=subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
            )
        wait_for(lambda: self._is_up(mark), lambda: f"Sendmail to come up:\n{self.errors()}{self.log()}", seconds=20)

    def _is_up(self, mark):
        if self.daemon.poll() is not None:
            raise AssertionError(f"Sendmail ended with {self.daemon.returncode}:\n{self.errors()}{self.log()}")
        if "starting daemon" not in self.log(mark):
            return False
        with socket.socket() as probe:
            return probe.connect_ex((LOOPBACK, self.port)) == 0

    def errors(self):
        with open(self.path("stderr"), encoding="utf-8", errors="replace") as errors:
            return errors.read()

    def run(self, *arguments, **options):
        """Runs sendmail(8) on this instance to its end, output captured as text."""
        options = {"check": True} | options
        return subprocess.run(
            self._alone(self.program("sendmail"), "-L", "sm-mta", "-C", CONFIG, *arguments),
            text=True, capture_output=True, timeout=slow(60), **options,
        )  # fmt: skip

    def pipe(self, sender, *recipients, content="Subject: x\n\nHello.\n"):
        """Mail as from the command line; its status is that of the delivery."""
        return self.run("-f", sender, *recipients, input=content, check=False).returncode

    def queued(self):
        """The names of the queue's files."""
        return sorted(os.listdir(self.queue))

    def stop(self):
        """Ends it. Fails if it had to be killed."""
        if self.daemon is None:
            return
        daemon, self.daemon = self.daemon, None
        daemon.terminate()
        gentle = guard.end_group(daemon.pid, patience=slow(10))
        daemon.wait()
        guard.released(daemon)
        assert gentle, "Sendmail did not stop when told"

    def close(self):
        """Ends it and removes its folder (kept if REPLYMILTER_TEST_KEEP is set)."""
        if not os.path.isdir(self.top):
            return
        try:
            self.stop()
        finally:
            self.log_socket.shutdown(socket.SHUT_RDWR)
            self.log_thread.join()
            self.log_socket.close()
            if not os.environ.get("REPLYMILTER_TEST_KEEP"):
                shutil.rmtree(self.top, ignore_errors=True)


# No DNS in tests
_ETC = {
    "aliases": "",
    "hosts": f"127.0.0.1 localhost\n{STRANGER} client.test\n127.0.0.3 {HOSTNAME}\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
    "service.switch": "hosts files\n",
}

class SendmailHost:
    """`sendmail` with `daemon` beside it, and `sink`, which takes all mail that gets through. `port` is Sendmail's."""

    def __init__(self, make, policy="", failure="", **options):
        self.sink = make.sink()
        filters = options.pop("filters", {"replymilter": milter(failure)})
        self.sendmail = make.sendmail(self.sink.port, filters=filters, **options)
        self.port = self.sendmail.port
        self.daemon = make.daemon(policy, run=self.sendmail.path("run"), group=grp.getgrgid(0).gr_name)

    def start(self):
        self.daemon.start()
        self.sendmail.start()
        return self

    def close(self):
        for thing in (self.sendmail, self.daemon, self.sink):
            thing.close()

    def settle(self):
        """Waits for the end of what is under way, then forgets all mails and events."""
        wait_for(lambda: not self.sendmail.queued(), lambda: f"the queue to be empty: {self.sendmail.queued()}")
        self.daemon.forget_events()
        self.sink.refusals = {}
        del self.sink.mails[:]


_ACCESS = f"""\
Connect:{INSIDER}	RELAY
To:listed@local.test	ERROR:5.7.1:550 access db says no
From:listed@sender.test	REJECT
"""

_MASTER_CONFIG = """\
OSTYPE(`linux')dnl
define(`confDOMAIN_NAME', `smx.test')dnl
define(`confPID_FILE', `{top}/run/sendmail.pid')dnl
define(`QUEUE_DIR', `{top}/queue')dnl
define(`STATUS_FILE', `{top}/run/statistics')dnl
define(`HELP_FILE', `{top}/etc/helpfile')dnl
define(`ALIAS_FILE', `{top}/etc/aliases')dnl
define(`confHOSTS_FILE', `/etc/hosts')dnl
define(`confSERVICE_SWITCH_FILE', `{top}/etc/service.switch')dnl
define(`confCW_FILE', `-o {top}/etc/local-host-names')dnl
define(`confCT_FILE', `-o {top}/etc/trusted-users')dnl
define(`confDEAD_LETTER_DROP', `{top}/dead.letter')dnl
define(`confCONTROL_SOCKET_NAME', `')dnl
define(`confFORWARD_PATH', `')dnl
define(`confDEF_USER_ID', `mail:mail')dnl
define(`confSMTP_LOGIN_MSG', `$j ESMTP')dnl
define(`confTO_IDENT', `0')dnl
define(`confTO_COMMAND', `1m')dnl
define(`confMILTER_LOG_LEVEL', `9')dnl
define(`confLOG_LEVEL', `9')dnl
define(`confDONT_PROBE_INTERFACES', `true')dnl
define(`confBAD_RCPT_THROTTLE', `0')dnl
define(`confMAX_DAEMON_CHILDREN', `0')dnl
define(`confREFUSE_LA', `1000')dnl
define(`confQUEUE_LA', `1000')dnl
define(`confDELAY_LA', `0')dnl
define(`confDELIVERY_MODE', `background')dnl
define(`SMTP_MAILER_ARGS', `TCP $h {closed}')dnl
define(`ESMTP_MAILER_ARGS', `TCP $h {sink}')dnl
FEATURE(`nocanonify')dnl
FEATURE(`accept_unresolvable_domains')dnl
FEATURE(`no_default_msa')dnl
FEATURE(`nouucp', `reject')dnl
FEATURE(`access_db', `hash -T<TMPF> {top}/etc/access')dnl
FEATURE(`blocklist_recipients')dnl
DAEMON_OPTIONS(`Family=inet, Name=MTA, Addr=127.0.0.1, Port={port}')dnl
CLIENT_OPTIONS(`Family=inet, Addr=127.0.0.1')dnl
{filters}
LOCAL_DOMAIN(`local.test')dnl
MAILER(`local')dnl
MAILER(`smtp')dnl
LOCAL_CONFIG
C{{ourusers}}{users}
C{{sinkdomains}}far.test sender.test
C{{nobodysdomains}}closed.test
LOCAL_RULE_0
R$={{ourusers}} < @ local.test . > $*	$#esmtp $@ [127.0.0.1] $: $1 < @ local.test . >
Rfull < @ local.test . > $*	$#error $@ 5.2.2 $: "552 5.2.2 the mailbox is full"
Rlater < @ local.test . > $*	$#error $@ 4.2.1 $: "450 4.2.1 come back later"
R$+ < @ $={{sinkdomains}} $* > $*	$#esmtp $@ [127.0.0.1] $: $1 < @ $2 . >
R$+ < @ $={{nobodysdomains}} $* > $*	$#smtp $@ [127.0.0.1] $: $1 < @ $2 . >
{rules}
"""
