"""The parts of a workbook that its sheets refer to: names, texts, styles; and how XML is read."""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import IO, Protocol
from xml.parsers import expat

from nostra_cli.downloads.verify.xlsx import check_directory

Attributes = Mapping[str, str]
_BLOCK = 64 * 1024
_LARGEST_PART = 64 << 20
_LONGEST_TAG = 1 << 20
_DEEPEST = 100
_LONGEST_TEXT = 32_767
"""Characters of a cell, as Excel has it: many cells may share one text."""
_TEXTS = "xl/sharedStrings.xml"
_STYLES = "xl/styles.xml"
_WORKBOOK = "xl/workbook.xml"
_RELATIONS = "xl/_rels/workbook.xml.rels"
# The formats that every workbook knows by number (ECMA-376, 18.8.30), those of dates and times.
_DATE_FORMATS = frozenset([*range(14, 23), *range(27, 37), 45, 47, *range(50, 59)])
_NOT_CODE = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]')


class Handler(Protocol):
    """Is told of the elements of a document."""

    def start(self, name: str, attributes: Attributes) -> None:
        """Begin an element, named without its namespace."""

    def end(self, name: str) -> None:
        """End an element."""

    def data(self, text: str) -> None:
        """Take text."""


def events(member: IO[bytes], handler: Handler, most: int) -> Iterator[None]:
    """Read a document of at most `most` bytes; gives a moment to take what came after each block.

    Entities are refused: they are of no use here, and can grow without bound.
    """
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True

    def refuse(*_: object) -> None:
        raise ValueError("the workbook has a document type, which it may not have")

    depth = 0

    def start(name: str, attributes: Attributes) -> None:
        nonlocal depth
        depth += 1
        if depth > _DEEPEST:  # each level that is open costs memory
            raise ValueError("the workbook has a part that is nested too deeply")
        handler.start(name.rpartition(" ")[2], attributes)

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        handler.end(name.rpartition(" ")[2])

    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = handler.data
    fed = 0
    while block := member.read(_BLOCK):
        fed += len(block)
        parser.Parse(block, False)
        if fed > most or fed - parser.CurrentByteIndex > _LONGEST_TAG:
            raise ValueError("the workbook has a part that is too large to look at")
        yield
    parser.Parse(b"", True)
    yield


class Book:
    """An archive with the parts of a workbook. Raises ValueError or what zipfile raises."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        """Read the small parts."""
        check_directory(archive)
        self._archive = archive
        self._known = set(archive.namelist())
        workbook, relations = _Workbook(), _Relations()
        self._read(_WORKBOOK, workbook)
        self._read(_RELATIONS, relations)
        if not workbook.sheets:
            raise ValueError("the workbook has no sheet")
        self.sheets = tuple(workbook.sheets)
        self.since_1904 = workbook.since_1904
        self._sheet = relations.targets[next(iter(workbook.sheets.values()))]
        styles = _Styles()
        if _STYLES in self._known:
            self._read(_STYLES, styles)
        self.date_styles = styles.date_styles()
        self._texts: list[str] | None = None

    def _read(self, name: str, handler: Handler) -> None:
        with self._archive.open(name) as member:
            for _ in events(member, handler, _LARGEST_PART):
                pass

    def open_sheet(self) -> IO[bytes]:
        """Open the first sheet."""
        return self._archive.open(self._sheet)

    def shared(self, place: str) -> str:
        """Give a text that cells share, by its number."""
        if self._texts is None:
            texts = _Texts()
            self._read(_TEXTS, texts)
            self._texts = texts.found
        number = int(place) if place.isdecimal() and len(place) < 12 else len(self._texts)
        if number >= len(self._texts):
            raise ValueError(f"the workbook has no shared text {place[:12]!r}")
        return self._texts[number]


class _Quiet:
    """A handler that does nothing."""

    def start(self, name: str, attributes: Attributes) -> None:
        pass

    def end(self, name: str) -> None:
        pass

    def data(self, text: str) -> None:
        pass


class _Workbook(_Quiet):
    """The sheets, name -> id of the relation, and where dates begin."""

    def __init__(self) -> None:
        self.sheets: dict[str, str] = {}
        self.since_1904 = False

    def start(self, name: str, attributes: Attributes) -> None:
        if name == "sheet":
            related = (v for k, v in attributes.items() if k.endswith("/relationships id"))
            self.sheets[attributes.get("name", "")] = next(related, "")
        elif name == "workbookPr":
            self.since_1904 = attributes.get("date1904") in ("1", "true")


class _Relations(_Quiet):
    """Id of a relation -> name of the part."""

    def __init__(self) -> None:
        self.targets: dict[str, str] = {}

    def start(self, name: str, attributes: Attributes) -> None:
        if name == "Relationship":
            target = posixpath.join("/xl", attributes.get("Target", ""))
            self.targets[attributes.get("Id", "")] = posixpath.normpath(target).lstrip("/")


class _Texts(_Quiet):
    """The texts that cells share."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self._parts: list[str] = []
        self._reading = False
        self._aside = False

    def start(self, name: str, attributes: Attributes) -> None:  # noqa: ARG002 - of the protocol
        if name == "si":
            self._parts.clear()
        elif name == "rPh":
            self._aside = True
        self._reading = name == "t" and not self._aside

    def end(self, name: str) -> None:
        self._reading = False
        if name == "si":
            text = "".join(self._parts)
            if len(text) > _LONGEST_TEXT:
                raise ValueError("the workbook has a text that is longer than a cell may be")
            self.found.append(text)
        elif name == "rPh":
            self._aside = False

    def data(self, text: str) -> None:
        if self._reading:
            self._parts.append(text)


class _Styles(_Quiet):
    """Which styles of cells show a date."""

    def __init__(self) -> None:
        self._formats: list[str] = []
        self._dates = {str(number) for number in _DATE_FORMATS}
        self._inside = False

    def start(self, name: str, attributes: Attributes) -> None:
        if name == "cellXfs":
            self._inside = True
        elif name == "xf" and self._inside:
            self._formats.append(attributes.get("numFmtId", "0"))
        elif name == "numFmt":
            code = _NOT_CODE.sub("", attributes.get("formatCode", "").partition(";")[0])
            if re.search("[dmyhsDMYHS]", code) and "General" not in code:
                self._dates.add(attributes.get("numFmtId", ""))

    def end(self, name: str) -> None:
        if name == "cellXfs":
            self._inside = False

    def date_styles(self) -> frozenset[str]:
        """Give their numbers, as cells name them."""
        return frozenset(str(i) for i, name in enumerate(self._formats) if name in self._dates)


def moment(text: str, since_1904: bool) -> str:
    """Write a date, a time or both, kept as days since an epoch, as ISO 8601 does.

    What lies beyond the calendar stays as it is.
    """
    days = float(text)
    if 0 <= days < 1 and not since_1904:
        return str((datetime.min + _span(days)).time())
    # The other epoch has a 29 February 1900: one day less before it.
    first = datetime(1904, 1, 1) if since_1904 else datetime(1899, 12, 30 + (days < 60))
    try:
        when = first + _span(days)
    except (OverflowError, ValueError):
        return text
    return when.isoformat(" ") if when.time() != datetime.min.time() else str(when.date())


def _span(days: float) -> timedelta:
    return timedelta(milliseconds=round(days * 86_400_000))
