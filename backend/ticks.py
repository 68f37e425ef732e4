"""The table of ticks: all that is done again and again, once for the whole installation.

What every worker does for itself, such as keeping its leases, is a chore (`backend/worker.py`).
"""

from datetime import timedelta

from backend.container import Container
from repositories.accounts.channel_consents import ChannelConsentRepository
from repositories.accounts.schedule import TickRunRepository
from repositories.reference.marketplace_mappings import EbayMappingRepository
from services.accounts.identity.forgetting import SignInForgetting
from services.accounts.news.forgetting import NewsForgetting
from services.accounts.notifications.forgetting import NotificationForgetting
from services.accounts.outbox.forgetting import OutboxForgetting
from services.accounts.schedule.ticks import Act, Did, Tick, Turn
from services.gateways.ebay.marketplaces import SITES
from services.gateways.ebay.quotas import REVISIONS, EbayQuotas
from services.reference.marketplace_mappings.ebay_refresh import EbayRefresh
from services.selling.drift.polling import ListingPolling
from services.selling.ebay.call_counts import EbayCallCounts
from services.selling.orders.polling import OrderPolling
from services.selling.publishing.dead_jobs import DeadJobReview
from services.selling.publishing.sweeping import BellSweeper
from services.selling.vinted.forgetting import CommandForgetting

RUNS_KEPT = timedelta(days=14)
CONSENTS_KEPT = timedelta(days=1)
"""After they ran out: a redirect that comes late is told that it is late."""


def ticks_of(container: Container) -> tuple[Tick, ...]:
    """Every tick of this installation."""
    ticks = (
        Tick(
            "ring-lost-bells",
            timedelta(minutes=5),
            _ring_lost_bells(container),
            "find due jobs that no worker was told of",
        ),
        Tick(
            "review-dead-jobs",
            timedelta(hours=1),
            _review_dead_jobs(container),
            "take jobs off the operator's list that need nobody any more",
        ),
        Tick(
            "forget-ended-sign-ins",
            timedelta(days=1),
            _forget_sign_ins(container),
            "delete sign-ins 30 days after their end, and their tokens",
        ),
        Tick(
            "forget-old-consents",
            timedelta(days=1),
            _forget_consents(container),
            "delete requests to connect a channel a day after they ran out",
        ),
        Tick(
            "forget-old-news",
            timedelta(hours=6),
            _forget_news(container),
            "delete what happened in shops a week ago",
        ),
        Tick(
            "forget-relayed-events",
            timedelta(hours=6),
            _forget_events(container),
            "delete events of which everybody was told two weeks ago",
        ),
        Tick(
            "forget-read-notifications",
            timedelta(days=1),
            _forget_notifications(container),
            "delete notifications that were read 90 days ago",
        ),
        Tick(
            "forget-old-commands",
            timedelta(days=1),
            _forget_commands(container),
            "delete what sellers' browsers were asked two weeks ago, and the answers",
        ),
        Tick(
            "forget-old-runs",
            timedelta(days=1),
            _forget_runs(container),
            "delete what the schedule wrote down 14 days ago",
        ),
    )
    return (*ticks, *_of_channels(container))


def _of_channels(container: Container) -> tuple[Tick, ...]:
    """What is done for the marketplaces that this installation has keys of."""
    compare = Tick(
        "compare-listings",
        timedelta(minutes=10),
        _compare_listings(container),
        "have live listings compared with their channel, each at least daily",
    )
    learn = Tick(
        "learn-ebay-categories",
        timedelta(hours=1),
        _learn_ebay_categories(container),
        "ask eBay what categories want to know, once a week each",
    )
    follow = Tick(
        "follow-orders",
        timedelta(minutes=1),
        _follow_orders(container),
        "have orders fetched for the accounts that are due",
    )
    forget = Tick(
        "forget-old-revisions",
        timedelta(days=1),
        _forget_revisions(container),
        "delete counts of eBay listings that were not changed for a day",
    )
    count = Tick(
        "check-ebay-call-counts",
        timedelta(hours=1),
        _check_ebay_call_counts(container),
        "hold our count of calls against eBay's own",
    )
    with_ebay = container.settings.ebay.client_id is not None
    with_etsy = container.settings.etsy.keystring is not None
    both = (follow, compare) if with_ebay or with_etsy else ()
    return (*both, *((forget, learn, count) if with_ebay else ()))


