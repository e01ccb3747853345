"""Small things about ports, waiting and time."""

import os
import random
import socket
import time

LOOPBACK = "127.0.0.1"
# The range below the kernel's own choices for outgoing connections, so that a free port stays free for a moment; of the
# processes of one run ("gw0", "gw1", ... of pytest-xdist) each has ports of its own.
_PROCESS = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
PORTS = range(20000 + _PROCESS % 4 * 3000, 23000 + _PROCESS % 4 * 3000)

_given = set()


def free_port():
    """A loopback port that nobody listens on and that this run has not given out before."""
    for _ in range(200):
        port = random.choice(PORTS)
        if port in _given:
            continue
        with socket.socket() as probe:
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
        _given.add(port)
        return port
    raise RuntimeError("no free port found")


def slow(seconds):
    """A time limit, stretched by REPLYMILTER_TEST_SLOWNESS (sanitizer builds and busy machines: 3 to 10)."""
    return seconds * float(os.environ.get("REPLYMILTER_TEST_SLOWNESS", "1"))


def wait_for(condition, what, seconds=10.0, step=0.02):
    """Calls `condition` until it gives something true, and returns that; fails with `what` after the time limit."""
    deadline = time.monotonic() + slow(seconds)
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError(
                f"waited {slow(seconds):g} s in vain for {what() if callable(what) else what}"
            )
        time.sleep(step)
