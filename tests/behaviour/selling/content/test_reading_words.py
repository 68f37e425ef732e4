"""What each channel does not want to read: every rule finds what it is for, and nothing else."""

import csv
import string
from dataclasses import dataclass
from importlib.resources import files

import pytest

from models.selling.publishing import Channel
from services.selling.content import rulebook
from services.selling.content.linter import SHOWN, linter_of
from services.selling.content.rulebook import Kind, Weight, rules_of, words_of
from shared.errors import FieldProblem

CHANNELS = [Channel.EBAY, Channel.ETSY, Channel.VINTED]


@dataclass(frozen=True)
class Text:
    title: str = "Blue wool jumper"
    description: str = "Worn twice, no holes."
    brand: str | None = None
    tags: tuple[str, ...] = ()


FOUND = {
    "other-marketplace": [
        ("Also on Depop", "Depop"),
        ("see my LE  BON COIN page", "LE  BON COIN"),
        ("cheaper on Amazon!", "on Amazon"),
    ],
    "contact-email": [
        ("write to anna.b+1@post.example.org", "anna.b+1@post.example.org"),
        ("anna (at) example.org", "anna (at) example.org"),
    ],
    "contact-phone": [
        ("+33 6 12 34 56 78", "+33 6 12 34 56 78"),
        ("06.12.34.56.78", "06.12.34.56.78"),
        ("(415) 555-0132", "(415) 555-0132"),
        ("tel: 0176 1234567", "tel: 0176 1234567"),
        ("+49 (0)176 1234 567", "+49 (0)176 1234 567"),
    ],
    "contact-social": [
        ("ask me on WhatsApp", "WhatsApp"),
        ("Contactez-moi sur", "Contactez-moi sur"),
    ],
    "contact-handle": [("@anna_sells", "@anna_sells"), ("insta: anna.sells", "insta: anna.sells")],
    "outside-link": [
        ("https://shop.example/a?b=1", "https://shop.example/a?b=1"),
        ("www.example.org/x", "www.example.org/x"),
        ("my-shop.co.uk", "my-shop.co.uk"),
    ],
    "outside-payment": [("Western  Union only", "Western  Union"), ("IBAN on request", "IBAN")],
    "active-content": [
        ("<script src=x>", "<script src=x"),
        ("JavaScript:alert(1)", "JavaScript:"),
        ("<b onclick=x>", "<b onclick="),
    ],
    "counterfeit": [("AAA quality", "AAA quality"), ("contrefaçon", "contrefaçon")],
    "markup": [("<b>new</b>", "<b>"), ("x&nbsp;y", "&nbsp;")],
    "several-brands": [("Zara or Prada", "Zara")],
    "title-in-capitals": [("RED WOOL DRESS SIZE ten", "RED WOOL DRESS")],
}
"""By rule: what it must find, and how it quotes it."""

HARMLESS = [
    Text(),
    Text("Levi's 501 W32 L34 NWT", "Waist 40.5 cm, inside leg 81,3 cm. Bought in 2019.", "Levi's"),
    Text("EAN 4006381333931", "Sizes 36/38/40. 100% cotton. 10-12 years, 140-146 cm. 1990-2000."),
    Text("Boohoo.com dress", "Label says boohoo.com, size 10.", "Boohoo.com"),
    Text("adidas x Gucci track top", "The adidas Gucci one.", "adidas x Gucci"),
    Text("Amazon parrot print shirt", "Prints of the Amazon, off-white ground.", None),
    Text("Faux fur coat", "Imitation leather trim, fake pockets; I'm moving. U.S. size M."),
    Text("Dr. Martens 1460", "7.5 out of 10. I'll send it, e.g. tomorrow.", "Dr. Martens"),
    Text("Nike Air Max 90 OG", "Colour: white & grey <3", "Nike"),
    Text("T-shirt, 5 € each", "Length 70, width 52, sleeve 20, chest 104, neck 40, hem 100"),
    Text("H&M skirt", "H&M, M&S & co", "H&M"),
]


def codes(problems: tuple[FieldProblem, ...]) -> set[str]:
    return {problem.code for problem in problems}


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("code", FOUND)
def test_a_rule_finds_what_it_is_for_and_names_field_rule_and_fix(
    channel: Channel, code: str
) -> None:
    """C11: in each field that the rule reads; refused or advised as the rule says."""
    rules = [rule for rule in rules_of(channel) if rule.code == code]
    for rule in rules:
        for field in rule.fields:
            for text, quoted in FOUND[code]:
                words = Text(**{field: (text,) if field == "tags" else text})  # type: ignore[arg-type]
                linted = linter_of(channel).lint(words)
                found = linted.gaps if rule.weight is Weight.REFUSE else linted.advice
                (problem,) = [each for each in found if each.code == code]
                assert problem.field == field
                assert f"“{quoted}”" in problem.message


