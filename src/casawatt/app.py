"""Wires everything: the one place where config, sources, recorder, store and pages meet.

A reading's way, as a list that can be read:
source -> inbox -> recorder [registry -> clean -> store -> register -> energy -> rollup] -> live, API, pages.
"""

import asyncio
import logging
import signal
from collections.abc import Callable, Coroutine
from datetime import time
from pathlib import Path
from typing import Any

from casawatt.answers.daily import Daily
from casawatt.answers.home import Answers, answers_of, warn_of_waiting
from casawatt.answers.run_events import event_of
from casawatt.app_home import OpenHome, open_home, ports_of
from casawatt.app_ports import Live, ServiceStatus
from casawatt.app_sources import Source, Wiring, load_sources
from casawatt.clock import DemoClock, WallClock
from casawatt.config import Config
from casawatt.discovery import Discovery, heard_devices, owners_of
from casawatt.price_feed import PriceFeed, Where
from casawatt.recorder.events import Events
from casawatt.recorder.inbox import SourceInbox
from casawatt.recorder.keeper import Keeper, seal
from casawatt.recorder.runs import News
from casawatt.supervisor import Supervisor
from casawatt.virtual.demo import fill_history, run_demo, write_keys
from casawatt.web import check_binding, create_app, running_server

log = logging.getLogger(__name__)


class Service:
    """A home that is being served: sources, housekeeping and pages, until `stop` is called."""

    def __init__(self, home: OpenHome, *, demo: bool = False) -> None:
        self._home = home
        self._demo = demo
        self._stopping = asyncio.Event()
        self.events = Events(home.store.book.events)
        self._sources = load_sources(home.config)
        self._wiring = Wiring.of_home(home.config, self._sources, home.store.home_id)
        self.live = Live(home.recorder)
        self.keeper = Keeper(
            home.store,
            home.recorder,
            sync_s=home.config.store.sync_s,
            on_event=self.events.happened,
            on_trouble=self.live.health_changed,
            on_news=self._run_changed,
        )
        self.supervisor = Supervisor(home.clock, self.events.happened, self.live.health_changed)
        self.status = ServiceStatus(home.store, home.recorder, self.supervisor, home.clock.now_ms(), self.keeper)
        self.answers = answers_of(
            home.config, home.store, home.registry, home.recorder, home.clock, self.events.happened
        )
        home.watch.on_event = self.events.happened
        self.discovery = Discovery(
            home.config,
            {source.name: source.options for source in self._sources},
            home.clock,
            lambda: owners_of(home.registry),
            offers=lambda source, _: {"running": self.supervisor.is_running(source)},
            heard=lambda: heard_devices(home.registry, self.live.is_speaking),
            on_change=self.live.discovery_changed,
        )

    def stop(self) -> None:
        """Let `run` come to its end."""
        self._stopping.set()

    async def run(self, on_ready: Callable[[str], None], *beside: Coroutine[Any, Any, None]) -> None:
        """Serve until `stop`, and do what is to be done `beside`; `on_ready` is told the address of the page.

        Raises OSError when it cannot listen.
        """
        config = self._home.config
        warn_of_waiting(config, self.answers.tariffs)
        ports = ports_of(
            self._home,
            demo=self._demo,
            live=self.live,
            status=self.status,
            desk=self._wiring.desk,
            discovery=self.discovery,
            answers=self.answers,
            events=self.events,
        )
        async with running_server(create_app(ports), config.web.host, config.web.port) as url:
            self._home.store.announce(url)
            async with asyncio.TaskGroup() as group:
                whole = [self.keeper.run(), self.events.run(), self.discovery.run(), *beside]
                whole.append(self.supervisor.run("digest", self._daily(self.answers).run))
                whole.append(self.supervisor.run("power", self._home.watch.run))
                whole += [self._supervise(source) for source in self._sources]
                whole += [self.supervisor.run(f"prices.{feed.name}", feed.run) for feed in self._feeds()]
                whole += [
                    self.supervisor.run(f"broker.{name}", broker.run) for name, broker in self._wiring.brokers.items()
                ]
                work = [group.create_task(each) for each in whole]
                await asyncio.sleep(0)  # the sources listen before the address is told
                on_ready(url)
                await self._stopping.wait()
                for task in work:
                    task.cancel()
        trouble = self._home.store.trouble
        log.error("stopped; %s", trouble) if trouble else log.info("stopped; everything is on the disk")

    def _feeds(self) -> list[PriceFeed]:
        home = self._home.config.home
        where = Where(home.zone, home.currency)
        return [
            PriceFeed(name, options, where, self.answers.prices, self._home.clock)
            for name, options in self._home.config.prices.items()
        ]

    def _daily(self, answers: Answers) -> Daily:
        home, config = self._home, self._home.config
        return Daily(
            home.store,
            answers.digests,
            home.clock,
            self.events.happened,
            at=time.fromisoformat(config.digest.at),
            resolutions=config.digest.resolutions,
            currency=config.home.currency,
        )

    async def _supervise(self, source: Source) -> None:
        wanted = self._wiring.wanted(source.module.run, source.options)

        async def work() -> None:
            inbox = SourceInbox(source.name, self._home.recorder, self.keeper)
            try:
                await source.module.run(source.options, inbox, **wanted)
            finally:
                inbox.close()

        await self.supervisor.run(source.name, work)

    def _run_changed(self, news: News) -> None:
        home = self._home.config.home
        event = event_of(news, self.answers.runs, home.zone, home.currency)
        if not self._home.store.book.events.has(event.event_id):  # it was told before a restart
            self.events.happened(event)


async def serve(
    config: Config,
    folder: Path,
    *,
    allow_open_access: bool = False,
    on_ready: Callable[[str], None],
) -> None:
    """Serve a home until SIGTERM or SIGINT; everything that came in is then on the disk.

    Raises ConfigError, StoreBusyError, StoreError, and OSError when the page's port is taken.
    """
    check_binding(config.web.host, allow_open_access=allow_open_access)
    with open_home(config, folder, WallClock()) as home:
        await serve_until_told(Service(home), on_ready)


async def serve_demo(
    config: Config, folder: Path, *, speed: float, allow_open_access: bool = False, on_ready: Callable[[str], None]
) -> None:
    """Serve the demo home likewise; its clock runs `speed` times as fast as the wall's."""
    check_binding(config.web.host, allow_open_access=allow_open_access)
    write_keys(folder)
    clock = DemoClock(speed)
    with open_home(config, folder, clock) as home:
        look_lived_in(home, clock)
        clock.go()
        nodes = run_demo(folder, clock, speed=speed, zone=config.home.timezone)
        await serve_until_told(Service(home, demo=True), on_ready, nodes)


async def serve_until_told(
    service: Service, on_ready: Callable[[str], None], *beside: Coroutine[Any, Any, None]
) -> None:
    """Run a service until SIGTERM or SIGINT."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, service.stop)
    await service.run(on_ready, *beside)


def look_lived_in(home: OpenHome, clock: DemoClock) -> None:
    """Give the demo home the readings of yesterday and of today until now.

    Where it ran fast before, it goes on from the time that it had reached.
    """
    lasts = [home.store.last_record(meter.meter_id) for meter in home.registry.meters()]
    newest_ms = max((last.time_ms for last in lasts if last), default=0)
    clock.set(max(clock.now_ms(), newest_ms))
    count = fill_history(home.recorder.put, newest_ms or None, clock.now_ms(), home.config.home.zone)
    seal(home.store, home.recorder)
    log.info("%d readings of the demo home's past put in", count)
