"""Parts that not every source needs: what is missing is told with what to install."""

import pytest

from extractors.optional_parts import loaded
from schemas.errors import ConfigError


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ModuleNotFoundError("No module named 'x'", name="x"), "package x, .*: pip install x$"),
        (ModuleNotFoundError("needs another package"), "pip install the package that has the dri"),
        (ImportError("libodbc.so.2: cannot open shared object file"), "install unixODBC"),
    ],
)
def test_what_is_missing_is_told_with_what_to_install(error: ImportError, words: str) -> None:
    def load() -> None:
        raise error

    with pytest.raises(ConfigError, match=words) as caught:
        loaded(load, "somebase+driver", key="source.url")
    assert str(caught.value).startswith("source.url: somebase+driver needs ")
    assert "None" not in str(caught.value)
