"""How the site's pages look."""

from html import escape

from sandbox.vinted.state import Account, Item, Session, VintedState

_STYLE = (
    "*{box-sizing:border-box}body{font:16px/1.5 system-ui,sans-serif;margin:0;color:#171717;"
    "background:#f7f7f7}a{color:#007782;text-decoration:none}"
    "header{background:#fff;border-bottom:1px solid #e0e0e0;padding:.75rem 1.5rem;display:flex;"
    "gap:1.25rem;align-items:center}header .logo{font:italic 700 1.6rem Georgia,serif}"
    "header form{margin:0 0 0 auto}main{max-width:64rem;margin:1.5rem auto;padding:0 1.5rem}"
    "button{font:inherit;border:0;border-radius:4px;background:#007782;color:#fff;"
    "padding:.5rem 1.25rem}input{font:inherit;padding:.5rem;width:100%}.wrong{color:#b00020}"
    ".card,aside{background:#fff;border:1px solid #e0e0e0;border-radius:6px;padding:1.25rem}"
    ".small{max-width:26rem;margin:auto}.item{display:grid;grid-template-columns:2fr 1fr;"
    "gap:1.5rem;align-items:start}.photos{display:grid;grid-template-columns:repeat(2,1fr);"
    "gap:.5rem}.photos img{width:100%;border-radius:6px;display:block}"
    ".photos img:first-child{grid-column:1/-1}.price{font-size:1.5rem;font-weight:600;margin:0}"
    "dl{display:grid;grid-template-columns:auto 1fr;gap:.25rem 1rem}dt{color:#757575}dd{margin:0}"
    ".grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(11rem,1fr));gap:1rem}"
    ".grid img{width:100%;aspect-ratio:3/4;object-fit:cover;border-radius:6px}"
    ".badge{background:#007782;color:#fff;border-radius:4px;padding:.1rem .5rem}"
)


def page(
    state: VintedState, session: Session, member: Account | None, title: str, body: str
) -> str:
    """A whole page of the site, with the CSRF token where the real one has it."""
    return (
        f'<!doctype html><html lang="fr"><meta charset="utf-8"><title>{escape(title)} | Vinted'
        f"</title><style>{_STYLE}</style>{_config(session.csrf_token, state.escaped_csrf)}"
        f'<header><a class="logo" href="/">Vinted</a><a href="/items/new">Vendre</a>'
        f"{_who(session, member)}</header><main>{body}</main></html>"
    )


def sign_in_form(ref_url: str, wrong: str = "") -> str:
    """Name and password."""
    complaint = f'<p class="wrong">{escape(wrong)}</p>' if wrong else ""
    return (
        '<div class="card small"><h1>Se connecter</h1>'
        f'{complaint}<form id="log-in" method="post" action="/member/login">'
        f'<input type="hidden" name="ref_url" value="{escape(ref_url)}">'
        '<p><label>Nom d\'utilisateur<input name="login" autocomplete="username" required></label>'
        '<p><label>Mot de passe<input name="password" type="password" required></label></p>'
        "<button>Continuer</button></form></div>"
    )


def item_body(item: Item, facts: dict[str, str], badge: str) -> str:
    """An item as buyers see it; `facts` by label."""
    photos = "".join(f'<img src="/t/{number}/f800" alt="">' for number in item.photo_ids)
    rows = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(fact)}</dd>" for name, fact in facts.items()
    )
    price = f"{item.content.get('price', 0):.2f}".replace(".", ",")
    mark = f'<p><span class="badge">{escape(badge)}</span></p>' if badge else ""
    return (
        f'<div class="item"><div class="photos">{photos}</div><aside>{mark}'
        f'<p class="price" data-testid="item-price">{price} €</p>'
        f"<h1>{escape(item.content.get('title', ''))}</h1><dl>{rows}</dl>"
        f"<p>{escape(item.content.get('description', '')).replace(chr(10), '<br>')}</p>"
        "</aside></div>"
    )


def grid(items: list[Item]) -> str:
    """Items side by side, each a link."""
    cards = "".join(
        f'<a href="/items/{item.item_id}"><img src="/t/{item.photo_ids[0]}/f800" alt="">'
        f"<br>{escape(item.content.get('title', ''))}</a>"
        for item in items
        if item.photo_ids
    )
    return f'<div class="grid">{cards}</div>' if cards else "<p>Rien à vendre pour le moment.</p>"


def _config(csrf_token: str, escaped: bool) -> str:
    if escaped:
        config = f'\\"CSRF_TOKEN\\":\\"{csrf_token}\\"'
        return f'<script>self.__config="{{{config}}}"</script>'
    return f'<script type="application/json" id="config">{{"CSRF_TOKEN":"{csrf_token}"}}</script>'


def _who(session: Session, member: Account | None) -> str:
    if member is None:
        return '<a href="/member/login" style="margin-left:auto">Se connecter</a>'
    return (
        f'<form method="post" action="/member/logout"><a href="/member/{member.user_id}">'
        f'{escape(member.login)}</a> <input type="hidden" name="csrf_token" '
        f'value="{session.csrf_token}"><button>Se déconnecter</button></form>'
    )
