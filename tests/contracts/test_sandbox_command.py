"""The sandbox as a command."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from sandbox.__main__ import cli


def test_help_says_what_there_is_and_how_to_set_it() -> None:
    """(c)16: the one command a newcomer needs explains itself."""
    wide = {"COLUMNS": "200", "TERM": "dumb", "NO_COLOR": "1"}
    top = CliRunner().invoke(cli, ["--help"], env=wide)
    assert top.exit_code == 0
    assert "ebay" in top.output
    assert "etsy" in top.output
    assert "vinted" in top.output
    page = CliRunner().invoke(cli, ["ebay", "--help"], env=wide)
    assert page.exit_code == 0
    for option in ("--port", "--host", "--state", "--client-id", "--ru-name", "--accepted-url"):
        assert option in page.output
    page = CliRunner().invoke(cli, ["etsy", "--help"], env=wide)
    assert page.exit_code == 0
    for option in ("--port", "--state", "--keystring", "--redirect-uri", "--latency-ms"):
        assert option in page.output
    page = CliRunner().invoke(cli, ["vinted", "--help"], env=wide)
    assert page.exit_code == 0
    for option in ("--port", "--state", "--latency-ms"):
        assert option in page.output


@pytest.mark.parametrize("marketplace", ["ebay", "etsy", "vinted"])
def test_a_state_file_of_something_else_is_refused_and_left_alone(
    tmp_path: Path, marketplace: str
) -> None:
    """ST59: exit code 2 and a word about which file, no traceback."""
    file = tmp_path / "state.json"
    file.write_text('{"calls": 3}', encoding="utf-8")
    outcome = CliRunner().invoke(cli, [marketplace, "--state", str(file)])
    assert outcome.exit_code == 2
    assert "--state" in outcome.output
    assert file.read_text(encoding="utf-8") == '{"calls": 3}'


def test_a_port_that_cannot_be_is_refused() -> None:
    """ST59: before anything is started."""
    assert CliRunner().invoke(cli, ["ebay", "--port", "70000"]).exit_code == 2
