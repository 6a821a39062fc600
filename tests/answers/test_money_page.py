"""The example of docs/money.md, reckoned."""

import re
from datetime import date
from pathlib import Path

from casawatt.config import parse
from casawatt.engine.billing import Home, bill
from casawatt.model.money import as_money
from tests.engine.homes_and_bills import market, steady

PAGE = (Path(__file__).parents[2] / "docs" / "money.md").read_text(encoding="utf-8")


def test_the_worked_example_comes_out_as_it_is_printed() -> None:
    text = re.search(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    assert text is not None
    config = parse(text[1], "docs/money.md")
    start, end = date(2026, 2, 1), date(2026, 3, 1)
    made = bill(steady(start, end), start, end, Home(market(*config.tariffs), "EUR", config.supply.contracted_w))
    rows = [(line.label, str(as_money(line.units, 2)), line.why) for line in made.lines]
    printed = re.findall(r"^\| ([^|*]+) \| (-?[\d.]+) \| (.+) \|$", PAGE, re.MULTILINE)
    assert rows == printed
    assert f"| **Total** | **{as_money(made.units, 2)}** | |" in PAGE
