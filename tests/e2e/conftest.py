"""Fixtures and the rules of a run.

Run it as root with Debian's Python: REPLYMILTER_BUILD=build /usr/bin/python3 -m pytest tests/e2e

 - REPLYMILTER_BUILD             the build folder; tests of the harness itself need none
 - REPLYMILTER_TEST_POSTFIX      another Postfix than the one that scripts/install-deps unpacked (scripts/test-postfix)
 - REPLYMILTER_TEST_SLOWNESS     stretches each time limit, for sanitizer builds
 - REPLYMILTER_TEST_KEEP         keeps the temporary folders
 - CI                            with it, a skipped test is a failed test

A test that another version of Postfix than this is needed for (`@pytest.mark.postfix("3.11")`) is left out beforehand
and named at the end of the run: that is not a skip.
"""

import os
import sys
import types

import pytest

sys.path.insert(0, os.path.dirname(__file__))

pytest.register_assert_rewrite("harness.pair")

from harness import guard  # noqa: E402
from harness.mailhost import MailHost  # noqa: E402
from harness.pair import Pair  # noqa: E402
from harness.postfix import Postfix, Tree  # noqa: E402
from harness.replymilter import Replymilter  # noqa: E402
from harness.sendmail import Sendmail, SendmailHost  # noqa: E402
from harness.sink import Sink  # noqa: E402

_left_out = {}  # a test's node id: the Postfix that it needs


def pytest_configure(config):
    config.addinivalue_line(
        "markers", 'postfix(version): needs at least this version of Postfix, such as "3.11"'
    )
    config.addinivalue_line("markers", "threaded: worth a run under ThreadSanitizer")
    if config.pluginmanager.hasplugin("xdist"):
        config.pluginmanager.register(SideBySide())
    if os.geteuid() != 0:
        raise pytest.UsageError("the end-to-end tests start a Postfix and so must be run as root")
    try:
        config.postfix_tree = Tree()
    except FileNotFoundError as error:
        raise pytest.UsageError(str(error)) from None


def pytest_report_header(config):
    return f"Postfix {config.postfix_tree.version_text} in {config.postfix_tree.top}"


def pytest_collection_modifyitems(config, items):
    version = config.postfix_tree.version
    others = []
    for item in list(items):
        mark = item.get_closest_marker("postfix")
        if mark and version < tuple(int(number) for number in mark.args[0].split(".")):
            _left_out[item.nodeid] = mark.args[0]
            others.append(item)
            items.remove(item)
    config.hook.pytest_deselected(items=others)


def pytest_sessionfinish(session):
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["left out"] = _left_out


class SideBySide:
    """What is needed besides when pytest-xdist runs the tests in several processes (-n)."""

    @staticmethod
    def pytest_testnodedown(node):
        _left_out.update(getattr(node, "workeroutput", {}).get("left out", {}))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.skipped and os.environ.get("CI") == "true":
        report.outcome = "failed"
        report.longrepr = f"skipped, which is a failure in CI: {report.longrepr}"
    if report.failed:
        for thing in getattr(item, "things", []):
            report.sections += _testimony(thing)


def _testimony(thing):
    """What a mail server or a daemon has to say when a test that used it failed; nothing once its folder is gone."""
    if not os.path.isdir(getattr(thing, "top", "")):
        return []
    if isinstance(thing, (Postfix, Sendmail)):
        return [(f"maillog of {thing.top}", thing.log()[-12000:])]
    if isinstance(thing, Replymilter):
        return [
            ("standard error of replymilter", thing.errors()[-12000:]),
            ("its events", thing.raw_events().decode(errors="replace")[-6000:]),
        ]
    return []


def pytest_terminal_summary(terminalreporter, config):
    if _left_out:
        terminalreporter.section(
            f"not for this Postfix version ({config.postfix_tree.version_text})"
        )
        for test, version in sorted(_left_out.items()):
            terminalreporter.line(f"{test}: needs Postfix {version}")


def _factory(request, make):
    """A function that makes things, closes them after the test, and lets the report show what they said."""
    request.node.things = getattr(request.node, "things", [])

    def factory(*args, **options):
        thing = make(*args, **options)
        request.node.things.append(thing)
        request.addfinalizer(thing.close)
        return thing

    return factory


@pytest.fixture
def make_postfix(request):
    """make_postfix(settings, relay=, sinks=): a Postfix, not started yet, closed after the test."""
    return _factory(request, Postfix)


