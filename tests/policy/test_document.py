# ruff: noqa: E501  # messages and files are written out in full
import pytest
import rfc8785
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gate.policy.document import MAX_BYTES, MAX_NODES, _Reader, read_document

BOMB = "a: &a [x, x]\n" + "".join(f"{new}: &{new} [{', '.join([f'*{old}'] * 10)}]\n" for old, new in zip("abcdefghi", "bcdefghij", strict=True))  # fmt: skip
QUOTE = "is read differently by different readers of YAML; "


def said(text):
    """The problems of a text, without the name of the file."""
    raw = text if isinstance(text, bytes) else text.encode()
    return [str(problem).removeprefix("f") for problem in read_document(raw, "f").problems]


def test_reads_plain_values_with_the_line_of_each():
    document = read_document(b"a: 1\nb:\n  - x\n  - {c: 2.5, d: true}\ne: ~\non: 2026-11-20\nf: '010'\n", "f")
    assert document.problems == ()
    assert document.value == {
        "a": 1, "b": ["x", {"c": 2.5, "d": True}], "e": None, "on": "2026-11-20", "f": "010",
    }  # fmt: skip
    assert document.line_of(("b",)) == 2
    assert document.line_of(("b", 1, "d")) == 4
    assert document.line_of(("b", 1, "d", "nowhere")) == 4
    assert document.line_of(("nowhere",)) == 1


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: yes", f':1: yes {QUOTE}write true, or put it in quotes: "yes"'),
        ("a: Off", f':1: Off {QUOTE}write false, or put it in quotes: "Off"'),
        ("a: TRUE", f':1: TRUE {QUOTE}write true, or put it in quotes: "TRUE"'),
        ("a: 1:30", f':1: 1:30 {QUOTE}write it as a plain decimal number, or put it in quotes: "1:30"'),
        ("a: 010", f':1: 010 {QUOTE}write it as a plain decimal number, or put it in quotes: "010"'),
        ("a: 0x1F", f':1: 0x1F {QUOTE}write it as a plain decimal number, or put it in quotes: "0x1F"'),
        ("a: 1_000", f':1: 1_000 {QUOTE}write it as a plain decimal number, or put it in quotes: "1_000"'),
        ("a: .5", f':1: .5 {QUOTE}write it as a plain decimal number, or put it in quotes: ".5"'),
        ("a: 5.", f':1: 5. {QUOTE}write it as a plain decimal number, or put it in quotes: "5."'),
        ("a: 1e3", f':1: 1e3 {QUOTE}write it as a plain decimal number, or put it in quotes: "1e3"'),
        ("a: +1", f':1: +1 {QUOTE}write it as a plain decimal number, or put it in quotes: "+1"'),
        ("a: -0", f':1: -0 {QUOTE}write it as a plain decimal number, or put it in quotes: "-0"'),
        ("a: .nan", ":1: .nan is not a number that can be compared; write a finite one"),
        ("a: -.INF", ":1: -.INF is not a number that can be compared; write a finite one"),
        ("a: NaN", ":1: NaN is not a number that can be compared; write a finite one"),
        ("a: 1.0e999", ":1: number 1.0e999 is too large"),
        ("a: 9007199254740992", ":1: number 9007199254740992 is too large"),
        ("a: 2026-11-20 12:00:00", ":1: date-time 2026-11-20 12:00:00 has no zone; write it as 2026-11-20T12:00:00Z"),
        ("a: &x 1", ":1: anchor &x is not allowed; write the value out where it is needed"),
        ("<<: {a: 1}", ":1: merge key << is not allowed; write the values out, or use extends"),
        ("a: 1\nb: 2\na: 3", ":3: key 'a' a second time; it is on line 1 already"),
        ("a: !!python/object/apply:os.system [ls]", ":1: tag !!python/object/apply:os.system is not allowed"),
        ("a: !!timestamp 2026-01-01", ":1: tag !!timestamp is not allowed"),
        ("a: !!binary aGk=", ":1: tag !!binary is not allowed"),
        ("a: !mine 1", ":1: tag !mine is not allowed"),
        ("a: !!int x", ":1: tag !!int does not fit 'x'"),
        ("1: x", ':1: key 1 is not text; put it in quotes: "1"'),
        ("true: x", ':1: key true is not text; put it in quotes: "true"'),
        ("? [a]\n: x", ":1: a key is a plain word, not a list, a mapping or an alias"),
        ("!!str a: x", ":1: key 'a' has an anchor or a tag; neither is allowed"),
        ("a: 1\n---\nb: 2", ":2: a second document; one file holds one"),
        ("%YAML 1.1\n---\na: 1", ":1: directives (%) are not allowed"),
        ("", ": the file is empty"),
        ("# nothing\n", ": the file is empty"),
        ("a: \x00", ":1: character U+0000 is not allowed in YAML"),
        ('a: "\\0"', ":1: control character U+0000 is not allowed"),
        ('a: "\\ud800"', ":1: control character U+D800 is not allowed"),
        ("a: x\u202ey", ":1: invisible character U+202E; remove it"),
        (
            "a: 1\nb: [2",
            ":2: not readable as YAML while parsing a flow sequence: expected ',' or ']', but got '<stream end>'",
        ),
        (
            "a:\n\tb: 1",
            ":2: not readable as YAML while scanning for the next token: found character '\\t' that cannot start any token",
        ),
        (b"a: 1\nb: \xff", ":2: not UTF-8 text"),
        ("a: 1".encode("utf-16"), ":1: not UTF-8 text"),
        (b"#" * (MAX_BYTES + 1), ": larger than 256 KiB, the most that is read"),
    ],
)
def test_what_yaml_leaves_open_is_refused_by_name(text, problem):
    assert said(text) == [problem]


