"""The metrics: that they agree with the events of real traffic, that Prometheus takes them, and what else asks at their address."""

import json
import os
import re
import socket
import time
from contextlib import closing

import pytest
from harness import smtp
from harness.filter import CONTINUE, Filter, die, reply
from harness.metrics import Metrics, fetch, promtool, scrape
from harness.net import LOOPBACK, free_port, wait_for
from harness.postfix import INSIDER
from harness.replymilter import replyctl
from harness.socketmap import Client
from test_bounces import dsn, group

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
UNKNOWN = "550 5.1.1 <nouser@local.test>: Recipient address rejected: User unknown"
CHECK = """checks = ( { name = "no-odd-helo"; when = { helo = "odd.test"; };
    then = { code = 550; status = "5.7.1"; text = "Not by that name."; }; } );"""


SITE_RULE = """classify = { rules = ( { name = "odd"; category = "policy"; text = "/odd words/"; } ); };"""


def listening(port, more=""):
    return f'metrics = {{ listen = "{LOOPBACK}:{port}"; }};\n{more}'


def read(name):
    with open(os.path.join(TOP, name), encoding="utf-8") as file:
        return file.read()


@pytest.fixture
def alone(make_daemon):
    """A daemon without a Postfix; `port` is where its metrics are."""

    def start(more="", **options):
        port = free_port()
        daemon = make_daemon(listening(port, more), **options)
        daemon.start()
        daemon.port = port
        return daemon

    return start


def counted(events, *members):
    found = {}
    for event in events:
        key = tuple(str(event.get(name, "none")) for name in members)
        found[key] = found.get(key, 0) + 1
    return found


# ---- the numbers


@pytest.mark.threaded
def test_they_agree_with_the_events(make_host):
    port = free_port()
    host = make_host(
        listening(port, CHECK + SITE_RULE),
        doors=["milter", "footer", "delivery"],
        refusals={"u@far.test": b"550-5.7.1 Sorry,\r\n550 5.7.1 odd words"},
    )
    smtp.send(host.port, recipients=["nouser@local.test", "nobody@local.test", "x@else.test"])
    smtp.send(host.port, recipients=["user@local.test"], helo="odd.test")
    report = dsn(group(), group("a@far.test"))
    smtp.send(host.port, sender="", recipients=["user@local.test"], content=report)
    smtp.send(host.port, recipients=["u@far.test"], source=INSIDER)
    host.daemon.wait_events(7, event="refusal")  # three seen by two doors, and one of ours
    host.daemon.wait_events(3, event="failure")  # two of the report, one delivery
    wait_for(
        lambda: scrape(port).get("events_written_total") == len(host.daemon.events()),
        lambda: f"all events to be written: {host.daemon.events()}",
    )
    metrics, events = scrape(port), host.daemon.events()
    refusals = [event for event in events if event["event"] == "refusal"]
    bounces = [event for event in events if event["event"] == "failure"]
    assert (len(refusals), len(bounces)) == (7, 3), events
    for event in refusals:
        event["joined"] = "true" if "joins" in event else "false"
        event["code"] = event["final"].get("code", "none")
        event["status"] = event["final"].get("status", "none")
        event["answer"] = (
            "check" if "check" in event else "annotated" if event["changed"] else "kept"
        )
    for event in bounces:
        event["provider"] = event.get("provider", "other")
        event["kind"] = event["event"]
    assert any(event["joined"] == "true" for event in refusals)
    labels = ("door", "stage", "category", "joined")
    assert metrics.by("refusals_total", *labels) == counted(refusals, *labels)
    assert metrics.by("refusal_codes_total", "door", "code") == counted(refusals, "door", "code")
    assert metrics.by("refusal_statuses_total", "status") == counted(refusals, "status")
    assert metrics.by("refusal_answers_total", "door", "answer") == counted(
        refusals, "door", "answer"
    )
    labels = ("door", "kind", "category", "provider")
    assert metrics.by("bounces_total", *labels) == counted(bounces, *labels)
    assert metrics.by("bounce_proofs_total", "proof") == counted(bounces, "proof")
    assert metrics.by("bounce_actions_total", "action") == counted(bounces, "action")
    assert metrics.by("site_rule_hits_total", "rule") == {("odd",): 1}
    # The refusal of the check reached the footer table too, which knows it and says nothing to it.
    assert metrics.get("table_lookups_total", table="footer", answer="found") == 3
    assert metrics.get("table_lookups_total", table="footer", answer="notfound") == 1
    for table in ("footer", "delivery"):
        lookups = metrics.get("table_lookups_total", table=table)
        assert metrics.get("table_lookup_duration_seconds_count", table=table) == lookups >= 1
    assert metrics.get("milter_sessions_total") == metrics.get("milter_messages_total") == 4
    assert metrics.get("tables_connections_total") >= metrics.get("tables_connections") >= 1


