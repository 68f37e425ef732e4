"""The table of contents: every router of the API. A room adds its routers here.

Paths are tried in this order: what is asked most stands first.
"""

from fastapi import APIRouter

from api import health
from api.accounts.identity import routes as identity
from api.accounts.news import routes as news
from api.accounts.notifications import routes as notifications
from api.reference.attributes import routes as attributes
from api.selling.catalog import routes as catalog
from api.selling.category_choices import routes as category_choices
from api.selling.drift import routes as drift
from api.selling.ebay import routes as ebay
from api.selling.etsy import routes as etsy
from api.selling.listing_imports import routes as listing_imports
from api.selling.orders import routes as orders
from api.selling.publishing import routes as publishing
from api.selling.vinted import routes as vinted
from api.selling.vinted import selling as vinted_selling

ROUTERS: tuple[APIRouter, ...] = (
    *catalog.ROUTERS,
    *publishing.ROUTERS,
    *drift.ROUTERS,
    *orders.ROUTERS,
    *ebay.ROUTERS,
    *etsy.ROUTERS,
    *listing_imports.ROUTERS,
    *vinted.ROUTERS,
    *vinted_selling.ROUTERS,
    *news.ROUTERS,
    *attributes.ROUTERS,
    *notifications.ROUTERS,
    *category_choices.ROUTERS,
    *identity.ROUTERS,
    *health.ROUTERS,
)
