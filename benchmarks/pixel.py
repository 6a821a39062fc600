"""From a UDP packet to changed text on the live page, in a real browser."""

import random
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.outcome import Context, PeerError, Section, at_most
from benchmarks.peers import mac_of
from benchmarks.sender import datagram
from benchmarks.servers import program
from benchmarks.service import adopt_all, running
from benchmarks.timing import median, percentile

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
PAGES = Path(__file__).resolve().parents[1] / "src/casawatt/web/pages/index.html"
PAUSE_S = (0.3, 0.9)
LATE_MS = 5000

_WATCH = """
() => {
  const row = document.querySelector('[data-meter="meter-0"] [data-power]');
  window.seen = [];
  new MutationObserver(() => window.seen.push([Date.now(), row.textContent])).observe(
    row, {childList: true, characterData: true, subtree: true});
}
"""
_WAIT = "([count, text]) => window.seen.slice(count).find(([, shown]) => shown !== text)?.[0]"


def run(context: Context) -> Section:
    """Measure."""
    section = Section("pixel", "Packet to pixel")
    section.notes.append(
        "A packet with another current is sent at a random moment; the page notes when the text of the meter's power "
        "changes. Both read the same clock, in ms."
    )
    packets = context.sized(100, 5)
    with section.optional("Chromium"):
        if not PAGES.exists():
            raise PeerError("the pages are not built")
        with context.folder() as folder:
            adopt_all(folder / "home", [mac_of(0)])
            with running(folder) as service, page(f"http://127.0.0.1:{service.port}/") as opened:
                took_ms = list(latencies_ms(opened, service.udp_port, packets))
        late = sum(took >= LATE_MS for took in took_ms)
        note = f"median {median(took_ms):.0f} ms, {packets} packets, {late} never shown"
        section.add(
            "packet sent to text changed, 95th percentile", percentile(took_ms, 0.95), "ms", at_most(300), note=note
        )
        section.add("packet sent to text changed, median", median(took_ms), "ms")
    return section


@contextmanager
def page(url: str) -> Iterator[Any]:
    """Open a page in Chromium. Raises PeerError without a browser, ImportError without playwright."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 (only this subject needs it)

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program(*CHROMIUM), args=list(ARGUMENTS))
        try:
            opened = browser.new_page()
            opened.goto(url)
            yield opened
        finally:
            browser.close()


def latencies_ms(opened: Any, udp_port: int, packets: int) -> Iterator[float]:  # noqa: ANN401 (playwright is optional)
    """Yield for each packet how long it took until the page showed it, in ms."""
    pick = random.Random(3)
    mac = bytes.fromhex(mac_of(0).replace(":", ""))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        out.connect(("127.0.0.1", udp_port))
        out.send(datagram(mac, int(time.time()), 50))
        row = opened.locator('[data-meter="meter-0"] [data-power]')
        opened.wait_for_function(
            "() => /230/.test(document.querySelector('[data-meter=\"meter-0\"] [data-power]')?.textContent)"
        )
        opened.evaluate(_WATCH)
        steps = 50
        for _ in range(packets):
            time.sleep(pick.uniform(*PAUSE_S))
            before = row.text_content()
            count = opened.evaluate("() => window.seen.length")
            steps = 20 + (steps + pick.randrange(20, 150)) % 200
            sent_ms = time.time() * 1000
            out.send(datagram(mac, int(time.time()), steps))
            try:
                shown = opened.wait_for_function(_WAIT, arg=[count, before], timeout=LATE_MS, polling=20)
                yield max(0.0, shown.json_value() - sent_ms)
            except TimeoutError:
                yield float(LATE_MS)
