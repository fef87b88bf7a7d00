"""Parse tokens into expressions, with SQLite's own precedence (sqlite.org/lang_expr.html).

Input: tokens. Output: an `Expression`. SQLite itself validates the syntax: this parser only reads what is needed to find operands,
and skips subselects, FILTER and OVER.
"""

from collections.abc import Sequence

from watchdog.core.sql.expressions import DEEPEST, LEVELS, Expression, Form, NotUnderstoodError
from watchdog.core.sql.tokens import Token, TokenKind

__all__ = ["parse", "parse_from"]


def parse(source: str, tokens: Sequence[Token]) -> Expression:
    """Return the expression that all tokens form. NotUnderstoodError if they do not form one."""
    reader = _Reader(source, tokens, 0)
    expression = reader.expression()
    if reader.at < len(tokens):
        raise NotUnderstoodError(tokens[reader.at].text)
    return expression


def parse_from(source: str, tokens: Sequence[Token], start: int) -> Expression:
    """Return the longest expression that begins at token `start`; the rest is ignored."""
    return _Reader(source, tokens, start).expression()


_RESERVED_WORDS = """ALL AND AS BETWEEN CASE COLLATE DISTINCT ELSE END ESCAPE EXCEPT EXISTS FROM GROUP HAVING IN INTERSECT IS ISNULL JOIN
    LIMIT NOT NOTNULL NULL ON OR ORDER SELECT SET THEN UNION USING VALUES WHEN WHERE WITH"""
_RESERVED = frozenset(_RESERVED_WORDS.split())
_NOT, _EQUALITY, _SIGN = 30, 40, 110
_PATTERN_TESTS = ("LIKE", "GLOB", "REGEXP", "MATCH")


