"""Every message of commands and faults exists in both languages, and none is left in English where Chinese is asked."""

import ast
import csv
import errno
import io
import os
import re
from pathlib import Path

import click
import pytest
from conftest import ROOT, english_left

import eldercare
from eldercare import messages
from eldercare.app import cli

FOLDER = Path(eldercare.__file__).parent
with (ROOT / "data" / messages.TABLE).open(encoding="utf-8", newline="") as table:
    ROWS = {row["en"]: row["zh"] for row in csv.DictReader(table)}
HOLE = "\0"
# Modules that say nothing but messages, by every text with words; of the others only what is raised or said.
OF_MESSAGES = (
    "app/cli",
    "app/plans",
    "documents/document_lines",
    "documents/request",
    "inputs/checks",
    "inputs/correlations",
    "inputs/dated",
    "inputs/draws",
    "inputs/ledger",
    "inputs/load",
    "inputs/published",
    "inputs/reading",
    "inputs/schema",
    "inputs/world",
    "model/area_names",
)
# Texts there that nobody is told: written into a table, or asked of a browser.
NOT_TOLD = (
    "found by read-plan",
    "default-src 'self'",
    cli.PROGRAM,
    "decision confidence",
    "adcode year",
    "year value",
    "{1}.csv",
    "{1}_plan",
    ".csv",
    ".xlsx",
    "nation",
    "province",
    "prefecture",
    "county",
    "resident",
    "column_{1}",
    "triangular",
    "age",
    "indicator",
    "population_basis",
    "sum of {1} counties",
    "not stated",
)
WORDS = re.compile(r"[A-Za-z]{2,}[,;:]? [a-z\0“(]|[,;:] [a-z]{2}|[a-z\0”] [a-z]{2}|^[,;] ")
# What names columns, patterns and parts of the code.
NAMING = {
    "_table",
    "compile",
    "dict.fromkeys",
    "fullmatch",
    "removeprefix",
    "split",
    "str_matches",
    "strip",
    "sub",
}
SAYING = {"click.echo", "say", "messages.say", "print", "told", "messages.told", "tqdm.write"}


def text_of(node: ast.AST) -> str | None:
    """The text of a string with a hole for each thing filled in; None for what is no string."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(part) or HOLE for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        parts = text_of(node.left), text_of(node.right)
        return None if parts == (None, None) else "".join(part or HOLE for part in parts)
    return None


def lines_of(text: str) -> list[str]:
    """The lines of a text as the table has them: what is filled in one after the other is one place, {1} the first."""
    told = []
    for line in re.sub(f"{HOLE}+", HOLE, re.sub(r"\{[^{}]*\}", HOLE, text)).split("\n"):
        first, *rest = line.strip().split(HOLE)
        parts = [f"{{{number}}}{part}" for number, part in enumerate(rest, start=1)]
        told.append(first + "".join(parts))
    return told


def said_in(node: ast.AST, short: bool = False) -> set[str]:
    """All texts with words below a node, but those that name something.  short : a word alone is one too"""
    text = text_of(node)
    if text is not None:
        parts = [one.value for one in ast.walk(node) if isinstance(one, ast.FormattedValue)]
        inner = set().union(*(said_in(part) for part in parts))
        found = text.partition(":: ")[0].strip() if not short or re.search("[a-z]", text) else ""
        wanted = short and re.search(r"[a-z]{3}", found) or WORDS.search(found)
        return inner | {
            line for line in lines_of(text.strip("\n")) if wanted and re.search("[A-Za-z]{2}", line)
        }
    if isinstance(node, ast.Call):
        name = ast.unparse(node.func)
        if name in NAMING or name.rpartition(".")[2] in NAMING:
            keywords = [one.value for one in node.keywords]
            return (
                set().union(*(said_in(one) for one in keywords))
                if name[0] != "_"
                else said_below(node)
            )
    chosen = isinstance(node, (ast.IfExp, ast.BoolOp))
    return set().union(*(said_in(one, chosen) for one in ast.iter_child_nodes(node)))


def said_below(call: ast.Call) -> set[str]:
    """What is said by the checks of a table's schema, whose first three texts are its columns."""
    return set().union(
        *(said_in(one) for one in [*call.args[3:], *(one.value for one in call.keywords)])
    )


