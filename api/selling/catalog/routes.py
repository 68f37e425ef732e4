"""Products: the one record that every channel is fed from."""

from datetime import timedelta
from typing import Annotated, Any

from fastapi import File, Form, Header, Path, Query, Response, UploadFile
from pydantic import AfterValidator

from api.dependencies.services_selling import (
    TheProductImages,
    TheProductImport,
    TheProducts,
)
from api.dependencies.sessions import TenantTransactions
from api.pages import Cursor, Page, PageSize
from api.policies import Policy, guarded_router
from api.problems import problems
from api.selling.catalog import imports
from api.selling.catalog.etags import BasedOn, etag, names_current
from api.selling.catalog.pages import ProductSummaryOut, page_response, position_of
from api.selling.catalog.schemas import (
    ImageOrderIn,
    ImageOut,
    ProductChangeIn,
    ProductIn,
    ProductOut,
)
from models.selling.catalog import ProductStatus
from services.gateways.object_store import ObjectNotFound
from services.selling.catalog.images import ALT_TEXT_LIMIT, ImageNotFound, TooManyImages
from services.selling.catalog.importing.decoding import UnreadableFile
from services.selling.catalog.importing.importer import ImportOptions
from services.selling.catalog.importing.report import ImportRefused
from services.selling.catalog.importing.words import Defaults
from services.selling.catalog.listing import ProductFilter, list_products
from services.selling.catalog.photos import PhotoRefused, PhotoTooLarge
from services.selling.catalog.products import (
    HandleTaken,
    ProductInUse,
    ProductInvalid,
    ProductNotFound,
    VersionMismatch,
)
from shared.errors import BadInput, MalformedRequest, PreconditionRequired
from shared.text import one_line

TIME_FOR_PHOTOS = timedelta(seconds=60)
"""How long one request fetches photos; importing the file again goes on with the others."""

products = guarded_router("/products", policy=Policy.SIGNED_IN, tag="catalog")

ROUTERS = (products,)

RowId = Annotated[int, Path(gt=0, lt=2**63)]
Words = Annotated[str, Query(max_length=255), AfterValidator(one_line)]
SearchWords = Annotated[
    str,
    Query(max_length=255, description="Part of a title or of a SKU."),
    AfterValidator(one_line),
]
CategoryCode = Annotated[
    str,
    Query(max_length=255, description="A category's code; those below it are included."),
    AfterValidator(one_line),
]
IfNoneMatch = Annotated[str | None, Header(description="The ETag you have.")]

_UNCHANGED: dict[int | str, dict[str, Any]] = {
    304: {"description": "It is still what `If-None-Match` names."}
}

_PHOTO: dict[int | str, dict[str, Any]] = {200: {"content": {"image/*": {}}}}

_THERE_ALREADY: dict[int | str, dict[str, Any]] = {
    200: {"model": ImageOut, "description": "The product has this photo already."}
}

_CHANGE = problems(
    MalformedRequest, ProductNotFound, VersionMismatch, ProductInvalid, PreconditionRequired
)


@products.post("", status_code=201, responses=problems(BadInput, ProductInvalid, HandleTaken))
def create_product(body: ProductIn, catalog: TheProducts, response: Response) -> ProductOut:
    """Store a product. Photos are added afterwards."""
    product = catalog.create(body.draft())
    response.headers["ETag"] = etag(product.version)
    response.headers["Location"] = f"/api/v1/products/{product.id}"
    return ProductOut.of(product)


@products.get("", response_model=Page[ProductSummaryOut], responses=problems(BadInput))
def show_products(
    transactions: TenantTransactions,
    cursor: Cursor = None,
    limit: PageSize = 50,
    status: ProductStatus | None = None,
    q: SearchWords = "",
    brand: Words = "",
    category: CategoryCode = "",
    condition: Words = "",
) -> Response:
    """Products, newest first."""
    wanted = ProductFilter(status, q or None, brand or None, category or None, condition or None)
    # One transaction, ended in this thread and before the page is written: the busiest of routes
    # saves a change of threads and keeps its connection for the two statements alone.
    with transactions() as session:
        found, more = list_products(session, wanted, position_of(cursor), limit)
    return page_response(found, more=more)


