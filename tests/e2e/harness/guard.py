"""Sees to it that nothing outlives a test run, however the run ends.

Each test ends what it started itself. For the run that is killed or crashes there is a second process, the guard: it
is told of every process group and temporary folder, and when its standard input reaches the end (because the run
is gone, even by SIGKILL) it ends the groups and removes the folders. Processes are known by id only.
"""

import atexit
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

_guard = None


def _tell(line):
    global _guard
    if _guard is None:
        _guard = subprocess.Popen(
            [sys.executable, os.path.abspath(__file__)],
            stdin=subprocess.PIPE,
            start_new_session=True,
            text=True,
        )
        atexit.register(_close)
    _guard.stdin.write(line + "\n")
    _guard.stdin.flush()


def _close():
    _guard.stdin.close()
    _guard.wait()


def spawn(argv, **options):
    """Starts a process as the leader of its own group; the group ends with the run."""
    process = subprocess.Popen(argv, start_new_session=True, **options)
    _tell(f"group {process.pid}")
    return process


def released(process):
    """Says that a process from spawn() and its group are gone, so that its id means nothing any more."""
    _tell(f"gone {process.pid}")


def folder(prefix):
    """A new folder that goes with the run. All may enter it: Postfix's daemons and the milter are not root."""
    path = tempfile.mkdtemp(prefix=f"replymilter-{prefix}-")
    os.chmod(path, 0o755)
    _tell(f"folder {path}")
    return path


def remove(path):
    """Removes a folder from folder() before the end of the run."""
    shutil.rmtree(path, ignore_errors=True)


def group_members(group):
    """The ids of the living processes of a group, zombies left out."""
    members = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", encoding="latin-1") as stat:
                    state, _parent, its_group = stat.read().rpartition(")")[2].split()[:3]
            except OSError:
                continue
            if int(its_group) == group and state not in "ZX":
                members.append(int(name))
    return members


def end_group(group, patience=10.0):
    """Ends a process group: TERM, then KILL for whoever is left after `patience` seconds. Returns True if TERM was enough."""
    for signum, seconds in ((signal.SIGTERM, patience), (signal.SIGKILL, 5.0)):
        try:
            os.killpg(group, signum)
        except ProcessLookupError:
            return True
        deadline = time.monotonic() + seconds
        while group_members(group):
            if time.monotonic() > deadline:
                break
            time.sleep(0.02)
        else:
            return signum == signal.SIGTERM
    return False


def _stand_guard():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    groups, folders = set(), []
    for line in sys.stdin:
        word, _, rest = line.rstrip("\n").partition(" ")
        if word == "group":
            groups.add(int(rest))
        elif word == "gone":
            groups.discard(int(rest))
        elif word == "folder":
            folders.append(rest)
    for group in groups:
        end_group(group)
    for path in folders:
        shutil.rmtree(path, ignore_errors=True)


if __name__ == "__main__":
    _stand_guard()