class _Reader:
    """Precedence climbing over the tokens. Each method leaves `at` after what it read."""

    def __init__(self, source: str, tokens: Sequence[Token], at: int) -> None:
        self.source, self.tokens, self.at, self.level = source, tokens, at, 0

    def expression(self, binding: int = 0) -> Expression:
        self.level += 1
        if self.level > DEEPEST:
            raise NotUnderstoodError("")
        first = self.at
        left = self._operand()
        while longer := self._longer(left, first, binding):
            left = longer
        self.level -= 1
        return left

    # --- operators ---

    def _longer(self, left: Expression, first: int, binding: int) -> Expression | None:
        """Return `left` with the operator after it and its operands; None if no operator binds tighter than `binding`."""
        token = self._peek()
        word = token.word or token.text
        if word in LEVELS:
            level, form = LEVELS[word]
            if level <= binding:
                return None
            self.at += 1
            return self._node(form, word, (left, self.expression(level)), first)
        if token.word == "COLLATE":
            self.at += 2
            return left
        return self._test(left, first) if binding < _EQUALITY else None

    def _test(self, left: Expression, first: int) -> Expression | None:
        if self._take("IS"):
            return self._is(left, first)
        negated = self._peek().word == "NOT"
        word = self._peek(1 if negated else 0).word
        if word in ("ISNULL", "NOTNULL") or (negated and word == "NULL"):
            self.at += 1 + negated
            return self._node(Form.TEST, "null", (left,), first)
        if word not in ("IN", "BETWEEN", *_PATTERN_TESTS):
            return None
        self.at += 1 + negated
        if word == "IN":
            return self._node(Form.IN, "IN", (left, *self._in_list()), first)
        if word == "BETWEEN":
            low = self.expression(_EQUALITY)
            self._expect("AND")
            return self._node(Form.BETWEEN, "BETWEEN", (left, low, self.expression(_EQUALITY)), first)
        pattern = self.expression(_EQUALITY)
        if self._take("ESCAPE"):
            self.expression(_EQUALITY)
        return self._node(Form.TEST, word, (left, pattern), first)

    def _is(self, left: Expression, first: int) -> Expression:
        self._take("NOT")
        if self._take("DISTINCT"):
            self._expect("FROM")
        right = self.expression(_EQUALITY)
        # IS TRUE and IS NULL accept any value; everything else compares.
        form = Form.TEST if right.form in (Form.NULL, Form.TRUTH) else Form.COMPARE
        return self._node(form, "null" if right.form is Form.NULL else "IS", (left, right), first)

    def _in_list(self) -> tuple[Expression, ...]:
        if self._peek().kind is TokenKind.WORD:  # IN table
            self.at += 1
            return ()
        inside = self._brackets()
        return inside.parts if inside.form is Form.ROW else (inside,)

    # --- operands ---

    def _operand(self) -> Expression:
        first, token = self.at, self._peek()
        self.at += 1
        literal = {TokenKind.NUMBER: Form.NUMBER, TokenKind.TEXT: Form.TEXT, TokenKind.PARAMETER: Form.PARAMETER}.get(token.kind)
        if literal:
            return self._node(literal, token.text, (), first)
        if token.kind is TokenKind.OPEN:
            self.at = first
            return self._brackets()
        if token.text in ("-", "+", "~"):
            return self._node(Form.ARITHMETIC, token.text, (self.expression(_SIGN),), first)
        if token.kind is TokenKind.WORD:
            return self._word(token, first)
        raise NotUnderstoodError(token.text)

    def _word(self, token: Token, first: int) -> Expression:
        word, opens = token.word, self._peek().kind is TokenKind.OPEN
        if word in ("NULL", "TRUE", "FALSE") and not opens:
            return self._node(Form.NULL if word == "NULL" else Form.TRUTH, word, (), first)
        if word == "NOT":
            return self._node(Form.LOGIC, "NOT", (self.expression(_NOT),), first)
        if word == "CASE":
            return self._case(first)
        if word == "EXISTS":
            self._skip_brackets()
            return self._node(Form.TEST, "EXISTS", (), first)
        if word == "CAST" and opens:
            return self._cast(first)
        if word in _RESERVED:
            raise NotUnderstoodError(token.text)
        return self._call(token.text.lower(), first) if opens else self._column(token, first)

    def _column(self, token: Token, first: int) -> Expression:
        while self._peek().text == "." and self._peek(1).kind is TokenKind.WORD:
            token = self._peek(1)
            self.at += 2
        return self._node(Form.COLUMN, token.text.lower(), (), first)

    def _call(self, name: str, first: int) -> Expression:
        self.at += 1
        self._take("DISTINCT")
        arguments: tuple[Expression, ...] = ()
        if self._peek().text == "*":
            self.at += 1
        elif self._peek().kind is not TokenKind.CLOSE:
            arguments = self._list()
        self._close()
        if self._take("FILTER"):
            self._skip_brackets()
        if self._take("OVER"):
            if self._peek().kind is TokenKind.OPEN:
                self._skip_brackets()
            else:
                self.at += 1
        return self._node(Form.CALL, name, arguments, first)

    def _cast(self, first: int) -> Expression:
        self.at += 1
        value = self.expression()
        self._expect("AS")
        kind = self._peek().word
        while self._peek().kind is TokenKind.WORD:
            self.at += 1
        self._close()
        return self._node(Form.CAST, kind, (value,), first)

    def _case(self, first: int) -> Expression:
        parts = [] if self._peek().word == "WHEN" else [self.expression()]
        while self._take("WHEN"):
            begins = self.at
            condition = self.expression()
            self._expect("THEN")
            parts.append(self._node(Form.WHEN, "WHEN", (condition, self.expression()), begins))
        if self._take("ELSE"):
            parts.append(self._node(Form.WHEN, "ELSE", (self.expression(),), self.at))
        self._expect("END")
        return self._node(Form.CASE, "CASE", tuple(parts), first)

    def _brackets(self) -> Expression:
        """Read `( … )`: an expression, a row of several, or a subselect, which is skipped."""
        first = self.at
        if self._peek(1).word in ("SELECT", "WITH", "VALUES"):
            self._skip_brackets()
            return self._node(Form.SELECT, "SELECT", (), first)
        if self._peek().kind is not TokenKind.OPEN:
            raise NotUnderstoodError(self._peek().text)
        self.at += 1
        if self._peek().kind is TokenKind.CLOSE:  # IN ()
            self.at += 1
            return self._node(Form.ROW, "row", (), first)
        parts = self._list()
        self._close()
        return parts[0] if len(parts) == 1 else self._node(Form.ROW, "row", parts, first)

    def _list(self) -> tuple[Expression, ...]:
        parts = [self.expression()]
        while self._peek().kind is TokenKind.COMMA:
            self.at += 1
            parts.append(self.expression())
        return tuple(parts)

    # --- tokens ---

    def _peek(self, ahead: int = 0) -> Token:
        at = self.at + ahead
        return self.tokens[at] if at < len(self.tokens) else Token(TokenKind.OTHER, "", len(self.source))

    def _take(self, *words: str) -> bool:
        found = self._peek().word in words
        self.at += found
        return found

    def _expect(self, word: str) -> None:
        if not self._take(word):
            raise NotUnderstoodError(self._peek().text)

    def _close(self) -> None:
        if self._peek().kind is not TokenKind.CLOSE:
            raise NotUnderstoodError(self._peek().text)
        self.at += 1

    def _skip_brackets(self) -> None:
        depth = 0
        while self.at < len(self.tokens):
            kind = self._peek().kind
            depth += (kind is TokenKind.OPEN) - (kind is TokenKind.CLOSE)
            self.at += 1
            if depth == 0:
                return
        raise NotUnderstoodError("")

    def _node(self, form: Form, word: str, parts: tuple[Expression, ...], first: int) -> Expression:
        depth = 1 + max((part.depth for part in parts), default=0)
        if depth > DEEPEST:
            raise NotUnderstoodError("")
        start, last = min(first, self.at - 1), self.tokens[min(self.at, len(self.tokens)) - 1]
        return Expression(form, word, parts, self.source[self.tokens[start].start : last.end], depth)