@pytest.fixture
def make_sink(request):
    """make_sink(refusals, at_end): a mail server at the far end."""
    return _factory(request, Sink)


@pytest.fixture
def make_daemon(request):
    """make_daemon(policy, ...): a daemon, not started yet, closed after the test."""
    return _factory(request, Replymilter)


@pytest.fixture
def make_host(request, make_postfix, make_daemon, make_sink):
    """make_host(policy, doors=..., chroot=..., settings=..., smtpd=...): a Postfix with replymilter beside it, both running."""
    make = types.SimpleNamespace(postfix=make_postfix, daemon=make_daemon, sink=make_sink)

    def host(*args, start=True, **options):
        made = MailHost(make, *args, **options)
        return made.start() if start else made

    return host


@pytest.fixture
def make_sendmail(request):
    """make_sendmail(sink, filters=, ...): a Sendmail, not started yet, closed after the test."""
    return _factory(request, Sendmail)


@pytest.fixture
def make_sendmail_host(make_sendmail, make_daemon, make_sink):
    """make_sendmail_host(policy, failure=..., ...): a Sendmail with replymilter beside it, both running."""
    make = types.SimpleNamespace(sendmail=make_sendmail, daemon=make_daemon, sink=make_sink)

    def host(*args, start=True, **options):
        made = SendmailHost(make, *args, **options)
        return made.start() if start else made

    return host


class _Makers:
    """What MailHost makes its parts with, where the parts outlive the test."""

    postfix, sendmail, daemon, sink = Postfix, Sendmail, Replymilter, Sink


@pytest.fixture(scope="module")
def _kept(request):
    """The hosts and daemons that the tests of a module share, by what they were made of."""
    kept = {}
    yield kept
    problems = []
    for thing in kept.values():
        try:
            thing.close()
        except AssertionError as error:
            problems.append(str(error))
    assert not problems, "\n".join(problems)


def _shared(request, kept, kind, make, policy, options):
    """The host of that kind and these options that the module's tests share, now with this policy."""
    key = kind.__name__ + repr(sorted(options.items()))
    if key in kept:
        kept[key].settle()
        kept[key].daemon.switch(policy)
    else:
        made = kept[key] = kind(make, policy, **options)
        made.start()
    request.node.things += [getattr(kept[key], "postfix", None) or kept[key].sendmail, kept[key].daemon]
    return kept[key]


@pytest.fixture
def shared_host(request, _kept):
    """Like make_host, for tests that leave the host as it was: those of a module that ask for the same get the same.

    Another policy is loaded by SIGHUP.
    """
    request.node.things = []
    return lambda policy="", **options: _shared(request, _kept, MailHost, _Makers, policy, options)


@pytest.fixture
def shared_sendmail_host(request, _kept):
    """Like make_sendmail_host, and shared as by shared_host."""
    request.node.things = []
    return lambda policy="", **options: _shared(request, _kept, SendmailHost, _Makers, policy, options)


@pytest.fixture
def shared_daemon(request, _kept):
    """Like make_daemon, started, and shared as by shared_host."""
    request.node.things = []

    def daemon(policy="", **options):
        key = repr(sorted(options.items()))
        if key in _kept:
            _kept[key].forget_events()
            _kept[key].switch(policy)
        else:
            made = _kept[key] = Replymilter(policy, **options)
            made.start()
        request.node.things.append(_kept[key])
        return _kept[key]

    return daemon


@pytest.fixture
def make_pair(request, make_postfix, make_daemon, make_sink):
    """make_pair(policy, each=, count=, ...): the same filters directly and wrapped, see harness/pair.py; not started yet."""
    make = types.SimpleNamespace(postfix=make_postfix, daemon=make_daemon, sink=make_sink)
    return _factory(request, lambda *args, **options: Pair(make, *args, **options))


@pytest.fixture
def shared_pair(request, _kept):
    """Like make_pair, started, and shared as by shared_host."""
    request.node.things = []

    def pair(policy="", each="", **options):
        key = "pair" + repr(sorted(options.items()))
        if key in _kept:
            _kept[key].switch(policy, each)
        else:
            made = _kept[key] = Pair(_Makers, policy, each, **options)
            made.start()
        request.node.things += [_kept[key].postfix, _kept[key].daemon]
        return _kept[key]

    return pair


@pytest.fixture
def folder():
    path = guard.folder("test")
    yield path
    guard.remove(path)
