"""What would become of each (product, channel) of a request: asked before and by the request."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import product as pairs

from models.selling.publishing import Channel, JobAction
from repositories.selling.catalog import ProductRepository
from repositories.selling.publishing import JobRepository, ListingRepository
from services.selling.publishing.channels import ChannelTable, Findings
from services.selling.publishing.twins import twin_gaps
from shared.database import TenantSession
from shared.errors import BadInput, FieldProblem

_Problems = tuple[FieldProblem, ...]


class Answer(StrEnum):
    """What became of one (product, channel) of a request."""

    QUEUED = "queued"
    ALREADY_QUEUED = "already_queued"
    ALREADY_LISTED = "already_listed"
    NOT_LISTED = "not_listed"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class RequestedItem:
    """One (product, channel): its job, its listing, or why there is neither."""

    product_id: int
    channel: Channel
    answer: Answer
    job_id: int | None = None
    listing_id: str | None = None
    problems: tuple[FieldProblem, ...] = ()
    advice: tuple[FieldProblem, ...] = ()
    """What would serve the listing better, of what is queued or refused."""

    @property
    def key(self) -> tuple[int, Channel]:
        """Product and channel."""
        return self.product_id, self.channel


class ChannelNotOffered(BadInput):
    """This installation has no such channel."""

    code, title = "channel-not-offered", "This channel is not offered here"


class WorkPlanning:
    """Sorts a request out. Writes nothing and asks nobody outside."""

    def __init__(self, channels: ChannelTable) -> None:
        self._channels = channels

    def plan(
        self,
        session: TenantSession,
        action: JobAction,
        product_ids: Sequence[int],
        channels: Sequence[Channel],
        *,
        hold: bool,
    ) -> Sequence[RequestedItem]:
        """The answer for every product on every channel, each named once.

        `hold`: none of the products can be deleted until the commit. Raises `BadInput` for unknown
        products and `ChannelNotOffered`.
        """
        product_ids, channels = list(dict.fromkeys(product_ids)), list(dict.fromkeys(channels))
        self._refuse_unknown(session, product_ids, channels, hold)
        return list(self._sort_out(session, action, product_ids, channels))

    def _refuse_unknown(
        self,
        session: TenantSession,
        product_ids: Sequence[int],
        channels: Sequence[Channel],
        hold: bool,
    ) -> None:
        for position, channel in enumerate(channels):
            if channel not in self._channels:
                raise ChannelNotOffered(
                    f"This installation does not offer {channel}.",
                    fields=[FieldProblem(f"channels[{position}]", "not offered here")],
                )
        products = ProductRepository(session)
        known = products.kept(product_ids) if hold else products.existing(product_ids)
        unknown = [
            FieldProblem(f"product_ids[{position}]", f"there is no product {product_id}")
            for position, product_id in enumerate(product_ids)
            if product_id not in known
        ]
        if unknown:
            raise BadInput("Some of these products do not exist.", fields=unknown)

    def _sort_out(
        self,
        session: TenantSession,
        action: JobAction,
        product_ids: Sequence[int],
        channels: Sequence[Channel],
    ) -> Iterator[RequestedItem]:
        queued = JobRepository(session).live(action, channels, product_ids)
        listed = ListingRepository(session).live(channels, product_ids)
        found = self._findings(session, action, product_ids, channels)
        for product_id, channel in pairs(product_ids, channels):
            key = (product_id, channel)
            gaps, advice = found.get(key, ((), ()))
            if key in queued:
                yield RequestedItem(*key, Answer.ALREADY_QUEUED, job_id=queued[key])
            elif action is JobAction.PUBLISH and key in listed:
                yield RequestedItem(*key, Answer.ALREADY_LISTED, listing_id=listed[key])
            elif action is not JobAction.PUBLISH and key not in listed:
                yield RequestedItem(*key, Answer.NOT_LISTED)
            else:
                answer = Answer.REFUSED if gaps else Answer.QUEUED
                yield RequestedItem(*key, answer, problems=gaps, advice=advice)

    def _findings(
        self,
        session: TenantSession,
        action: JobAction,
        product_ids: Sequence[int],
        channels: Sequence[Channel],
    ) -> Mapping[tuple[int, Channel], tuple[_Problems, _Problems]]:
        """Gaps and advice."""
        if action in {JobAction.DELETE, JobAction.SYNC}:
            return {}
        found = {
            (product_id, channel): each
            for channel in channels
            for product_id, each in self._channels[channel].findings(session, product_ids).items()
        }
        if action is JobAction.PUBLISH:
            for key, gap in twin_gaps(session, product_ids, channels).items():
                each = found.get(key, Findings())
                found[key] = replace(each, gaps=[*each.gaps, gap])
        return {
            key: (_in_request(key[0], each.gaps), _in_request(key[0], each.advice))
            for key, each in found.items()
        }


def _in_request(product_id: int, problems: Sequence[FieldProblem]) -> _Problems:
    """The same, with fields that say of which product."""
    return tuple(replace(each, field=f"products.{product_id}.{each.field}") for each in problems)
