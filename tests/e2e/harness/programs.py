"""OpenDKIM, OpenDMARC, rspamd and miltertest, as scripts/install-deps unpacked them: each in the foreground, with a
configuration of its own in a temporary folder, on a socket there.

Their names are looked up in the test's own DNS (harness/alone.py), so they belong into a test that runs alone.
"""

import glob
import os
import subprocess

from . import guard
from .net import slow, wait_for
from .postfix import default_cache

AUTHSERV = "mx.test"


def tree():
    """The folder of the unpacked packages."""
    top = os.path.join(default_cache(), "filters")
    if not os.path.isdir(top):
        raise FileNotFoundError(f"no filters in {top}: run scripts/install-deps")
    return top


def environment():
    folders = [
        f"{tree()}/usr/lib",
        *glob.glob(f"{tree()}/usr/lib/*-linux-gnu*"),
        f"{tree()}/usr/lib/rspamd",
    ]
    return os.environ | {"LD_LIBRARY_PATH": ":".join(folders)}


def run(program, *arguments, **options):
    """Runs one of their commands to its end, output captured."""
    return subprocess.run(
        [f"{tree()}/usr/{program}", *arguments],
        env=environment(),
        capture_output=True,
        timeout=slow(30),
        **options,
    )


class Program:
    """A filter that runs, with `files` in its folder; `{top}` in them is that folder, `{tree}` the packages'. Use as a context."""

    def __init__(self, program, arguments, files):
        self.top = guard.folder(os.path.basename(program))
        self.socket = f"unix:{self.top}/sock"
        for name, text in files.items():
            with open(f"{self.top}/{name}", "w", encoding="utf-8") as file:
                file.write(text.replace("{top}", self.top).replace("{tree}", tree()))
            os.chmod(file.name, 0o600 if name.endswith(".key") else 0o644)
        argv = [
            f"{tree()}/usr/{program}",
            *(argument.replace("{top}", self.top) for argument in arguments),
        ]
        with open(f"{self.top}/output", "wb") as output:
            self.process = guard.spawn(
                argv,
                env=environment(),
                cwd=self.top,
                umask=0,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        wait_for(self._listens, lambda: f"{program} to listen:\n{self.output()}", seconds=20)

    def _listens(self):
        assert self.process.poll() is None, self.output()
        return os.path.exists(f"{self.top}/sock")

    def output(self):
        with open(f"{self.top}/output", encoding="utf-8", errors="replace") as output:
            return output.read()

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        guard.end_group(self.process.pid)
        self.process.wait()
        guard.released(self.process)
        guard.remove(self.top)


def signing_key():
    """A key pair for DKIM: (the private key's file text, the text of its DNS record)."""
    made = subprocess.run(
        ["openssl", "genrsa", "-traditional", "1024"], capture_output=True, check=True
    )
    public = subprocess.run(
        ["openssl", "rsa", "-pubout"], input=made.stdout, capture_output=True, check=True
    ).stdout
    return made.stdout.decode(), "v=DKIM1; k=rsa; p=" + "".join(public.decode().splitlines()[1:-1])


def opendkim(key, domain, selector, insider):
    """Signs what `insider` (an address) sends for the domain, verifies the rest."""
    settings = f"""
Mode sv
Domain {domain}
Selector {selector}
KeyFile {{top}}/signing.key
RequireSafeKeys no
InternalHosts {{top}}/insiders
ExternalIgnoreList {{top}}/insiders
Socket local:{{top}}/sock
AuthservID {AUTHSERV}
Nameservers 127.0.0.1
AlwaysAddARHeader yes
Background no
Syslog no
UMask 000
"""
    files = {"opendkim.conf": settings, "signing.key": key, "insiders": insider + "\n"}
    return Program("sbin/opendkim", ["-f", "-x", "{top}/opendkim.conf"], files)


def opendmarc(insider):
    """Refuses what fails a policy of p=reject, on the word of OpenDKIM's Authentication-Results; asks nothing of `insider`."""
    settings = f"""
AuthservID {AUTHSERV}
TrustedAuthservIDs {AUTHSERV}
RejectFailures true
IgnoreHosts {{top}}/insiders
Socket local:{{top}}/sock
SPFSelfValidate false
Background false
Syslog false
UMask 000
"""
    files = {"opendmarc.conf": settings, "insiders": insider + "\n"}
    return Program("sbin/opendmarc", ["-f", "-c", "{top}/opendmarc.conf"], files)


def rspamd(pattern):
    """Refuses mails with this pattern (a regular expression of rspamd's); has no other check."""
    settings = f"""
options {{
  pidfile = "{{top}}/pid";
  filters = "regexp";
  tempdir = "{{top}}";
  url_tld = "{{top}}/domains";
  dns {{ nameserver = ["127.0.0.1"]; timeout = 1s; }}
  control_socket = "{{top}}/control mode=0600";
}}
logging {{ type = "console"; level = "notice"; }}
actions {{ reject = 15; add_header = null; greylist = null; }}
worker "rspamd_proxy" {{
  bind_socket = "{{top}}/sock mode=0666";
  milter = yes;
  count = 1;
  timeout = 10s;
  upstream "local" {{ default = yes; self_scan = yes; }}
}}
regexp {{ "OURS" {{ re = '{pattern}'; score = 20; }} }}
lua = "{{top}}/rules.lua";
"""
    rules = f"""
config['regexp'] = {{}}
config['regexp']['OURS'] = {{ re = '{pattern}', score = 20, description = 'the pattern of the test' }}
"""
    share = f"{tree()}/usr/share/rspamd"
    places = ["--var=SHAREDIR=" + share, "--var=LUALIBDIR=" + share + "/lualib", "--var=RULESDIR=" + share + "/rules",
              "--var=PLUGINSDIR=" + share + "/plugins", "--var=DBDIR={top}", "--var=RUNDIR={top}", "--var=LOGDIR={top}"]  # fmt: skip
    # its own list of domains takes ten seconds to compile
    files = {"rspamd.conf": settings, "rules.lua": rules, "domains": "test\n"}
    return Program("bin/rspamd", ["-f", "-i", *places, "-c", "{top}/rspamd.conf"], files)


def miltertest(script, **values):
    """Runs a script of miltertest's with these global values; returns (status, what it printed)."""
    defines = [argument for name, value in values.items() for argument in ("-D", f"{name}={value}")]
    done = run("bin/miltertest", *defines, input=script.encode())
    return done.returncode, (done.stdout + done.stderr).decode(errors="replace")
