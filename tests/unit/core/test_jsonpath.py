import pytest

from monometer.core.errors import InvalidInput
from monometer.core.jsonpath import STEPS_MAX, Each, Step, parse


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("$", ()),
        ("$.a", ("a",)),
        ("$.a.b", ("a", "b")),
        ("$.snake_case.camelCase.kebab-case", ("snake_case", "camelCase", "kebab-case")),
        ("$.日本", ("日本",)),
        ("$.0", ("0",)),
        ('$["a"]', ("a",)),
        ("$['a']", ("a",)),
        ('$["a b"].c', ("a b", "c")),
        ('$["a.b"]', ("a.b",)),
        ('$[""]', ("",)),
        ('$[ "a" ]', ("a",)),
        ('$["it\'s"]', ("it's",)),
        (r'$["a\"b"]', ('a"b',)),
        (r"$['a\'b']", ("a'b",)),
        (r'$["a\\b"]', ("a\\b",)),
        ('$["*"]', ("*",)),
        ('$["0"]', ("0",)),
        ('$["a[0]"]', ("a[0]",)),
        ("$[0]", (0,)),
        ("$.a[0][12]", ("a", 0, 12)),
        ("$[ 7 ]", (7,)),
        ("$[007]", (7,)),
        ("$[*]", (Each(),)),
        ("$.a[*].b", ("a", Each(), "b")),
        ("$.a[ * ]", ("a", Each())),
    ],
)
def test_a_path_of_names_indexes_and_each_is_accepted(text: str, steps: tuple[Step, ...]) -> None:
    assert parse(text).steps == steps


@pytest.mark.parametrize(
    "text",
    [
        "", "a", "a.b", ".a", " $.a",
        "$a", "$.", "$..a", "$.a.", "$.a..b",
        "$.*", "$.a.*",
        "$[", "$[]", "$[a]", '$["a]', "$['a\"]", '$["a\\"]', "$.a]",
        "$[-1]", "$[1:2]", "$[::2]", "$[0,1]", '$["a","b"]', "$[1.5]", "$[1234567890]",
        "$[?(@.a > 1)]", "$[?@.a]", "$[(@.length-1)]", "$.length()", "$.a()",
        "$.a b", "$.a ", "$ .a", "$.a\n", "$.'a'", "$.@", "$.a,b",
        "$[\u0663]",
    ],
)  # fmt: skip
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse(text)


def test_the_message_says_where_it_stopped_understanding() -> None:
    with pytest.raises(InvalidInput, match=r"not understood from character 4: \$\.a\.\.b"):
        parse("$.a..b")


def test_a_path_is_no_longer_than_anyone_needs() -> None:
    assert len(parse("$" + ".a" * STEPS_MAX).steps) == STEPS_MAX
    with pytest.raises(InvalidInput, match="more than 32 steps"):
        parse("$" + ".a" * (STEPS_MAX + 1))
