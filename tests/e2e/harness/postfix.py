"""A private Postfix in a temporary folder: its own configuration, queue, log and loopback ports, nothing of the host's.

The programs come from a tree that need not be installed: what scripts/install-deps unpacked, or the folder that
REPLYMILTER_TEST_POSTFIX names (the result of `make install` or `make package` of another Postfix, a build tree, or /).
Three things make that work:

 - every path is a setting (config, queue, data, command, daemon, shlib and meta directory), and Debian's binaries, which
   look for their libraries in /usr/lib/postfix, get LD_LIBRARY_PATH, passed on by import_environment and export_environment;
 - `mail_owner` and `setgid_group` must be existing accounts: Postfix insists on a user whose id no other user has, not
   root and not `default_privs` (nobody), and a group that is not its primary group. Debian's base accounts `mail` and
   `uucp` satisfy that, so no account is made;
 - `master` is started by us, in a process group of its own, so that it ends by id. (`postfix start` would first want
   to check and repair ownerships below daemon_directory.)

Postfix must be started as root.
"""

import grp
import json
import os
import pwd
import re
import signal
import subprocess
import time

from . import guard
from .net import LOOPBACK, free_port, slow, wait_for

HOSTNAME = "mx.test"
LOCAL_DOMAIN = "local.test"
LOCAL_USERS = ("user", "second", "third", "postmaster")
INSIDER = "127.0.0.9"  # the one address in mynetworks; everyone else on loopback is a stranger

_QUEUES = (
    "active bounce corrupt defer deferred flush hold incoming maildrop pid private public saved trace"
).split()


def default_cache():
    """The folder in which scripts/install-deps unpacks."""
    named = os.environ.get("REPLYMILTER_TEST_CACHE")
    return named or os.path.join(os.environ.get("XDG_CACHE_HOME") or "/var/cache", "replymilter-test")


def default_tree():
    """The folder of the Postfix to use."""
    return os.environ.get("REPLYMILTER_TEST_POSTFIX") or os.path.join(default_cache(), "postfix")


class Tree:
    """Where the programs of a Postfix are. `commands`, `daemons`, `libraries` (may be None) and `version`, e.g. (3, 7, 11)."""

    def __init__(self, top=None):
        self.top = os.path.realpath(top or default_tree())
        self.commands = self._find("postconf", "usr/sbin", "usr/local/sbin", "sbin", "bin")
        self.daemons = self._find(
            "smtpd",
            "usr/lib/postfix/sbin",
            "usr/libexec/postfix",
            "usr/local/libexec/postfix",
            "libexec/postfix",
            "libexec",
        )
        self.libraries = self._find(
            "libpostfix-util.so",
            "usr/lib/postfix",
            "usr/local/lib/postfix",
            "lib/postfix",
            "lib",
            optional=True,
        )
        self.version_text = self.run("postconf", "-d", "-h", "mail_version").stdout.strip()
        # 3.7.11, or 3.12-20260821 for a snapshot
        self.version = tuple(
            int(number)
            for number in re.match(r"[\d.]+", self.version_text).group().strip(".").split(".")
        )

    def _find(self, name, *places, optional=False):
        for place in places:
            folder = os.path.join(self.top, place)
            if os.path.isfile(os.path.join(folder, name)):
                return folder
        if not optional:
            raise FileNotFoundError(
                f"no Postfix in {self.top} (looked for {name} in {', '.join(places)}): run scripts/install-deps, "
                "or name a Postfix in REPLYMILTER_TEST_POSTFIX"
            )
        return None

    def environment(self):
        env = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("MAIL_", "POSTLOG_", "ASAN_", "LSAN_"))
        }
        if self.libraries:
            env["LD_LIBRARY_PATH"] = self.libraries
        return env

    def run(self, command, *arguments, check=True, **options):
        """Runs one of Postfix's commands to its end, output captured as text."""
        return subprocess.run(
            [os.path.join(self.commands, command), *arguments],
            check=check,
            text=True,
            errors="surrogateescape",
            capture_output=True,
            env=self.environment(),
            timeout=slow(60),
            **options,
        )


