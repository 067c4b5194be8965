"""File names from ids: unique, short enough, and harmless on every system."""

from __future__ import annotations

import hashlib
from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostra_cli.downloads.naming import (
    MAX_NAME,
    OTHER_TEMPLATE,
    PRIMARY_TEMPLATE,
    check_template,
    file_name,
    fits,
)
from nostra_cli.errors import UsageProblem

# Any code point at all, lone surrogates with them: JSON can hold them; what hurts comes often.
_NASTY = st.sampled_from([*list('.-~%/\\:*?"<>| \x00\n\x7f\u202e�é😀'), "con", "NUL", "COM1"])
IDS = st.lists(st.characters(exclude_categories=()) | _NASTY, min_size=1, max_size=400).map("".join)
FORMATS = st.sampled_from(["json", "csv", "xlsx"])
TEMPLATES = st.sampled_from(
    [PRIMARY_TEMPLATE, "{invocation}", "-{invocation}", "{invocation}.", "{invocation} "]
)
DEVICES = [
    "con",
    "prn",
    "aux",
    "nul",
    "conin$",
    "conout$",
    *(f"{port}{number}" for port in ("com", "lpt") for number in "123456789\u00b9\u00b2\u00b3"),
]


def name_of(invocation: str, result: str = "r", template: str = PRIMARY_TEMPLATE) -> str:
    return file_name(template, {"invocation": invocation, "result": result, "format": "csv"})


@pytest.mark.parametrize("plain", ["demo", "inv_2024-01", "a.b.c", "größe", "日本", "8f14e45f"])
def test_a_plain_id_stays_as_it_is(plain: str) -> None:
    assert name_of(plain) == f"{plain}.csv"


def test_the_default_templates_name_the_result_only_where_there_are_others() -> None:
    assert name_of("demo", "main") == "demo.csv"
    assert name_of("demo", "main", OTHER_TEMPLATE) == "demo-main.csv"


@pytest.mark.parametrize(
    ("nasty", "name"),
    [
        ("a/b", "a%2Fb.csv"),
        ("../../etc/passwd", "%2E.%2F..%2Fetc%2Fpasswd.csv"),
        ("a\\b", "a%5Cb.csv"),
        ("c:d", "c%3Ad.csv"),
        ("50%", "50%25.csv"),
        ("a b", "a%20b.csv"),
        ("a\x00b\n", "a%00b%0A.csv"),
        ("a\u202ecod", "a%E2%80%AEcod.csv"),
        ("\ud800", "%ED%A0%80.csv"),
        ('*?"<>|', "%2A%3F%22%3C%3E%7C.csv"),
        ("-rf", "%2Drf.csv"),
        (".bashrc", "%2Ebashrc.csv"),
        ("~root", "%7Eroot.csv"),
        ("a-.~", "a-.%7E.csv"),
        ("", ".csv".replace(".", "%2E")),
    ],
)
def test_special_characters_are_percent_encoded(nasty: str, name: str) -> None:
    assert name_of(nasty) == name


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("written", [str.lower, str.upper, str.title])
def test_no_name_is_that_of_a_device(device: str, written: type[str]) -> None:
    name = written(device)
    encoded = f"%{ord(name[0]):02X}{name[1:]}"
    assert name_of(name) == f"{encoded}.csv"
    assert name_of(name, template="{invocation}") == encoded
    assert name_of(name, template="{invocation}.tar.{format}") == f"{encoded}.tar.csv"
    assert name_of(name, template="{invocation} .{format}") == f"{encoded} .csv"
    assert name_of(f"{name}x") == f"{name}x.csv"


@pytest.mark.parametrize(
    ("template", "name"), [("{invocation}.", "x%2E"), ("{invocation} ", "x%20")]
)
def test_no_name_ends_in_a_dot_or_a_space(template: str, name: str) -> None:
    assert name_of("x", template=template) == name


@given(IDS, TEMPLATES)
def test_a_name_is_one_component_of_a_path_on_every_system(identifier: str, template: str) -> None:
    name = name_of(identifier, template=template)
    assert PurePosixPath(name).name == name
    assert PureWindowsPath(name).name == name
    assert not set(name) & set('/\\:*?"<>|')
    assert all(character.isprintable() for character in name)
    assert name[0] not in ".-~"
    assert name[-1] not in ". "
    assert name.split(".")[0].rstrip().casefold() not in DEVICES


@given(IDS, IDS, TEMPLATES | st.just(OTHER_TEMPLATE))
def test_a_name_has_at_most_255_bytes(invocation: str, result: str, template: str) -> None:
    assert 0 < len(name_of(invocation, result, template).encode()) <= MAX_NAME


