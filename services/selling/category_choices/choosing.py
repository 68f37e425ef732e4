"""Reads and sets a shop's choices; each is checked before it is kept, outside of transactions."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from models.reference.marketplace_mappings import Platform, PlatformNode
from models.selling.category_choices import CategoryChoice
from models.selling.publishing import Channel
from repositories.reference.attributes import CatalogueSearchRepository
from repositories.reference.marketplace_mappings import PlatformMappingRepository
from repositories.selling.category_choices import CategoryChoiceRepository
from services.gateways.ebay.gateway import EbayGateway
from services.gateways.ebay.marketplaces import marketplace_named
from services.reference.attributes.browsing import CatalogueBrowsing
from services.reference.marketplace_mappings.ebay_refresh import EbayRefresh
from services.selling.category_choices.places import PLATFORM_OF
from services.selling.ebay.sites import site_in
from shared.clock import Clock
from shared.database import Database, TenantSchema, TenantSession
from shared.errors import BadInput, FieldProblem, NotFound


class CategoryChoiceInvalid(BadInput):
    """The marketplace has no such category, or lists nothing in it."""

    code, title = "category-choice-invalid", "This category cannot be chosen"


class CategoryChoiceNotFound(NotFound):
    """The shop chose nothing for this category and department."""

    code, title = "category-choice-not-found", "There is no such choice"


class Tree(Protocol):
    """The categories of a channel."""

    def site(self, session: TenantSession) -> str:
        """Which of the channel's sites the shop sells on; empty where there is one tree."""
        ...

    def path(self, site: str, remote_id: str) -> str:
        """The path of a marketplace's category. Raises `CategoryChoiceInvalid`."""
        ...


class CategoryChoices:
    """The choices of one shop."""

    def __init__(self, database: Database, trees: Mapping[Channel, Tree], clock: Clock) -> None:
        self._database = database
        self._trees = trees
        self._clock = clock

    def all(self, session: TenantSession) -> Sequence[CategoryChoice]:
        """Every choice, by channel and category."""
        return CategoryChoiceRepository(session).all()

    def places(
        self, session: TenantSession, channel: Channel, words: str, limit: int
    ) -> Sequence[PlatformNode]:
        """A channel's categories that can be chosen, with all these words in their paths.

        Raises `CategoryChoiceInvalid` for a channel whose tree does not ship.
        """
        if channel not in {Channel.ETSY, Channel.VINTED}:
            raise _invalid("channel", "The tree of this channel is not kept here.")
        repository = PlatformMappingRepository(session, PLATFORM_OF[channel])
        leaves_only = repository.version().leaves_only
        return repository.nodes_called(words.split(), limit, leaves_only=leaves_only)

    def set(
        self,
        tenant: TenantSchema,
        channel: Channel,
        category_code: str,
        department: str | None,
        remote_id: str,
    ) -> CategoryChoice:
        """Say where a category belongs, for a department or for anybody.

        Raises `CategoryNotFound`, `CategoryChoiceInvalid` and, for eBay, what its gateway raises.
        """
        tree = self._trees.get(channel)
        if tree is None:
            raise _invalid("channel", "The categories of this channel are our own.")
        with self._database.platform() as session:
            catalogues = CatalogueSearchRepository(session)
            CatalogueBrowsing(catalogues).category(category_code)
            if department is not None and not catalogues.has_department(department):
                raise _invalid("department", "There is no such department.")
        with self._database.tenant(tenant) as session:
            site = tree.site(session)
        path = tree.path(site, remote_id)
        with self._database.tenant(tenant) as session:
            return CategoryChoiceRepository(session).put(
                CategoryChoice(
                    channel=channel,
                    site=site,
                    category_code=category_code,
                    department=department or "",
                    remote_id=remote_id,
                    remote_path=path,
                    chosen_at=self._clock.now(),
                )
            )

    def remove(
        self, session: TenantSession, channel: Channel, category_code: str, department: str | None
    ) -> None:
        """Go back to the mapping that ships. Raises `CategoryChoiceNotFound`."""
        choices, tree = CategoryChoiceRepository(session), self._trees.get(channel)
        site = tree.site(session) if tree is not None else ""
        if not choices.remove(channel, site, category_code, department or ""):
            raise CategoryChoiceNotFound


class ShippedTree:
    """A `Tree` that ships: categories are looked up."""

    def __init__(self, database: Database, platform: Platform) -> None:
        self._database = database
        self._platform = platform

    def site(self, session: TenantSession) -> str:
        """There is one."""
        return ""

    def path(self, site: str, remote_id: str) -> str:
        """See `Tree`."""
        spoken = self._platform.spoken
        with self._database.platform() as session:
            repository = PlatformMappingRepository(session, self._platform)
            node, leaves_only = repository.node(remote_id), repository.version().leaves_only
        if node is None:
            raise _invalid("category_id", f"{spoken} has no such category.")
        if leaves_only and not node.is_leaf:
            raise _invalid("category_id", f"{spoken} lists nothing in “{node.path}” itself.")
        return node.path


class EbayTree:
    """The `Tree` of the shop's site: eBay is asked what it wants to know, and the answer kept."""

    def __init__(self, database: Database, gateway: EbayGateway, clock: Clock) -> None:
        self._database = database
        self._gateway = gateway
        self._clock = clock

    def site(self, session: TenantSession) -> str:
        """See `Tree`."""
        return site_in(session, self._gateway.marketplace).id

    def path(self, site: str, remote_id: str) -> str:
        """See `Tree`. Raises gateway errors."""
        questions = self._gateway.public_on(marketplace_named(site))
        refused = (
            EbayRefresh(self._database.platform, questions, self._clock).run([remote_id]).refused
        )
        if refused:
            raise _invalid("category_id", refused[remote_id])
        return f"eBay category {remote_id}"


def _invalid(field: str, message: str) -> CategoryChoiceInvalid:
    return CategoryChoiceInvalid(message, fields=[FieldProblem(field, message)])
