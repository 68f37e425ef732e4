"""Does any request make the API fail? Schemathesis sends what its OpenAPI document allows, and not.

A whole installation, a seller who is connected to both sandboxes and has products and jobs, and
requests to every operation: examples, borders of each value, random ones, and links from one
operation to the next. `server_errors` counts requests that were answered with 5xx; each is printed
with the curl that repeats it. What signs the seller out is left out. `FUZZ_EXAMPLES` sets how many
random requests an operation gets.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from benchmarks.answer import Answer
from benchmarks.market_day import MarketDay, opened_market
from benchmarks.peers import HERE, environment_with

PRODUCTS = 3

_LEFT_OUT = "/auth/(sign-out|refresh|password)"
_LONGEST_S = 1800
_LIMITS = ("STOFLOW_LIMIT_REQUESTS", "STOFLOW_LIMIT_SIGN_IN")


def measure() -> Answer:
    """One run over all operations, with a seed of its own; the seed is printed."""
    python = environment_with("fuzzer", HERE / "fuzzer" / "requirements.txt", "schemathesis")
    if python is None:
        return Answer({}, {})
    unlimited = patch.dict(os.environ, dict.fromkeys(_LIMITS, "1000000/minute"))
    with unlimited, opened_market() as market, TemporaryDirectory() as folder:
        market.publish(market.stock(PRODUCTS), ["ebay", "etsy"])
        report = _reported(python, market, Path(folder) / "report.json")
    print(f"seed {report['seed']}")
    cases = report["test_cases"]
    figures = {
        "operations": report["operations"]["tested"],
        "cases": cases["generated"],
        "server_errors": cases["with_failures"],
        "not_finished": cases["errored"] + report["operations"]["errored"],
    }
    return Answer(figures, {})


def _reported(python: Path, market: MarketDay, path: Path) -> dict[str, Any]:
    command = [
        *(str(python.with_name("schemathesis")), "run", f"{market.addresses.api}/openapi.json"),
        *("--checks", "not_a_server_error", "--exclude-path-regex", _LEFT_OUT),
        *("--max-examples", os.environ.get("FUZZ_EXAMPLES", "30")),
        *("--header", f"Authorization: {market.shop.authorization}"),
        *("--report-json-path", str(path)),
    ]
    # It keeps what it found beside itself: in the folder that is gone at the end.
    done = subprocess.run(
        command, cwd=path.parent, timeout=_LONGEST_S, capture_output=True, text=True
    )
    if done.returncode != 0:
        print(done.stdout, file=sys.stderr)
    found: dict[str, Any] = json.loads(path.read_text())
    return found
