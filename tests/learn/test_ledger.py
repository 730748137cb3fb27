"""The ledger against a list of entries that is summed anew for every question."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tiercast.learn.ledger import Ledger

Entry = tuple[str | None, int, int, int]
repeatable = settings(deadline=None, derandomize=True, max_examples=100)
keys = st.sampled_from(["a", "b", "tiktok:a", None])
entries_of_any_kind = st.lists(
    st.tuples(keys, st.integers(0, 8), st.integers(0, 2), st.integers(-280_000, 280_000)), max_size=15
)
questions = st.lists(st.tuples(st.sampled_from(["a", "b", "never", None]), st.integers(0, 10)), max_size=10)


def ledger(entries: list[Entry]) -> Ledger:
    named, numbers = [entry[0] for entry in entries], np.array([entry[1:] for entry in entries], dtype=np.int64)
    seconds, counts, amounts = numbers.reshape(-1, 3).T
    return Ledger.of(named, seconds, counts, amounts)


def asked(entries: list[Entry], questions: list[tuple[str | None, int]], within: int | None) -> list[tuple[int, int]]:
    seconds = np.array([second for _, second in questions], dtype=np.int64)
    count, total = ledger(entries).before([key for key, _ in questions], seconds, within=within)
    return list(zip(count.tolist(), total.tolist(), strict=True))


@repeatable
@given(entries_of_any_kind, questions, st.none() | st.integers(0, 12))
def test_count_and_total_are_the_sums_of_a_keys_entries_strictly_before_the_second(
    entries: list[Entry], questions: list[tuple[str | None, int]], within: int | None
) -> None:
    expected = []
    for key, second in questions:
        oldest = -1 if within is None else second - within
        own = [entry for entry in entries if key is not None and entry[0] == key and oldest <= entry[1] < second]
        expected.append((sum(entry[2] for entry in own), sum(entry[3] for entry in own)))
    assert asked(entries, questions, within) == expected


@repeatable
@given(entries_of_any_kind, questions, st.randoms(use_true_random=False))
def test_the_order_of_entering_does_not_matter(
    entries: list[Entry], questions: list[tuple[str | None, int]], rng: object
) -> None:
    shuffled = rng.sample(entries, len(entries))  # type: ignore[attr-defined]
    assert asked(entries, questions, None) == asked(shuffled, questions, None)


@repeatable
@given(entries_of_any_kind, entries_of_any_kind, questions)
def test_an_entry_at_or_after_the_second_changes_nothing(
    entries: list[Entry], others: list[Entry], questions: list[tuple[str | None, int]]
) -> None:
    for question in questions:
        later = [(key, question[1] + second, count, amount) for key, second, count, amount in others]
        assert asked(entries, [question], None) == asked([*entries, *later], [question], None)
        assert asked(entries, [question], 3) == asked([*entries, *later], [question], 3)


def test_a_later_entry_may_take_back_what_an_earlier_one_gave() -> None:
    """As where the views of a post fell: it counts once, with what was measured last."""
    fell = [("a", 1, 1, 900), ("a", 5, 0, -300)]
    assert asked(fell, [("a", 5), ("a", 6)], None) == [(1, 900), (1, 600)]


def test_a_window_holds_the_second_at_its_start_and_not_that_at_its_end() -> None:
    entries = [("a", second, 1, 10**second) for second in range(5)]
    assert asked(entries, [("a", 4)], 2) == [(2, 10**2 + 10**3)]
    assert asked(entries, [("a", 1)], 9) == [(1, 1)]
    assert asked(entries, [("a", 3)], 0) == [(0, 0)]


def test_sums_stay_exact_far_beyond_what_a_float_holds() -> None:
    large = 2**53
    entries = [("a", 0, 1, large), *(("a", second, 1, 1) for second in range(1, 4))]
    assert asked(entries, [("a", 9)], None) == [(4, large + 3)]
    assert asked(entries, [("a", 9)], 8) == [(3, 3)]


def test_an_empty_ledger_knows_nothing_of_anything() -> None:
    assert asked([], [("a", 5), (None, 5)], None) == [(0, 0), (0, 0)]
    assert asked([(None, 1, 1, 1)], [("a", 5), (None, 5)], 3) == [(0, 0), (0, 0)]
    assert asked([("a", 1, 1, 1)], [], None) == []
