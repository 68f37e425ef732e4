"""Addresses under /_sandbox/ of the sandbox Vinted."""

from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.clock import wire_time
from sandbox.control import Body, CommonControl, WrongOrderError, whole
from sandbox.faults import FaultKind
from sandbox.vinted import guard, sessions
from sandbox.vinted.item_views import price_of
from sandbox.vinted.sandbox import VintedSandbox
from sandbox.vinted.state import STANDARD_PASSWORD, Account, Item, Oddity, VintedState
from sandbox.vinted.wardrobe import ODDITIES


class Control(CommonControl[VintedState]):
    """What can be asked of a running sandbox Vinted."""

    fault_kinds = frozenset(FaultKind)

    def __init__(self, sandbox: VintedSandbox) -> None:
        super().__init__(sandbox)
        self.sandbox = sandbox

    def routes(self) -> list[Route]:
        """All control addresses."""
        return [
            *self.common_routes(),
            self.route("ledger", "GET", self.ledger),
            self.route("requests", "GET", self.requests),
            self.route("members", "GET", self.members),
            self.route("members", "POST", self.add_member),
            self.route("members/{login}/challenge", "POST", self.challenge),
            self.route("members/{login}/sign-out", "POST", self.sign_out),
            self.route("members/{login}/expire", "POST", self.expire),
            self.route("wardrobe", "POST", self.add_oddity),
            self.route("wardrobe", "DELETE", self.clear_oddities),
            self.route("items/{item_id:int}/{what}", "POST", self.change_item),
            self.route("site", "POST", self.change_site),
            self.route("reset", "POST", self.reset),
            Route("/t/{photo_id:int}/{size}", self.photo, methods=["GET"]),
        ]

    def ledger(self, body: Body) -> Any:
        """Every item there ever was and every uploaded photo, oldest first."""
        state = self.sandbox.state
        return {
            "items": [ledger_row(state, item) for item in state.items.values()],
            "photos": [
                {
                    "photo_id": photo.photo_id,
                    "login": state.accounts[photo.user_id].login,
                    "temp_uuid": photo.temp_uuid,
                    "sha256": photo.sha256,
                    "item_id": photo.item_id,
                }
                for photo in state.photos.values()
            ],
        }

    def requests(self, body: Body) -> Any:
        """The last ten thousand calls and pages, oldest first."""
        rows = self.sandbox.state.requests
        return {"requests": [{**asdict(row), "at": wire_time(row.at)} for row in rows]}

    def members(self, body: Body) -> Any:
        """Every member."""
        return {"members": [_member_row(one) for one in self.sandbox.state.accounts.values()]}

    def add_member(self, body: Body) -> Any:
        """Enrol `login` with `password`."""
        password = str(body.get("password", STANDARD_PASSWORD))
        try:
            return _member_row(self.sandbox.enrol(str(body.get("login", "")), password))
        except ValueError as wrong:
            raise WrongOrderError(str(wrong)) from wrong

    def challenge(self, body: Body) -> Any:
        """Answer this member nothing but the challenge until it is solved."""
        member = self._member(body)
        guard.challenge(member)
        return _member_row(member)

    def sign_out(self, body: Body) -> Any:
        """End every session of a member, as a changed password does."""
        member = self._member(body)
        sessions.sign_out_everywhere(self.sandbox, member.user_id)
        return _member_row(member)

    def expire(self, body: Body) -> Any:
        """Kill a member's access tokens; a refresh brings new ones."""
        member = self._member(body)
        for session in self.sandbox.state.sessions.values():
            if session.user_id == member.user_id:
                sessions.expire(session)
        return _member_row(member)

    def add_oddity(self, body: Body) -> Any:
        """Have page `page` of wardrobes mislead, `times` times or until cleared."""
        kind = str(body.get("kind"))
        if kind not in ODDITIES:
            raise WrongOrderError(f"kind is one of {', '.join(ODDITIES)}")
        times = whole(body, "times", 1) if body.get("times") is not None else None
        oddity = Oddity(kind, whole(body, "page", 1), times)
        self.sandbox.state.oddities.append(oddity)
        return asdict(oddity)

    def clear_oddities(self, body: Body) -> Any:
        """Show wardrobes as they are."""
        self.sandbox.state.oddities.clear()
        return {"oddities": []}

    def change_item(self, body: Body) -> Any:
        """What the seller does on another device, or Vinted by itself."""
        item = self.sandbox.state.items.get(body["item_id"])
        if item is None or item.deleted_at is not None:
            raise WrongOrderError(f"there is no item {body['item_id']}")
        if body["what"] == "delete":
            item.deleted_at = self.sandbox.clock.now()
        elif body["what"] in ("hide", "show"):
            item.is_hidden = body["what"] == "hide"
        elif body["what"] in ("reserve", "release"):
            item.is_reserved = body["what"] == "reserve"
        else:
            raise WrongOrderError("an item can be told to delete, hide, show, reserve, release")
        return ledger_row(self.sandbox.state, item)

    def change_site(self, body: Body) -> Any:
        """Set `escaped_csrf`, `legacy_form`, `all_photos` or several of them."""
        state, names = self.sandbox.state, ("escaped_csrf", "legacy_form", "all_photos")
        for name in names:
            if name in body:
                setattr(state, name, body[name] is True)
        return {name: getattr(state, name) for name in names}

    def reset(self, body: Body) -> Any:
        """Begin anew."""
        self.sandbox.reset()
        return {"reset": True}

    async def photo(self, request: Request) -> Response:
        """A photo as the site's pages show it; every size is the picture as it was sent."""
        photo = self.sandbox.state.photos.get(request.path_params["photo_id"])
        if photo is None:
            return JSONResponse({"error": "no such photo"}, status_code=404)
        kind = "JPEG" if photo.format == "MPO" else photo.format
        return self.picture_answer(str(photo.photo_id), kind)

    def _member(self, body: Body) -> Account:
        member = self.sandbox.state.account_named(str(body.get("login")))
        if member is None:
            raise WrongOrderError(f"{body.get('login')} is unknown")
        return member


def ledger_row(state: VintedState, item: Item) -> dict[str, Any]:
    """An item as the control addresses show it."""
    return {
        "item_id": item.item_id,
        "login": state.accounts[item.user_id].login,
        "state": item.state,
        "is_draft": item.is_draft,
        "title": item.content.get("title", ""),
        "price": price_of(item),
        "content": item.content,
        "photo_ids": item.photo_ids,
        "photos": [state.photos[photo_id].sha256 for photo_id in item.photo_ids],
        "changes": item.changes,
        **{
            name: wire_time(moment) if moment else None
            for name in ("created_at", "published_at", "sold_at", "deleted_at")
            for moment in [getattr(item, name)]
        },
    }


def _member_row(account: Account) -> dict[str, Any]:
    return {
        "user_id": account.user_id,
        "login": account.login,
        "challenge": account.challenge,
    }
