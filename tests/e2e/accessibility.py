"""The checks of a page that a machine can make for people who cannot see it well, or not at all."""

from playwright.sync_api import Page

FINDINGS = """
() => {
  const found = [];
  const shown = (element) => element.checkVisibility() && !element.closest("[aria-hidden=true]");
  const all = (selector) => [...document.querySelectorAll(selector)].filter(shown);
  const what = (element) => element.outerHTML.slice(0, 90);

  if (!document.documentElement.lang) found.push("the page has no language");
  if (!document.title) found.push("the page has no title");
  for (const part of ["main", "header"]) if (all(part).length === 0) found.push(`there is no ${part}`);
  if (all("h1").length !== 1) found.push(`${all("h1").length} headings of the first level`);

  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  for (const id of new Set(ids.filter((id, at) => ids.indexOf(id) !== at))) found.push(`id ${id} is there twice`);

  for (const element of all("a, button, [role=slider]")) {
    const name = element.getAttribute("aria-label") || element.textContent.trim();
    if (!name) found.push(`without a name: ${what(element)}`);
  }
  for (const element of all("input, select")) {
    if (element.labels.length === 0) found.push(`without a label: ${what(element)}`);
  }
  for (const svg of document.querySelectorAll("svg")) {
    if (!svg.closest("[aria-hidden=true]") && !svg.getAttribute("aria-label")) found.push(`read aloud: ${what(svg)}`);
  }
  for (const element of document.querySelectorAll("[aria-labelledby], [aria-describedby]")) {
    for (const name of ["aria-labelledby", "aria-describedby"])
      for (const id of (element.getAttribute(name) ?? "").split(" ").filter(Boolean))
        if (!document.getElementById(id)) found.push(`${name} names nothing: ${id}`);
  }
  for (const element of all("button, nav a, section li > a, input, select")) {
    const { width, height } = element.getBoundingClientRect();
    if (width < 24 || height < 24) found.push(`too small to touch: ${what(element)}`);
  }

  const channels = (colour) => {
    const canvas = new OffscreenCanvas(1, 1).getContext("2d");
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = (rgb) => {
    const [r, g, b] = rgb.map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const rgba = channels(getComputedStyle(at).backgroundColor);
      if (rgba[3] === 255) return rgba.slice(0, 3);
    }
    return [255, 255, 255];
  };
  for (const element of all("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!own || element.closest(".hidden, option, [disabled]")) continue;
    const style = getComputedStyle(element);
    const a = light(channels(style.color).slice(0, 3));
    const b = light(behind(element));
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (contrast < (large ? 3 : 4.5)) found.push(`contrast ${contrast.toFixed(2)}: ${what(element)}`);
  }
  return found;
}
"""


def findings(page: Page) -> list[str]:
    """Return what is wrong with the page as it stands now, in words; nothing when all is well.

    Checked: language, title, landmarks, one first heading, unique ids, names of what can be operated, labels
    of fields, drawings kept from being read aloud, size of targets, and contrast (WCAG 2.2, level AA).
    """
    found: list[str] = page.evaluate(FINDINGS)
    return found
