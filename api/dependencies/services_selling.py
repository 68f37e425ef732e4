"""The catalog room's services, for its routes."""

from typing import Annotated

from fastapi import Depends

from api.dependencies.actors import CurrentAccount
from api.dependencies.container import TheContainer
from api.dependencies.sessions import OwnShop, Tenant, TenantTransactions
from services.selling.catalog.images import ProductImages
from services.selling.catalog.importing.importer import ProductImport
from services.selling.catalog.products import ProductCatalog


async def _products(session: Tenant, container: TheContainer) -> ProductCatalog:
    return ProductCatalog(session, container.clock)


async def _product_images(
    actor: CurrentAccount, transactions: TenantTransactions, container: TheContainer
) -> ProductImages:
    return ProductImages(transactions, actor.shop, container.object_store, container.clock)


async def _product_import(
    shop: OwnShop, transactions: TenantTransactions, container: TheContainer
) -> ProductImport:
    return ProductImport(
        transactions,
        shop,
        container.object_store,
        container.image_fetcher,
        container.clock,
    )


TheProducts = Annotated[ProductCatalog, Depends(_products, scope="function")]
TheProductImages = Annotated[ProductImages, Depends(_product_images)]
TheProductImport = Annotated[ProductImport, Depends(_product_import)]
