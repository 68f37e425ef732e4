"""What do ten thousand shops on one server cost each of them?

The product list over HTTP and the pick-up of a job, asked in turn of an installation of its own
with few shops (`alone`) and of 10, 1,000 and 10,000 shops that are in use in a large one on the
same server: drawn at random, each as often as the others, and once as shops are (`zipf`: the
second half as often as the first, the third a third, …). Every shop was asked for once before.
`BENCH_SHOPS=10,200,1000` chooses other sizes.
"""

import os
import random
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import accumulate
from pathlib import Path
from statistics import median

import structlog
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from sqlalchemy import select

from benchmarks.answer import Answer
from benchmarks.http_list import PATH, environment_of
from benchmarks.installation import empty_installation, empty_installation_beside
from benchmarks.load import Measured, Plan, measure_load
from benchmarks.pick_up import PickUps, worker_for
from benchmarks.processes import free_port, running
from benchmarks.shops import THREADS, open_shops, shown
from models.accounts.identity import User
from repositories.selling.catalog_pages import ProductFilter, ProductPageRepository
from services.accounts.identity.access_tokens import AccessTokens
from services.accounts.identity.issuing import TokenIssuing
from shared.clock import SystemClock
from shared.database import Database, TenantSchema

SIZES = "10,1000,10000"
ROUNDS = 5
WARM_UP_S, ROUND_S = 2.0, 4.0
CONNECTIONS = 4
PICK_UPS_A_ROUND = 200
UNMEASURED = 20
"""Pick-ups that warm each worker up."""
DRAWS_A_ROUND = 4_000
DRAWS = ROUNDS * DRAWS_A_ROUND
SEED = 20_260_601
TOKENS_LAST = timedelta(hours=12)


@dataclass(frozen=True)
class Installation:
    """A database with shops, served by a process of its own."""

    database: Database
    shops: Sequence[TenantSchema]
    port: int
    headers: Sequence[dict[str, str]]
    """Those of each shop's seller, signed in."""


@dataclass
class Crowd:
    """Which shops are asked, in the order they are, and how long that took."""

    name: str
    installation: Installation
    places: Sequence[int]
    lists: list[Measured] = field(default_factory=list)
    pick_ups: list[float] = field(default_factory=list)

    def list_products(self, number: int, seconds: float) -> Measured:
        """Ask for lists over HTTP, of other shops in each round."""
        here, first = self.installation, number % ROUNDS * DRAWS_A_ROUND
        headers = [here.headers[it] for it in self.places[first : first + DRAWS_A_ROUND]]
        return measure_load(Plan(here.port, PATH, headers, seconds, CONNECTIONS))

    def pick_up(self, worker: PickUps, number: int) -> float:
        """Have the job of one shop found."""
        shop = self.installation.shops[self.places[number % len(self.places)]]
        return worker.milliseconds(shop)


def measure() -> Answer:
    """Open all shops, then measure the crowds in turn."""
    # Jobs that end well are told on standard error, thousands of them.
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    sizes = sorted(int(size) for size in os.environ.get("BENCH_SHOPS", SIZES).split(","))
    with ExitStack() as stack:
        large = stack.enter_context(empty_installation(durable=False))
        small = stack.enter_context(empty_installation_beside(large))
        crowds = _crowds(sizes, _served(stack, large, sizes[-1]), _served(stack, small, sizes[0]))
        _measure_lists(crowds)
        _measure_pick_ups(crowds)
    return _answer(sizes, {crowd.name: crowd for crowd in crowds})


def _served(stack: ExitStack, database: Database, how_many: int) -> Installation:
    shops = open_shops(database, how_many)
    _ask_each_once(database, shops)
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="stoflow-bench-")))
    environment = environment_of(database, folder)
    port = free_port()
    command = [str(Path(sys.executable).with_name("stoflow")), "serve", "--port", str(port)]
    stack.enter_context(running(command, port, environment, folder))
    return Installation(database, shops, port, _signed_in(database, environment, how_many))


def _ask_each_once(database: Database, shops: Sequence[TenantSchema]) -> None:
    def ask(shop: TenantSchema) -> None:
        with database.tenant(shop) as session:
            ProductPageRepository(session).page(ProductFilter(), None, 50)

    with ThreadPoolExecutor(THREADS) as threads:
        for _ in shown("shops asked once", threads.map(ask, shops), len(shops)):
            pass


