"""Traces by OpenTelemetry, where its own variables ask for them: a span a run and one a stage.

A span says which source, what kind of run and how it ended, in numbers and states: nothing of a
row. The SDK is loaded where a place to send to is named; without it a span costs nothing.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Protocol

from extractors.optional_parts import install_extra, loaded
from flows.run.context import at_once
from schemas.errors import ConfigError, IngestError
from schemas.run import Run

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan, TracerProvider

_log = logging.getLogger(__name__)

SERVICE = "lumos-ingest"
NAMES = "lumos_ingest."
"""What the names of our own attributes begin with."""

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_PROTOCOL = "http/protobuf"
_TIMEOUTS = ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT")
_PATIENCE_S = 3
"""How long a command waits at its end for spans to be taken, where no variable says."""


class Span(Protocol):
    """What becomes of one piece of work."""

    def set(self, name: str, value: str | int) -> None:
        """Notes a fact of ours."""


class _Nothing:
    """The span of a process that is not traced."""

    def set(self, name: str, value: str | int) -> None:
        """Drops it."""


class Traces:
    """Where the process sends its spans; None where nobody asked for them."""

    provider: "TracerProvider | None" = None


def is_asked(environ: Mapping[str, str]) -> bool:
    """Whether the variables ask for traces."""
    is_off = environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    exporters = environ.get("OTEL_TRACES_EXPORTER", "otlp").strip().lower()
    return not is_off and exporters == "otlp" and any(environ.get(name) for name in ENDPOINTS)


@contextmanager
def traced_process(environ: Mapping[str, str]) -> Iterator[None]:
    """The block whose spans are sent where the variables say; at its end, what is left of them.

    The SDK reads the variables itself, from the process's environment.

    Raises:
        ConfigError: the SDK is not installed, or another protocol is asked for.
    """
    protocol = next((environ[name] for name in _PROTOCOLS if environ.get(name)), _PROTOCOL)
    if protocol != _PROTOCOL:
        raise ConfigError(f"{_PROTOCOLS[1]}: {protocol!r} is not spoken here: say {_PROTOCOL}")
    lost: list[int] = []
    Traces.provider = loaded(lambda: _provider(environ, lost), "otel", install_extra("otel"))
    # It would say at each try that nobody is there, with the address, which may hold a password.
    exporters = logging.getLogger("opentelemetry")
    exporters.addHandler(logging.NullHandler())
    exporters.propagate = False
    try:
        yield
    finally:
        Traces.provider.shutdown()
        Traces.provider = None
        exporters.propagate = True
        if lost:
            _log.warning("traces: %d spans were not taken at %s", sum(lost), ENDPOINTS[1])


def _provider(environ: Mapping[str, str], lost: list[int]) -> "TracerProvider":
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult

    class Exporter(OTLPSpanExporter):
        """The official one, which notes what was not taken."""

        def export(self, spans: "Sequence[ReadableSpan]") -> SpanExportResult:
            """As the official one does."""
            result = super().export(spans)
            if result is not SpanExportResult.SUCCESS:
                lost.append(len(spans))
            return result

    # What the environment says of the service goes before this.
    ours = Resource({"service.name": SERVICE, "service.version": version(SERVICE)})
    detected = Resource.create()
    unnamed = str(detected.attributes.get("service.name", "")).startswith("unknown_service")
    resource = detected.merge(ours) if unnamed else ours.merge(detected)
    provider = TracerProvider(resource=resource)
    is_told = any(environ.get(name) for name in _TIMEOUTS)
    exporter = Exporter(timeout=None if is_told else _PATIENCE_S)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider


def tell_run(span: Span, run: Run) -> None:
    """Notes of which run the span is, how it ended, and how much it was about."""
    span.set("run.id", run.run_id)
    span.set("run.state", run.state)
    for name, number in run.counts.items():
        span.set(f"count.{name}", number)


@contextmanager
def span(name: str, **facts: str) -> Iterator[Span]:
    """The block as a span of that name; one that raises is an error, told by its kind alone."""
    if Traces.provider is None:
        yield _Nothing()
        return
    from opentelemetry.trace import StatusCode

    tracer = Traces.provider.get_tracer(SERVICE, version(SERVICE))
    attributes = {f"{NAMES}{key}": value for key, value in facts.items()}
    with tracer.start_as_current_span(
        name, attributes=attributes, record_exception=False, set_status_on_exception=False
    ) as begun:
        try:
            yield _Own(begun)
        except BaseException as error:
            # Never its text: what is not ours may quote a row.
            begun.set_attribute("error.type", type(error).__name__)
            if isinstance(error, IngestError) and error.run_id:
                begun.set_attribute(f"{NAMES}run.id", error.run_id)
            begun.set_status(StatusCode.ERROR)
            raise


class _Own:
    """A span of OpenTelemetry's, with our names."""

    def __init__(self, span: Any) -> None:  # noqa: ANN401 - a type of the optional SDK
        self._span = span

    def set(self, name: str, value: str | int) -> None:
        """Notes a fact of ours."""
        self._span.set_attribute(f"{NAMES}{name}", value)


def traced_step(name: str, stage: Callable[[], Any]) -> Any:  # noqa: ANN401 - a stage's own type
    """The step of a command: at once, in a span of the stage's name."""
    with span(name):
        return at_once(name, stage)
