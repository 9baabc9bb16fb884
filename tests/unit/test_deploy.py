"""The deployment files against the code, and against each other: every name that they share."""

import os
import re
import shutil
import subprocess
import tomllib
from typing import Any

import pytest
import yaml

from app.cli.main import cli
from app.config.settings import load, unknown
from app.config.specs import SPECS
from app.domain.errors import ConfigError
from telemetry import names
from telemetry.export import export_settings_from
from tests.support import deploy

_OURS = ("web", "worker", "duties", "migrate")
#: Services without a health check, and why.
_UNCHECKED = {
    "worker": "told by the web's /readyz, out of the database",
    "duties": "told by the web's /readyz, out of the database",
    "migrate": "ends by itself",
    "collector": "the image has nothing to ask with",
}
#: Configuration file, and the service that reads it.
_CONFIGURED = (("otel-collector.yaml", "collector"), ("deploy/jaeger.yaml", "jaeger"))
_DEFAULTS = {spec.name: spec.default for spec in SPECS}


def test_compose_has_every_part() -> None:
    """Everything that the documents promise is there, and nothing else."""
    assert set(deploy.services()) == {
        *_OURS,
        "collector",
        "jaeger",
        "postgres",
        "redis",
        "prometheus",
        "grafana",
    }


@pytest.mark.parametrize("service", _OURS)
def test_environment_is_of_known_settings_and_accepted(service: str) -> None:
    """Each setting in compose exists, and the program starts with them: database URL included."""
    env = deploy.environment(service)
    assert unknown(env) == []
    settings = load(env)
    assert settings.database_url == "postgresql+psycopg://voxtrace@postgres/voxtrace"
    assert settings.given >= {name for name in env if name.startswith("VOXTRACE_")}


def test_web_listens_for_all_and_knows_its_name() -> None:
    """Requests reach the web through the published port and by the name other services use."""
    settings = load(deploy.environment("web"))
    assert not settings.is_loopback
    assert "web" in settings.hosts
    published = deploy.services()["web"]["ports"]
    assert published == [f"127.0.0.1:8082:{settings.bind_port}"]


@pytest.mark.parametrize("name", deploy.SECRETS)
def test_secret_must_be_set(name: str) -> None:
    """Nothing starts with a secret of ours: compose refuses to go on without the user's."""
    given = {key: value for key, value in deploy.SECRETS.items() if key != name}
    with pytest.raises(KeyError, match=name):
        deploy.compose(given)


def test_web_is_refused_without_a_token() -> None:
    """The token is no decoration: without it the web does not start on all addresses."""
    env = deploy.environment("web")
    del env["VOXTRACE_API_TOKEN"]
    with pytest.raises(ConfigError, match="VOXTRACE_API_TOKEN"):
        load(env)


def test_password_reaches_the_database_by_its_driver() -> None:
    """Both sides get the same password, and no URL holds it."""
    password = deploy.environment("postgres")["POSTGRES_PASSWORD"]
    for service in _OURS:
        env = deploy.environment(service)
        assert env["PGPASSWORD"] == password
        assert password not in env["VOXTRACE_DATABASE_URL"]
    postgres = deploy.environment("postgres")
    assert (postgres["POSTGRES_USER"], postgres["POSTGRES_DB"]) == ("voxtrace", "voxtrace")


@pytest.mark.parametrize("service", _OURS)
def test_command_exists_with_its_options(service: str) -> None:
    """What the container runs is a command of `voxtrace`."""
    name, *options = deploy.services()[service]["command"]
    known = [option for parameter in cli.commands[name].params for option in parameter.opts]
    assert set(options) <= set(known)


def test_ours_share_one_image_and_one_home() -> None:
    """Audio that the worker makes is served by the web: one volume, at VOXTRACE_HOME."""
    for service in _OURS:
        parts = deploy.services()[service]
        home = deploy.environment(service)["VOXTRACE_HOME"]
        assert parts["volumes"] == [f"home:{home}"]
        assert f"VOXTRACE_HOME={home}" in deploy.text("Dockerfile")
    assert {deploy.services()[service]["image"] for service in _OURS} == {_own_image()}


def _own_image() -> str:
    version = tomllib.loads(deploy.text("pyproject.toml"))["project"]["version"]
    return f"voxtrace:{version}"


def test_worker_has_time_to_drain() -> None:
    """Docker kills no earlier than the drain and the hand-back have had their time."""
    settings = load(deploy.environment("worker"))
    grace_s = int(deploy.services()["worker"]["stop_grace_period"].removesuffix("s"))
    assert grace_s >= settings.drain_s + 5


