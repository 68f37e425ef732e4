"""Every figure that Prometheus is given is explained, and none that is not given."""

import re

import httpx
from prometheus_client import CollectorRegistry

from backend.container import Container
from tests.paths import CHECKOUT


def names_in(registry: CollectorRegistry) -> set[str]:
    """As they are written in a query; a histogram by its stem."""
    return {
        f"{family.name}_total" if family.type == "counter" else family.name
        for family in registry.collect()
        if family.name.startswith("stoflow_")
    }


def test_the_guide_lists_every_figure_and_no_other(api: httpx.Client, container: Container) -> None:
    """K71, ST52."""
    api.get("/health/live")
    text = (CHECKOUT / "docs/guides/watch-it.md").read_text()
    rows = re.findall(r"^\| `(stoflow_\w+)`", text, re.MULTILINE)
    assert len(rows) == len(set(rows))
    assert names_in(container.metrics) - set(rows) == set()
    assert set(rows) - names_in(container.metrics) == set()
