"""A home that is open, and what pages and commands ask of it."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from casawatt.answers.home import Answers, answers_of, take_tariffs_in
from casawatt.app_ports import HomeMeters, Imports, Live, ServiceStatus
from casawatt.app_sources import load_sources
from casawatt.config import Config
from casawatt.config_edit import ConfigFile
from casawatt.discovery import Discovery, owners_of
from casawatt.model.meter import Traits
from casawatt.model.ports import Clock
from casawatt.recorder.events import Events
from casawatt.recorder.power_watch import PowerWatch, Watched
from casawatt.recorder.recorder import Recorder
from casawatt.recorder.repair import Repairs
from casawatt.recorder.run_options import by_config
from casawatt.registry import Registry
from casawatt.store.store import Store
from casawatt.supervisor import Supervisor
from casawatt.transports.push import Desk
from casawatt.web.ports import Home, Ports

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class OpenHome:
    """A home whose store is open and whose figures are up to date."""

    config: Config
    store: Store
    registry: Registry
    recorder: Recorder
    clock: Clock
    watch: PowerWatch


@contextmanager
def open_home(config: Config, folder: Path, clock: Clock, *, read_only: bool = False) -> Iterator[OpenHome]:
    """Open a home's store and bring meters and figures up to date; closes it at the end.

    With `read_only` nothing is written and a service may go on running on the same data.
    Raises ConfigError, StoreBusyError, StoreError.
    """
    sources = load_sources(config)
    traits: dict[str, Traits] = {source.name: source.options.traits for source in sources}
    traits_of = {source.name: own for source in sources if (own := getattr(source.options, "traits_of", None))}
    store = Store.open(folder, zone=config.home.zone, sync_s=config.store.sync_s, read_only=read_only)
    try:
        limit_w = config.supply.limit_w
        registry = Registry(store.registry, config.home, traits, traits_of=traits_of, supply_limit_w=limit_w)
        if not read_only:
            for change in registry.apply(config.meters, clock.now_ms()):
                log.info("%s", change)
        recorder = Recorder(store, registry, clock, by_config(config.meters))
        given_back = recorder.recover()
        if given_back and not read_only:
            log.info("%d readings taken over from the log", given_back)
        take_tariffs_in(answers_of(config, store, registry, recorder, clock).tariffs, write=not read_only)
        watched = Watched(config.limiter, config.supply.meter, config.alarms, config.home.zone)
        yield OpenHome(config, store, registry, recorder, clock, PowerWatch(store, registry, recorder, watched))
    finally:
        store.close()


def ports_of(
    home: OpenHome,
    *,
    demo: bool,
    live: Live | None = None,
    status: ServiceStatus | None = None,
    desk: Desk | None = None,
    discovery: Discovery | None = None,
    answers: Answers | None = None,
    events: Events | None = None,
) -> Ports:
    """Return what pages and commands ask; without a service nothing is live and no source runs."""
    config, store, registry, recorder, clock = home.config, home.store, home.registry, home.recorder, home.clock
    idle = Supervisor(clock, lambda _event: None, lambda: None)
    answers = answers or answers_of(config, store, registry, recorder, clock)
    return Ports(
        home=Home(
            config.home.name,
            config.home.zone,
            config.home.currency,
            demo,
            store.home_id,
            config.supply.contracted_w,
        ),
        clock=clock,
        meters=HomeMeters(registry, recorder, clock),
        live=live or Live(recorder),
        store=store,
        status=status or ServiceStatus(store, recorder, idle, clock.now_ms()),
        imports=Imports(store, registry, recorder, clock),
        desk=desk,
        repairs=Repairs(store, registry, recorder, clock, ConfigFile(config)),
        answers=answers,
        runs=answers.runs,
        programmes=answers.programmes,
        splits=answers.splits,
        events=events or Events(store.book.events),
        supply=home.watch,
        discovery=discovery or Discovery(config, {}, clock, lambda: owners_of(registry)),
    )
