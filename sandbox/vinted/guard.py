"""The guard at the door: whom it takes for a machine must show that they are a person."""

import secrets
from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from sandbox.faults import Fault, FaultKind
from sandbox.pages import hidden_fields, html_page
from sandbox.vinted import sessions
from sandbox.vinted.errors import CHALLENGE_PATH, DATADOME, challenged
from sandbox.vinted.sandbox import VintedSandbox
from sandbox.vinted.state import Account

WORDS = ("pomme", "cerise", "orange", "figue", "prune", "raisin")
CHECK_PATH = CHALLENGE_PATH + "check"


def challenge(account: Account) -> None:
    """From now on nothing is answered to this member but the challenge."""
    account.challenge = account.challenge or secrets.choice(WORDS)


def begin(member: Account | None, fault: Fault | None) -> bool:
    """Whether a fault has the guard look at this call; a member is challenged from now on."""
    begins = fault is not None and fault.kind is FaultKind.CHALLENGE
    if begins and member is not None:
        challenge(member)
    return begins


def watch(sandbox: VintedSandbox, request: Request, fault: Fault | None) -> None:
    """Let a call of the API pass. Raises VintedError 403 where a person is asked for."""
    member = sessions.member_behind(sandbox, request.cookies)
    if begin(member, fault) or (member is not None and member.challenge is not None):
        raise challenged(f"{request.url.scheme}://{request.url.netloc}")


def page_instead(sandbox: VintedSandbox, request: Request) -> Response | None:
    """The challenge, where a page was asked for by somebody who is taken for a machine."""
    member = sessions.member_behind(sandbox, request.cookies)
    if member is None or member.challenge is None:
        return None
    back_to = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return _page(member.challenge, back_to)


def challenge_routes(sandbox: VintedSandbox) -> list[Route]:
    """The page a person answers on, and where the answer goes."""

    async def page(request: Request) -> Response:
        return page_instead(sandbox, request) or RedirectResponse("/", 303)

    async def check(request: Request) -> Response:
        form = await request.form()
        back_to = own_path(str(form.get("back_to", "/")))
        member = sessions.member_behind(sandbox, request.cookies)
        if member is not None and member.challenge is not None:
            if str(form.get("answer", "")).strip().lower() != member.challenge:
                return _page(member.challenge, back_to, "Ce n'est pas le bon mot.")
            member.challenge = None
            sandbox.changed()
        answer = RedirectResponse(back_to, 303)
        sessions.give_datadome(answer)
        return answer

    return [
        Route(CHALLENGE_PATH, page, methods=["GET"]),
        Route(CHECK_PATH, check, methods=["POST"]),
    ]


def own_path(path: str) -> str:
    """A path of this site, so that nobody is led elsewhere."""
    return path if path.startswith("/") and not path.startswith(("//", CHALLENGE_PATH)) else "/"


def _page(word: str, back_to: str, wrong: str = "") -> Response:
    complaint = f'<p class="wrong">{escape(wrong)}</p>' if wrong else ""
    content = (
        "<script>var dd={'rt':'c','host':'geo.captcha-delivery.com'}</script>"
        f"<p>Avant de continuer, montrez que vous êtes une personne : tapez le mot "
        f'<strong id="word">{escape(word)}</strong>.</p>{complaint}'
        f'<form id="captcha" method="post" action="{CHECK_PATH}">'
        f"{hidden_fields({'back_to': back_to})}"
        '<p><label>Le mot <input name="answer" autocomplete="off" required></label></p>'
        "<button>Continuer</button></form>"
    )
    return HTMLResponse(html_page("Vérification", content), 403, DATADOME)
