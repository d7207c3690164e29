"""The files for containers and clusters: no root, a read-only disk, and every package of ours."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
CONTAINERFILE = (ROOT / "containers" / "Containerfile").read_text("utf-8")
POOL = json.loads((ROOT / "containers" / "kubernetes" / "work-pool.json").read_text("utf-8"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def pods() -> list[dict[str, Any]]:
    """What a pod is made from, of each way into a cluster."""
    text = (ROOT / "containers" / "kubernetes" / "serve.yaml").read_text("utf-8")
    [deployment] = [one for one in yaml.safe_load_all(text) if one["kind"] == "Deployment"]
    job = POOL["job_configuration"]["job_manifest"]
    return [one["spec"]["template"]["spec"] for one in (deployment, job)]


@pytest.mark.parametrize("pod", pods())
def test_a_pod_is_nobodys_and_writes_to_its_volumes_alone(pod: dict[str, Any]) -> None:
    assert pod["securityContext"]["runAsNonRoot"] is True
    [container] = pod["containers"]
    assert container["securityContext"] == {
        "readOnlyRootFilesystem": True,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
    }
    writable = {one["mountPath"] for one in container["volumeMounts"] if not one.get("readOnly")}
    assert writable == {"/state", "/tmp"}


def test_the_image_is_made_of_every_package_and_of_nothing_else() -> None:
    packages = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    copied = re.findall(r"^COPY (\w+) \1$", CONTAINERFILE, re.MULTILINE)
    assert set(copied) == {*packages, "examples"}
    ignored, *let_in = [
        line
        for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines()
        if line and not line.startswith("#")
    ]
    assert ignored == "*"
    assert {line.removeprefix("!") for line in let_in} > {*packages, "requirements.lock"}


def test_the_image_runs_as_no_root_and_has_a_health_command() -> None:
    assert re.search(r"^USER [1-9]\d*:[1-9]\d*$", CONTAINERFILE, re.MULTILINE)
    assert 'CMD ["lumos-ingest", "check", "--fresh", ' in CONTAINERFILE


def test_a_pools_job_asks_for_no_variable_that_the_pool_does_not_have() -> None:
    asked = set(re.findall(r"{{ (\w+) }}", json.dumps(POOL["job_configuration"])))
    assert asked <= set(POOL["variables"]["properties"])


def test_the_version_of_the_image_is_the_programs() -> None:
    image = f"lumos-ingest:{PROJECT['project']['version']}"
    assert POOL["variables"]["properties"]["image"]["default"] == image
    assert pods()[0]["containers"][0]["image"] == image
