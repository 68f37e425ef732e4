"""No-op jobs through PGQueuer's own worker: how many a second, and how soon one begins."""

import asyncio
import json
import logging
import os
import sys
import time

import asyncpg
from pgqueuer import PgQueuer
from pgqueuer.db import AsyncpgPoolDriver
from pgqueuer.queries import Queries
from pgqueuer.types import QueueExecutionMode

logging.disable(logging.WARNING)
began: "asyncio.Queue[float]" = asyncio.Queue()


def worker(driver: AsyncpgPoolDriver) -> PgQueuer:
    queuer = PgQueuer(driver)

    @queuer.entrypoint("nothing")
    async def nothing(job: object) -> None:
        pass

    @queuer.entrypoint("noted")
    async def noted(job: object) -> None:
        began.put_nowait(time.perf_counter())

    return queuer


async def rate(driver: AsyncpgPoolDriver, jobs: int) -> float:
    await Queries(driver).enqueue(["nothing"] * jobs, [None] * jobs, [0] * jobs)
    started = time.perf_counter()
    await worker(driver).run(mode=QueueExecutionMode.drain)
    return jobs / (time.perf_counter() - started)


async def pick_ups(driver: AsyncpgPoolDriver, number: int) -> list[float]:
    queuer = worker(driver)
    running = asyncio.create_task(queuer.run())
    await asyncio.sleep(1)
    taken = []
    for _ in range(number):
        await Queries(driver).enqueue("noted", None)
        left = time.perf_counter()
        taken.append((await began.get() - left) * 1000)
        await asyncio.sleep(0.02)
    queuer.shutdown.set()
    await running
    return taken


async def main(jobs: int, singles: int) -> None:
    async with asyncpg.create_pool(os.environ["BENCH_DATABASE_URL"], max_size=10) as pool:
        driver = AsyncpgPoolDriver(pool)
        await Queries(driver).install()
        await rate(driver, jobs // 10)
        print(
            json.dumps(
                {"rate": await rate(driver, jobs), "pick_ups_ms": await pick_ups(driver, singles)}
            )
        )


asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
