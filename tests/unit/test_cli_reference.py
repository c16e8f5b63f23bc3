"""The command line's page is generated from the commands and says what they say."""

from pathlib import Path

import typer

from ade.app import app
from ade.exits import MEANINGS, code_of, strictly
from ade.reference import reference
from adverse_events.errors import AccountingError, ContractError, PermanentServiceError, UsageError

PAGE = Path(__file__).resolve().parents[2] / "docs" / "cli.md"


def test_the_page_is_what_the_commands_generate():
    """Mend with: python -m ade.reference > docs/cli.md."""
    assert PAGE.read_text(encoding="utf-8") == reference()


def test_every_command_and_flag_says_what_it_is_for():
    commands = typer.main.get_command(app).commands
    unexplained = [(name, p.name) for name, command in commands.items() for p in command.params if not p.help]
    assert unexplained == []
    assert all(command.help for command in commands.values())


def test_the_interfaces_that_stay_are_there():
    flags = {name: {o for p in c.params for o in p.opts} for name, c in typer.main.get_command(app).commands.items()}
    columns = {"--text-column", "--id-column", "--time-column", "--assume-time"}
    assert flags["detect"] >= {"--source", "--start", "--end", "--lake", "--strict", "--json", *columns}
    assert flags["backfill"] >= flags["detect"] | {"--force"}
    assert flags["classify"] >= {"--text-column", "--output", "--threshold", "--model", "--arithmetic", "--json"}
    assert flags["code"] >= {"--text-column", "--drug-column", "--output", "--json"}
    assert flags["query"] >= {"--lake", "--json", "--csv"}
    assert {"demo", "report", "settings", "sample", "bench", "version"} <= flags.keys()


def test_an_error_leads_to_the_exit_code_the_page_states():
    assert code_of(UsageError("no such file")) == 2
    errors = (ContractError("t", "d"), AccountingError("lost"), PermanentServiceError("s", "o", "d"))
    assert {code_of(error) for error in errors} == {1}
    assert strictly(strict=True, n_rejects=1) == 3
    assert strictly(strict=True, n_rejects=0) == strictly(strict=False, n_rejects=1) == 0
    assert set(MEANINGS) == {0, 1, 2, 3, 4, 130}
