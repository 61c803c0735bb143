"""What every command shares: help, errors, exit codes, JSON, and that nothing heavy is imported for them."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from mto import __version__
from mto.cli.app import app
from mto.cli.display import Lines
from mto.cli.frame import guarded, plain
from mto.errors import DataError, Interrupted
from tests.cli.conftest import Mto

COMMANDS = ("run", "tune", "predict", "report", "show", "ls", "pretrain")
# Not pydantic: typer itself imports it for some options.
HEAVY = {
    "torch", "transformers", "tokenizers", "numpy", "scipy", "yaml", "pyarrow", "matplotlib", "datasets", "jinja2",
}  # fmt: skip


def imported(*words: str) -> set[str]:
    """Top-level modules that a command imports."""
    told = subprocess.run(
        [sys.executable, "-X", "importtime", *words], capture_output=True, text=True, check=True
    ).stderr
    return {line.split("|")[-1].strip().partition(".")[0] for line in told.splitlines() if "|" in line}


@pytest.mark.parametrize(
    "words", [("-m", "mto", "--help"), ("-m", "mto", "run", "--help"), ("-c", "import mto")]
)
def test_help_and_import_are_light(words: tuple[str, ...]) -> None:
    assert not imported(*words) & HEAVY


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_explains_itself_with_examples_that_parse(mto: Mto, name: str) -> None:
    shown = mto(name, "--help")
    assert shown.exit_code == 0 and "Examples" in shown.stdout
    command = typer.main.get_command(app).commands[name]  # type: ignore[attr-defined]
    lines = [line.strip() for line in command.epilog.split("\n\n")[1:]]
    assert lines
    for line in lines:
        assert len(line) <= 76, "a longer line is broken on a terminal and cannot be copied"
        for part in line.split(" | "):
            words = shlex.split(part)
            if words[0] == "mto":
                assert words[1] == name
                command.make_context(name, words[2:])


def test_the_version_is_told(mto: Mto) -> None:
    assert mto("--version").stdout.strip() == f"mto {__version__}"


def test_without_a_command_there_is_help(mto: Mto) -> None:
    assert "Usage" in mto().output


def test_an_error_names_what_and_what_to_do_and_ends_with_2(mto: Mto) -> None:
    told = mto("show", "household/ObjectUs")
    assert told.exit_code == 2 and told.stdout == ""
    assert told.stderr.startswith("error: ") and "-> did you mean 'ObjectUse'" in told.stderr
    assert "Traceback" not in told.output


def test_an_error_is_json_when_asked_for(mto: Mto) -> None:
    told = mto("show", "household/ObjectUs", "--json")
    assert told.exit_code == 2
    error = json.loads(told.stdout)["error"]
    assert error["kind"] == "UnknownNameError" and "ObjectUse" in error["hint"]


def test_an_unknown_option_ends_with_2(mto: Mto) -> None:
    assert mto("run", "household/ObjectUse", "--shotz", "3").exit_code == 2


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (DataError("bad", hint="mend it", where="a.csv:1"), 2, "error: a.csv:1: bad\n  -> mend it\n"),
        (Interrupted("2 of 4 cells are done", hint="again"), 130, "stopped: 2 of 4 cells are done\n  -> again\n"),
        (KeyboardInterrupt(), 130, "stopped: stopped by Ctrl-C"),
    ],
)  # fmt: skip
def test_exit_codes(error: BaseException, code: int, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    @guarded
    def command() -> None:
        raise error

    with pytest.raises(typer.Exit) as caught:
        command()
    assert caught.value.exit_code == code
    assert capsys.readouterr().err.startswith(said[:-1] if said.endswith("\n") else said)


def test_a_fault_of_the_program_is_not_hidden() -> None:
    @guarded
    def command() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        command()


def test_values_become_json() -> None:
    assert plain({"a": (Path("x"), float("inf"), {1})}) == {"a": ["x", None, [1]]}


def test_plain_lines_of_progress_come_now_and_then_with_the_time_left(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with Lines(every=3600) as shown:
        shown.update(1, 4, "first", 90)
        shown.update(2, 4, "second", 60)
        shown.update(4, 4, "last", 0)
    assert capsys.readouterr().err.splitlines() == [" 25 %  first, 1 min 30 s left", "100 %  last"]


def test_a_reader_that_went_away_is_no_fault(tmp_path: Path) -> None:
    words = f"{shlex.quote(sys.executable)} -m mto ls --json | head -1"
    told = subprocess.run(["bash", "-o", "pipefail", "-c", words], capture_output=True, text=True)
    assert told.returncode == 0 and told.stderr == "" and told.stdout == "[\n"
