"""The keys of a source file that name functions of a person's own."""

import pytest

from schemas.errors import ConfigError
from schemas.source_file.file import SourceFile, to_source
from schemas.source_file.kinds.python_source import PythonSource

PATH = "sources/x.yaml"


def file(source: str, more: str = "") -> SourceFile:
    return to_source(f"app: {{name: X}}\nsource: {source}\n{more}", "x", PATH).file


def problem(source: str, more: str = "") -> str:
    with pytest.raises(ConfigError) as error:
        file(source, more)
    return str(error.value)


def test_options_are_whatever_yaml_holds_every_value_as_text():
    written = "{kind: python, read: a.b:c, options: {n: 007, deep: [{on: yes}, null], t: {env: T}}}"
    source = file(written).source
    assert isinstance(source, PythonSource)
    assert source.options == {"n": "007", "deep": [{"on": "yes"}, None], "t": {"env": "T"}}


@pytest.mark.parametrize(
    "name", ["pipelines.hr", "hr:", ":read", "hr:a.b", "a-b:c", "1a:c", "a:b "]
)
def test_a_function_is_named_module_and_function(name: str):
    said = f"{PATH}:2: source.read: write module:function, such as pipelines.hr:read_accounts"
    assert problem(f"{{kind: python, read: '{name}'}}") == said
    assert f"{PATH}:3: transform" in problem("{kind: csv, accounts: a}", f"transform: '{name}'\n")


def test_options_that_are_no_plain_yaml_are_refused():
    assert "source.options: should be keys and values" in problem(
        "{kind: python, read: a:b, options: [1]}"
    )
    assert "the tag" in problem("{kind: python, read: a:b, options: {x: !!python/object:os.x 1}}")
    assert "no such key; did you mean options?" in problem("{kind: python, read: a:b, option: {}}")


@pytest.mark.parametrize(
    "options",
    ["{password: x}", "{API_KEY: x}", "{deep: [{client-secret: x}]}", "{access_token: x}"],
)
def test_a_secret_itself_is_refused_as_an_option(options: str):
    said = problem(f"{{kind: python, read: a:b, options: {options}}}")
    assert said.startswith(f"{PATH}:2: source.options: ")
    assert "a secret is not written into a source file: name its place, {env: NAME}" in said


def test_an_option_about_a_secret_is_none():
    options = "{token_url: x, password: {env: P}, secretary: y, keys: [a]}"
    file(f"{{kind: python, read: a:b, options: {options}}}")


def test_a_transform_alone_is_that_of_the_accounts():
    source = "{kind: csv, accounts: a.csv}"
    plain = file(source, "transform: pipelines.hr:clean\n").transform
    assert plain is not None
    assert plain.by_table == {"accounts": "pipelines.hr:clean"}
    each = file(source, "transform: {associations: a:b, accounts: c:d}\n").transform
    assert each is not None
    assert each.by_table == {"accounts": "c:d", "associations": "a:b"}
    assert "transform: name a function" in problem(source, "transform: {}\n")
    assert "transform.groups: no such key" in problem(source, "transform: {groups: a:b}\n")


def test_activity_has_no_reader_of_ones_own():
    said = problem("{kind: csv, accounts: a}", "activity: {source: {kind: python, read: a:b}}\n")
    assert said == f"{PATH}:3: activity.source.kind: should be one of 'csv', 'sql'"
