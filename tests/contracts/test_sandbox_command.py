"""The sandbox as a command."""

from typer.testing import CliRunner

from sandbox.__main__ import cli


def test_help_says_what_there_is_and_how_to_set_it() -> None:
    """(c)16: the one command a newcomer needs explains itself."""
    wide = {"COLUMNS": "200", "TERM": "dumb", "NO_COLOR": "1"}
    top = CliRunner().invoke(cli, ["--help"], env=wide)
    assert top.exit_code == 0
    assert "ebay" in top.output
    page = CliRunner().invoke(cli, ["ebay", "--help"], env=wide)
    assert page.exit_code == 0
    for option in ("--port", "--host", "--state", "--client-id", "--ru-name", "--accepted-url"):
        assert option in page.output


def test_a_port_that_cannot_be_is_refused() -> None:
    """ST59: before anything is started."""
    assert CliRunner().invoke(cli, ["ebay", "--port", "70000"]).exit_code == 2
