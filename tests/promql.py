"""Reads PromQL as far as our rules and panels use it (Prometheus documentation, querying): every word must be known."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

TOKEN = re.compile(
    r"""\s*(?:
    (?P<duration>\d+(?:ms|[smhdwy]))|(?P<number>\d+(?:\.\d+)?)|(?P<string>"(?:[^"\\]|\\.)*")
    |(?P<name>[A-Za-z_:][A-Za-z0-9_:]*)|(?P<operator>=~|!~|!=|==|<=|>=|[-+*/%^<>=(){}\[\],])
    )""",
    re.VERBOSE,
)
AGGREGATIONS = {"sum", "min", "max", "avg", "count", "topk"}
FUNCTIONS = {"rate", "increase", "histogram_quantile", "time", "absent"}
NEEDS_RANGE = {"rate", "increase"}
BINARY = {"and", "or", "unless", "+", "-", "*", "/", "%", "^", "==", "!=", "<", ">", "<=", ">="}
MATCHERS = {"=", "!=", "=~", "!~"}


@dataclass
class Selector:
    """A metric with its matchers, and the function right around it."""

    name: str
    matchers: list[tuple[str, str, str]]
    ranged: bool
    within: str


@dataclass
class Read:
    """What a query asks for."""

    selectors: list[Selector] = field(default_factory=list)
    grouped_by: set[str] = field(default_factory=set)


class Wrong(Exception):
    """Prometheus would refuse it."""


def read(query: str) -> Read:
    """Parse a query.

    Raises:
        Wrong: it is not PromQL.
    """
    parser = _Parser(query)
    parser.expression("")
    if parser.kind:
        raise Wrong(f"{parser.value!r} is left over in {query}")
    return parser.found


class _Parser:
    def __init__(self, query: str) -> None:
        self.tokens: list[tuple[str, str]] = []
        at, query = 0, query.rstrip()
        while at < len(query):
            match = TOKEN.match(query, at)
            if match is None or match.lastgroup is None:
                raise Wrong(f"{query[at:]!r} in {query}")
            self.tokens.append((match.lastgroup, match[match.lastgroup]))
            at = match.end()
        self.at = 0
        self.found = Read()

    @property
    def kind(self) -> str:
        return self.tokens[self.at][0] if self.at < len(self.tokens) else ""

    @property
    def value(self) -> str:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def take(self, *wanted: str) -> str:
        value = self.value
        if value not in wanted and self.kind not in wanted:
            raise Wrong(f"{value!r} where {wanted} should be")
        self.at += 1
        return value

    def expression(self, within: str) -> None:
        self.operand(within)
        while self.value in BINARY:
            self.at += 1
            self.operand(within)

    def operand(self, within: str) -> None:
        if self.value == "(":
            self.take("(")
            self.expression(within)
            self.take(")")
        elif self.kind == "number":
            self.take("number")
        elif self.value in AGGREGATIONS:
            self.aggregation()
        elif self.value in FUNCTIONS:
            self.call()
        else:
            self.selector(within)

    def aggregation(self) -> None:
        name = self.take("name")
        if self.value == "by":
            self.take("by")
            self.take("(")
            self.found.grouped_by.add(self.take("name"))
            while self.value == ",":
                self.take(",")
                self.found.grouped_by.add(self.take("name"))
            self.take(")")
        self.arguments(name)

    def call(self) -> None:
        self.arguments(self.take("name"))

    def arguments(self, name: str) -> None:
        self.take("(")
        while self.value != ")":
            self.expression(name)
            if self.value != ")":
                self.take(",")
        self.take(")")

    def selector(self, within: str) -> None:
        name, matchers, ranged = self.take("name"), [], False
        if self.value == "{":
            self.take("{")
            while self.value != "}":
                matchers.append((self.take("name"), self.take(*MATCHERS), self.take("string").strip('"')))
                if self.value != "}":
                    self.take(",")
            self.take("}")
        if self.value == "[":
            self.take("[")
            self.take("duration")
            self.take("]")
            ranged = True
        if ranged != (within in NEEDS_RANGE):
            raise Wrong(f"{name} in {within or 'no function'} {'has' if ranged else 'needs'} a range")
        self.found.selectors.append(Selector(name, matchers, ranged, within))