def messages_of(path: Path) -> set[str]:
    """The messages of a module, as the table has them."""
    tree, name = (
        ast.parse(path.read_text("utf-8")),
        path.relative_to(FOLDER).with_suffix("").as_posix(),
    )
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        first = body[0] if isinstance(body, list) and body else None
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
            body[0] = ast.Pass()  # a docstring
    if name in OF_MESSAGES:
        found = said_in(tree)
    else:
        raised = [node for node in ast.walk(tree) if isinstance(node, ast.Raise)]
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
        said = [one for one in calls if ast.unparse(one.func) in SAYING]
        found = set().union(*(said_in(node) for node in [*raised, *said]))
    return {one for one in found if not any(one.startswith(word) for word in NOT_TOLD)}


def messages_of_code() -> dict[str, str]:
    """All messages of the library, with a module that says each."""
    found = {}
    for path in [*sorted(FOLDER.glob("*/*.py")), FOLDER / "files.py"]:
        found |= {one: path.relative_to(FOLDER).as_posix() for one in messages_of(path)}
    for command in [cli.commands, *cli.commands.commands.values()]:
        texts = [command.help, *(one.help for one in command.params)]
        found |= {line: "app/cli.py" for text in texts for line in lines_of(" ".join(text.split()))}
    return found


def test_every_message_has_a_row_in_both_languages():
    missing = {one: by for one, by in messages_of_code().items() if one not in ROWS}
    shown = io.StringIO()
    csv.writer(shown, lineterminator="\n").writerows(
        [one, f"（译文：{by}）"] for one, by in missing.items()
    )
    assert not missing, f"add to data/messages.csv, sorted, with the Chinese:\n{shown.getvalue()}"


def test_no_row_is_for_a_message_that_nobody_says():
    """Of what is no message of ours each word is said by click, by the system, or in a list of the library."""
    sources = [*FOLDER.rglob("*.py"), *Path(click.__file__).parent.glob("*.py")]
    said = "Errno is not a valid integer\n".join(
        [path.read_text("utf-8") for path in sources]
        + [os.strerror(one) for one in errno.errorcode]
    )
    unsaid = [
        one
        for one in ROWS.keys() - messages_of_code().keys()
        if any(part not in said for part in re.findall(r"[A-Za-z][A-Za-z' ]{2,}[A-Za-z]", one))
    ]
    assert unsaid == []


def test_rows_are_sorted_and_have_the_same_places_in_both_languages():
    assert list(ROWS) == sorted(ROWS)
    wrong = [
        en
        for en, zh in ROWS.items()
        if not zh or set(messages.PLACE.findall(en)) != set(messages.PLACE.findall(zh))
    ]
    assert wrong == []


@pytest.mark.parametrize(
    "english", sorted(ROWS.keys() - {messages.ROW, messages.COLUMN, messages.PARTED})
)
def test_a_message_is_told_by_its_own_row(english):
    def filled(text):
        return messages.PLACE.sub(lambda place: f"x7.{place[0][1:-1]}", text)

    assert messages.told(filled(english), "zh") == filled(ROWS[english])


def test_what_a_planner_wrote_is_told_as_it_stands():
    line = "assumptions.csv, row 4, column unit: “the file is missing” must be one of: bed, none, person"
    assert messages.told(line, "zh") == (
        "assumptions.csv第4行，unit列：“the file is missing”应为以下之一：bed, none, person"
    )
    assert messages.told("what no row says; nothing", "zh") == "what no row says; nothing"
    assert messages.told(line, "en") == line == messages.told(line)


