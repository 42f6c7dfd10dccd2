"""Safe arithmetic with units and dates.

An expression is cut into tokens, of which only numbers, dates, units, known functions and operators
exist; Python's `ast` gives the structure and a walk over whitelisted nodes the value. Nothing is
compiled or executed. Numbers are exact fractions, bounded in size.
"""

from __future__ import annotations

import ast
import re
from datetime import date
from fractions import Fraction

from assistant.errors import GraphError
from assistant.thoughts.arithmetic import (
    FUNCTIONS,
    Value,
    bounded,
    converted,
    days,
    moved,
    power,
    same_dimensions,
    times,
    value_text,
)
from assistant.thoughts.quantities import Quantity, as_date, parse_date, unit_size

__all__ = ["MAX_EXPRESSION", "Value", "calculate", "value_text"]

MAX_EXPRESSION = 200  # characters
MAX_DEPTH = 20
_AS = re.compile(r"\s+(?:to|in|as)\s+(?P<unit>[^\W\d_]+[23²³]?)\s*$")
_PLAIN = {"^": "**", "×": "*", "÷": "/", "−": "-"}
_GROUPED = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|"


def _token(grouped: str) -> re.Pattern[str]:
    return re.compile(
        r"\s*(?:"
        r"(?P<date>\d{4}-\d{2}-\d{2}"
        r"|\d{1,2} [A-Z][a-z]{2,8} \d{3,4}|[A-Z][a-z]{2,8} \d{1,2}, \d{3,4})(?![\d.])"
        rf"|(?P<number>{grouped}\d+(?:\.\d+)?(?:[eE][+-]?\d{{1,2}}(?!\w))?)"
        r"|(?P<word>[^\W\d_]+[23²³]?|[$€£¥°%][^\W\d_]?)"
        r"|(?P<operator>\*\*|//|[-+*/^(),×÷−]))"
    )


_TOKEN, _ARGUMENT = _token(_GROUPED), _token("")
_AS = re.compile(r"\s+(?:to|in|as)\s+(?P<unit>[^\W\d_]+[23²³]?)\s*$")
_PLAIN = {"^": "**", "×": "*", "÷": "/", "−": "-"}