@pytest.mark.threaded
def test_filters(make_host):
    port = free_port()
    with closing(Filter()) as good, closing(Filter()) as bad:
        good.script = {b"R": lambda session, data: reply("550 5.7.1 no") if b"second" in data else CONTINUE}
        bad.script = {b"E": die}
        filters = "".join(
            f'{{ name = "{name}"; socket = "{one.socket}"; on_failure = "accept"; }}, '
            for name, one in (("good", good), ("bad", bad))
        )
        host = make_host(listening(port, f"filters = ( {filters[:-2]} );"), doors=["milter"])
        for recipient in ("user@local.test", "second@local.test", "user@local.test"):
            smtp.send(host.port, recipients=[recipient])
        metrics = scrape(port)
        assert metrics.get("filter_answers_total", filter="good", verdict="reply") == 1
        assert metrics.get("filter_failures_total", filter="good") == 0
        assert metrics.get("filter_failures_total", filter="bad", reason="closed") == 2
        assert metrics.get("filter_duration_seconds_count", filter="good", part="message") == 2
        assert metrics.get("filter_duration_seconds_count", filter="bad", part="message") == 0
        envelope = metrics.get("filter_duration_seconds_count", filter="good", part="envelope")
        assert metrics.get("filter_answers_total", filter="good") == envelope + 2
        assert metrics.get("filter_connections_total", filter="good") == 3
        assert metrics.get("filter_given_up", filter="bad") == 0
        assert 0 < metrics.get("filter_wait_seconds_total", filter="good") < 60


def test_reloads(alone):
    daemon = alone()
    first = scrape(daemon.port)
    assert first.get("policy_last_reload_successful") == 1
    assert abs(first.get("policy_loaded_timestamp_seconds") - time.time()) < 60
    assert 0 < first.get("policy_load_duration_seconds") < 60
    assert abs(first.get("process_start_time_seconds") - time.time()) < 60
    daemon.reload(listening(daemon.port, "nonsense = 1;"))
    broken = scrape(daemon.port)
    assert broken.get("policy_last_reload_successful") == 0
    assert broken.by("policy_reloads_total", "result") == {("failed",): 1}
    loaded = "policy_loaded_timestamp_seconds"
    assert broken.get(loaded) == first.get(loaded)
    daemon.reload(listening(daemon.port))
    good = scrape(daemon.port)
    assert good.get("policy_last_reload_successful") == 1
    assert good.by("policy_reloads_total", "result") == {("failed",): 1, ("ok",): 1}
    assert good.get(loaded) > first.get(loaded)


def test_what_the_log_leaves_out_is_counted(make_daemon):
    port = free_port()
    daemon = make_daemon(
        listening(port, 'log = { events = "/dev/full"; rate = 5; };'), milter=False
    )
    daemon.start()
    with Client(daemon.tables) as client:
        for _ in range(20):
            client.ask("reject", UNKNOWN)
    wait_for(
        lambda: scrape(port).get("events_dropped_total") == 20, lambda: scrape(port).text
    )
    metrics = scrape(port)
    assert metrics.get("events_written_total") == 0
    assert metrics.get("events_dropped_total", reason="sink") >= 5
    assert metrics.get("events_dropped_total", reason="rate") > 0
    assert metrics.get("refusals_total", door="reject") == 20


