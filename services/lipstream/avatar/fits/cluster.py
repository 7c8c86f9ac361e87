"""Fits as Jobs on a Kubernetes cluster.

The chart renders a Job without a name into a ConfigMap; here it gets its name, the job's id, whose
it is, and a label by which a restarted service finds it again. A Job that failed is not tried again
by the cluster: that is for the queue. Failed ones stay with their logs until the template's TTL is
over, and the end of a log is kept with the job's objects.
"""

from __future__ import annotations

import contextlib
import copy
import hashlib
import logging
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from lipstream.avatar.fits.launcher import EXIT_SPEECHLESS, speechless
from lipstream.errors import (
    BadInput,
    Conflict,
    Internal,
    LipstreamError,
    NotFound,
    Outage,
)
from lipstream.runtime.job_context import JobContext
from lipstream.wire.job import Job
from lipstream.wire.objects import FIT_LOG

if TYPE_CHECKING:
    from kubernetes.client import ApiClient

__all__ = ["ClusterFit", "ClusterLauncher"]

logger = logging.getLogger(__name__)

_LABEL = "lipstream.dev/fit"
_ID_ANNOTATION = "lipstream.dev/job-id"
_TENANT_ANNOTATION = "lipstream.dev/tenant"
_TIMEOUT_S = 5.0
_LOG_LINES = 200


class ClusterLauncher:
    """
    Args:
        template: a Job with a namespace; its name begins those of all fits, and the job's id is
            added to its first container's arguments.
        poll_s: how often one Job is asked for.
    """

    def __init__(self, client: ApiClient, template: dict[str, Any], *, poll_s: float = 2.0) -> None:
        from kubernetes.client import BatchV1Api, CoreV1Api

        self._client = client
        self._batch = BatchV1Api(client)
        self._core = CoreV1Api(client)
        self._template = template
        self.poll_s = poll_s
        self._namespace: str = template["metadata"]["namespace"]

    @classmethod
    def of(cls, path: Path | None) -> Self:
        """By the pod's own account, or what KUBECONFIG names outside of a cluster.

        Raises:
            BadInput: there is no template, or no cluster is known.
        """
        import yaml

        if path is None:
            raise BadInput(
                "Fits on a cluster need a template.",
                remedy="Set LIPSTREAM_FIT_TEMPLATE; the Helm chart does.",
            )
        try:
            template = yaml.safe_load(path.read_text())
            template["spec"]["template"]["spec"]["containers"][0]["args"]
            template["metadata"]["namespace"]
        except (OSError, yaml.YAMLError, KeyError, IndexError, TypeError) as error:
            raise BadInput(
                f"{path} is no template of a Job: {error}.",
                remedy="It needs metadata.namespace and a container with args.",
            ) from None
        from kubernetes import client, config

        try:
            if "KUBERNETES_SERVICE_HOST" in os.environ:
                config.load_incluster_config()
            else:
                config.load_kube_config(os.environ.get("KUBECONFIG"))
        except config.ConfigException as error:
            raise BadInput(
                f"No cluster is known: {error}",
                remedy="Run in a pod with a service account, or set KUBECONFIG.",
            ) from None
        return cls(client.ApiClient(), template)

    def launch(self, context: JobContext) -> ClusterFit:
        mark = _mark(context.job.id)
        known = self.ask(
            self._batch.list_namespaced_job, self._namespace, label_selector=f"{_LABEL}={mark}"
        ).items
        for job in known:
            if _condition(job) is None:
                logger.info("found the fit's Job", extra={"job": job.metadata.name})
                return ClusterFit(self, context, job.metadata.name)
        body = self._filled(context.job, mark, _next([job.metadata.name for job in known]))
        with contextlib.suppress(Conflict):  # another service was faster
            self.ask(self._batch.create_namespaced_job, self._namespace, body)
        return ClusterFit(self, context, body["metadata"]["name"])

    def _filled(self, job: Job, mark: str, number: int) -> dict[str, Any]:
        """The template as this job's Job."""
        body = copy.deepcopy(self._template)
        about = body["metadata"]
        about["name"] = f"{about['name']}-{mark}-{number}"
        pod = body["spec"]["template"]
        for metadata in (about, pod.setdefault("metadata", {})):
            metadata.setdefault("labels", {})[_LABEL] = mark
            metadata.setdefault("annotations", {})[_ID_ANNOTATION] = job.id
            metadata["annotations"][_TENANT_ANNOTATION] = job.tenant
        pod["spec"]["containers"][0]["args"].append(job.id)
        return body

    def job(self, name: str) -> Any:
        return self.ask(self._batch.read_namespaced_job, name, self._namespace)

    def delete(self, name: str) -> None:
        self.ask(
            self._batch.delete_namespaced_job,
            name,
            self._namespace,
            propagation_policy="Background",
        )

    def pods(self, name: str) -> list[Any]:
        selector = f"batch.kubernetes.io/job-name={name}"
        found = self.ask(self._core.list_namespaced_pod, self._namespace, label_selector=selector)
        return list(found.items)

    def log(self, pod: str) -> bytes:
        """The end of a pod's log."""
        answer = self.ask(
            self._core.read_namespaced_pod_log,
            pod,
            self._namespace,
            tail_lines=_LOG_LINES,
            _preload_content=False,  # else the client gives bytes written as Python writes them
        )
        return bytes(answer.data)

    def ask(self, call: Any, *args: Any, **kwargs: Any) -> Any:
        """What the cluster answers.

        Raises:
            NotFound, Conflict: as it says.
            Outage: it does not answer, or refuses.
        """
        from kubernetes.client import ApiException
        from urllib3.exceptions import HTTPError

        try:
            return call(*args, **kwargs, _request_timeout=_TIMEOUT_S)
        except ApiException as error:
            raise _translated(error.status, error.reason or "") from error
        except (HTTPError, OSError) as error:
            raise Outage(
                "The cluster does not answer.",
                remedy="See whether the avatar service reaches its API server.",
                code="cluster_unavailable",
            ) from error


