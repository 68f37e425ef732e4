"""What a seller decides for Vinted over HTTP, and jobs that are asked for there."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from backend.container import Container
from models.selling.publishing import Channel, JobAction, JobStatus
from models.selling.vinted import CommandState
from repositories.selling.publishing import JobRepository
from repositories.selling.vinted import VintedAccountRepository, VintedCommandRepository
from services.gateways.vinted.transport import AwaitingAnswer, VintedRequest
from services.selling.vinted.bridge.dispatching import Dispatching
from services.selling.vinted.bridge.executors import Browser
from services.selling.vinted.commands import CommandTransport
from services.selling.vinted.pacing import Pacing
from shared.clock import MovableClock
from shared.database import Database
from tests.factories.ebay import make_shirt
from tests.factories.reference import load_catalogues
from tests.factories.selling import make_job
from tests.factories.vinted import make_vinted_account
from tests.serving import Seller

NIGHT = {"begins": "22:00:00", "ends": "07:00:00", "time_zone": "Europe/Paris"}


@pytest.fixture
def paired(seller: Seller, database: Database, clock: MovableClock) -> Seller:
    """A seller with an account at Vinted."""
    with database.tenant(seller.tenant) as session:
        make_vinted_account(session, clock)
    return seller


@pytest.fixture
def shirt(
    paired: Seller, container: Container, database: Database, clock: MovableClock
) -> Callable[..., int]:
    """Stores a product for Vinted."""
    load_catalogues(database, clock)

    def make(**changes: Any) -> int:
        changes = {"currency": "EUR", **changes}
        with database.tenant(paired.tenant) as session:
            return make_shirt(session, clock, container.object_store, **changes).id

    return make


def test_terms_are_kept_and_shown(paired: Seller) -> None:
    """ST48."""
    terms = {
        "package_size_id": 2,
        "old_fields": True,
        "currency": "USD",
        "quiet_hours": NIGHT,
    }
    assert paired.http.put("/api/v1/vinted/terms", json=terms).json() == terms
    assert paired.http.get("/api/v1/vinted/terms").json() == terms


@pytest.mark.parametrize(
    "terms",
    [
        {"package_size_id": 0},
        {"currency": "dollars"},
        {"quiet_hours": {**NIGHT, "time_zone": "Europe/Atlantis"}},
        {"quiet_hours": {"begins": "22:00"}},
        {"sold": True},
    ],
)
def test_bad_terms_are_refused_and_change_nothing(paired: Seller, terms: dict[str, Any]) -> None:
    """ST48."""
    answer = paired.http.put("/api/v1/vinted/terms", json=terms)
    assert answer.status_code == 422
    assert paired.http.get("/api/v1/vinted/terms").json()["package_size_id"] is None


def test_without_an_account_nothing_is_asked_for(seller: Seller) -> None:
    """ST48."""
    http = seller.http
    for answer in (
        http.put("/api/v1/vinted/terms", json={"package_size_id": 1}),
        http.post("/api/v1/vinted/sync"),
        http.post("/api/v1/vinted/conversations/7/replies", json={"body": "Yes."}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "vinted-not-connected")
    assert http.get("/api/v1/jobs").json()["items"] == []


def test_a_product_says_what_it_lacks_and_what_was_chosen(
    paired: Seller, shirt: Callable[..., int]
) -> None:
    """C6, C9: nothing is guessed; what the seller chooses goes before our mapping."""
    address = f"/api/v1/products/{shirt()}/channels/vinted"
    told = paired.http.get(address).json()
    assert [gap["rule"] for gap in told["missing"]] == ["package-size-missing"]
    assert (told["catalog_id"], told["condition_id"], told["color_ids"]) == (1868, 3, [9])
    assert told["size_id"] is not None
    chosen = {"catalog_id": 221, "size_id": 4, "package_size_id": 1, "color_ids": [1, 9]}
    told = paired.http.put(address, json=chosen).json()
    assert told["ready"] is True
    assert {name: told[name] for name in chosen} == chosen


def test_a_chosen_category_has_its_sizes_like_any_other(
    paired: Seller, shirt: Callable[..., int]
) -> None:
    """C9: our word where Vinted has it, else Vinted's sizes to choose from."""
    [fitting, other] = (
        f"/api/v1/products/{shirt(sizes=(size,))}/channels/vinted" for size in ("M", "28")
    )
    blazers = {"catalog_id": 532, "package_size_id": 1}
    told = paired.http.put(fitting, json=blazers).json()
    assert (told["missing"], told["size_id"]) == ([], 4)
    assert told["catalog_path"] == "Women > Clothes > Suits & blazers > Blazers"
    [gap] = paired.http.put(other, json=blazers).json()["missing"]
    assert (gap["field"], gap["rule"]) == ("attributes.size", "value-not-mapped")
    assert gap["choices"][:3] == ["2: XS / 6", "3: S / 8", "4: M / 10"]
    told = paired.http.put(other, json={**blazers, "size_id": 4}).json()
    assert (told["missing"], told["size_id"]) == ([], 4)