def test_image_versions_are_fixed() -> None:
    """No `latest`, no bare name, no major version alone: tomorrow's start is today's."""
    images = {name: parts["image"] for name, parts in deploy.services().items()}
    bases = re.findall(r"^FROM (\S+)", deploy.text("Dockerfile"), re.MULTILINE)
    for image in [*images.values(), *bases]:
        assert re.search(r":v?\d+\.\d+(\.\d+)?(-[a-z0-9.-]+)?$", image), image
    assert images["collector"] == "otel/opentelemetry-collector-contrib:0.155.0"
    assert images["jaeger"].startswith("jaegertracing/jaeger:2.")
    assert all(base.startswith("python:3.11.") for base in bases)


def test_every_service_has_a_health_check_or_a_reason() -> None:
    """Whether a service is well can be asked; the exceptions are these and no more."""
    unchecked = {name for name, parts in deploy.services().items() if "healthcheck" not in parts}
    assert unchecked == set(_UNCHECKED)


def test_dependencies_can_come_true() -> None:
    """Who waits for health waits for a service that has a check, and for a service that exists."""
    services = deploy.services()
    for parts in services.values():
        for name, rule in parts.get("depends_on", {}).items():
            assert name in services
            if rule["condition"] == "service_healthy":
                assert "healthcheck" in services[name]
            if rule["condition"] == "service_completed_successfully":
                assert services[name]["restart"] == "no"


def test_only_this_machine_reaches_published_ports() -> None:
    """Nothing is open to the network: a proxy with TLS is the user's to put before it."""
    ports = [port for parts in deploy.services().values() for port in parts.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)
    assert len({port.split(":")[1] for port in ports}) == len(ports)


def test_redis_waits_to_be_asked_for() -> None:
    """The queue is the task table: Redis starts only with its profile, and no one depends on it."""
    services = deploy.services()
    assert services["redis"]["profiles"] == ["redis"]
    assert not [name for name, parts in services.items() if "redis" in parts.get("depends_on", {})]
    asked_for = {name for name, parts in services.items() if "profiles" in parts}
    assert asked_for == {"redis", "grafana"}


def test_volumes_and_mounted_files_exist() -> None:
    """Named volumes are declared and used; mounted files are in the repository."""
    declared = set(deploy.compose()["volumes"])
    mounts = [mount for parts in deploy.services().values() for mount in parts.get("volumes", [])]
    sources = {mount.split(":")[0] for mount in mounts}
    assert {source for source in sources if not source.startswith("./")} == declared
    for source in sources - declared:
        assert (deploy.ROOT / source).is_file(), source


@pytest.mark.parametrize(("file", "service"), _CONFIGURED)
def test_variables_are_set_in_compose_and_have_a_default(file: str, service: str) -> None:
    """Compose sets each variable of a configuration, no other one, and a bare machine none."""
    used = deploy.variables(file)
    assert {variable.name for variable in used} == set(deploy.environment(service))
    for variable in used:
        assert variable.default is not None, variable.name
        assert re.match(r"127\.0\.0\.1|\./var/|http://127\.0\.0\.1:|\d+$", variable.default)
    assert len({(variable.name, variable.default) for variable in used}) == len(
        {variable.name for variable in used}
    )


@pytest.mark.parametrize(("file", "service"), _CONFIGURED)
def test_programs_read_the_mounted_file(file: str, service: str) -> None:
    """The path in the command is the path of the mount."""
    parts = deploy.services()[service]
    mounted = {mount.split(":")[1] for mount in parts["volumes"] if mount.startswith(f"./{file}:")}
    assert set(parts["command"]) & mounted


def test_spans_find_their_way() -> None:
    """Forwarder → collector → Jaeger → its page: each address is where the next one listens."""
    env = deploy.environment("duties")
    export = export_settings_from(env)
    assert export is not None
    collector = deploy.environment("collector")
    assert (
        export.endpoint == f"http://collector:{deploy.port_of(collector['OTELCOL_HTTP'])}/v1/traces"
    )
    jaeger = deploy.environment("jaeger")
    assert collector["OTELCOL_JAEGER"] == f"jaeger:{deploy.port_of(jaeger['JAEGER_OTLP'])}"
    port = deploy.port_of(jaeger["JAEGER_UI"])
    assert deploy.services()["jaeger"]["ports"] == [f"127.0.0.1:{port}:{port}"]
    assert env["VOXTRACE_JAEGER_PUBLIC_URL"] == f"http://localhost:{port}"
    assert jaeger["JAEGER_PROMETHEUS"] == "http://prometheus:9090"


