"""What forms are filled in from, and who is signed in."""

from sandbox.vinted.catalogue import CONDITIONS, PACKAGE_SIZES, Catalog
from sandbox.vinted.errors import gone, validation_error
from sandbox.vinted.item_form import is_list_of_numbers
from sandbox.vinted.operations import JSON, Call, Operation

MAX_BRANDS = 60


def _me(call: Call) -> JSON:
    account = call.account
    path = f"/member/{account.user_id}-{account.login}"
    return {
        "user": {
            "id": account.user_id,
            "login": account.login,
            "path": path,
            "profile_url": call.origin + path,
            "country_code": "FR",
            "currency": call.state.currency,
            "locale": "fr",
            "is_on_holiday": False,
        }
    }


def _catalogs(call: Call) -> JSON:
    known = call.sandbox.catalogue.catalogs.values()
    return {"catalogs": [one.as_json() for one in known if one.parent is None]}


def _colors(call: Call) -> JSON:
    return {"colors": list(call.sandbox.catalogue.colors.values())}


def _brands(call: Call) -> JSON:
    wanted = call.query.get("keyword", "").casefold()
    found = [
        {"id": number, "title": title, "slug": title.lower().replace(" ", "-")}
        for number, title in call.sandbox.catalogue.brands.items()
        if wanted in title.casefold()
    ]
    return {"brands": found[:MAX_BRANDS], "disable_custom_brands": False}


def _size_groups(call: Call) -> JSON:
    groups = call.sandbox.catalogue.size_groups(_catalog(call, call.query.get("catalog_ids[]")))
    if not groups:
        raise gone()
    return {"size_groups": groups}


def _conditions(call: Call) -> JSON:
    _catalog(call, call.query.get("catalog_id"))
    return {"conditions": [{"id": number, "title": title} for number, title in CONDITIONS.items()]}


def _package_sizes(call: Call) -> JSON:
    _catalog(call, str(call.path["catalog_id"]))
    sizes = [
        {"id": number, "title": title, "code": title.upper()}
        for number, title in PACKAGE_SIZES.items()
    ]
    return {"package_sizes": sizes}


def _attributes(call: Call) -> JSON:
    catalog = _catalog(call, _category(call.body))
    catalogue = call.sandbox.catalogue
    sizes = [size for group in catalogue.size_groups(catalog) for size in group["sizes"]]
    options = {
        "brand": ([], catalog.has_brand, catalog.has_brand),
        "size": (sizes, bool(sizes), bool(sizes)),
        "condition": (_options(CONDITIONS), True, True),
        "color": (list(catalogue.colors.values()), catalog.has_color, catalog.has_color),
        "material": (_options(catalogue.materials), True, False),
    }
    return {
        "attributes": [
            {"code": code, "configuration": {"required": required, "options": rows}}
            for code, (rows, there, required) in options.items()
            if there
        ]
    }


def _category(body: JSON) -> str | None:
    rows = body.get("attributes")
    for row in rows if isinstance(rows, list) else []:
        value = row.get("value") if isinstance(row, dict) else None
        if isinstance(row, dict) and row.get("code") == "category" and is_list_of_numbers(value):
            return str(value[0]) if value else None
    raise validation_error([("category", "Indiquez la catégorie.")])


def _options(words: dict[int, str]) -> list[JSON]:
    return [{"id": number, "title": title} for number, title in words.items()]


def _catalog(call: Call, number: str | None) -> Catalog:
    """Raises VintedError 404 where there is no such category."""
    known = call.sandbox.catalogue.catalogs
    catalog = known.get(int(number)) if number and number.isdecimal() else None
    if catalog is None:
        raise gone()
    return catalog


_UPLOAD = "/item_upload"

DICTIONARY_OPERATIONS = (
    Operation("getCurrentUser", "GET", "/users/current", _me),
    Operation("getCatalogs", "GET", _UPLOAD + "/catalogs", _catalogs),
    Operation("getColors", "GET", _UPLOAD + "/colors", _colors),
    Operation("getBrands", "GET", _UPLOAD + "/brands", _brands),
    Operation("getSizeGroups", "GET", _UPLOAD + "/size_groups", _size_groups),
    Operation("getConditions", "GET", _UPLOAD + "/conditions", _conditions),
    Operation("getAttributes", "POST", _UPLOAD + "/attributes", _attributes),
    Operation("getPackageSizes", "GET", "/catalogs/{catalog_id:int}/package_sizes", _package_sizes),
)
