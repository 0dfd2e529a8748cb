"""Finds the texts to translate that no `_()` marks: what errors say.

Services raise `Conflict("What happened …")` without knowing that pages exist; the page looks the sentence
up (`core.web.errors.said`). `core/web/babel.cfg` gives Python files to `extract`, which adds those sentences
to what Babel finds by itself. `make translations` runs all of it.
"""

from __future__ import annotations

import ast
import io
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import IO, Any, cast

from babel.messages.extract import extract_python

ROOT = Path(__file__).parent.parent
FOLDERS = ("core", "compliance", "sso", "portal", "admin", "workers")
# Said on a terminal before any page exists.
UNSEEN = "ConfigurationError"
NOT_SAID = {"code", "status"}

# line, function, text or texts, comments: what Babel makes of it depends on the function's keyword
Found = tuple[int, str | None, str | tuple[str, ...], list[str]]


class Untranslatable(ValueError):
    """An error's message is put together before it can be looked up."""


def extract(
    source: IO[bytes],
    keywords: Mapping[str, Any],
    comment_tags: Collection[str],
    options: Any,  # Babel's own type of it is private
) -> Iterator[Found]:
    """Yield `(line, function, text, comments)` for a Python file, as Babel asks of its extractors.

    Raises:
        Untranslatable: an error is raised with an f-string; use blanks such as `%(most)s` and details.
    """
    content = source.read()
    # Babel annotates its extractors with the order of what it makes of their tuples, not of the tuples.
    marked = cast("Iterator[Found]", extract_python(io.BytesIO(content), keywords, comment_tags, options))
    yield from marked
    for line, text in sentences(ast.parse(content)):
        yield line, None, text, []


def sentences(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield the line and text of what each `AppError` in a module says."""
    errors = error_names()
    named = _assignments(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and node.name in errors:
            for said in _attributes(node):
                yield from _texts(said, named)
        elif isinstance(node, ast.Call) and _name(node.func) in errors and node.args:
            yield from _texts(node.args[0], named)


@cache
def error_names() -> frozenset[str]:
    """Return the names of `AppError` and of all classes below it that a page may show."""
    bases: dict[str, set[str]] = {}
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_bytes())):
                if isinstance(node, ast.ClassDef) and node.name != UNSEEN:
                    bases.setdefault(node.name, set()).update(_name(base) for base in node.bases)
    found = {"AppError"}
    while True:
        more = {name for name, above in bases.items() if above & found} - found
        if not more:
            return frozenset(found)
        found |= more


def _attributes(node: ast.ClassDef) -> Iterator[ast.expr]:
    for statement in node.body:
        if isinstance(statement, ast.AnnAssign) and statement.value is not None:
            if _name(statement.target) not in NOT_SAID:
                yield statement.value
        elif isinstance(statement, ast.Assign) and _name(statement.targets[0]) not in NOT_SAID:
            yield statement.value


def _assignments(tree: ast.Module) -> dict[str, list[ast.expr]]:
    """Return what each name of a module is ever set to, wherever that stands."""
    found: dict[str, list[ast.expr]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found.setdefault(node.targets[0].id, []).append(node.value)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            found.setdefault(node.target.id, []).append(node.value)
    return found


def _texts(node: ast.expr, named: Mapping[str, list[ast.expr]]) -> Iterator[tuple[int, str]]:
    """Yield the texts that an expression may become; what a call returns is marked where it is written."""
    if isinstance(node, ast.Constant):
        if isinstance(node.value, str):
            yield node.lineno, node.value
    elif isinstance(node, (ast.JoinedStr, ast.BinOp)):
        raise Untranslatable(f"line {node.lineno}: give the message blanks, and their values as details")
    else:
        for part in _parts(node, named):
            yield from _texts(part, named)


def _parts(node: ast.expr, named: Mapping[str, list[ast.expr]]) -> Iterable[ast.expr]:
    if isinstance(node, ast.IfExp):
        return (node.body, node.orelse)
    if isinstance(node, ast.BoolOp | ast.Dict):
        return node.values
    if isinstance(node, ast.Name):
        return named.get(node.id, ())
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get":
        return (node.func.value, *node.args[1:])
    return ()


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