def _owner():
    """(mail_owner, setgid_group) from accounts that exist; see the head of this file."""
    users, groups = pwd.getpwall(), grp.getgrall()
    for name in ("postfix", "mail", "uucp", "news"):
        user = next((user for user in users if user.pw_name == name), None)
        if (
            not user
            or user.pw_uid == 0
            or user.pw_gid == 0
            or [u.pw_uid for u in users].count(user.pw_uid) > 1
        ):
            continue
        for group_name in ("postdrop", "uucp", "operator", "staff"):
            group = next((group for group in groups if group.gr_name == group_name), None)
            if group and group.gr_gid not in (0, user.pw_gid, pwd.getpwnam("nobody").pw_gid):
                return name, group_name
    raise RuntimeError("no existing accounts can serve as mail_owner and setgid_group")


class Postfix:
    """One instance. Add SMTP services, then start(); or use it as a context manager, which starts and stops it.

    `settings` are main.cf parameters over the defaults below; `relay` and `sinks` say where mail goes: mail for local.test is
    handed to the SMTP server at `relay` (a port), mail for a domain in `sinks` to the port given there.
    """

    def __init__(self, settings=None, relay=None, sinks=None, tree=None):
        self.tree = tree or Tree()
        self.version = self.tree.version
        self.top = guard.folder("postfix")
        self.config = os.path.join(self.top, "etc")
        self.queue = os.path.join(self.top, "spool")
        self.log_path = os.path.join(self.top, "mail.log")
        self.owner, self.setgid_group = _owner()
        self.services = []
        self.extra_services = []
        self.master = None
        self._make_folders()
        self.settings = self._defaults(relay, sinks or {})
        self.settings.update(settings or {})

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_error):
        self.close()

    def _make_folders(self):
        owner, group = pwd.getpwnam(self.owner).pw_uid, grp.getgrnam(self.setgid_group).gr_gid
        for name in ("etc", "etc/dynamicmaps.cf.d", "spool", "data", "run", "spool/run"):
            os.mkdir(os.path.join(self.top, name), 0o755)
        os.chown(os.path.join(self.top, "data"), owner, -1)
        for name in _QUEUES:
            path = os.path.join(self.queue, name)
            os.mkdir(path)
            os.chown(
                path, 0 if name == "pid" else owner, group if name in ("maildrop", "public") else -1
            )
            os.chmod(path, {"pid": 0o755, "maildrop": 0o730, "public": 0o710}.get(name, 0o700))
        for name in ("dynamicmaps.cf", "postfix-files"):
            open(os.path.join(self.config, name), "w", encoding="ascii").close()

    def _defaults(self, relay, sinks):
        settings = {
            "compatibility_level": "3.6" if self.version >= (3, 6) else "2",
            "queue_directory": self.queue,
            "data_directory": os.path.join(self.top, "data"),
            "command_directory": self.tree.commands,
            "daemon_directory": self.tree.daemons,
            "shlib_directory": self.tree.libraries or "no",
            "meta_directory": self.config,
            "mail_owner": self.owner,
            "setgid_group": self.setgid_group,
            "default_privs": "nobody",
            "maillog_file": self.log_path,
            "maillog_file_prefixes": self.top,
            "import_environment": "MAIL_CONFIG MAIL_DEBUG MAIL_LOGTAG TZ LANG=C POSTLOG_SERVICE POSTLOG_HOSTNAME LD_LIBRARY_PATH",
            "export_environment": "TZ MAIL_CONFIG LANG LD_LIBRARY_PATH",
            "inet_protocols": "ipv4",
            "inet_interfaces": LOOPBACK,
            "myhostname": HOSTNAME,
            "mydestination": LOCAL_DOMAIN,
            "mynetworks": INSIDER + "/32",
            "smtpd_banner": "$myhostname ESMTP",
            "smtpd_relay_restrictions": "permit_mynetworks, reject_unauth_destination",
            "local_recipient_maps": "inline:{ "
            + ", ".join(f"{user}=x" for user in LOCAL_USERS)
            + " }",
            "alias_maps": "",
            "local_transport": f"smtp:[{LOOPBACK}]:{relay}" if relay else "discard:",
            "relay_transport": "discard:",
            "default_transport": "error:5.1.2 no way out of the test",
            "transport_maps": "inline:{ "
            + ", ".join(
                f"{{ {domain} = smtp:[{LOOPBACK}]:{port} }}" for domain, port in sinks.items()
            )
            + " }"
            if sinks
            else "",
            "biff": "no",
            "notify_classes": "",
            # no DNS in tests
            "smtp_dns_support_level": "disabled",
            "smtp_host_lookup": "native",
            "smtpd_peername_lookup": "no",
            # tests provoke errors quickly and from one address
            "smtpd_error_sleep_time": "0",
            "smtpd_hard_error_limit": "1000",
            "smtpd_soft_error_limit": "900",
            "smtpd_junk_command_limit": "1000",
            "smtpd_client_event_limit_exceptions": "127.0.0.0/8",
            "in_flow_delay": "0",
        }
        if self.version < (3, 5):
            del settings["smtp_dns_support_level"]
            settings["disable_dns_lookups"] = "yes"
        return settings

    def smtpd(self, chroot=False, **options):
        """Adds an SMTP service on a port of its own, with its own settings (`-o` options); returns the port."""
        port = free_port()
        self.services.append((port, chroot, options))
        return port

    def service(self, line):
        """Adds a line to master.cf."""
        self.extra_services.append(line)

    def write_config(self):
        """Writes main.cf and master.cf from what is set now."""
        with open(os.path.join(self.config, "main.cf"), "w", encoding="utf-8") as main:
            main.writelines(f"{name} = {value}\n" for name, value in self.settings.items())
        with open(os.path.join(self.config, "master.cf"), "w", encoding="utf-8") as master:
            for port, chroot, options in self.services:
                master.write(f"{LOOPBACK}:{port} inet n - {'y' if chroot else 'n'} - - smtpd\n")
                master.writelines(
                    f"  -o {{ {name} = {value} }}\n"
                    for name, value in {"syslog_name": f"postfix/{port}", **options}.items()
                )
            master.write(_MASTER)
            master.writelines(line + "\n" for line in self.extra_services)
        # Postfix waits for a file that has just changed to settle, 0.3 s at a time
        past = time.time() - 60
        for name in ("main.cf", "master.cf"):
            os.utime(os.path.join(self.config, name), (past, past))

    def start(self):
        """Starts it and waits until each service's port is open."""
        self.write_config()
        environment = self.tree.environment() | {
            "MAIL_CONFIG": self.config,
            "POSTLOG_SERVICE": "postlog",
            "POSTLOG_HOSTNAME": HOSTNAME,
        }
        mark = self.mark()
        with open(os.path.join(self.top, "master.err"), "wb") as errors:
            self.master = guard.spawn(
                [os.path.join(self.tree.daemons, "master"), "-d", "-c", self.config],
                env=environment,
                cwd=self.queue,
                stdin=subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
            )
        wait_for(
            lambda: self._is_up(mark),
            lambda: f"Postfix to come up:\n{self._errors()}{self.log()}",
            seconds=20,
        )

    def _is_up(self, mark):
        if self.master.poll() is not None:
            raise AssertionError(
                f"Postfix's master ended with {self.master.returncode}:\n{self._errors()}{self.log()}"
            )
        return "daemon started" in self.log(mark)  # said after all ports were opened

    def _errors(self):
        with open(
            os.path.join(self.top, "master.err"), encoding="utf-8", errors="replace"
        ) as errors:
            return errors.read()

    def stop(self):
        """Ends it. Fails if it had to be killed."""
        if self.master is None:
            return
        master, self.master = self.master, None
        master.terminate()
        try:
            master.wait(slow(10))
            gentle = True
        except subprocess.TimeoutExpired:
            gentle = False
        guard.end_group(master.pid)
        master.wait()
        guard.released(master)
        assert gentle, "Postfix's master did not stop when told"

    def close(self):
        """Ends it and removes its folder (kept if REPLYMILTER_TEST_KEEP is set)."""
        try:
            self.stop()
        finally:
            if not os.environ.get("REPLYMILTER_TEST_KEEP"):
                guard.remove(self.top)

    def processes(self):
        """The ids of its living processes."""
        return guard.group_members(self.master.pid) if self.master else []

    def reload(self, **settings):
        """Changes main.cf settings and does what `postfix reload` does.

        The master says so before it does it, and a process that waits for a client may still take one more: those are
        waited for, a while, since who has a client stays as long as he does."""
        self.settings.update(settings)
        self.write_config()
        mark = self.mark()
        before = set(self.processes()) - {self.master.pid}
        self.master.send_signal(signal.SIGHUP)
        self.wait_log(r"reload -- version", mark)
        deadline = time.monotonic() + slow(1)
        while before.intersection(self.processes()) and time.monotonic() < deadline:
            time.sleep(0.01)

    def run(self, command, *arguments, check=True, **options):
        """Runs one of Postfix's commands on this instance."""
        return self.tree.run(command, "-c", self.config, *arguments, check=check, **options)

    def postmap(self, key, table):
        """`postmap -q KEY TABLE`: the value, or None if there is none."""
        result = self.run("postmap", "-q", key, table, check=False)
        assert result.returncode in (0, 1), result.stderr
        return result.stdout.removesuffix("\n") if result.returncode == 0 else None

    def queued(self):
        """The queue as `postqueue -j` shows it: a list of dictionaries."""
        return [json.loads(line) for line in self.run("postqueue", "-j").stdout.splitlines()]

    def path(self, name):
        """A path in the instance's folder."""
        return os.path.join(self.top, name)

    def mark(self):
        """The present end of the log, for log(since) and wait_log(since)."""
        try:
            return os.path.getsize(self.log_path)
        except FileNotFoundError:
            return 0

    def log(self, since=0):
        try:
            with open(self.log_path, "rb") as log:
                log.seek(since)
                return log.read().decode("utf-8", "backslashreplace")
        except FileNotFoundError:
            return ""

    def log_lines(self, pattern="", since=0):
        """The lines of the log in which the regular expression is found."""
        return [line for line in self.log(since).splitlines() if re.search(pattern, line)]

    def wait_log(self, pattern, since=0, count=1, seconds=15):
        """Waits until the expression was found in `count` lines; returns them."""

        def enough():
            lines = self.log_lines(pattern, since)
            return lines if len(lines) >= count else None

        return wait_for(
            enough, lambda: f"{count} log line(s) with {pattern!r} in:\n{self.log(since)}", seconds
        )


_MASTER = """\
pickup     unix  n - n 60 1 pickup
cleanup    unix  n - n - 0 cleanup
qmgr       unix  n - n 300 1 qmgr
rewrite    unix  - - n - - trivial-rewrite
bounce     unix  - - n - 0 bounce
defer      unix  - - n - 0 bounce
trace      unix  - - n - 0 bounce
verify     unix  - - n - 1 verify
flush      unix  n - n 1000? 0 flush
proxymap   unix  - - n - - proxymap
proxywrite unix  - - n - 1 proxymap
smtp       unix  - - n - - smtp
relay      unix  - - n - - smtp
showq      unix  n - n - - showq
error      unix  - - n - - error
retry      unix  - - n - - error
discard    unix  - - n - - discard
local      unix  - n n - - local
lmtp       unix  - - n - - lmtp
anvil      unix  - - n - 1 anvil
scache     unix  - - n - 1 scache
postlog    unix-dgram n - n - 1 postlogd
"""