def _ring_lost_bells(container: Container) -> Act:
    sweeper = BellSweeper(container.database, container.clock)

    def act(turn: Turn) -> Did:
        swept = (
            sweeper.sweep(turn.go_on)
            if turn.whole
            else sweeper.sweep_slice(turn.position, turn.go_on)
        )
        return Did(f"{swept.rung} of {swept.looked} shops have work waiting", swept.position)

    return act


def _review_dead_jobs(container: Container) -> Act:
    review = DeadJobReview(container.database)

    def act(turn: Turn) -> Did:
        forgotten, position = review.review(turn.position, turn.go_on)
        while turn.whole and position:
            more, position = review.review(position, turn.go_on)
            forgotten += more
        return Did(f"{forgotten} jobs need nobody any more", position)

    return act


def _learn_ebay_categories(container: Container) -> Act:
    ebay, database, clock = container.ebay, container.database, container.clock

    def act(turn: Turn) -> Did:
        with database.platform() as session:
            known = EbayMappingRepository(session).sites_fetched()
        reports = [
            EbayRefresh(database.platform, ebay.public_on(SITES[site]), clock).run(
                progress=lambda _done, _total: turn.go_on()
            )
            for site in sorted({ebay.marketplace.id, *known})
        ]
        asked = sum(report.refreshed for report in reports)
        refused = sum(len(report.refused) for report in reports)
        return Did(f"{asked} categories asked about, {refused} refused")

    return act


def _follow_orders(container: Container) -> Act:
    polling = OrderPolling(container.database, container.polled, container.clock)

    def act(turn: Turn) -> Did:
        return Did(f"{polling.poll(turn.go_on)} accounts are asked for orders")

    return act


def _compare_listings(container: Container) -> Act:
    polling = ListingPolling(
        container.database,
        container.polled,
        container.clock,
    )

    def act(turn: Turn) -> Did:
        asked = polling.ask(turn.position, turn.go_on, whole=turn.whole)
        return Did(f"{asked.asked} accounts of {asked.looked} shops", asked.position)

    return act


def _check_ebay_call_counts(container: Container) -> Act:
    quotas = EbayQuotas(container.settings.ebay.daily_calls)

    def act(_turn: Turn) -> Did:
        found = EbayCallCounts(container.ebay, quotas, container.call_ledger).check()
        return Did(f"{found.told} quotas told, {found.added} calls added to our count")

    return act


def _forget_revisions(container: Container) -> Act:
    def act(_turn: Turn) -> Did:
        return Did(f"{container.call_ledger.forget_unused(REVISIONS)} counts deleted")

    return act


def _forget_sign_ins(container: Container) -> Act:
    forgetting = SignInForgetting(container.database, container.clock)

    def act(turn: Turn) -> Did:
        sign_ins, tokens = forgetting.forget(turn.go_on)
        return Did(f"{sign_ins} sign-ins and {tokens} used tokens deleted")

    return act


def _forget_consents(container: Container) -> Act:
    def act(_turn: Turn) -> Did:
        with container.database.platform() as session:
            consents = ChannelConsentRepository(session)
            gone = consents.forget_expired_before(container.clock.now() - CONSENTS_KEPT)
        return Did(f"{gone} requests deleted")

    return act


def _forget_news(container: Container) -> Act:
    forgetting = NewsForgetting(container.database, container.clock)

    def act(turn: Turn) -> Did:
        return Did(f"{forgetting.forget(turn.go_on)} events deleted")

    return act


def _forget_events(container: Container) -> Act:
    forgetting = OutboxForgetting(container.database, container.clock)

    def act(turn: Turn) -> Did:
        return Did(f"{forgetting.forget(turn.go_on)} events deleted")

    return act


def _forget_notifications(container: Container) -> Act:
    forgetting = NotificationForgetting(container.database, container.clock)

    def act(turn: Turn) -> Did:
        return Did(f"{forgetting.forget(turn.go_on)} notifications deleted")

    return act


def _forget_commands(container: Container) -> Act:
    forgetting = CommandForgetting(container.database, container.clock)

    def act(turn: Turn) -> Did:
        return Did(f"{forgetting.forget(turn.go_on)} commands deleted")

    return act


def _forget_runs(container: Container) -> Act:
    def act(_turn: Turn) -> Did:
        with container.database.platform() as session:
            gone = TickRunRepository(session).forget_before(container.clock.now() - RUNS_KEPT)
        return Did(f"{gone} runs deleted")

    return act