def test_defaults_serve_one_machine() -> None:
    """Without any variable the programs find each other on loopback, and no two want one port."""
    defaults = {
        variable.name: variable.default or ""
        for file, _ in _CONFIGURED
        for variable in deploy.variables(file)
    }
    assert defaults["OTELCOL_JAEGER"] == defaults["JAEGER_OTLP"]
    clients = {"OTELCOL_JAEGER", "JAEGER_PROMETHEUS"}
    listens = [
        deploy.port_of(value)
        for name, value in defaults.items()
        if name not in clients and re.search(r"(^|:)\d+$", value)
    ]
    others = [deploy.port_of(str(_DEFAULTS["VOXTRACE_BIND"])), 9090]
    assert len(set(listens + others)) == len(listens) + len(others)


def _collector() -> dict[str, Any]:
    return deploy.configuration("otel-collector.yaml", deploy.environment("collector"))


@pytest.mark.parametrize(("file", "service"), _CONFIGURED)
def test_pipelines_name_what_exists(file: str, service: str) -> None:
    """Every part of a pipeline is defined, every defined part is used, and extensions are on."""
    parsed = deploy.configuration(file, deploy.environment(service))
    pipelines = parsed["service"]["pipelines"].values()
    connectors = set(parsed.get("connectors", {}))
    for kind in ("receivers", "processors", "exporters"):
        used = {name for pipeline in pipelines for name in pipeline.get(kind, [])}
        assert used - connectors == set(parsed.get(kind, {})), kind
    for connector in connectors:
        assert [p for p in pipelines if connector in p["exporters"]]
        assert [p for p in pipelines if connector in p["receivers"]]
    assert set(parsed["service"]["extensions"]) == set(parsed["extensions"])


@pytest.mark.parametrize(("file", "service"), _CONFIGURED)
def test_no_batch_processor(file: str, service: str) -> None:
    """Nothing answers before spans are safe: a batch processor would."""
    parsed = deploy.configuration(file, deploy.environment(service))
    used = [
        name.partition("/")[0]
        for pipeline in parsed["service"]["pipelines"].values()
        for name in pipeline.get("processors", [])
    ]
    assert set(used) <= {"memory_limiter"}


def test_queue_is_on_disk_and_never_gives_up() -> None:
    """The collector's answer means "on disk", and a Jaeger that is away for days costs no span."""
    exporter = _collector()["exporters"]["otlp_grpc/jaeger"]
    queue = exporter["sending_queue"]
    assert queue["storage"] in _collector()["service"]["extensions"]
    assert exporter["retry_on_failure"]["max_elapsed_time"] == "0s"
    storage = _collector()["extensions"][queue["storage"]]
    assert storage["fsync"] is True
    volumes = [mount.split(":")[1] for mount in deploy.services()["collector"]["volumes"]]
    assert any(storage["directory"].startswith(f"{volume}/") for volume in volumes)
    jaeger = deploy.configuration("deploy/jaeger.yaml")["receivers"]["otlp"]["protocols"]["grpc"]
    assert queue["batch"]["max_size"] < jaeger["max_recv_msg_size_mib"] * 1024 * 1024


def test_span_metrics_use_attributes_that_exist() -> None:
    """Each dimension is an attribute that our spans carry; the last bucket is the default limit."""
    metrics = _collector()["connectors"]["span_metrics"]
    known = {attribute.key for attribute in names.ATTRIBUTES}
    assert {dimension["name"] for dimension in metrics["dimensions"]} <= known
    assert set(metrics["resource_metrics_key_attributes"]) <= {a.key for a in names.RESOURCE}
    buckets_s = [_seconds(bucket) for bucket in metrics["histogram"]["explicit"]["buckets"]]
    assert buckets_s == sorted(buckets_s)
    assert buckets_s[-1] == float(str(_DEFAULTS["VOXTRACE_TASK_TIMEOUT_S"]))


def _seconds(duration: str) -> float:
    number, unit = re.fullmatch(r"(\d+)(ms|s|h)", duration).groups()  # type: ignore[union-attr]
    return float(number) * {"ms": 0.001, "s": 1.0, "h": 3600.0}[unit]


def test_jaeger_keeps_traces_on_disk_as_long_as_the_outbox() -> None:
    """Badger on disk, written through, for the outbox's window, as the settings say; one unit."""
    parsed = deploy.configuration("deploy/jaeger.yaml", deploy.environment("jaeger"))
    storage = parsed["extensions"]["jaeger_storage"]
    badger = storage["backends"]["main"]["badger"]
    assert (badger["consistency"], badger["ephemeral"]) == (True, False)
    for setting in ("VOXTRACE_OUTBOX_KEEP", "VOXTRACE_JAEGER_RETENTION"):
        assert _seconds(badger["ttl"]["spans"]) == float(str(_DEFAULTS[setting])) * 3600, setting
    volume = deploy.services()["jaeger"]["volumes"][-1].split(":")[1]
    assert all(path.startswith(f"{volume}/") for path in badger["directories"].values())
    prometheus = storage["metric_backends"]["prometheus"]["prometheus"]
    assert (
        prometheus["latency_unit"]
        == _collector()["connectors"]["span_metrics"]["histogram"]["unit"]
    )