@given(IDS, IDS, TEMPLATES, FORMATS, FORMATS)
def test_two_ids_never_make_one_name(
    one: str, other: str, template: str, format_one: str, format_other: str
) -> None:
    first = file_name(template, {"invocation": one, "result": "r", "format": format_one})
    second = file_name(template, {"invocation": other, "result": "r", "format": format_other})
    named = "{format}" in template
    same = one == other and (not named or format_one == format_other)
    assert (first == second) == same


@given(IDS, st.sampled_from("abc.%/-"))
def test_ids_that_differ_only_at_their_end_have_two_names(identifier: str, last: str) -> None:
    long = identifier * 300
    assert name_of(long) != name_of(long + last)


def test_an_id_that_looks_like_a_name_that_was_cut_does_not_make_that_name() -> None:
    cut = name_of("x" * 300)
    assert name_of(cut.removesuffix(".csv")) != cut


def test_an_empty_name_is_escaped() -> None:
    assert name_of("", template="{invocation}") == "%"


@given(IDS)
def test_an_id_that_looks_encoded_is_not_taken_for_the_one_it_encodes(identifier: str) -> None:
    encoded = name_of(identifier, template="{invocation}")
    again = name_of(encoded, template="{invocation}")
    assert (again == encoded) == (not set(encoded) & set("%~"))


@pytest.mark.parametrize(
    ("identifier", "cut"),
    [("x" * 251, False), ("x" * 252, True), ("é" * 125, False), ("é" * 126, True)],
)
def test_a_name_is_cut_from_its_256th_byte_on_and_keeps_its_suffix(
    identifier: str, cut: bool
) -> None:
    name = name_of(identifier)
    whole = f"{identifier}.csv"
    digest = hashlib.sha256(whole.encode()).hexdigest()[:16]
    assert (name == whole) != cut
    assert name.endswith(f"~{digest}.csv") == cut
    assert fits(name)


def test_a_name_that_only_its_encoding_makes_too_long_is_cut_too() -> None:
    name = name_of("-" + "x" * 250)
    assert fits(name)
    assert name.startswith("%2Dxxx")
    assert name.endswith(".csv")


def test_a_long_suffix_is_not_kept_at_the_cost_of_the_name() -> None:
    name = name_of("x" * 300, template="{invocation}.much-too-long")
    assert fits(name)
    assert "~" in name
    assert "." not in name


def test_a_cut_never_splits_a_character() -> None:
    for width in range(4):
        name = name_of("a" * width + "😀" * 100)
        assert "\ufffd" not in name
        assert set(name.split("~")[0]) <= {"a", "😀"}
        assert MAX_NAME - 3 <= len(name.encode()) <= MAX_NAME


@pytest.mark.parametrize(
    "template", [PRIMARY_TEMPLATE, OTHER_TEMPLATE, "fixed", "{{{invocation}}}", "{result}.{format}"]
)
def test_a_good_template_is_given_back(template: str) -> None:
    assert check_template(template) == template


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("", "not a plain file name"),
        ("a/{invocation}", "not a plain file name"),
        ("..\\{invocation}", "not a plain file name"),
        ("{invocation}\n.{format}", "not a plain file name"),
        ("\x1b[31m{invocation}", "not a plain file name"),
        ("{date}", "unknown field {date}"),
        ("{}", "unknown field {}"),
        ("{0}", "unknown field {0}"),
        ("{invocation.__class__}", "unknown field {invocation.__class__}"),
        ("{result[0]}", "unknown field {result[0]}"),
        ("{invocation!r}", "unknown field"),
        ("{invocation:>999999999}", "unknown field"),
        ("{invocation:{format}}", "unknown field"),
        ("{invocation", "--name"),
        ("invocation}", "--name"),
    ],
)
def test_a_bad_template_is_refused_with_the_reason(template: str, reason: str) -> None:
    with pytest.raises(UsageProblem) as caught:
        check_template(template)
    assert reason in caught.value.message
    assert "{invocation}, {result} and {format}" in caught.value.hint


@given(st.text("{}[]!:.abinvocatresulfmd/\\ 0", max_size=20), IDS)
def test_a_template_is_refused_or_makes_a_name(template: str, identifier: str) -> None:
    try:
        good = check_template(template)
    except UsageProblem:
        return
    name = name_of(identifier, identifier, good)
    assert name
    assert fits(name)
    assert not set(name) & set("/\\")
