"""The Job that the chart's template becomes: valid, on its nodes, and within the chart's Role."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lipstream.avatar.fits.cluster import ClusterLauncher
from lipstream.pipeline import JobKind, stage_named
from lipstream.runtime.job_context import JobContext
from lipstream.runtime.object_store import open_store
from lipstream.wire.job import Job
from tests.integration.fits.cluster import FakeCluster

JOB_ID = "a" * 63 + "_"
"""As long as ids may be, and of letters that no label takes at its end."""


@pytest.fixture(scope="module")
def chart() -> dict[tuple[str, str], dict[str, Any]]:
    """Objects of the GPU example, with a GPU for each fit."""
    yaml = pytest.importorskip("yaml", reason="needs the `ops` extra: make ops-tools")
    pytest.importorskip("helm_python", reason="needs the `ops` extra: make ops-tools")
    from helm.render_examples import example_values, render

    values = example_values("gpu")
    values["fits"]["gpus"] = 1
    documents = [d for text in render(values).values() for d in yaml.safe_load_all(text)]
    return {(d["kind"], d["metadata"]["name"]): d for d in documents}


def test_the_charts_job_is_valid_and_within_its_role(
    chart: dict[tuple[str, str], dict[str, Any]], cluster: FakeCluster, tmp_path: Path
) -> None:
    utils = pytest.importorskip("kubernetes_validate.utils")
    path = tmp_path / "job.yaml"
    path.write_text(chart["ConfigMap", "lipstream-fits"]["data"]["job.yaml"])
    launcher = ClusterLauncher.of(path)
    launcher.poll_s = 0.0
    job = Job.new(JobKind.AVATAR, {}, JOB_ID)
    context = JobContext(job, stage_named("avatar"), 1, open_store("memory://"))

    fit = launcher.launch(context)
    [(name, made)] = cluster.jobs.items()
    cluster.kill(name)
    error = fit.ended()
    launcher.launch(JobContext(job, stage_named("avatar"), 2, context.shared)).leave(unwanted=True)

    assert error is not None
    assert list(cluster.jobs) == [name]
    for version in ("1.29", "1.37"):
        utils.validate(made, version, strict=True)
    spec, pod = made["spec"], made["spec"]["template"]["spec"]
    assert len(name) <= 63
    assert spec["backoffLimit"] == 0
    assert spec["activeDeadlineSeconds"]
    assert spec["ttlSecondsAfterFinished"]
    assert pod["restartPolicy"] == "Never"
    assert pod["automountServiceAccountToken"] is False
    assert pod["nodeSelector"] == {"nvidia.com/gpu.product": "NVIDIA-A100-SXM4-80GB"}
    [container] = pod["containers"]
    assert container["args"] == ["python", "-m", "lipstream.avatar.fits", JOB_ID]
    assert container["resources"]["limits"]["nvidia.com/gpu"] == 1
    for metadata in (made["metadata"], spec["template"]["metadata"]):
        assert metadata["annotations"]["lipstream.dev/job-id"] == JOB_ID
        assert metadata["annotations"]["lipstream.dev/tenant"] == "default"
    labels = made["metadata"]["labels"]
    assert labels["app.kubernetes.io/component"] == "fit"
    assert (
        labels["lipstream.dev/fit"] == spec["template"]["metadata"]["labels"]["lipstream.dev/fit"]
    )

    allowed = {
        (group, resource, verb)
        for rule in chart["Role", "lipstream-fits"]["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    assert cluster.asked == allowed
