"""The pages people see: home, signing in and out, an item, its photos."""

import re
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from sandbox.gate import delay, lost_after, lost_before
from sandbox.vinted import guard, layout, sessions
from sandbox.vinted.catalogue import CONDITIONS
from sandbox.vinted.errors import VintedError, gone, invalid_token
from sandbox.vinted.gate import log, spoiled_answer
from sandbox.vinted.item_views import brand_of, condition_id, size_id
from sandbox.vinted.sandbox import VintedSandbox
from sandbox.vinted.state import Account, Item, Session

NUMBER_FIRST = re.compile(r"(\d+)(-.*)?")
ON_THE_FRONT = 40
Show = Callable[["Visit"], Awaitable[Response]]


class Visit:
    """One page asked for: by which browser, signed in or not."""

    def __init__(self, sandbox: VintedSandbox, request: Request, session: Session) -> None:
        self.sandbox, self.request, self.session = sandbox, request, session
        self.member = sessions.account_of(sandbox, session)

    def page(self, title: str, body: str, status: int = 200) -> Response:
        """A page with the cookies of this visit."""
        content = layout.page(self.sandbox.state, self.session, self.member, title, body)
        return self.with_cookies(HTMLResponse(content, status))

    def with_cookies(self, answer: Response) -> Response:
        """The answer, with the cookies of this visit."""
        sessions.give_cookies(self.sandbox, self.session, self.request.cookies, answer)
        return answer


