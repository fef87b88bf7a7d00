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
        ("celery@web", "celery@web"),
        ("celery@web-priority", "celery@web-priority"),
        ("celery@facade", "celery@facade"),
        ("solo", "solo"),
        ("", ""),
    ],
)
def test_what_changes_with_each_pod_is_folded(name: str, kind: str) -> None:
    assert kind_of(name) == kind


def test_two_pods_of_one_deployment_are_of_one_kind() -> None:
    assert kind_of("celery@web-7d9f8b6c5-x2x9z") == kind_of("celery@web-65c9f7d8b4-qqq7w")


def test_workers_of_two_deployments_are_of_two_kinds() -> None:
    assert kind_of("celery@web-7d9f8b6c5-x2x9z") != kind_of("celery@gpu-7d9f8b6c5-x2x9z")


def test_the_host_follows_the_first_at() -> None:
    assert host_of("celery@web@1") == "web@1"


def test_a_name_without_an_at_has_no_host() -> None:
    assert host_of("celery") == ""
