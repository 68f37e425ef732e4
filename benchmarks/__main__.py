"""`python -m benchmarks [NAME]`: run one benchmark, or all, one after the other."""

import json
import sys
from collections.abc import Callable

from benchmarks import (
    backend_memory,
    chaos,
    csv_import,
    delist,
    enqueue,
    fairness,
    fanout,
    fuzz,
    http_list,
    jobs,
    many_tenants,
    preflight,
    provisioning,
    publish,
)
from benchmarks.answer import Answer

QUESTIONS: dict[str, Callable[[], Answer]] = {
    "provisioning": provisioning.measure,
    "http_list": http_list.measure,
    "chaos": chaos.measure,
    "enqueue": enqueue.measure,
    "jobs": jobs.measure,
    "backend_memory": backend_memory.measure,
    "fanout": fanout.measure,
    "many_tenants": many_tenants.measure,
    "preflight": preflight.measure,
    "publish": publish.measure,
    "delist": delist.measure,
    "csv_import": csv_import.measure,
    "fairness": fairness.measure,
    "fuzz": fuzz.measure,
}


def main(names: list[str]) -> int:
    """Run the named benchmarks; exit code 2 for a name that does not exist."""
    unknown = [name for name in names if name not in QUESTIONS]
    if unknown:
        print(f"No benchmark {', '.join(unknown)}. There are: {', '.join(QUESTIONS)}.")
        return 2
    for name in names or QUESTIONS:
        answer = QUESTIONS[name]()
        for label, value in {**answer.figures, **answer.ratios}.items():
            print(f"{label:>34}  {value:g}")
        line = {"name": name, "figures": answer.figures, "ratios": answer.ratios}
        print(json.dumps(line), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
