"""What machines are told: metrics in a real Prometheus, spans over real OTLP, logs as JSON."""

import gzip
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from terminal import SOURCE, Workspace, row, rows

CANARY = "canary4711"
SCHEDULED = SOURCE + 'schedule: {cron: "0 2 1 1 *", timezone: UTC}\n'
LONGEST_S = 60


def program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        if os.environ.get("CI"):
            pytest.fail(f"{name} is missing")
        pytest.skip(f"{name} is missing")
    return found


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def until(look: Callable[[], Any]) -> Any:
    """What `look` returns as soon as it returns something."""
    ends_at = time.monotonic() + LONGEST_S
    while time.monotonic() < ends_at:
        try:
            found = look()
        except httpx.TransportError:
            found = None
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError("it never came")


@contextmanager
def running(*command: str, **how: Any) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(command, text=True, **how) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(LONGEST_S)


@pytest.fixture
def canaries(workspace: Workspace) -> Workspace:
    """A workspace in which one account, its role and a row that cannot be read are marked."""
    marked = row(9, roles=f"{CANARY} role").replace("user9", CANARY).replace("Given9", CANARY)
    workspace.source(SCHEDULED + "guards: {max_rejected_rows: 100%, max_removed_accounts: 1}\n")
    workspace.export(*rows(3), marked, f"{CANARY},{CANARY},,,{CANARY},,")
    return workspace


@contextmanager
def prometheus(folder: Path, targets: list[str]) -> Iterator[str]:
    """The address of a Prometheus that scrapes the targets every second."""
    (folder / "prometheus.yml").write_text(
        json.dumps(
            {
                "global": {"scrape_interval": "1s"},
                "scrape_configs": [{"job_name": "j", "static_configs": [{"targets": targets}]}],
            }
        ),
        "utf-8",
    )
    address = f"127.0.0.1:{free_port()}"
    options = {
        "config.file": folder / "prometheus.yml",
        "storage.tsdb.path": folder / "data",
        "web.listen-address": address,
    }
    words = [f"--{name}={value}" for name, value in options.items()]
    with running(program("prometheus"), *words, stderr=subprocess.DEVNULL):
        yield f"http://{address}"


def queried(url: str, query: str) -> dict[str, float]:
    answer = httpx.get(f"{url}/api/v1/query", params={"query": query}, timeout=LONGEST_S).json()
    return {
        json.dumps(one["metric"], sort_keys=True): float(one["value"][1])
        for one in answer["data"]["result"]
    }


