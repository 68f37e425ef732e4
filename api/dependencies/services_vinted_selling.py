"""What routes about selling on Vinted use."""

from typing import Annotated

from fastapi import Depends

from api.dependencies.container import TheContainer
from services.selling.vinted.choices import VintedChoices
from services.selling.vinted.message import VintedReplies
from services.selling.vinted.preflight import VintedPreflight


async def _choices(container: TheContainer) -> VintedChoices:
    return VintedChoices(VintedPreflight(), container.clock)


async def _replies(container: TheContainer) -> VintedReplies:
    return VintedReplies(container.clock)


Choices = Annotated[VintedChoices, Depends(_choices)]
Replies = Annotated[VintedReplies, Depends(_replies)]
