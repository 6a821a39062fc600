"""What is told when a run began or ended."""

from datetime import datetime
from zoneinfo import ZoneInfo

from casawatt.answers.runs import Runs
from casawatt.model import event_types
from casawatt.model.event import Event
from casawatt.model.event_data import RunFinished, RunStarted
from casawatt.model.money import money_of_part
from casawatt.recorder.runs import News


def event_of(news: News, runs: Runs, zone: ZoneInfo, currency: str) -> Event:
    """Return the event of a run that began or ended; its id says which run, so that a repeat is recognised."""
    meter, run = news.meter, news.run
    start = written(run.start_ms, zone)
    if news.kind == "started" or run.end_ms is None:
        return event_types.event_of(RunStarted(meter.slug, start), run.start_ms, meter.slug, run.start_ms)
    answer = runs.answer(meter, run)
    finished = RunFinished(
        meter=meter.slug,
        start=start,
        end=written(run.end_ms, zone),
        duration_s=(run.end_ms - run.start_ms) / 1000,
        energy_wh=answer.energy.energy_wh,
        peak_w=run.peak_mw / 1000,
        cost=money_of_part(answer.cost) if answer.cost is not None and answer.cost_complete else None,
        currency=currency,
        programme=answer.programme,
    )
    return event_types.event_of(finished, run.end_ms, meter.slug, run.start_ms)


def written(time_ms: int, zone: ZoneInfo) -> str:
    """Return UTC ms as RFC 3339 with the zone's offset."""
    moment = datetime.fromtimestamp(time_ms // 1000, zone).replace(microsecond=time_ms % 1000 * 1000)
    return moment.isoformat(timespec="milliseconds" if time_ms % 1000 else "seconds")