def test_limits(alone):
    daemon = alone("limits = { sessions = 1; };")
    clients = [socket.socket(socket.AF_UNIX) for _ in range(3)]
    for client in clients:
        client.connect(daemon.socket)
        # version 6, all actions, all steps: the session is there once it has negotiated
        client.sendall(bytes([0, 0, 0, 13]) + b"O" + bytes([0, 0, 0, 6, 0, 0, 1, 255, 0, 31, 255, 255]))
        client.settimeout(20)
        assert client.recv(1)
    metrics = scrape(daemon.port)
    assert metrics.get("milter_sessions") == metrics.get("milter_sessions_total") == 3
    assert metrics.get("limit_hits_total", limit="sessions") == 2
    assert metrics.get("milter_sessions_limit") == 1
    for client in clients:
        client.close()
    wait_for(lambda: scrape(daemon.port).get("milter_sessions") == 0, "the sessions to end")


# ---- replyctl


def test_replyctl_stats(alone):
    daemon = alone()
    control = os.path.join(daemon.top, "control")
    daemon.write_policy(listening(daemon.port, f'control = {{ socket = "unix:{control}"; }};'))
    daemon.stop()
    daemon.start()
    with Client(daemon.tables) as client:
        for _ in range(3):
            assert client.ask("footer", UNKNOWN)[0] == "OK"
    daemon.wait_events(3)
    told = Metrics(replyctl("stats", "-c", daemon.policy_path, "--prometheus").stdout)
    fetched = scrape(daemon.port)
    assert told.families == fetched.families
    for name in ("refusals_total", "table_lookups_total", "policy_loaded_timestamp_seconds"):
        assert told.get(name) == fetched.get(name) > 0
    status = json.loads(replyctl("status", "--socket", control, "--json").stdout)
    assert status["doors"]["metrics"] == {"socket": f"inet:{daemon.port}@{LOOPBACK}"}
    assert f"inet:{daemon.port}@{LOOPBACK}" in replyctl("status", "--socket", control).stdout
    shown = replyctl("stats", "--socket", control).stdout
    assert "3 refusals, each counted once\n" in shown
    assert re.search(r"(?m)^ +3  100\.0 %  user-unknown$", shown)
    assert re.search(r"(?m)^  footer +3 +3 +\S+ [um]?s +\S+ [um]?s$", shown)
    assert re.search(r"(?m)^  events +3 written", shown)
    daemon.stop()
    gone = replyctl("stats", "--socket", control, check=False)
    assert gone.returncode == 1 and control in gone.stderr and not gone.stdout
    assert replyctl("stats", "now", check=False).returncode == 2


# ---- the address


@pytest.mark.threaded
def test_http(alone):
    daemon = alone()
    status, headers, octets = fetch(daemon.port, method="HEAD")
    assert status == 200 and not octets and int(headers["Content-Length"]) > 1000
    assert fetch(daemon.port, "/")[0] == fetch(daemon.port, "/metrics/x")[0] == 404
    status, headers, _ = fetch(daemon.port, method="POST")
    assert status == 405 and headers["Allow"] == "GET, HEAD"
    # Whoever hangs on holds up neither the mail nor the daemon's end.
    clients = [socket.create_connection((LOOPBACK, daemon.port)) for _ in range(40)]
    for client in clients[:20]:
        client.sendall(b"GET /metrics HTTP/1.1\r\nX: ")
    with Client(daemon.tables) as client:
        assert client.ask("footer", UNKNOWN)[0] == "OK"
    daemon.stop(seconds=10)
    for client in clients:
        client.close()


@pytest.mark.parametrize("listen, host", [("[::1]", "[::1]"), ("0.0.0.0", LOOPBACK)])
def test_other_addresses(make_daemon, listen, host):
    port = free_port()
    daemon = make_daemon(f'metrics = {{ listen = "{listen}:{port}"; }};')
    daemon.start()
    assert fetch(port, host=host)[0] == 200


def test_an_address_that_is_taken(make_daemon):
    with socket.create_server((LOOPBACK, 0)) as other:
        port = other.getsockname()[1]
        daemon = make_daemon(listening(port))
        daemon.start()
        said = f"there are no metrics over HTTP: another process listens on inet:{port}@{LOOPBACK}"
        assert said in daemon.errors()
        with Client(daemon.tables) as client:
            assert client.ask("footer", UNKNOWN)[0] == "OK"