def test_prometheus_asks_where_something_answers() -> None:
    """Each target is a service and a port on which its configuration says it listens."""
    parsed = yaml.safe_load(deploy.text("deploy/prometheus.yaml"))
    collector, jaeger = deploy.environment("collector"), deploy.environment("jaeger")
    listens = {
        "collector": {
            deploy.port_of(collector["OTELCOL_SPANMETRICS"]),
            int(collector["OTELCOL_SELF_PORT"]),
        },
        "jaeger": {int(jaeger["JAEGER_SELF_PORT"])},
        "127.0.0.1": {9090},
        "web": {load(deploy.environment("web")).bind_port},
    }
    targets = [
        target
        for job in parsed["scrape_configs"]
        for config in job["static_configs"]
        for target in config["targets"]
    ]
    assert {
        host: {deploy.port_of(t) for t in targets if deploy.host_of(t) == host} for host in listens
    } == listens


def test_prometheus_has_its_rules_and_the_token() -> None:
    """What deploy/prometheus.yaml names lies beside it; the secret there is our token."""
    parsed = yaml.safe_load(deploy.text("deploy/prometheus.yaml"))
    service = deploy.services()["prometheus"]
    mounted = {mount.split(":")[1] for mount in service["volumes"]}
    assert {f"/etc/prometheus/{name}" for name in parsed["rule_files"]} <= mounted
    (job,) = [job for job in parsed["scrape_configs"] if "authorization" in job]
    (secret,) = service["secrets"]
    assert secret["target"] == f"/etc/prometheus/{job['authorization']['credentials_file']}"
    assert deploy.compose()["secrets"][secret["source"]] == {"environment": "VOXTRACE_API_TOKEN"}
    assert (
        deploy.host_of(job["static_configs"][0]["targets"][0])
        in load(deploy.environment("web")).hosts
    )


def test_grafana_finds_the_dashboard_and_prometheus() -> None:
    """Folder, file and data source of the provisioning are those of compose and the dashboard."""
    service = deploy.services()["grafana"]
    mounts = dict(mount.split(":")[:2] for mount in service["volumes"])
    provider = yaml.safe_load(deploy.text("deploy/grafana/dashboards.yaml"))["providers"][0]
    folder, _, name = mounts["./deploy/grafana/voxtrace.json"].rpartition("/")
    assert (provider["options"]["path"], name) == (folder, "voxtrace.json")
    for file in ("datasources", "dashboards"):
        place = mounts[f"./deploy/grafana/{file}.yaml"]
        assert place.startswith(f"/etc/grafana/provisioning/{file}/")
    source = yaml.safe_load(deploy.text("deploy/grafana/datasources.yaml"))["datasources"][0]
    assert (source["type"], source["url"]) == ("prometheus", "http://prometheus:9090")


def test_image_installs_what_the_project_needs() -> None:
    """The pinned requirements, PostgreSQL's driver in its bounds, every package, no root."""
    dockerfile = deploy.text("Dockerfile")
    project = tomllib.loads(deploy.text("pyproject.toml"))
    for requirement in project["project"]["optional-dependencies"]["postgres"]:
        assert f'"{requirement}"' in dockerfile
    packages = [
        name.rstrip("*") for name in project["tool"]["setuptools"]["packages"]["find"]["include"]
    ]
    for name in packages:
        assert f"COPY {name} {name}" in dockerfile
    copied = [
        name
        for line in re.findall(r"^COPY (?!--)(.+) \S+$", dockerfile, re.MULTILINE)
        for name in line.split()
    ]
    allowed = [
        line[1:] for line in deploy.text(".dockerignore").splitlines() if line.startswith("!")
    ]
    assert sorted(copied) == sorted(allowed)
    assert re.search(r"^USER voxtrace$", dockerfile, re.MULTILINE)


def test_compose_accepts_its_file() -> None:
    """`docker compose config -q` takes the file."""
    if shutil.which("docker") is None or _docker("version").returncode != 0:
        pytest.skip("NO DOCKER COMPOSE: docker-compose.yml is checked by our own rules only")
    done = _docker("config", "-q")
    assert done.returncode == 0, done.stderr


def _docker(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["docker", "compose", *arguments],
        cwd=deploy.ROOT,
        env={**os.environ, **deploy.SECRETS},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
