"""eBay's error answers: `{"errors": [...]}` with numeric ids, messages in the caller's language."""

from typing import Any

ErrorItem = dict[str, Any]

USER_ERROR = "A user error has occurred."
OFFER_EXISTS = "Offer entity already exists."

_TRANSLATIONS = {
    "de": {
        USER_ERROR: "Ein Benutzerfehler ist aufgetreten.",
        OFFER_EXISTS: "Das Angebot besteht bereits.",
        "The item specific": "Das Artikelmerkmal",
        "is missing.": "fehlt.",
    },
    "fr": {
        USER_ERROR: "Une erreur utilisateur est survenue.",
        OFFER_EXISTS: "Cette offre existe déjà.",
        "The item specific": "La caractéristique",
        "is missing.": "est absente.",
    },
}


class EbayError(Exception):
    """A refusal: the HTTP status and eBay's error items."""

    def __init__(self, status: int, *errors: ErrorItem, headers: dict[str, str] | None = None):
        super().__init__(status, errors)
        self.status = status
        self.errors = errors
        self.headers = headers or {}


def error(
    error_id: int,
    message: str,
    *,
    domain: str | None = None,
    category: str = "REQUEST",
    **parameters: str,
) -> ErrorItem:
    """One error item; without `domain` the operation's own API is named later."""
    item: ErrorItem = {
        "errorId": error_id,
        "domain": domain,
        "category": category,
        "message": message,
        "longMessage": message,
    }
    if parameters:
        item["parameters"] = [{"name": name, "value": text} for name, text in parameters.items()]
    return item


def invalid(field: str, why: str = "") -> ErrorItem:
    """25709: the value of `field` cannot be accepted."""
    return error(25709, f"Invalid value for {field}. {why}".strip(), fieldName=field)


def user_error(detail: str, **parameters: str) -> ErrorItem:
    """25002, eBay's catch-all, in which only message and parameters tell cases apart."""
    return error(25002, f"{USER_ERROR} {detail}", **parameters)


def numbered(*values: str) -> dict[str, str]:
    """Parameters named "0", "1", …, as eBay sends them with 25002."""
    return {str(position): text for position, text in enumerate(values)}


def wire_errors(errors: tuple[ErrorItem, ...], domain: str, language: str) -> dict[str, Any]:
    """The answer's body: domains filled in, messages in `language` where we know it."""
    words = _TRANSLATIONS.get(language[:2].lower(), {})
    return {"errors": [_finished(item, domain, words) for item in errors]}


def _finished(item: ErrorItem, domain: str, words: dict[str, str]) -> ErrorItem:
    message = item["message"]
    for english, translated in words.items():
        message = message.replace(english, translated)
    return {**item, "domain": item["domain"] or domain, "message": message, "longMessage": message}