def test_another_address_needs_a_restart(alone):
    daemon = alone()
    other = free_port()
    daemon.reload(listening(other))
    assert "only a restart changes metrics.listen: kept as before" in daemon.errors()
    assert fetch(daemon.port)[0] == 200
    with pytest.raises(OSError):
        fetch(other)
    daemon.stop()
    daemon.start()
    assert fetch(other)[0] == 200


# ---- Prometheus, Grafana, the document


@pytest.fixture
def full(alone):
    """A daemon whose metrics have a sample in every family."""
    daemon = alone(
        'filters = ( { name = "none"; socket = "unix:/gone"; on_failure = "accept"; } );\n'
        + SITE_RULE
    )
    with Client(daemon.tables) as client:
        client.ask("reject", UNKNOWN.replace("5.1.1", "4.1.1"))
        client.ask("delivery", "5.1.1 host mx.test[192.0.2.1] said: " + UNKNOWN)
        client.ask("nonsense", "x")
    daemon.wait_events(2)
    return scrape(daemon.port)


def names_in(text):
    """The metrics that a query or a document names, a histogram by its own name."""
    found = set(re.findall(r"\b(?:replymilter|process)_[a-z_]+\b", text))
    return {re.sub(r"(_seconds)_(bucket|sum|count)$", r"\1", name) for name in found}


def dashboard_queries():
    panels = json.loads(read("etc/grafana/replymilter.json"))["panels"]
    return [target["expr"] for panel in panels for target in panel.get("targets", ())]


def test_promtool_takes_them(full):
    promtool("check", "metrics", input=full.text)
    empty = {name for name in full.families if not any(own.startswith(name) for own, _ in full.samples)}
    assert not empty


def test_alert_rules(full):
    folder = os.path.join(TOP, "etc/prometheus")
    assert "SUCCESS: 12 rules" in promtool("check", "rules", "replymilter.rules.yml", cwd=folder)
    promtool("test", "rules", "replymilter.rules.test.yml", cwd=folder)
    rules, tests = (read(f"etc/prometheus/replymilter.rules{what}.yml") for what in ("", ".test"))
    alerts = set(re.findall(r"alert: (\w+)", rules))
    assert alerts == set(re.findall(r"alertname: (\w+)", tests))
    assert names_in("\n".join(re.findall(r"(?ms)expr: (.*?)(?:for|labels):", rules))) <= set(full.families)


def test_dashboard(full, folder):
    dashboard = json.loads(read("etc/grafana/replymilter.json"))
    queries = dashboard_queries()
    assert len(queries) > 30
    used = names_in("\n".join(queries))
    assert used <= set(full.families)
    # Whatever is counted is shown, but for what is only of use beside another number.
    unseen = set(full.families) - used
    assert unseen <= {
        "replymilter_bounce_proofs_total", "replymilter_filter_connections_total", "replymilter_tables_connections_total",
        "replymilter_event_queue_bytes", "process_start_time_seconds", "process_virtual_memory_bytes", "process_open_fds",
        "process_max_fds",
    }  # fmt: skip
    rules = [
        {"record": f"query:{number}", "expr": re.sub(r"\$__(rate_interval|range)", "5m", query)}
        for number, query in enumerate(queries)
    ]
    path = os.path.join(folder, "queries.yml")
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"groups": [{"name": "dashboard", "rules": rules}]}, file)  # which is YAML
    promtool("check", "rules", path)
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(set(ids)) == len(ids)
    taken = set()
    for panel in dashboard["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24 and not cells & taken, panel["title"]
        taken |= cells


def test_each_has_its_place_in_the_document(full):
    table = re.findall(r"(?m)^\| `([a-z_]+)` \| (counter|gauge|histogram) \|", read("doc/metrics.md"))
    documented = {f"replymilter_{name}": kind for name, kind in table}
    own = {name: kind for name, kind in full.families.items() if name.startswith("replymilter_")}
    assert documented == own
    for name in set(full.families) - set(own):
        assert f"`{name}`" in read("doc/metrics.md")