def test_a_category_without_sizes_wants_none(paired: Seller, shirt: Callable[..., int]) -> None:
    """C9: a boys' scarf."""
    address = f"/api/v1/products/{shirt(sizes=('28',))}/channels/vinted"
    told = paired.http.put(address, json={"catalog_id": 1741, "package_size_id": 1}).json()
    assert (told["missing"], told["size_id"]) == ([], None)


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"currency": "USD"}, "currency-not-accepted"),
    ({"sizes": ("S", "M")}, "variants-not-possible"),
    ({"description": " "}, "description-missing"),
    ({"condition_code": None}, "condition-missing"),
    ({"category_code": None}, "category-missing"),
    ({"colors": ()}, "photo-missing"),
    ({"description": "Also on eBay, ask me."}, "other-marketplace"),
]


@pytest.mark.parametrize(("changes", "rule"), WRONG, ids=[rule for _, rule in WRONG])
def test_what_vinted_would_refuse_is_said_before(
    paired: Seller, shirt: Callable[..., int], changes: dict[str, Any], rule: str
) -> None:
    """C6, C11, G6."""
    told = paired.http.get(f"/api/v1/products/{shirt(**changes)}/channels/vinted").json()
    assert {gap["rule"] for gap in told["missing"]} == {rule, "package-size-missing"}
    assert told["ready"] is False


def test_a_reply_is_a_job_and_another_waits_for_it(paired: Seller) -> None:
    """D12, B3."""
    address = "/api/v1/vinted/conversations/7/replies"
    first = paired.http.post(address, json={"body": "Yes."})
    assert (first.status_code, first.json()["already"]) == (202, False)
    assert paired.http.post(address, json={"body": "Yes."}).json()["already"] is True
    other = paired.http.post(address, json={"body": "No."})
    assert (other.status_code, other.json()["code"]) == (409, "vinted-reply-under-way")


def test_comparing_asked_twice_is_one_job(paired: Seller) -> None:
    """A7."""
    first = paired.http.post("/api/v1/vinted/sync", json={"confirm_ended": True}).json()
    again = paired.http.post("/api/v1/vinted/sync").json()
    assert again == {"job_id": first["job_id"], "already": True}


@pytest.mark.parametrize(
    ("action", "begins"), [(JobAction.PUBLISH, 7), (JobAction.DELETE, 0)], ids=["bulk", "urgent"]
)
def test_quiet_hours_hold_what_can_wait(
    paired: Seller, database: Database, clock: MovableClock, action: JobAction, begins: int
) -> None:
    """D1, A1: by the seller's own clock; what was sold elsewhere comes down at night too."""
    paired.http.put("/api/v1/vinted/terms", json={"quiet_hours": {**NIGHT, "time_zone": "UTC"}})
    midnight = datetime.combine(clock.now().date(), datetime.min.time(), UTC)
    clock.advance(midnight - clock.now())
    browser = Browser("socket", UUID(int=1))
    with database.tenant(paired.tenant) as session:
        account = VintedAccountRepository(session).locked()
        assert account is not None
        account.executor, account.executor_device = browser.socket, browser.device
        account.executor_until = clock.now().replace(year=clock.now().year + 1)
        job_id = make_job(
            session, clock, channel=Channel.VINTED, action=action, lane=action.lane
        ).id
    with pytest.raises(AwaitingAnswer):
        CommandTransport(database, clock, paired.tenant, job_id).ask(
            "look", VintedRequest("GET", "/api/v2/users/current")
        )
    with database.tenant(paired.tenant) as session:
        job = JobRepository(session).locked(job_id)
        assert job is not None
        job.status = JobStatus.PARKED
    look = Dispatching(database, Pacing(), clock).next(paired.tenant, browser)
    with database.tenant(paired.tenant) as session:
        (command,) = VintedCommandRepository(session).of_job(job_id)
    if begins:
        assert look.again_at == midnight.replace(hour=begins)
        assert command.state is CommandState.WAITING
    else:
        assert look.dispatch is not None
        assert command.state is CommandState.SENT
