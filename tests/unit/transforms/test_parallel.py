import threading
from collections.abc import Iterator

import pytest

from transforms.parallel import one_ahead


def test_the_next_item_is_made_while_the_one_before_is_used() -> None:
    was_used, was_made = threading.Event(), threading.Event()

    def items() -> Iterator[int]:
        yield 1
        was_made.set()
        yield 2
        assert was_used.wait(10)

    taken = []
    for item in one_ahead(items()):
        assert was_made.wait(10)
        taken.append(item)
        was_used.set()
    assert taken == [1, 2]


def test_all_items_are_made_and_closed_in_one_thread() -> None:
    threads: set[int] = set()

    def items() -> Iterator[int]:
        try:
            for item in range(5):
                threads.add(threading.get_ident())
                yield item
        finally:
            threads.add(threading.get_ident())

    taken = one_ahead(items())
    assert next(taken) == 0
    taken.close()  # type: ignore[attr-defined]
    assert len(threads) == 1
    assert threading.get_ident() not in threads


def test_what_making_an_item_raises_comes_after_the_items_before_it() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("no more")

    taken = one_ahead(items())
    assert next(taken) == 1
    with pytest.raises(ValueError, match="no more"):
        next(taken)