def test_every_rule_of_every_channel_is_tried_above() -> None:
    """C11: a line that is added to the data needs an example here."""
    for channel in CHANNELS:
        assert {rule.code for rule in rules_of(channel)} <= set(FOUND)


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("words", HARMLESS, ids=lambda words: words.title)
def test_what_sellers_write_every_day_is_left_alone(channel: Channel, words: Text) -> None:
    """C11: sizes, measures, years, barcodes, own brands and ordinary words."""
    linted = linter_of(channel).lint(words)
    assert (linted.gaps, linted.advice) == ((), ())


def test_a_channels_own_name_and_address_are_no_others() -> None:
    """C11: each of three names is foreign on two."""
    for name in ("eBay", "Etsy", "Vinted"):
        words = Text(description=f"Ask me on {name}.")
        for channel in CHANNELS:
            linted = linter_of(channel).lint(words)
            foreign = name.lower() != channel
            assert ("other-marketplace" in codes(linted.gaps + linted.advice)) is foreign
    own = linter_of(Channel.ETSY).lint(Text(description="https://anna.etsy.com/shop"))
    assert "outside-link" not in codes(own.advice)


def test_vinted_refuses_what_it_hides() -> None:
    """C11: another marketplace, several brands, links, ways to reach the seller."""
    words = Text(
        "Zara dress like Prada", "On eBay too: www.example.org, +33 6 12 34 56 78", brand="Zara"
    )
    assert codes(linter_of(Channel.VINTED).lint(words).gaps) == {
        "other-marketplace",
        "outside-link",
        "contact-phone",
        "several-brands",
    }


def test_one_brand_is_not_several_whatever_it_is_called() -> None:
    """C11: the brand that the product is of may be named again; another is one more."""
    linter = linter_of(Channel.VINTED)
    assert linter.lint(Text("Zara dress", "By ZARA.")).gaps == ()
    assert linter.lint(Text("Zara dress", brand="Zara")).gaps == ()
    assert codes(linter.lint(Text("Zara dress", brand="Mohito")).gaps) == {"several-brands"}


def test_many_findings_of_a_rule_are_one_problem_a_field() -> None:
    """G13: a seller is not shown the same sentence ten times."""
    names = "Depop Poshmark Mercari Grailed Gumtree depop"
    (problem,) = linter_of(Channel.VINTED).lint(Text(description=names)).gaps
    assert problem.message.count("“") == SHOWN


@pytest.mark.parametrize("text", ["a" * 50_000, "a.b-" * 15_000, "<p " * 20_000, "1 2 " * 15_000])
def test_hostile_text_is_read_once(text: str) -> None:
    """ST48: no expression goes over the same letters again and again: this ends."""
    for channel in CHANNELS:
        linter_of(channel).lint(Text(description=text))


def test_a_channel_without_rules_finds_nothing() -> None:
    assert linter_of(Channel.BAZAAR).lint(Text("Zara on eBay", "www.example.org")).gaps == ()


def test_the_data_hangs_together() -> None:
    """C11: lists exist and are used, brands are those of table `brands`, sentences have a place for
    what was found and end as sentences do.
    """
    rules = [rule for channel in Channel for rule in rules_of(channel)]
    data = files(rulebook.__package__).joinpath("data")
    lines = list(csv.DictReader(data.joinpath("rules.csv").read_text("utf-8").splitlines()))
    assert len(rules) == len(lines)
    for name in ("words.csv", "patterns.csv"):
        rows = csv.DictReader(data.joinpath(name).read_text("utf-8").splitlines())
        assert {row["list"] for row in rows} <= {line["list"] for line in lines}
    for rule in rules:
        assert (rule.search is None) is (rule.kind is Kind.CAPITALS)
        assert set(rule.fields) <= {"title", "description", "tags"}
        places = [name for _, name, _, _ in string.Formatter().parse(rule.message) if name]
        assert places == ["found"]
        assert rule.message.endswith(".")
    brands = files("services.reference.attributes").joinpath("data/values/brands.csv")
    known = {row["name_en"] for row in csv.DictReader(brands.read_text("utf-8").splitlines())}
    assert set(words_of("brands")) <= known