def test_every_problem_is_told_not_only_the_first():
    assert said("a: yes\nb: 010\na: 1\nc: .nan\n<<: {}\n") == [
        f':1: yes {QUOTE}write true, or put it in quotes: "yes"',
        f':2: 010 {QUOTE}write it as a plain decimal number, or put it in quotes: "010"',
        ":3: key 'a' a second time; it is on line 1 already",
        ":4: .nan is not a number that can be compared; write a finite one",
        ":5: merge key << is not allowed; write the values out, or use extends",
    ]


def test_what_is_wrong_inside_a_key_that_is_not_read_is_told_too():
    assert said("a: 1\na: {b: yes}\n") == [
        ":2: key 'a' a second time; it is on line 1 already",
        f':2: yes {QUOTE}write true, or put it in quotes: "yes"',
    ]


def test_quotes_make_anything_a_text():
    raw = b"a: ['yes', \"010\", '1:30', '.nan', '2026-01-01 12:00', '', 'null', '<<']"
    document = read_document(raw, "f")
    assert document.problems == ()
    assert document.value == {"a": ["yes", "010", "1:30", ".nan", "2026-01-01 12:00", "", "null", "<<"]}


def test_a_column_may_be_called_y_or_n():
    assert read_document(b"a: [y, n, N]", "f").value == {"a": ["y", "n", "N"]}


@pytest.mark.parametrize(
    ("text", "nodes"),
    [
        (BOMB, 103),
        ("a: " + "[" * 20_000, 22),
        ("a: " + "{a: " * 20_000, 22),
        ("".join(" " * depth + "a:\n" for depth in range(400)), 22),
        ("a: [" + "1," * 60_000 + "1]", MAX_NODES + 1),
        ("- " * 60_000, 22),
    ],
    ids=["aliases", "lists", "mappings", "blocks", "entries", "dashes"],
)
def test_a_hostile_file_is_refused_before_it_costs_anything(text, nodes):
    reader = _Reader("f", text)
    reader.read()
    assert reader.problems
    assert reader.nodes == nodes


def test_too_deep_and_too_many_say_so():
    assert said("a: " + "[" * 30 + "]" * 30) == [":1: nested deeper than 20 levels"]
    assert said("a: " + "[" * 19 + "]" * 19) == []
    assert said("[" + "1, " * 10_000 + "1]") == [":1: more than 10,000 values"]
    assert said("[" + "1, " * 9_998 + "1]") == []


plain_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text("abc_", min_size=1, max_size=5), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(plain_values)
def test_reads_back_what_json_writes(value):
    raw = rfc8785.dumps({"a": value})
    document = read_document(raw, "f")
    assert document.problems == ()
    assert document.value == {"a": value}


@given(st.text(max_size=200) | st.binary(max_size=200))
def test_any_text_ends_in_a_value_or_a_problem_and_never_in_a_crash(text):
    raw = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    document = read_document(raw, "f")
    if not document.problems:
        # Where this reader takes a text, the usual one sees the same apart from dates.
        rfc8785.dumps(document.value)
        yaml.compose(raw.decode(), yaml.SafeLoader)
