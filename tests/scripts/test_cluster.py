"""The container file and the jobs of scripts/examples/cluster are what their validators accept."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from oktane.cli import _parser

CLUSTER = Path(__file__).parents[2] / "scripts" / "examples" / "cluster"


def test_the_container_file_passes_hadolint():
    hadolint = shutil.which("hadolint") or shutil.which("hadolint", path=str(Path(sys.executable).parent))
    if hadolint is None:
        pytest.skip("hadolint comes with the extra `dev`")
    result = subprocess.run([hadolint, str(CLUSTER / "Dockerfile")], capture_output=True, text=True)
    assert (result.returncode, result.stdout) == (0, "")


def test_the_job_is_one_of_kubernetes_and_runs_a_command_that_exists():
    kubernetes_validate = pytest.importorskip("kubernetes_validate", reason="comes with the extra `dev`")
    job = yaml.safe_load((CLUSTER / "job.yaml").read_text(encoding="utf-8"))
    kubernetes_validate.validate(job, "1.33", strict=True)
    spec = job["spec"]
    (container,) = spec["template"]["spec"]["containers"]
    words = [word.replace("$(JOB_COMPLETION_INDEX)", "7") for word in container["args"]]
    assert _parser().parse_args(words).shard == f"7/{spec['completions']}"


def test_the_pods_of_the_ray_job_are_those_of_kubernetes():
    kubernetes_validate = pytest.importorskip("kubernetes_validate", reason="comes with the extra `dev`")
    job = yaml.safe_load((CLUSTER / "rayjob.yaml").read_text(encoding="utf-8"))
    cluster = job["spec"]["rayClusterSpec"]
    for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"]):
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "pod"}, **group["template"]}
        kubernetes_validate.validate(pod, "1.33", strict=True)
    script = job["spec"]["entrypoint"].split()[1]
    assert (CLUSTER / Path(script).name).is_file()


def test_the_ray_job_is_what_kuberay_defines():
    jsonschema = pytest.importorskip("jsonschema", reason="comes with the extra `dev`")
    definition = os.environ.get("OKT_LSTM_KUBERAY_RAYJOBS")
    if definition is None:
        pytest.skip("OKT_LSTM_KUBERAY_RAYJOBS names no copy of KubeRay's ray.io_rayjobs.yaml, which no package has")
    versions = yaml.safe_load(Path(definition).read_text(encoding="utf-8"))["spec"]["versions"]
    job = yaml.safe_load((CLUSTER / "rayjob.yaml").read_text(encoding="utf-8"))
    (schema,) = (one["schema"]["openAPIV3Schema"] for one in versions if one["name"] == job["apiVersion"].split("/")[1])
    close(schema)
    del job["metadata"]
    jsonschema.validate(job, schema)


def close(schema):
    """Allow no fields but those that a schema of Kubernetes names, and numbers where it says so by its own word."""
    if isinstance(schema, list):
        for part in schema:
            close(part)
    if not isinstance(schema, dict):
        return
    if schema.get("x-kubernetes-int-or-string") is True:
        schema.pop("type", None)
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object":
        schema.setdefault("additionalProperties", False)
    for part in list(schema.values()):
        close(part)
