"""What is set aside is the same sealed, half sealed and unsealed."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from casawatt.model.suspect import Cause, Suspect
from casawatt.store.store import Store
from tests.store.conftest import open_store, powers, seal

times = st.integers(0, 12)
suspects = st.lists(st.builds(Suspect, times, st.sampled_from(Cause), st.integers(1, 3)), max_size=5)
step = st.one_of(
    st.tuples(st.just("put"), times, st.lists(st.sampled_from(Cause), unique=True, max_size=2)),
    st.tuples(st.just("replace"), times, st.integers(0, 8), suspects),
    st.tuples(st.just("seal")),
    st.tuples(st.just("begin")),
)


class Model:
    """The suspects of a meter in a plain dict."""

    def __init__(self) -> None:
        self.kept: dict[tuple[int, Cause], Suspect] = {}

    def drop(self, within: Callable[[int], bool]) -> None:
        self.kept = {key: each for key, each in self.kept.items() if not within(key[0])}

    def add(self, those: list[Suspect]) -> None:
        self.kept |= {(each.time_ms, each.cause): each for each in those}

    def between(self, start_ms: int, end_ms: int) -> list[Suspect]:
        return [self.kept[key] for key in sorted(self.kept) if start_ms <= key[0] < end_ms]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(step, max_size=12), times, times)
def test_asked_for_at_any_time_it_is_what_was_put_last(
    steps: list[tuple[object, ...]], start_ms: int, end_ms: int
) -> None:
    model = Model()
    with TemporaryDirectory() as folder:
        store = open_store(Path(folder))
        for what, *given in steps:
            match what, given:
                case "put", (int(at), list(causes)):
                    those = [Suspect(at, cause, 7, 9) for cause in causes]
                    store.suspects.put(1, at, tuple(those))
                    model.drop(at.__eq__)
                    model.add(those)
                case "replace", (int(at), int(length), list(new)):
                    unique = list({(each.time_ms, each.cause): each for each in new}.values())
                    inside = [each for each in unique if at <= each.time_ms < at + length]
                    store.suspects.replace(1, at, at + length, inside)
                    model.drop(range(at, at + length).__contains__)
                    model.add(inside)
                case "seal", _:
                    seal(store, 1)
                case _:
                    store.begin_seal(1, b"state")  # which a full disk then prevents
            assert store.suspects.between(1, start_ms, end_ms) == model.between(start_ms, end_ms)
        seal(store, 1)
        store.close()
        again = open_store(Path(folder))
        assert again.suspects.between(1, 0, 99) == model.between(0, 99)
        again.close()


def test_a_touched_span_is_noted_until_a_seal_that_began_later(store: Store) -> None:
    dated = store.registry.dated
    for record in powers(0, 3):
        store.append(1, record)
    cut = store.begin_seal(1, b"state")
    dated.touch(1, 1000, 2000)
    dated.touch(2, 5000, 6000)
    store.commit_seal(cut)
    store.finish_seal(cut)
    assert dated.touched() == [(1, 1000, 2000), (2, 5000, 6000)]
    seal(store, 1)
    assert dated.touched() == [(2, 5000, 6000)]
