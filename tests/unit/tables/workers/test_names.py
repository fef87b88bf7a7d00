import pytest

from watchdog.tables.workers.names import host_of, kind_of


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("celery@web-1", "celery@web-*"),
        ("celery@web-12", "celery@web-*"),
        ("celery@web-7d9f8b6c5-x2x9z", "celery@web-*"),
        ("celery@web-7d9f8b6c5-kqwzt", "celery@web-*"),
        ("celery@gpu-daemon-b7x4k", "celery@gpu-daemon-*"),
        ("celery@3f2a9c1b7e4d", "celery@*"),
        ("celery@0f8fad5b-d9cb-469f-a165-70867728950e", "celery@*"),
        ("celery@ip-10-0-3-17.ec2.internal", "celery@ip-*.ec*.internal"),
        ("worker1@host2.example.com", "worker*@host*.example.com"),
        ("indexer-7d9f8b6c5-x2x9z@node", "indexer-*@node"),
        ("celery@web-5d4b7f8c96-x2x9z", "celery@web-*"),  # a ReplicaSet's pod
        ("celery@reports-0", "celery@reports-*"),  # a StatefulSet's
        ("celery@reports-0.reports.prod.svc.cluster.local", "celery@reports-*.reports.prod.svc.cluster.local"),
        ("celery@node-agent-8kzmw", "celery@node-agent-*"),  # a DaemonSet's
        ("celery@import-28391040-q7w4n", "celery@import-*"),  # a CronJob's
        ("celery@1f0c9e7ab3d84c2f9a6be5d07c4f8b21", "celery@*"),  # the id of an ECS task
        ("billing-1f0c9e7ab3d84c2f9a6be5d07c4f8b21@ip-10-0-1-23.eu-west-1.compute.internal", "billing-*@ip-*.eu-west-*.compute.internal"),
        ("celery@shop.worker[3]", "celery@shop.worker[*]"),  # the name of a Nomad allocation
        ("celery@shop-worker-8d1f2c3e", "celery@shop-worker-*"),  # its short id
        ("celery@8d1f2c3e-4b5a-6978-8c9d-0e1f2a3b4c5d", "celery@*"),  # its id, or the host of a Heroku dyno
        ("worker.1@8d1f2c3e-4b5a-6978-8c9d-0e1f2a3b4c5d", "worker.*@*"),  # a Heroku dyno by its name
        ("celery@web", "celery@web"),
        ("celery@web-priority", "celery@web-priority"),
        ("celery@facade", "celery@facade"),
        ("solo", "solo"),
        ("", ""),
    ],
)
def test_what_changes_with_each_pod_is_folded(name: str, kind: str) -> None:
    assert kind_of(name) == kind


KINDS = ("celery@gpu-big-*", "celery@gpu-*", "*@*.render.example.com")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("celery@gpu-brave-otter", "celery@gpu-*"),
        ("celery@gpu-big-brave-otter", "celery@gpu-big-*"),
        ("a@node7.render.example.com", "*@*.render.example.com"),
        ("celery@web-7d9f8b6c5-x2x9z", "celery@web-*"),
        ("celery@GPU-brave-otter", "celery@GPU-brave-otter"),
    ],
)
def test_the_first_pattern_that_a_name_matches_is_its_kind(name: str, kind: str) -> None:
    assert kind_of(name, KINDS) == kind


def test_two_pods_of_one_deployment_are_of_one_kind() -> None:
    assert kind_of("celery@web-7d9f8b6c5-x2x9z") == kind_of("celery@web-65c9f7d8b4-qqq7w")


def test_workers_of_two_deployments_are_of_two_kinds() -> None:
    assert kind_of("celery@web-7d9f8b6c5-x2x9z") != kind_of("celery@gpu-7d9f8b6c5-x2x9z")


def test_the_host_follows_the_first_at() -> None:
    assert host_of("celery@web@1") == "web@1"


def test_a_name_without_an_at_has_no_host() -> None:
    assert host_of("celery") == ""
