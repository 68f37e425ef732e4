"""How long does preflight take, from the ids to what the seller is told?

200 products on eBay, Etsy and Vinted, then on eBay alone, then 5,000, the most that one
request takes: answers, duplicates, advice, fees, calls against what is left of each quota, jobs in
front, and the estimate, in a shop of 5,000 products whose last 2,000 jobs are there to measure its
pace by. `to_two_seconds` is of the 200 on three channels.
"""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from sqlalchemy import insert

from api.selling.publishing.preflight_schemas import PreflightOut
from benchmarks.answer import Answer, median_of, milliseconds
from benchmarks.installation import empty_installation
from benchmarks.shirts import learn_shirts, open_shirt_shop, shirts_on_ebay
from models.selling.publishing import Channel, JobAction, JobOutcome, JobStatus, MarketplaceJob
from repositories.selling.publishing import RunningCaps
from services.gateways.etsy.quotas import EtsyQuotas
from services.reference.attributes.loading import CatalogueLoading
from services.selling.etsy.channel import EtsyChannel
from services.selling.etsy.preflight import EtsyPreflight
from services.selling.publishing.planning import Answer as Told
from services.selling.publishing.preflight import MEASURED_AMONG, PublicationPreflight
from services.selling.quotas.ledger import DatabaseLedger
from services.selling.vinted.channel import VintedChannel
from services.selling.vinted.pacing import Pacing
from services.selling.vinted.preflight import VintedPreflight
from shared.clock import SystemClock
from shared.database import Database, TenantSchema

FEW, MANY = 200, 5_000
ROUNDS = 5
ALL = (Channel.EBAY, Channel.ETSY, Channel.VINTED)


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
            {
                Channel.EBAY: shirts_on_ebay(clock),
                Channel.ETSY: EtsyChannel(EtsyPreflight(), EtsyQuotas(150, 100_000)),
                Channel.VINTED: VintedChannel(VintedPreflight(), Pacing(), clock),
            },
            DatabaseLedger(database, clock),
            RunningCaps(),
            clock,
        )
        ask = partial(_median_ms, database, shop, preflight)
        on_three = ask(FEW, ALL)
        figures = {
            f"seconds_{FEW}_on_3": round(on_three / 1_000, 3),
            f"preflight_ms_{FEW}": ask(FEW, [Channel.EBAY]),
            f"preflight_ms_{MANY}": ask(MANY, [Channel.EBAY]),
        }
    return Answer(figures, {"to_two_seconds": round(on_three / 2_000, 3)})


def _median_ms(
    database: Database,
    shop: TenantSchema,
    preflight: PublicationPreflight,
    products: int,
    channels: Sequence[Channel],
) -> float:
    def ask() -> None:
        found = preflight.examine(
            partial(database.tenant, shop),
            JobAction.PUBLISH,
            range(1, products + 1),
            channels,
        )
        told = PreflightOut.of(found)
        told.model_dump_json()
        if told.answers != {Told.QUEUED: products * len(channels)} or told.estimate is None:
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
