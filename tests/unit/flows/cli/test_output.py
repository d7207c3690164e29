import pytest

from flows.cli.output import Output


def test_a_text_between_colons_is_told_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    output = Output(as_json=False)
    output.line("role :key: of :smile:")
    output.note("hr: app: :key: is not there")
    output.table("roles", ("name",), [(":key:",)])
    said = capsys.readouterr()
    assert "role :key: of :smile:" in said.out
    assert said.out.count(":key:") == 2
    assert "hr: app: :key: is not there" in said.err
