"""How long does preflight take, from the ids to what the seller is told?

200 products on eBay, and 5,000, the most that one request takes: answers, calls against what is
left of each quota, jobs in front, and the estimate, in a shop of 5,000 products whose last 2,000
jobs are there to measure its pace by. `to_two_seconds` is of the 200.
"""

from datetime import timedelta
from functools import partial

from sqlalchemy import insert

from api.selling.publishing.preflight_schemas import PreflightOut
from benchmarks.answer import Answer, median_of, milliseconds
from benchmarks.installation import empty_installation
from benchmarks.shirts import learn_shirts, open_shirt_shop, shirts_on_ebay
from models.selling.publishing import Channel, JobAction, JobOutcome, JobStatus, MarketplaceJob
from repositories.selling.publishing import RunningCaps
from services.reference.attributes.loading import CatalogueLoading
from services.selling.publishing.planning import Answer as Told
from services.selling.publishing.preflight import MEASURED_AMONG, PublicationPreflight
from services.selling.quotas.ledger import DatabaseLedger
from shared.clock import SystemClock
from shared.database import Database, TenantSchema

FEW, MANY = 200, 5_000
ROUNDS = 5


def measure() -> Answer:
    """A few and many, each several times after a first look."""
    with empty_installation() as database:
        clock = SystemClock()
        with database.platform() as session:
            CatalogueLoading(clock).load(session)
            learn_shirts(session)
        shop = open_shirt_shop(database, MANY)
        _work_lately(database, shop)
        preflight = PublicationPreflight(
            {Channel.EBAY: shirts_on_ebay(clock)},
            DatabaseLedger(database, clock),
            RunningCaps(),
            clock,
        )
        figures = {
            f"preflight_ms_{products}": _median_ms(database, shop, preflight, products)
            for products in (FEW, MANY)
        }
    return Answer(figures, {"to_two_seconds": round(figures[f"preflight_ms_{FEW}"] / 2_000, 3)})


def _median_ms(
    database: Database, shop: TenantSchema, preflight: PublicationPreflight, products: int
) -> float:
    def ask() -> None:
        found = preflight.examine(
            partial(database.tenant, shop),
            JobAction.PUBLISH,
            range(1, products + 1),
            [Channel.EBAY],
        )
        told = PreflightOut.of(found)
        told.model_dump_json()
        if told.answers != {Told.QUEUED: products} or told.estimate is None:
            raise RuntimeError(f"Preflight refuses: {found.items[0]}")

    ask()
    return median_of([milliseconds(ask) for _ in range(ROUNDS)])


def _work_lately(database: Database, shop: TenantSchema) -> None:
    """As many jobs as preflight looks back upon, of products that are not listed any more."""
    done = SystemClock().now()
    with database.tenant(shop) as session:
        session.connection().execute(
            insert(MarketplaceJob),
            [
                {
                    "channel": Channel.EBAY,
                    "action": JobAction.PUBLISH,
                    "product_id": number,
                    "lane": JobAction.PUBLISH.lane,
                    "priority": 100,
                    "status": JobStatus.DONE,
                    "outcome": JobOutcome.OK,
                    "due_at": done,
                    "attempts": 1,
                    "max_attempts": 12,
                    "problem_fields": [],
                    "payload": {},
                    "progress": {},
                    "requested_by": 1,
                    "created_at": done,
                    "started_at": done - timedelta(seconds=2 + number % 5),
                    "finished_at": done,
                }
                for number in range(1, MEASURED_AMONG + 1)
            ],
        )