class ClusterFit:
    """One fit's Job."""

    def __init__(self, cluster: ClusterLauncher, context: JobContext, name: str) -> None:
        self._cluster = cluster
        self._context = context
        self._name = name
        self._asked_s = 0.0

    def ended(self) -> LipstreamError | None:
        now_s = time.monotonic()
        if now_s - self._asked_s < self._cluster.poll_s:
            return None
        self._asked_s = now_s
        try:
            job = self._cluster.job(self._name)
        except NotFound:
            return Internal("The fit's Job was deleted.", code="fit_died")
        except Outage as error:
            logger.warning("%s", error)
            return None
        condition = _condition(job)
        if condition is None:
            return None
        if condition.type == "Complete":
            return Internal("The fit ended without a report.", code="fit_died")
        return self._failure(condition.reason or "")

    def leave(self, *, unwanted: bool) -> None:
        if not unwanted:
            return
        try:
            self._cluster.delete(self._name)
        except NotFound:
            pass
        except LipstreamError as error:  # it ends by its deadline
            logger.warning("the Job %s was not deleted: %s", self._name, error)

    def _failure(self, reason: str) -> LipstreamError:
        """Why the Job failed; the end of its log is kept."""
        code: int | None = None
        try:
            for pod in self._cluster.pods(self._name):
                for state in pod.status.container_statuses or ():
                    if state.state.terminated is not None:
                        reason = state.state.terminated.reason or reason
                        code = state.state.terminated.exit_code
                self._context.store.put(FIT_LOG, self._cluster.log(pod.metadata.name))
        except LipstreamError as error:
            logger.warning("nothing is known of the Job's pods: %s", error)
        if code == EXIT_SPEECHLESS:
            return speechless()
        if reason == "OOMKilled":
            return Internal(
                "The fit ran out of memory.", remedy="Try a smaller input.", code="out_of_memory"
            )
        if reason == "DeadlineExceeded":
            return Internal(
                "The fit took longer than it may.",
                remedy="Try a shorter or smaller input.",
                code="deadline_exceeded",
            )
        logger.error(
            "the fit's Job failed", extra={"job": self._name, "reason": reason, "exit_code": code}
        )
        ended = reason or "no reason"
        return Internal(f"The fit's process ended abruptly ({ended}).", code="fit_died")


def _mark(job_id: str) -> str:
    """A job's id as a label: ids may be longer, and hold what labels and names may not."""
    return hashlib.sha256(job_id.encode()).hexdigest()[:20]


def _next(names: list[str]) -> int:
    """A number that no Job of this fit has: those that ended are kept for a while."""
    return 1 + max((int(name.rpartition("-")[2]) for name in names), default=0)


def _condition(job: Any) -> Any:
    """How a Job ended; None while it has not."""
    for condition in job.status.conditions or ():
        if condition.type in ("Complete", "Failed") and condition.status == "True":
            return condition
    return None


def _translated(status: int | None, reason: str) -> LipstreamError:
    if status == 404:
        return NotFound("The cluster has no such object.")
    if status == 409:
        return Conflict("The cluster has such an object already.")
    if status in (401, 403):
        return Outage(
            "The cluster refuses what the avatar service asks for.",
            remedy="Give its service account the Helm chart's Role.",
            code="cluster_refused",
        )
    return Outage(
        f"The cluster answered {status} {reason}.".replace("  ", " "), code="cluster_unavailable"
    )