def _signed_in(
    database: Database, environment: Mapping[str, str], how_many: int
) -> Sequence[dict[str, str]]:
    """Headers of each shop's seller, made as a sign-in makes them, but for the password."""
    key = load_pem_private_key(environment["STOFLOW_TOKEN_PRIVATE_KEY"].encode(), None)
    assert isinstance(key, RSAPrivateKey)
    clock = SystemClock()
    tokens = AccessTokens(key, (), issuer="stoflow", ttl=TOKENS_LAST, clock=clock)
    issuing = TokenIssuing(tokens, TOKENS_LAST, clock)
    with database.platform() as session:
        sellers = session.scalars(select(User).order_by(User.id)).all()
        return [
            {
                "Host": "127.0.0.1",
                "Authorization": f"Bearer {issuing.begin(session, seller).access_token}",
            }
            for seller in shown("sellers signed in", sellers, how_many)
        ]


def _crowds(sizes: Sequence[int], large: Installation, small: Installation) -> list[Crowd]:
    chance = random.Random(SEED)
    everybody = list(range(len(large.shops)))
    crowds = [Crowd("alone", small, chance.choices(range(len(small.shops)), k=DRAWS))]
    for size in sizes:
        in_use = chance.sample(everybody, size)
        crowds.append(Crowd(f"of_{size}", large, chance.choices(in_use, k=DRAWS)))
    chance.shuffle(everybody)
    often = list(accumulate(1 / rank for rank in range(1, len(everybody) + 1)))
    crowds.append(Crowd("zipf", large, chance.choices(everybody, cum_weights=often, k=DRAWS)))
    return crowds


def _measure_lists(crowds: Sequence[Crowd]) -> None:
    """A B C A B C …; a server that has just served another crowd warms up for this one."""
    for number in shown("rounds of lists", range(ROUNDS), ROUNDS):
        for crowd in crowds:
            crowd.list_products(number - 1, WARM_UP_S)
            crowd.lists.append(crowd.list_products(number, ROUND_S))


def _measure_pick_ups(crowds: Sequence[Crowd]) -> None:
    """One after the other in turn, each crowd with a worker of its own."""
    with ExitStack() as stack:
        workers = [stack.enter_context(worker_for(crowd.installation.database)) for crowd in crowds]
        rounds = range(-UNMEASURED, ROUNDS * PICK_UPS_A_ROUND)
        for number in shown("rounds of pick-ups", rounds, len(rounds)):
            for crowd, worker in zip(crowds, workers, strict=True):
                milliseconds = crowd.pick_up(worker, number)
                if number >= 0:
                    crowd.pick_ups.append(milliseconds)


def _answer(sizes: Sequence[int], crowds: Mapping[str, Crowd]) -> Answer:
    figures: dict[str, float] = {"shops": float(sizes[-1])}
    for name, crowd in crowds.items():
        figures[f"list_p50_ms_{name}"] = round(median(run.p50_ms for run in crowd.lists), 2)
        figures[f"list_p99_ms_{name}"] = round(median(run.p99_ms for run in crowd.lists), 2)
        figures[f"pick_up_p50_ms_{name}"] = _within(crowd.pick_ups, 0.5)
        figures[f"pick_up_p99_ms_{name}"] = _within(crowd.pick_ups, 0.99)
    most = f"of_{sizes[-1]}"

    def ratio(what: str, name: str) -> float:
        return round(figures[f"{what}_ms_{name}"] / figures[f"{what}_ms_alone"], 3)

    ratios = {
        f"p99_{sizes[-1]}_to_{sizes[0]}": ratio("list_p99", most),
        f"p50_{sizes[-1]}_to_{sizes[0]}": ratio("list_p50", most),
        "zipf_p99_to_alone": ratio("list_p99", "zipf"),
        "pick_up_p99_to_alone": ratio("pick_up_p99", most),
        "pick_up_zipf_p99_to_alone": ratio("pick_up_p99", "zipf"),
    }
    return Answer(figures, ratios)


def _within(milliseconds: Sequence[float], part: float) -> float:
    return round(sorted(milliseconds)[int(len(milliseconds) * part)], 2)