@pytest.mark.parametrize("command", [[], *([name] for name in cli.commands.commands)])
def test_each_help_is_chinese(command, capsys):
    assert cli.main(["--lang", "zh", *command, "--help"]) == 0
    told = capsys.readouterr().out
    assert "用法：" in told and not english_left(
        re.sub(r"^用法：.*|^ .*?  (?=\S)", "", told, flags=re.MULTILINE)
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ["fly"],
        ["reprot", "--all"],
        ["report", "--al"],
        ["report", "lincang", "sanming"],
        ["report"],
        ["report", "nowhere"],
        ["areas"],
        ["areas", "--output", "x", "--under", "1", "--province", "2"],
        ["compare", "baseline", "--city", "lincang"],
        ["compare", "baseline", "baseline", "--city", "lincang"],
        ["area", "嵊州", "--draws", "many"],
        ["area", "嵊州", "--draws", "12"],
        ["area", "朝阳"],
        ["area", "999999"],
        ["area", "Nowhere at all"],
        ["read-plan", "--city", "lincang"],
        ["read-plan", "nothing.txt", "--city", "lincang"],
        ["read-plan", "nothing.txt", "--city", "nowhere"],
        ["verify-targets", "--documents", "nowhere"],
        ["progress-template", "nowhere"],
        ["new-city", "临沧"],
        ["new-city", "镇江", "--id", "9x"],
    ],
)
def test_a_command_that_cannot_run_says_so_in_chinese(arguments, project, capsys, monkeypatch):
    monkeypatch.setenv("ELDERCARE_PROJECT", str(ROOT))
    monkeypatch.setattr(cli, "_project", lambda *_: project)
    assert cli.main([*arguments, "--lang=zh"]) == 2
    told = re.sub("^用法：.*", "", capsys.readouterr().err)
    assert not english_left(told), told


@pytest.mark.parametrize(
    "arguments",
    [
        ["check"],
        ["area", "嵊州", "--draws", "16"],
        ["compare", "baseline", "healthier", "--city", "lincang", "--draws", "16"],
    ],
)
def test_what_a_command_finds_is_told_in_chinese(arguments, project, capsys, monkeypatch):
    monkeypatch.setenv("ELDERCARE_PROJECT", str(ROOT))
    monkeypatch.setattr(cli, "_project", lambda *_: project)
    assert cli.main(["--lang", "zh", *arguments]) == 0
    told = capsys.readouterr()
    assert told.err == "" and not english_left(told.out), told.out


def test_a_new_city_is_set_up_in_chinese(small_copy, capsys, monkeypatch):
    monkeypatch.setenv("ELDERCARE_PROJECT", str(small_copy.root))
    assert cli.main(["--lang", "zh", "new-city", "镇江"]) == 0
    assert cli.main(["--lang", "zh", "progress-template", "zhenjiang"]) == 0
    told = capsys.readouterr()
    assert "已建立文件夹data/cities/zhenjiang/" in told.out and "未写入任何内容" in told.err
    assert not english_left(told.out.replace("python -m eldercare", "")) and not english_left(
        told.err
    )


def test_commands_ask_the_system_for_its_language_and_notebooks_do_not(monkeypatch, capsys):
    for name in (messages.SETTING, *messages.LOCALES):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert messages.language_of_command() == "zh" and messages.language_of_run() == "en"
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    assert messages.language_of_command() == "en"
    monkeypatch.setenv(messages.SETTING, "zh")
    assert messages.language_of_command() == "zh" == messages.language_of_run()
    assert messages.language_of_command("en") == "en"
    assert cli.main(["--lang", "en", "fly"]) == 2 and "No such command" in capsys.readouterr().err


def test_outside_a_project_it_is_said_in_chinese_where_to_start(tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("ELDERCARE_PROJECT", raising=False)
    monkeypatch.chdir(tmp_path)
    assert cli.main(["--lang", "zh", "check"]) == 2
    assert "请在项目文件夹中运行" in capsys.readouterr().err
