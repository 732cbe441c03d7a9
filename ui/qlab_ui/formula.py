"""Formulas: a small part of TeX, painted as pictures that stand alone, or written as HTML within a line."""

import html
from collections.abc import Callable
from dataclasses import dataclass, replace

from PySide6.QtCore import QPointF, QSizeF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter, QPainterPath, QPen

_SYMBOLS = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "zeta": "ζ", "eta": "η", "theta": "θ",
    "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ",
    "phi": "φ", "varphi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω", "Gamma": "Γ", "Delta": "Δ", "Theta": "Θ",
    "Lambda": "Λ", "Xi": "Ξ", "Pi": "Π", "Sigma": "Σ", "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω", "hbar": "ħ", "ell": "ℓ",
    "cdot": "·", "times": "×", "approx": "≈", "simeq": "≃", "le": "≤", "leq": "≤", "ge": "≥", "geq": "≥", "ll": "≪",
    "gg": "≫", "ne": "≠", "pm": "±", "mp": "∓", "to": "→", "rightarrow": "→", "leftrightarrow": "↔", "infty": "∞",
    "partial": "∂", "nabla": "∇", "sum": "∑", "int": "∫", "prod": "∏", "langle": "⟨", "rangle": "⟩", "dagger": "†",
    "propto": "∝", "equiv": "≡", "sim": "∼", "in": "∈", "ldots": "…", "dots": "…", "cdots": "⋯", "otimes": "⊗",
    "uparrow": "↑", "downarrow": "↓", "circ": "∘", "prime": "′", "star": "⋆", "ast": "∗", "parallel": "∥", "perp": "⊥",
}  # fmt: skip
_SPACES = {",": 0.17, ";": 0.28, ":": 0.22, "quad": 1.0, "qquad": 2.0, "!": 0.0, " ": 0.25}
_ROMAN = {
    "cos",
    "sin",
    "tan",
    "exp",
    "ln",
    "log",
    "arcsin",
    "arccos",
    "arctan",
    "max",
    "min",
    "Tr",
    "Re",
    "Im",
    "var",
}
_RELATIONS = set("=<>≈≃≤≥≪≫≠→↔∝≡∼∈")
_BINARY = set("+−±∓·×⊗")
_SIGNS = set("+−±∓")
_BEFORE_SIGN = _RELATIONS | _BINARY | set("([{,|")
_LOW = str.maketrans("0123456789+−=()", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎")
_HIGH = str.maketrans("0123456789+−=()", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾")
_SMALL = 0.72
_GREEK_CAPITALS = set("ΓΔΘΛΞΠΣΦΨΩ")
FAMILIES = (
    "STIX Two Text",
    "Latin Modern Roman",
    "Cambria",
    "Noto Serif",
    "Liberation Serif",
    "DejaVu Serif",
)


@dataclass(frozen=True)
class Node:
    """A piece of a formula: `kind` is row, text, sign, space, frac, sqrt, bar, fence or script.

    `parts` are what it is made of. A script has a base, what is below and what is above (empty rows where there is
    nothing); a fence has its two brackets as text; a sign is a plus or minus that joins nothing.
    """

    kind: str
    text: str = ""
    parts: tuple["Node", ...] = ()
    roman: bool = False


EMPTY = Node("row")


def parse(tex: str) -> Node:
    """Return a formula as nodes; what is not known stands there as it is written."""
    pieces = _pieces(tex)
    nodes, _ = _row(pieces, 0)
    return nodes


def _pieces(tex: str) -> list[str]:
    found: list[str] = []
    i = 0
    while i < len(tex):
        if tex[i] == "\\":
            end = i + 1
            while end < len(tex) and tex[end].isalpha():
                end += 1
            end = max(end, i + 2)
            found.append(tex[i:end])
            i = end
        else:
            if not tex[i].isspace():
                found.append(tex[i])
            elif found and found[-1] != " ":
                found.append(" ")
            i += 1
    return found


def _row(pieces: list[str], i: int) -> tuple[Node, int]:
    parts: list[Node] = []
    while i < len(pieces) and pieces[i] not in ("}", "\\right"):
        if pieces[i] in "_^":
            base = parts.pop() if parts else EMPTY
            below, above = EMPTY, EMPTY
            while i < len(pieces) and pieces[i] in ("_", "^"):
                which = pieces[i]
                script, i = _atom(pieces, i + 1)
                below, above = (script, above) if which == "_" else (below, script)
            parts.append(Node("script", parts=(base, below, above)))
            continue
        node, i = _atom(pieces, i)
        if node.text in _SIGNS and node.kind == "text" and (not parts or parts[-1].text in _BEFORE_SIGN):
            node = Node("sign", node.text, roman=True)
        if node is not EMPTY:
            parts.append(node)
    return Node("row", parts=tuple(parts)), i


def _atom(pieces: list[str], i: int) -> tuple[Node, int]:
    """Return one thing: a character, a command with its arguments, a group in braces."""
    while i < len(pieces) and pieces[i] == " ":
        i += 1
    if i >= len(pieces):
        return EMPTY, i
    piece = pieces[i]
    if piece == "{":
        node, i = _row(pieces, i + 1)
        return node, i + 1
    if not piece.startswith("\\"):
        return Node(
            "text", {"-": "−", "*": "∗", "'": "′"}.get(piece, piece), roman=not piece.isalpha()
        ), i + 1
    name = piece[1:]
    if name == "frac":
        over, i = _atom(pieces, i + 1)
        under, i = _atom(pieces, i)
        return Node("frac", parts=(over, under)), i
    if name in {"sqrt", "bar", "overline"}:
        inside, i = _atom(pieces, i + 1)
        return Node("sqrt" if name == "sqrt" else "bar", parts=(inside,)), i
    if name in {"mathrm", "text", "operatorname"}:
        return _words(pieces, i + 1)
    if name in _SPACES:
        return Node("space", str(_SPACES[name])), i + 1
    if name == "left":
        return _fence(pieces, i + 1)
    if name in _SYMBOLS:
        sign = _SYMBOLS[name]
        return Node("text", sign, roman=not sign.isalpha() or sign in _GREEK_CAPITALS), i + 1
    return Node("text", name, roman=True), i + 1


def _fence(pieces: list[str], i: int) -> tuple[Node, int]:
    """Return what stands between brackets that grow with it; a dot is a bracket that is not drawn."""
    opening, i = _bracket(pieces, i)
    inside, i = _row(pieces, i)
    closing, i = _bracket(pieces, i + 1)
    return Node("fence", opening + closing, (inside,)), i


def _bracket(pieces: list[str], i: int) -> tuple[str, int]:
    said = pieces[i] if i < len(pieces) else "."
    return {"\\{": "{", "\\}": "}", "\\langle": "⟨", "\\rangle": "⟩"}.get(said, said)[:1], i + 1


def _words(pieces: list[str], i: int) -> tuple[Node, int]:
    """Return upright words with their spaces."""
    if i >= len(pieces) or pieces[i] != "{":
        node, i = _atom(pieces, i)
        return Node("text", node.text, roman=True), i
    end = pieces.index("}", i) if "}" in pieces[i:] else len(pieces)
    said = "".join(
        _SYMBOLS.get(piece[1:], piece[1:]) if piece[0] == "\\" else piece for piece in pieces[i + 1 : end]
    )
    return Node("text", said, roman=True), end + 1


# Within a line: HTML.


def to_html(tex: str) -> str:
    """Return a formula as HTML with raised and lowered parts; fractions stand with a slash."""
    return _html(parse(tex))


def _html(node: Node, *, nested: bool = False) -> str:
    inner = [_html(part, nested=nested or node.kind == "script") for part in node.parts]
    match node.kind:
        case "sign":
            return html.escape(node.text)
        case "fence":
            left, right = ("" if bracket == "." else html.escape(bracket) for bracket in node.text)
            return left + inner[0] + right
        case "text":
            said = html.escape(node.text)
            if node.text in _RELATIONS | _BINARY:
                return f"&nbsp;{said}&nbsp;"
            return said if node.roman else f"<i>{said}</i>"
        case "space":
            return "&nbsp;" if float(node.text) > 0 else ""
        case "frac":
            over, under = (
                f"({said})" if _compound(part) else said for said, part in zip(inner, node.parts, strict=True)
            )
            return f"{over}/{under}"
        case "sqrt":
            return f"√({inner[0]})" if _compound(node.parts[0]) else f"√{inner[0]}"
        case "bar":
            return f'<span style="text-decoration:overline">{inner[0]}</span>'
        case "script":
            base, below, above = inner
            if nested:  # rich text raises and lowers once only
                return base + _plain(node.parts[1]).translate(_LOW) + _plain(node.parts[2]).translate(_HIGH)
            return base + (f"<sub>{below}</sub>" if below else "") + (f"<sup>{above}</sup>" if above else "")
    roman = "".join(inner)
    return roman


def _plain(node: Node) -> str:
    return node.text if not node.parts else "".join(_plain(part) for part in node.parts)


def _compound(node: Node) -> bool:
    return node.kind == "frac" or (node.kind == "row" and len(node.parts) > 1)


# Alone: painted.


@dataclass(frozen=True)
class Box:
    """Something that is drawn with its baseline at a place: how much room it takes, and how."""

    width: float
    ascent: float
    descent: float
    draw: Callable[[QPainter, float, float], None]


def paint(tex: str, size: float, colour: QColor, ratio: float = 1.0) -> QImage:
    """Return a formula as a picture with a transparent ground; `size` in points, `ratio` device dots per dot."""
    font = QFont()
    font.setFamilies([*FAMILIES, font.family()])
    font.setStyleHint(QFont.StyleHint.Serif)
    font.setPointSizeF(size)
    box = _box(parse(tex), font)
    room = QSizeF(max(box.width, 1) + 4, box.ascent + box.descent + 4)
    image = QImage((room * ratio).toSize(), QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(ratio)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.TextAntialiasing)
    painter.setPen(QPen(colour, max(size / 14, 0.8)))
    box.draw(painter, 2, 2 + box.ascent)
    painter.end()
    return image


def _box(node: Node, font: QFont) -> Box:
    match node.kind:
        case "text":
            return _text_box(node, font)
        case "space":
            return Box(float(node.text) * QFontMetricsF(font).height() * 0.8, 0, 0, lambda *_: None)
        case "frac":
            over, under = (_box(part, font) for part in node.parts)
            return _fraction(over, under, font)
        case "sqrt":
            return _root(_box(node.parts[0], font), font)
        case "sign":
            return _text_box(replace(node, kind="text"), font, tight=True)
        case "fence":
            return _fenced(_box(node.parts[0], font), node.text, font)
        case "bar":
            return _barred(_box(node.parts[0], font), font)
        case "script":
            return _script(node, font)
    return _beside([_box(part, font) for part in node.parts])


def _text_box(node: Node, font: QFont, *, tight: bool = False) -> Box:
    drawn = QFont(font)
    drawn.setItalic(not node.roman)
    metrics = QFontMetricsF(drawn)
    big = node.text in "∑∫∏" and bool(node.text)
    if big:
        drawn.setPointSizeF(font.pointSizeF() * 1.35)
        metrics = QFontMetricsF(drawn)
    around = 0.0
    if tight:
        around = 0.0
    elif node.text in _RELATIONS:
        around = metrics.height() * 0.22
    elif node.text in _BINARY:
        around = metrics.height() * 0.14
    elif node.roman and (node.text in _ROMAN or node.text == ","):
        around = metrics.height() * 0.06
    # The slant of the last letter leans out of its advance.
    lean = 0.0 if node.roman else metrics.height() * 0.035

    def draw(painter: QPainter, x: float, y: float) -> None:
        painter.setFont(drawn)
        painter.drawText(QPointF(x + around, y), node.text)

    ink = metrics.tightBoundingRect(node.text or "x")
    high = max(-ink.top(), metrics.xHeight())
    return Box(metrics.horizontalAdvance(node.text) + 2 * around + lean, high, max(ink.bottom(), 0.0), draw)


def _beside(boxes: list[Box]) -> Box:
    def draw(painter: QPainter, x: float, y: float) -> None:
        for box in boxes:
            box.draw(painter, x, y)
            x += box.width

    return Box(
        sum(box.width for box in boxes), max((box.ascent for box in boxes), default=0.0),
        max((box.descent for box in boxes), default=0.0), draw,
    )  # fmt: skip


def _fraction(over: Box, under: Box, font: QFont) -> Box:
    metrics = QFontMetricsF(font)
    gap, pad, axis = metrics.height() * 0.14, metrics.height() * 0.1, metrics.xHeight() * 0.55
    width = max(over.width, under.width) + 2 * pad

    def draw(painter: QPainter, x: float, y: float) -> None:
        over.draw(painter, x + (width - over.width) / 2, y - axis - gap - over.descent)
        under.draw(painter, x + (width - under.width) / 2, y - axis + gap + under.ascent)
        painter.drawLine(QPointF(x + pad / 2, y - axis), QPointF(x + width - pad / 2, y - axis))

    ascent = axis + gap + over.descent + over.ascent
    return Box(width + pad, ascent, max(gap + under.ascent + under.descent - axis, 0.0), draw)


def _root(inside: Box, font: QFont) -> Box:
    metrics = QFontMetricsF(font)
    hook, gap = metrics.height() * 0.42, metrics.height() * 0.12
    high = inside.ascent + gap

    def draw(painter: QPainter, x: float, y: float) -> None:
        low = y + inside.descent
        points = [
            QPointF(x, y - high * 0.38), QPointF(x + hook * 0.25, y - high * 0.46), QPointF(x + hook * 0.55, low),
            QPointF(x + hook * 0.95, y - high), QPointF(x + hook + inside.width + gap, y - high),
        ]  # fmt: skip
        painter.drawPolyline(points)
        inside.draw(painter, x + hook + gap / 2, y)

    return Box(hook + inside.width + 2 * gap, high + 1, inside.descent, draw)


def _fenced(inside: Box, brackets: str, font: QFont) -> Box:
    metrics = QFontMetricsF(font)
    low, high = max(inside.descent, metrics.descent() * 0.7), max(inside.ascent, metrics.capHeight())
    wide, edge = metrics.averageCharWidth() * 0.6, metrics.height() * 0.08

    def stroke(painter: QPainter, bracket: str, x: float, y: float, way: int) -> None:
        top, bottom = y - high - edge, y + low + edge
        inner, outer = x + (wide if way > 0 else 0), x + (0 if way > 0 else wide)
        path = QPainterPath(QPointF(inner, top))
        if bracket in "()":
            path.cubicTo(
                outer, top + (bottom - top) * 0.25, outer, top + (bottom - top) * 0.75, inner, bottom
            )
        elif bracket in "⟨⟩":
            path.lineTo(outer, (top + bottom) / 2)
            path.lineTo(inner, bottom)
        elif bracket == "|":
            path = QPainterPath(QPointF(x + wide / 2, top))
            path.lineTo(x + wide / 2, bottom)
        elif bracket != ".":
            for place in (QPointF(outer, top), QPointF(outer, bottom), QPointF(inner, bottom)):
                path.lineTo(place)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(path)

    gap = wide * 0.5

    def draw(painter: QPainter, x: float, y: float) -> None:
        stroke(painter, brackets[0], x + gap / 2, y, 1)
        inside.draw(painter, x + wide + gap, y)
        stroke(painter, brackets[1], x + wide + gap + inside.width + gap / 2, y, -1)

    return Box(inside.width + 2 * wide + 2 * gap, high + edge, low + edge, draw)


def _barred(inside: Box, font: QFont) -> Box:
    gap = QFontMetricsF(font).height() * 0.1

    def draw(painter: QPainter, x: float, y: float) -> None:
        inside.draw(painter, x, y)
        high = y - inside.ascent - gap
        painter.drawLine(QPointF(x + 1, high), QPointF(x + inside.width - 1, high))

    return Box(inside.width, inside.ascent + gap + 1, inside.descent, draw)


def _script(node: Node, font: QFont) -> Box:
    small = QFont(font)
    small.setPointSizeF(max(font.pointSizeF() * _SMALL, 6.0))
    base = _box(node.parts[0], font)
    below, above = (_box(part, small) for part in node.parts[1:])
    metrics = QFontMetricsF(font)
    rise = max(base.ascent - metrics.xHeight() * 0.35, metrics.xHeight() * 0.75)
    drop = max(base.descent, 0.0) + metrics.xHeight() * 0.28

    def draw(painter: QPainter, x: float, y: float) -> None:
        base.draw(painter, x, y)
        below.draw(painter, x + base.width, y + drop)
        above.draw(painter, x + base.width, y - rise)

    return Box(
        base.width + max(below.width, above.width) + metrics.height() * 0.04,
        max(base.ascent, rise + above.ascent), max(base.descent, drop + below.descent), draw,
    )  # fmt: skip
