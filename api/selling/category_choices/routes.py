"""Where the shop itself says that categories belong on its channels."""

from typing import Annotated

from fastapi import Path, Query
from pydantic import AfterValidator

from api.dependencies.services_category_choices import Choosing
from api.dependencies.sessions import OwnShop, Tenant
from api.pages import PageSize
from api.policies import Policy, guarded_router
from api.problems import problems
from api.selling.category_choices.schemas import (
    CategoryChoiceIn,
    CategoryChoiceOut,
    CategoryChoicesOut,
    ChannelCategoriesOut,
    ChannelCategoryOut,
)
from models.selling.publishing import Channel
from services.reference.attributes.browsing import CategoryNotFound
from services.selling.category_choices.choosing import (
    CategoryChoiceInvalid,
    CategoryChoiceNotFound,
)
from shared.errors import APIConnectionError, APITimeoutError, BadInput, EbayError
from shared.text import one_line

choices = guarded_router("/category-choices", policy=Policy.SIGNED_IN, tag="catalogues")

ROUTERS = (choices,)

CategoryCode = Annotated[str, Path(max_length=63, examples=["aa-8-3"])]


@choices.get("")
def list_category_choices(session: Tenant, choosing: Choosing) -> CategoryChoicesOut:
    """Every place that the shop chose, by channel and category."""
    return CategoryChoicesOut(items=[CategoryChoiceOut.of(e) for e in choosing.all(session)])


@choices.get("/{channel}/places", responses=problems(CategoryChoiceInvalid))
def list_places(
    channel: Channel,
    session: Tenant,
    choosing: Choosing,
    q: Annotated[
        str,
        Query(min_length=2, max_length=100, description="Words of a path.", examples=["men boots"]),
        AfterValidator(one_line),
    ],
    limit: PageSize = 20,
) -> ChannelCategoriesOut:
    """Etsy's or Vinted's own categories by words of their paths. eBay suggests some itself."""
    found = choosing.places(session, channel, q, limit)
    return ChannelCategoriesOut(items=[ChannelCategoryOut.of(each) for each in found])


@choices.put(
    "/{channel}/{category}",
    responses=problems(
        CategoryNotFound,
        CategoryChoiceInvalid,
        BadInput,
        EbayError,
        APIConnectionError,
        APITimeoutError,
    ),
)
def choose_category(
    channel: Channel,
    category: CategoryCode,
    shop: OwnShop,
    choosing: Choosing,
    body: CategoryChoiceIn,
) -> CategoryChoiceOut:
    """Say where all products of a category belong. eBay is asked, the others are looked up."""
    chosen = choosing.set(shop, channel, category, body.department, body.category_id)
    return CategoryChoiceOut.of(chosen)


@choices.delete(
    "/{channel}/{category}", status_code=204, responses=problems(CategoryChoiceNotFound)
)
def forget_category_choice(
    channel: Channel,
    category: CategoryCode,
    session: Tenant,
    choosing: Choosing,
    department: Annotated[str | None, Query(max_length=40)] = None,
) -> None:
    """Go back to the mapping that ships."""
    choosing.remove(session, channel, category, department)
