"""How the few HTML pages a seller sees look."""

from html import escape

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:3rem auto;padding:0 1rem}"
    "button{font:inherit;padding:.5rem 1.25rem;margin-right:.5rem}"
    "input{font:inherit;padding:.4rem;width:100%;box-sizing:border-box}"
    ".wrong{color:#b00020}code{overflow-wrap:anywhere}"
)


def html_page(title: str, content: str) -> str:
    """A whole page; `content` is HTML already."""
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style><h1>{escape(title)}</h1>{content}</html>"
    )


def hidden_fields(values: dict[str, str]) -> str:
    """Form fields that travel unseen."""
    return "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in values.items()
    )


def sign_in_fields(sellers: list[str], suggested: str, wrong: str = "") -> str:
    """The seller's name and the two answers; any name is taken, the known ones are suggested."""
    known = "".join(f'<option value="{escape(name)}">' for name in sellers)
    complaint = f'<p class="wrong">{escape(wrong)}</p>' if wrong else ""
    return f"""{complaint}<p><label>User name (a new name opens a new account)
<input name="user" list="sellers" value="{escape(suggested)}"
 autocomplete="off" required></label></p>
<datalist id="sellers">{known}</datalist>
<button name="decision" value="agree">Agree and continue</button>
<button name="decision" value="decline" formnovalidate>Decline</button>"""


def scope_list(scopes: str) -> str:
    """What is asked for, one scope a line."""
    asked = "".join(f"<li><code>{escape(scope)}</code></li>" for scope in scopes.split())
    return f"<ul>{asked}</ul>"
