"""No-op jobs through procrastinate's own worker: how many a second, and how soon one begins."""

import asyncio
import json
import logging
import os
import sys
import time

from procrastinate import App, PsycopgConnector

CONCURRENCY = 10

logging.disable(logging.WARNING)
app = App(connector=PsycopgConnector(conninfo=os.environ["BENCH_DATABASE_URL"], max_size=12))
began: "asyncio.Queue[float]" = asyncio.Queue()


@app.task(name="nothing", queue="many")
async def nothing(number: int) -> None:
    pass


@app.task(name="noted", queue="single")
async def noted() -> None:
    began.put_nowait(time.perf_counter())


async def rate(jobs: int) -> float:
    await nothing.batch_defer_async(*({"number": number} for number in range(jobs)))
    started = time.perf_counter()
    await app.run_worker_async(queues=["many"], concurrency=CONCURRENCY, wait=False)
    return jobs / (time.perf_counter() - started)


async def pick_ups(number: int) -> list[float]:
    worker = asyncio.create_task(app.run_worker_async(queues=["single"], concurrency=CONCURRENCY))
    await asyncio.sleep(1)
    taken = []
    for _ in range(number):
        await noted.defer_async()
        left = time.perf_counter()
        taken.append((await began.get() - left) * 1000)
        await asyncio.sleep(0.02)
    worker.cancel()
    await asyncio.gather(worker, return_exceptions=True)
    return taken


async def main(jobs: int, singles: int) -> None:
    async with app.open_async():
        await app.schema_manager.apply_schema_async()
        await rate(jobs // 10)
        print(json.dumps({"rate": await rate(jobs), "pick_ups_ms": await pick_ups(singles)}))


asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