@products.get(
    "/{product_id}",
    response_model=ProductOut,
    responses=_UNCHANGED | problems(ProductNotFound),
)
def show_product(
    product_id: RowId, catalog: TheProducts, response: Response, if_none_match: IfNoneMatch = None
) -> ProductOut | Response:
    """A whole product; 304 when it is still what `If-None-Match` names."""
    if if_none_match is not None:
        version = catalog.version_of(product_id)
        if names_current(if_none_match, version):
            return Response(status_code=304, headers={"ETag": etag(version)})
    product = catalog.get(product_id)
    response.headers["ETag"] = etag(product.version)
    return ProductOut.of(product)


@products.patch("/{product_id}", responses=_CHANGE | problems(HandleTaken))
def change_product(
    product_id: RowId,
    body: ProductChangeIn,
    based_on: BasedOn,
    catalog: TheProducts,
    response: Response,
) -> ProductOut:
    """Change what is given, leave the rest. `variants`, where given, replaces all variants:
    name those to keep by their `id`."""
    product = catalog.change(product_id, based_on, body.apply_to)
    response.headers["ETag"] = etag(product.version)
    return ProductOut.of(product)


@products.delete("/{product_id}", status_code=204, responses=_CHANGE | problems(ProductInUse))
def delete_product(product_id: RowId, based_on: BasedOn, catalog: TheProducts) -> None:
    """Delete a product that is listed nowhere."""
    catalog.delete(product_id, based_on)


@products.post("/import", responses=problems(UnreadableFile, ImportRefused, BadInput))
def import_products(
    file: imports.CsvFile,
    importing: TheProductImport,
    dry_run: imports.DryRun = False,
    atomic: imports.Atomic = False,
    fetch_images: imports.FetchImages = True,
    currency: imports.Currency = "USD",
    default_category: imports.DefaultCategory = "",
    default_condition: imports.DefaultCondition = "",
    default_department: imports.DefaultDepartment = "",
) -> imports.ImportOut:
    """Import a product CSV. The same file again changes only what differs.

    A product with an error is left out whole and named in `errors`; the others come in.
    """
    options = ImportOptions(
        currency=currency,
        defaults=Defaults(
            one_line(default_category) or None,
            one_line(default_condition) or None,
            one_line(default_department) or None,
        ),
        dry_run=dry_run,
        atomic=atomic,
        fetch_images=fetch_images,
        time_for_photos=TIME_FOR_PHOTOS,
    )
    return imports.ImportOut.of(importing.run(file.file.read(), options))


@products.post(
    "/{product_id}/images",
    status_code=201,
    responses=_THERE_ALREADY
    | problems(ProductNotFound, PhotoRefused, PhotoTooLarge, TooManyImages, BadInput),
)
def add_image(
    product_id: RowId,
    file: Annotated[UploadFile, File(description="JPEG, PNG, WebP or GIF.")],
    images: TheProductImages,
    response: Response,
    alt_text: Annotated[str, Form(max_length=ALT_TEXT_LIMIT)] = "",
) -> ImageOut:
    """Add a photo at the end. 200 and the photo there is, when the product has it already."""
    image, new = images.add(product_id, file.file.read(), alt_text)
    if not new:
        response.status_code = 200
    return ImageOut.of(image)


@products.put("/{product_id}/images/order", responses=problems(ProductNotFound, BadInput))
def order_images(product_id: RowId, body: ImageOrderIn, images: TheProductImages) -> list[ImageOut]:
    """Put the photos in another order."""
    return [ImageOut.of(image) for image in images.reorder(product_id, body.image_ids).images]


@products.get(
    "/{product_id}/images/{image_id}",
    response_class=Response,
    responses=_PHOTO | _UNCHANGED | problems(ImageNotFound, ObjectNotFound),
)
def show_image(
    product_id: RowId, image_id: RowId, images: TheProductImages, if_none_match: IfNoneMatch = None
) -> Response:
    """A photo's original bytes."""
    image, read = images.read(product_id, image_id)
    headers = {
        "ETag": etag(image.sha256),
        "Cache-Control": "private, max-age=31536000, immutable",
        "Content-Disposition": "inline",
    }
    if names_current(if_none_match, image.sha256):
        return Response(status_code=304, headers=headers)
    return Response(read(), media_type=image.content_type, headers=headers)


@products.delete(
    "/{product_id}/images/{image_id}",
    status_code=204,
    responses=problems(ProductNotFound, ImageNotFound),
)
def remove_image(product_id: RowId, image_id: RowId, images: TheProductImages) -> None:
    """Take a photo off the product."""
    images.remove(product_id, image_id)