class Page:
    """An ASGI application answering with one kind of page; faults know it as `page`."""

    def __init__(self, sandbox: VintedSandbox, show: Show, operation: str = "page") -> None:
        self.sandbox, self.show, self.operation = sandbox, show, operation

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or withhold the answer where a fault says so."""
        request = Request(scope, receive)
        await request.body()
        member = sessions.member_behind(self.sandbox, request.cookies)
        logged = log(self.sandbox, request, self.operation, member)
        fault = self.sandbox.faults.draw(self.operation)
        if await lost_before(fault, scope, receive):
            return
        guard.begin(member, fault)
        await delay(0, fault, receive)
        answer = guard.page_instead(self.sandbox, request) or spoiled_answer(fault)
        answer = answer or await self._shown(request)
        self.sandbox.changed()
        if await lost_after(fault, scope, receive):
            return
        logged.status = answer.status_code
        await answer(scope, receive, send)

    async def _shown(self, request: Request) -> Response:
        cookies = request.cookies
        try:
            session = sessions.admitted(self.sandbox, cookies)
        except VintedError:
            if request.method == "GET" and sessions.refreshable(self.sandbox, cookies):
                return RedirectResponse(f"/session-refresh?ref_url={request.url.path}", 307)
            session = sessions.opened(self.sandbox)
        try:
            return await self.show(Visit(self.sandbox, request, session))
        except VintedError as refusal:
            return refusal.response()


def site_routes(sandbox: VintedSandbox) -> list[Route]:
    """Every page."""

    async def refresh_page(request: Request) -> Response:
        session = sessions.refreshable(sandbox, request.cookies)
        if session is None:
            return RedirectResponse("/member/login", 303)
        back_to = guard.own_path(request.query_params.get("ref_url", "/"))
        return _refreshed(request, session, RedirectResponse(back_to, 303))

    async def refresh(request: Request) -> Response:
        session = sessions.refreshable(sandbox, request.cookies)
        if session is None:
            return invalid_token().response()
        return _refreshed(request, session, JSONResponse({"code": 0}))

    def _refreshed(request: Request, session: Session, answer: Response) -> Response:
        sessions.give_cookies(sandbox, sessions.refreshed(session), request.cookies, answer)
        sandbox.changed()
        return answer

    pages: list[tuple[str, str, Show, str]] = [
        ("GET", "/", _home, "page"),
        ("GET", "/items/new", _new_item, "page"),
        ("GET", "/items/{slug}", _item, "page"),
        ("GET", "/items/{slug}/edit", _new_item, "page"),
        ("GET", "/inbox", _new_item, "page"),
        ("GET", "/member/login", _sign_in_page, "page"),
        ("POST", "/member/login", _sign_in, "signIn"),
        ("POST", "/member/logout", _sign_out, "signOut"),
        ("GET", "/member/{slug}", _member, "page"),
    ]
    return [
        *(
            Route(path, Page(sandbox, show, name), methods=[verb])
            for verb, path, show, name in pages
        ),
        Route("/session-refresh", refresh_page, methods=["GET"]),
        Route("/web/api/auth/refresh", refresh, methods=["POST"]),
    ]


async def _home(visit: Visit) -> Response:
    items = [item for item in visit.sandbox.state.items.values() if item.state == "active"]
    return visit.page("Accueil", layout.grid(items[: -ON_THE_FRONT - 1 : -1]))


async def _new_item(visit: Visit) -> Response:
    if visit.member is None:
        back_to = visit.request.url.path
        return visit.with_cookies(RedirectResponse(f"/member/login?ref_url={back_to}", 303))
    return visit.page("Vendre un article", "<h1>Vendre un article</h1>")


async def _item(visit: Visit) -> Response:
    item = visit.sandbox.state.items.get(_number(visit))
    if item is None or not _may_see(item, visit.member):
        raise gone()
    state, catalogue = visit.sandbox.state, visit.sandbox.catalogue
    size = catalogue.sizes.get(size_id(state, item) or 0)
    colors = [catalogue.colors[number]["title"] for number in item.content.get("color_ids", [])]
    facts = {
        "Marque": brand_of(catalogue, item.content),
        "Taille": size.title if size else "",
        "État": CONDITIONS.get(condition_id(state, item) or 0, ""),
        "Couleur": ", ".join(colors),
        "Vendeur": state.accounts[item.user_id].login,
    }
    badge = {"sold": "Vendu", "reserved": "Réservé", "draft": "Brouillon", "hidden": "Masqué"}
    there = {name: fact for name, fact in facts.items() if fact}
    body = layout.item_body(item, there, badge.get(item.state, ""))
    return visit.page(item.content.get("title", "Article"), body)


async def _member(visit: Visit) -> Response:
    account = visit.sandbox.state.accounts.get(_number(visit))
    if account is None:
        raise gone()
    items = visit.sandbox.state.wardrobe(account.user_id)
    shown = [item for item in items if item.state in ("active", "reserved", "sold")]
    return visit.page(account.login, f"<h1>{account.login}</h1>{layout.grid(shown)}")


async def _sign_in_page(visit: Visit) -> Response:
    back_to = visit.request.query_params.get("ref_url", "/")
    return visit.page("Se connecter", layout.sign_in_form(guard.own_path(back_to)))


async def _sign_in(visit: Visit) -> Response:
    form = await visit.request.form()
    login, password = str(form.get("login", "")).strip(), str(form.get("password", ""))
    back_to = guard.own_path(str(form.get("ref_url", "/")))
    account = _known(visit.sandbox, login, password)
    if account is None or account.password != password:
        wrong = "Nom d'utilisateur ou mot de passe incorrect."
        return visit.page("Se connecter", layout.sign_in_form(back_to, wrong), 422)
    visit.session.ended = True
    visit.session = sessions.opened(visit.sandbox, account.user_id)
    return visit.with_cookies(RedirectResponse(back_to, 303))


async def _sign_out(visit: Visit) -> Response:
    form = await visit.request.form()
    if form.get("csrf_token") == visit.session.csrf_token:
        visit.session.ended = True
        visit.session = sessions.opened(visit.sandbox)
    return visit.with_cookies(RedirectResponse("/", 303))


def _known(sandbox: VintedSandbox, login: str, password: str) -> Account | None:
    """The member; a name that is new becomes one, with the password that was typed."""
    account = sandbox.state.account_named(login)
    if account is not None or not password:
        return account
    try:
        return sandbox.enrol(login, password)
    except ValueError:
        return None


def _may_see(item: Item, member: Account | None) -> bool:
    if item.deleted_at is not None:
        return False
    own = member is not None and member.user_id == item.user_id
    return own or not (item.is_draft or item.is_hidden)


def _number(visit: Visit) -> int:
    """The number at the beginning of the path's last part. Raises VintedError 404."""
    found = NUMBER_FIRST.fullmatch(visit.request.path_params["slug"])
    if found is None:
        raise gone()
    return int(found[1])