def test_prometheus_reads_the_metrics_from_serve_and_through_the_node_exporter(
    canaries: Workspace, tmp_path_factory: pytest.TempPathFactory
):
    folder = tmp_path_factory.mktemp("prometheus")
    file = folder / "textfiles" / "lumos.prom"
    file.parent.mkdir()
    said = canaries.run("sync", "hr", env={"LUMOS_INGEST_METRICS_FILE": str(file)})
    assert said.code == 0, said.err
    assert file.stat().st_mode & 0o777 == 0o644
    text = file.read_text("utf-8")
    assert [path.name for path in file.parent.iterdir()] == ["lumos.prom"]
    linted = subprocess.run(
        [program("promtool"), "check", "metrics"],
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (linted.returncode, linted.stderr) == (0, "")
    exporter = f"127.0.0.1:{free_port()}"
    words = [
        "--collector.disable-defaults",
        "--collector.textfile",
        f"--collector.textfile.directory={file.parent}",
        f"--web.listen-address={exporter}",
    ]
    lumos = {"LUMOS_API_URL": canaries.sandbox.url, "LUMOS_API_TOKEN": canaries.sandbox.token}
    serve = [sys.executable, "-m", "lumos_ingest", "serve", "--metrics", "0"]
    env = {**os.environ, **lumos}
    with (
        running(program("prometheus-node-exporter"), *words, stderr=subprocess.DEVNULL),
        running(
            *serve, "-w", str(canaries.path), env=env, stdout=subprocess.DEVNULL, stderr=-1
        ) as served,
    ):
        line = next(line for line in served.stderr if "metrics are at" in line)
        address = line.split("http://")[1].removesuffix("/metrics\n")
        assert address.startswith("127.0.0.1:")
        with prometheus(folder, [exporter, address]) as url:
            of_both = until(
                lambda: (
                    len(found := queried(url, 'lumos_ingest_runs_total{source="hr"}')) == 2
                    and found
                )
            )
            assert set(of_both.values()) == {1.0}
            accounts = queried(url, 'lumos_ingest_records{table="accounts"}')
            assert set(accounts.values()) == {4.0}
            rejected = queried(url, 'lumos_ingest_last_run_rows{table="accounts",fate="rejected"}')
            assert set(rejected.values()) == {1.0}
            age = queried(url, "time() - lumos_ingest_last_accepted_timestamp_seconds")
            assert all(0 <= seconds < 3600 for seconds in age.values())
            due = queried(url, "lumos_ingest_next_due_timestamp_seconds - time()")
            assert all(seconds > 0 for seconds in due.values())
            everything = httpx.get(f"http://{address}/metrics", timeout=LONGEST_S).text
    assert CANARY not in text + everything


def test_metrics_that_cannot_be_written_are_told_and_change_no_end(canaries: Workspace):
    said = canaries.run("sync", "hr", env={"LUMOS_INGEST_METRICS_FILE": "nowhere/x.prom"})
    assert said.code == 0
    assert "the metrics were not written: LUMOS_INGEST_METRICS_FILE" in said.err
    assert "No such file or directory" in said.err


def test_a_port_that_is_taken_is_told(canaries: Workspace):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        said = canaries.run("serve", "--metrics", port)
    assert said.code == 2
    assert (
        f"--metrics {port}: cannot listen on 127.0.0.1:{port}: Address already in use" in said.err
    )


class Receiver(BaseHTTPRequestHandler):
    """Takes spans as OTLP over HTTP has them, by opentelemetry-proto; no collector at all."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        assert self.headers["Content-Type"] == "application/x-protobuf"
        self.server.taken.append((self.path, body))
        answer = ExportTraceServiceResponse().SerializeToString()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_words: object) -> None:
        """Nothing."""


@pytest.fixture
def receiver() -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        server.taken = []
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def spans_of(server: ThreadingHTTPServer) -> tuple[dict[str, str], list[Any]]:
    """The resource's attributes, and the spans that came; the receiver forgets them."""
    resource: dict[str, str] = {}
    spans = []
    for path, body in server.taken:
        assert path == "/v1/traces"
        assert CANARY.encode() not in body
        for one in ExportTraceServiceRequest.FromString(body).resource_spans:
            resource |= {item.key: item.value.string_value for item in one.resource.attributes}
            spans += [span for scope in one.scope_spans for span in scope.spans]
    server.taken.clear()
    return resource, spans


def facts_of(span: Any) -> dict[str, object]:
    return {item.key: item.value.string_value or item.value.int_value for item in span.attributes}


def test_a_run_is_a_trace_of_its_stages_and_says_nothing_of_a_row(
    canaries: Workspace, receiver: ThreadingHTTPServer
):
    place = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{receiver.server_port}"}
    assert canaries.run("sync", "hr", env={**place, "OTEL_SERVICE_NAME": "ids"}).code == 0
    resource, spans = spans_of(receiver)
    assert resource["service.name"] == "ids"
    names = {span.name for span in spans}
    assert names == {"sync", "extract", "transform", "plan", "publish"}
    by_id = {span.span_id: span.name for span in spans}
    above = {span.name: by_id.get(span.parent_span_id) for span in spans}
    assert above == {
        "sync": None, "transform": "sync", "extract": "transform", "plan": "sync", "publish": "sync"
    }  # fmt: skip
    [root] = [span for span in spans if span.name == "sync"]
    [run] = canaries.run("runs", "--json").document
    facts = facts_of(root)
    assert facts["lumos_ingest.run.id"] == run["run_id"]
    assert facts["lumos_ingest.run.state"] == "done"
    assert facts["lumos_ingest.count.accounts_rejected"] == 1

    canaries.export(row(1))
    canaries.fault("500@/accounts/upload*inf")
    canaries.run("sync", "hr", env={**place, "OTEL_SDK_DISABLED": "true"})
    assert spans_of(receiver) == ({}, [])
    canaries.source(SCHEDULED.replace("email: email", "email: gone"))
    assert canaries.run("sync", "hr", env=place).code == 1
    resource, spans = spans_of(receiver)
    assert resource["service.name"] == "lumos-ingest"
    [root] = [span for span in spans if span.name == "sync"]
    assert root.status.code == root.status.STATUS_CODE_ERROR
    assert root.status.message == ""
    assert facts_of(root)["error.type"] == "SourceFormatError"


def test_traces_that_nobody_takes_are_told_once_and_change_no_end(canaries: Workspace):
    place = f"http://user:{CANARY}@127.0.0.1:{free_port()}"
    env = {"OTEL_EXPORTER_OTLP_ENDPOINT": place, "OTEL_EXPORTER_OTLP_TIMEOUT": "0.1"}
    said = canaries.run("sync", "hr", env=env)
    assert said.code == 0
    assert said.err.count("spans were not taken at OTEL_EXPORTER_OTLP_ENDPOINT") == 1
    assert CANARY not in said.err


def test_another_protocol_than_the_one_that_is_spoken_is_wrong_usage(canaries: Workspace):
    env = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
    }
    said = canaries.run("sync", "hr", env=env)
    assert said.code == 2
    assert "OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' is not spoken here: say http/protobuf" in said.err


@pytest.mark.parametrize("is_in_file", [False, True])
def test_each_line_on_stderr_is_json_where_a_setting_says_so(canaries: Workspace, is_in_file: bool):
    name, env = "LUMOS_INGEST_LOG_FORMAT", {}
    if is_in_file:
        (canaries.path / ".env").write_text(f"{name}=json\n", "utf-8")
    else:
        env = {name: "json"}
    canaries.source(SCHEDULED.replace("app:", "apq:"), "wrong")
    said = canaries.run("sync", "--all", env=env)
    assert said.code == 2
    lines = [json.loads(line) for line in said.err.splitlines()]
    assert {line["log.level"] for line in lines} >= {"info", "warning", "error"}
    keys = {"@timestamp", "log.level", "message", "ecs.version", "log.logger", "service.name"}
    assert all(set(line) == keys for line in lines)
    assert CANARY not in said.err
    [error] = [line for line in lines if line["log.level"] == "error"]
    assert error["message"].startswith("lumos-ingest: sources/wrong.yaml")
    said = canaries.run("sync", "--fo", env=env)
    assert json.loads(said.err)["log.level"] == "error"


def test_a_log_of_another_form_is_wrong_usage(canaries: Workspace):
    said = canaries.run("runs", env={"LUMOS_INGEST_LOG_FORMAT": "xml"})
    assert said.code == 2
    assert said.err == "lumos-ingest: LUMOS_INGEST_LOG_FORMAT: should be text or json\n"
