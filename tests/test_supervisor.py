"""What fails is reported and started again; what ends is left alone; neither disturbs the rest."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from casawatt import supervisor
from casawatt.model.event import Event
from casawatt.supervisor import Supervisor


class StillClock:
    """Always the same time."""

    def now_ms(self) -> int:
        return 1_800_000_000_000


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "FIRST_PAUSE_S", 0.001)
    monkeypatch.setattr(supervisor, "LONGEST_PAUSE_S", 0.004)


def failing(times: int) -> Callable[[], Awaitable[None]]:
    calls = iter(range(times + 1))

    async def work() -> None:
        if next(calls) < times:
            message = "the cable is out"
            raise OSError(message)

    return work


async def test_work_that_ends_is_not_started_again() -> None:
    changes: list[str] = []
    supervised = Supervisor(StillClock(), lambda _event: None, lambda: changes.append("changed"))
    await supervised.run("replay", failing(0))
    (status,) = supervised.statuses
    assert (status.state, status.failures, status.last_error) == ("ended", 0, None)
    assert changes


async def test_work_that_fails_is_reported_and_started_again_until_it_succeeds() -> None:
    events: list[Event] = []
    supervised = Supervisor(StillClock(), events.append, lambda: None)
    await supervised.run("serial", failing(3))
    (status,) = supervised.statuses
    assert (status.state, status.failures, status.last_error) == ("ended", 3, "the cable is out")
    assert [(event.type, event.subject) for event in events] == [("casawatt.source.failed", "serial")] * 3
    assert [event.data["failures"] for event in events] == [1, 2, 3]


async def test_one_that_fails_does_not_disturb_another() -> None:
    supervised = Supervisor(StillClock(), lambda _event: None, lambda: None)
    failed_often = asyncio.Event()
    fail = failing(5)

    async def bad() -> None:
        await fail()
        failed_often.set()

    async def steady() -> None:
        await failed_often.wait()

    async with asyncio.timeout(10):
        await asyncio.gather(supervised.run("steady", steady), supervised.run("bad", bad))
    assert [(status.name, status.failures) for status in supervised.statuses] == [("steady", 0), ("bad", 5)]


async def test_a_bug_is_logged_with_its_place_and_an_expected_failure_in_one_line(
    caplog: pytest.LogCaptureFixture,
) -> None:
    supervised = Supervisor(StillClock(), lambda _event: None, lambda: None)
    await supervised.run("serial", failing(1))
    assert "Traceback" not in caplog.text
    fails = iter([ValueError("x is no number"), None])

    async def broken() -> None:
        error = next(fails)
        if error:
            raise error

    await supervised.run("odd", broken)
    assert supervised.statuses[1].last_error == "ValueError: x is no number"
    assert "in broken" in caplog.text


async def test_pauses_grow_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []

    async def remember(pause_s: float) -> None:
        pauses.append(pause_s)

    monkeypatch.setattr(asyncio, "sleep", remember)
    await Supervisor(StillClock(), lambda _event: None, lambda: None).run("serial", failing(5))
    assert pauses == [0.001, 0.002, 0.004, 0.004, 0.004]


async def test_cancelling_is_not_a_failure() -> None:
    supervised = Supervisor(StillClock(), lambda _event: None, lambda: None)
    started = asyncio.Event()

    async def forever() -> None:
        started.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(supervised.run("udp", forever))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert supervised.statuses[0].failures == 0
