"""A real collector, Jaeger and Prometheus: run on the files that users get, killed on command.

    with Pair.make(backends, folder) as pair:
        pair.collector.kill()   # SIGKILL
        pair.collector.start()  # the same ports, the same data

Only `${env:…}` of otel-collector.yaml and deploy/jaeger.yaml differ from a user's start.
"""

import re
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import requests
import yaml
from typing_extensions import override

from tests.support import deploy
from tests.support.backend import Backend, quiet_port


@dataclass(frozen=True, slots=True, kw_only=True)
class Backends:
    """Where the programs are; `prometheus` is None where it is not installed."""

    otelcol: Path
    jaeger: Path
    prometheus: Path | None


class Prometheus(Backend):
    """Prometheus on deploy/prometheus.yaml, with other addresses and a scrape each second.

    Its rules are those of deploy/alerts.yaml.

    Args:
        program: The file.
        folder: Its data and its output.
        targets: Address in the file → address here, such as "collector:8889" → "127.0.0.1:20001".
            The others are left out.
        token: What its file `api_token` holds.
        wait: Duration that stands for every `for:` of deploy/alerts.yaml, such as "1s".
    """

    def __init__(
        self,
        program: Path,
        folder: Path,
        targets: dict[str, str] | None = None,
        *,
        token: str = "",
        wait: str | None = None,
    ) -> None:
        super().__init__(program, folder)
        self.targets = targets or {}
        self._port = quiet_port()
        self._token = token
        self._wait = wait

    @property
    def url(self) -> str:
        """Its pages and its API."""
        return f"http://127.0.0.1:{self._port}"

    @property
    @override
    def health_url(self) -> str:
        return f"{self.url}/-/ready"

    @override
    def launch(self) -> None:
        (self.folder / "prometheus.yaml").write_text(yaml.safe_dump(self._configuration()))
        rules = deploy.text("deploy/alerts.yaml")
        if self._wait is not None:
            rules = re.sub(r"^( +for:) \S+$", rf"\1 {self._wait}", rules, flags=re.MULTILINE)
        (self.folder / "alerts.yaml").write_text(rules)
        (self.folder / "api_token").write_text(self._token)
        super().launch()

    @override
    def arguments(self) -> list[str]:
        return [
            "--config.file=prometheus.yaml",
            f"--web.listen-address=127.0.0.1:{self._port}",
            "--storage.tsdb.path=data",
        ]

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The series of an instant query: each with `metric` (labels) and `value` (time, text)."""
        found: list[dict[str, Any]] = self._ask("query", query=expression)["result"]
        return found

    def firing(self) -> dict[str, dict[str, Any]]:
        """The alerts that fire, by name: each with `labels` and `annotations`."""
        return {
            alert["labels"]["alertname"]: alert
            for alert in self._ask("alerts")["alerts"]
            if alert["state"] == "firing"
        }

    def metric_names(self) -> set[str]:
        """Names of all series that it has."""
        return set(self._ask("label/__name__/values"))

    def _ask(self, what: str, **parameters: str) -> Any:
        """The data of an answer of its API, which must be a success."""
        asked = requests.get(f"{self.url}/api/v1/{what}", params=parameters, timeout=10).json()
        assert asked["status"] == "success", asked
        return asked["data"]

    def _configuration(self) -> dict[str, Any]:
        parsed: dict[str, Any] = yaml.safe_load(deploy.text("deploy/prometheus.yaml"))
        here = {**self.targets, "127.0.0.1:9090": f"127.0.0.1:{self._port}"}
        parsed["global"] |= {"scrape_interval": "1s", "evaluation_interval": "1s"}
        for job in parsed["scrape_configs"]:
            for config in job["static_configs"]:
                config["targets"] = [here[name] for name in config["targets"] if name in here]
        return parsed


class Jaeger(Backend):
    """Jaeger on deploy/jaeger.yaml: badger on disk.

    Args:
        program: The file.
        folder: Its data and its output.
        prometheus: Where its metrics come from.
    """

    def __init__(self, program: Path, folder: Path, prometheus: Prometheus | None = None) -> None:
        super().__init__(program, folder)
        self._health = quiet_port()
        self._otlp, self._ui, self._grpc, self._own = (quiet_port() for _ in range(4))
        self.environ = {
            "JAEGER_HEALTH": f"127.0.0.1:{self._health}",
            "JAEGER_UI": f"127.0.0.1:{self._ui}",
            "JAEGER_QUERY_GRPC": f"127.0.0.1:{self._grpc}",
            "JAEGER_DIR": str(folder / "data"),
            "JAEGER_OTLP": self.otlp_endpoint,
            "JAEGER_SELF_PORT": str(self._own),
            "JAEGER_PROMETHEUS": prometheus.url if prometheus else f"http://127.0.0.1:{self._own}",
        }

    @property
    def url(self) -> str:
        """Value for VOXTRACE_JAEGER_URL: its pages and its query API."""
        return f"http://127.0.0.1:{self._ui}"

    @property
    def otlp_endpoint(self) -> str:
        """HOST:PORT that takes spans (OTLP/gRPC)."""
        return f"127.0.0.1:{self._otlp}"

    @property
    def self_metrics(self) -> str:
        """HOST:PORT of the metrics about itself."""
        return f"127.0.0.1:{self._own}"

    @property
    @override
    def health_url(self) -> str:
        return f"http://127.0.0.1:{self._health}/status"

    @override
    def arguments(self) -> list[str]:
        return ["--config", str(deploy.ROOT / "deploy" / "jaeger.yaml")]


class Collector(Backend):
    """The collector on otel-collector.yaml: its queue on disk, spans on to Jaeger.

    Args:
        program: The file.
        folder: Its queue and its output.
        jaeger: Where it hands spans to.
        more: A second configuration file.
    """

    def __init__(
        self, program: Path, folder: Path, jaeger: Jaeger, *, more: Path | None = None
    ) -> None:
        super().__init__(program, folder)
        self._more = [] if more is None else ["--config", str(more)]
        self._health = quiet_port()
        self._http, self._grpc, self._spans, self._own = (quiet_port() for _ in range(4))
        self.environ = {
            "OTELCOL_HEALTH": f"127.0.0.1:{self._health}",
            "OTELCOL_QUEUE_DIR": str(folder / "queue"),
            "OTELCOL_GRPC": self.grpc_endpoint,
            "OTELCOL_HTTP": f"127.0.0.1:{self._http}",
            "OTELCOL_JAEGER": jaeger.otlp_endpoint,
            "OTELCOL_SPANMETRICS": self.span_metrics,
            "OTELCOL_SELF_PORT": str(self._own),
        }

    @property
    def http_endpoint(self) -> str:
        """Value for OTEL_EXPORTER_OTLP_ENDPOINT."""
        return f"http://127.0.0.1:{self._http}"

    @property
    def grpc_endpoint(self) -> str:
        """HOST:PORT that takes spans by OTLP/gRPC."""
        return f"127.0.0.1:{self._grpc}"

    @property
    def span_metrics(self) -> str:
        """HOST:PORT of the metrics that it makes of spans."""
        return f"127.0.0.1:{self._spans}"

    @property
    def spanmetrics_url(self) -> str:
        """The page of the metrics that it makes of spans."""
        return f"http://{self.span_metrics}/metrics"

    @property
    def self_metrics(self) -> str:
        """HOST:PORT of the metrics about itself."""
        return f"127.0.0.1:{self._own}"

    @property
    @override
    def health_url(self) -> str:
        return f"http://127.0.0.1:{self._health}/"

    @override
    def arguments(self) -> list[str]:
        return ["--config", str(deploy.ROOT / "otel-collector.yaml"), *self._more]

    def count(self, metric: str) -> float:
        """A metric about itself, summed over its series; 0 where it has none.

        Example: `otelcol_receiver_refused_spans`. They begin at 0 with each start.
        """
        page = requests.get(f"http://{self.self_metrics}/metrics", timeout=10).text
        series = re.findall(rf"^{metric}(?:_total)?(?:\{{.*\}})? (\S+)$", page, re.MULTILINE)
        return sum(map(float, series))


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A collector and the Jaeger behind it; use it as a context, or start each when it suits."""

    collector: Collector
    jaeger: Jaeger

    @classmethod
    def make(
        cls,
        programs: Backends,
        folder: Path,
        prometheus: Prometheus | None = None,
        *,
        more: Path | None = None,
    ) -> Self:
        """A new pair in a folder that does not run yet; Jaeger's metrics are Prometheus's.

        Args:
            programs: Where they are.
            folder: Their data and their output.
            prometheus: Where Jaeger's metrics come from.
            more: A second configuration file for the collector.
        """
        jaeger = Jaeger(programs.jaeger, folder / "jaeger", prometheus)
        collector = Collector(programs.otelcol, folder / "collector", jaeger, more=more)
        return cls(collector=collector, jaeger=jaeger)

    def __enter__(self) -> Self:
        with ExitStack() as started:
            started.enter_context(self.jaeger)
            started.enter_context(self.collector)
            started.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        try:
            self.collector.__exit__(*error)
        finally:
            self.jaeger.__exit__(*error)

    @property
    def environ(self) -> dict[str, str]:
        """Settings with which voxtrace uses them."""
        return {
            "OTEL_EXPORTER_OTLP_ENDPOINT": self.collector.http_endpoint,
            "VOXTRACE_JAEGER_URL": self.jaeger.url,
        }

    @property
    def targets(self) -> dict[str, str]:
        """Address in deploy/prometheus.yaml → address here."""
        return {
            "collector:8888": self.collector.self_metrics,
            "collector:8889": self.collector.span_metrics,
            "jaeger:8898": self.jaeger.self_metrics,
        }
