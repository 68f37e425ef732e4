"""What the documents say is there: links, commands, targets, settings, decisions."""

import re
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer

from backend.cli.commands import app
from backend.settings import Settings
from tests.house.test_settings import variables
from tests.paths import CHECKOUT

NOT_SETTINGS = {
    "STOFLOW_CONTRACTS",
    "STOFLOW_TEST_DATA",
    "STOFLOW_NEW_PASSWORD",
    "STOFLOW_HOST",
}
"""Variables that no section of the settings reads: of the tests and of single commands."""

REGISTRIES = r"(?:py[p]i|npm[j]s|rubyg[e]ms|crat[e]s|de[b]ian)[.](?:org|com|io)"
MACHINE_PATHS = r"(?<![\w.])/(?:root|work|home/\w+|Users/\w+)/"
DECLARED = re.compile(r"^([a-z]+):.*##", re.MULTILINE)


@cache
def tracked(pattern: str) -> tuple[Path, ...]:
    """Files that git knows, or would know if they were added."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", "--", pattern],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode != 0:
        pytest.skip("left out: this is no git checkout, so nobody says which files belong to it")
    names = sorted(name for name in listed.stdout.split("\0") if name)
    return tuple(CHECKOUT / name for name in names if (CHECKOUT / name).is_file())


def documents() -> list[tuple[str, str]]:
    """Every document with its text; made here so that a new one is looked at too."""
    return [(str(path.relative_to(CHECKOUT)), path.read_text()) for path in tracked("*.md")]


def found(pattern: str) -> list[tuple[str, str]]:
    return [(name, hit) for name, text in documents() for hit in re.findall(pattern, text)]


def anchors(text: str) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).strip().replace(" ", "-") for each in headings}


def subcommands(command: Any) -> dict[str, Any]:
    """Empty for a command that does something itself."""
    return getattr(command, "commands", {})


def test_every_relative_link_leads_somewhere() -> None:
    """ST52: to a file, and to a heading where it names one."""
    broken = []
    for name, link in found(r"\]\(([^)\s]+)\)"):
        path, _, anchor = link.partition("#")
        if re.match(r"[a-z]+:", path):
            continue
        target = (CHECKOUT / name).parent / path if path else CHECKOUT / name
        if not target.exists() or (anchor and anchor not in anchors(target.read_text())):
            broken.append(f"{name}: {link}")
    assert broken == []


def test_every_command_named_exists() -> None:
    """ST52: with the options it is given."""
    root = typer.main.get_command(app)
    assert "db" in subcommands(root)
    wrong = []
    for name, line in found(r"(?m)(?:^ *\$? *|`|bin/|= \")stoflow((?: [a-z-]+[a-z])+[^`\n;#|]*)"):
        command, words = root, line.split()
        while words and words[0] in subcommands(command):
            command, words = subcommands(command)[words[0]], words[1:]
        known = {option for each in command.params for option in each.opts + each.secondary_opts}
        unknown = [word for word in words if word.startswith("--") and word not in known]
        if (subcommands(command) and words) or unknown:
            wrong.append(f"{name}: stoflow{line.rstrip()}")
    assert wrong == []


def test_every_make_target_named_exists() -> None:
    """ST52."""
    targets = set(DECLARED.findall((CHECKOUT / "Makefile").read_text()))
    named = found(r"(?m)(?:^ {4,}|`)make ([a-z]+)\b")
    assert named != []
    assert [each for each in named if each[1] not in targets] == []


def test_every_setting_named_exists() -> None:
    """ST52."""
    known = variables(Settings) | NOT_SETTINGS
    named = found(r"\bSTOFLOW_[A-Z_]*[A-Z]\b")
    assert named != []
    assert [each for each in named if each[1] not in known] == []


def test_every_decision_is_in_the_table_under_its_own_title() -> None:
    """ST52: and the numbers are consecutive."""
    folder = CHECKOUT / "docs" / "adr"
    table = re.findall(
        r"^\| \[(\d{4})\]\((\S+)\) \| (.+) \|$", (folder / "README.md").read_text(), re.M
    )
    files = sorted(path.name for path in folder.glob("0*.md"))
    assert [name for _, name, _ in table] == files
    assert [int(number) for number, _, _ in table] == list(range(1, len(files) + 1))
    for number, name, title in table:
        text = (folder / name).read_text()
        assert text.startswith(f"# {number} {title}\n")
        for part in ("Context", "Decision", "Consequences", "Alternatives"):
            assert f"**{part}.**" in text, f"{name} has no {part}"


def test_every_python_path_named_exists() -> None:
    """ST52: files of ours that a document names in backticks."""
    tops = "api|backend|benchmarks|migrations|models|repositories|sandbox|scripts|services|shared"
    examples = ("add-a-channel.md", "add-a-tenant-table.md")
    missing = [
        (name, path)
        for name, path in found(rf"`((?:{tops}|tests)/[\w/.-]+\.(?:py|csv|md))`")
        if not name.endswith(examples) and not (CHECKOUT / path).exists()
    ]
    assert missing == []


def test_no_file_names_a_machine_or_a_registry() -> None:
    """ST52: the repository speaks of the product alone."""
    pattern = re.compile(f"{MACHINE_PATHS}|{REGISTRIES}")
    named = []
    for path in tracked("*"):
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text.splitlines(), start=1):
            if pattern.search(line):
                named.append(f"{path.relative_to(CHECKOUT)}:{number}")
    assert named == []


def test_direct_dependencies_are_credited() -> None:
    """ST52: NOTICE lists what is installed beside us."""
    notice = (CHECKOUT / "NOTICE").read_text().lower()
    project = (CHECKOUT / "pyproject.toml").read_text()
    listed = project[project.index("dependencies = [") : project.index("[project.scripts]")]
    names = {each.lower() for each in re.findall(r'^ +"([A-Za-z0-9-]+)', listed, re.M)}
    assert "fastapi" in names
    assert sorted(name for name in names if not re.search(rf"^ +{name}\b", notice, re.M)) == []