def calculate(expression: str) -> Value:
    """The value of an expression: a quantity or a date.

    `300 m + 2 km`, `1500 m to km`, `1889-03-31 - 1832-12-15` (days), `1889-03-31 + 90 days`,
    `2020-02-29 + 1 year`, `years(1832-12-15, 1923-12-27)`, `max(3, 4)`, `(1 + 2) ** 3`, `12 %`.
    Functions: abs, min, max, round, sqrt, days and years (whole ones between two dates).

    Raises:
        GraphError: it is no such expression, units do not fit, or it would grow too large.
    """
    if not expression.strip() or len(expression) > MAX_EXPRESSION:
        raise GraphError(
            f"an expression of {len(expression):,} characters",
            remedy=f"write 1 to {MAX_EXPRESSION} characters",
        )
    wanted = _AS.search(expression)
    plain, operands = _tokens(expression[: wanted.start()] if wanted else expression)
    try:
        tree = ast.parse(plain.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise _unreadable(expression) from None
    try:
        value = _Walk(operands, expression).value(tree.body, 0)
    except (ZeroDivisionError, OverflowError, ValueError) as error:
        why = "division by zero" if isinstance(error, ZeroDivisionError) else str(error)
        raise GraphError(
            f"{expression[:80]!r} has no value: {why}", remedy="check the numbers"
        ) from None
    return converted(value, wanted["unit"]) if wanted else value


def _unreadable(expression: str) -> GraphError:
    return GraphError(
        f"{expression[:80]!r} cannot be calculated",
        remedy="write numbers, dates as YYYY-MM-DD, units, + - * / ** and parentheses",
    )


def _tokens(expression: str) -> tuple[str, list[Value]]:
    """The expression with each operand as a name `_0`, `_1`…, and what these stand for."""
    parts: list[str] = []
    operands: list[Value] = []
    position, nesting, after_number = 0, 0, False
    expression = expression.rstrip()
    while position < len(expression):
        # Inside parentheses a comma parts two arguments: max(3,400).
        match = (_TOKEN if not nesting else _ARGUMENT).match(expression, position)
        if match is None:
            raise _unreadable(expression)
        nesting += {"(": 1, ")": -1}.get(match["operator"] or "", 0)
        position, word = match.end(), match["word"]
        value: Value | None = None
        if match["date"]:
            value = _date(match["date"])
        elif match["number"]:
            value = Quantity(bounded(Fraction(match["number"].replace(",", ""))))
        elif word and not (word in FUNCTIONS and expression[position:].lstrip()[:1] == "("):
            value = _unit(word)
        if value is None:
            text = word or match["operator"]
            parts.append(_PLAIN.get(text, text))
        elif word and after_number:
            # A number and its unit are one operand: "6 / 2 h" divides by two hours.
            number = operands[-1]
            assert isinstance(number, Quantity) and isinstance(value, Quantity)
            operands[-1] = times(number, value, 1)
        else:
            parts.append(f" _{len(operands)} ")
            operands.append(value)
        after_number = match["number"] is not None
    return "".join(parts), operands


def _date(text: str) -> date:
    day = parse_date(text)
    if day is None:
        raise GraphError(f"{text!r} is no date", remedy="write YYYY-MM-DD")
    return as_date(day)


def _unit(word: str) -> Quantity:
    if word == "%":
        return Quantity(Fraction(1, 100))
    size, dimensions = unit_size(word)
    return Quantity(size, dimensions, word)


class _Walk:
    """The value of a syntax tree whose names are the operands."""

    def __init__(self, operands: list[Value], expression: str) -> None:
        self._operands = operands
        self._expression = expression

    def value(self, node: ast.expr, depth: int) -> Value:
        if depth > MAX_DEPTH:
            raise GraphError("the expression is nested too deep", remedy="calculate it in parts")
        match node:
            case ast.Name(id=name) if name[1:].isdigit():
                return self._operands[int(name[1:])]
            case ast.UnaryOp(op=ast.UAdd() | ast.USub() as op, operand=operand):
                number = self._quantity(operand, depth)
                amount = -number.amount if isinstance(op, ast.USub) else number.amount
                return Quantity(amount, number.dimensions, number.unit)
            case ast.BinOp(left=left, op=op, right=right):
                return self._binary(self.value(left, depth + 1), op, self.value(right, depth + 1))
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in FUNCTIONS:
                return FUNCTIONS[name]([self.value(arg, depth + 1) for arg in args])
        raise _unreadable(self._expression)

    def _quantity(self, node: ast.expr, depth: int) -> Quantity:
        value = self.value(node, depth + 1)
        if not isinstance(value, Quantity):
            raise _unreadable(self._expression)
        return value

    def _binary(self, left: Value, op: ast.operator, right: Value) -> Value:
        match left, op, right:
            case date(), ast.Sub(), date():
                return days(left - right)
            case date(), ast.Add() | ast.Sub(), Quantity():
                return moved(left, right, -1 if isinstance(op, ast.Sub) else 1)
            case Quantity(), ast.Add(), date():
                return moved(right, left, 1)
            case Quantity(), ast.Add() | ast.Sub(), Quantity():
                same_dimensions([left, right])
                sign = -1 if isinstance(op, ast.Sub) else 1
                total = bounded(left.amount + sign * right.amount)
                return Quantity(total, left.dimensions, left.unit or right.unit)
            case Quantity(), ast.Mult(), Quantity():
                return times(left, right, 1)
            case Quantity(), ast.Div(), Quantity():
                return times(left, right, -1)
            case Quantity(), ast.FloorDiv(), Quantity():
                same_dimensions([left, right])
                return Quantity(Fraction(left.amount // right.amount))
            case Quantity(), ast.Pow(), Quantity():
                return power(left, right)
        raise _unreadable(self._expression)
