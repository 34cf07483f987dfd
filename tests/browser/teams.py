"""A page that shows a card as Teams does: Microsoft's own renderer, with the colours that Microsoft publishes for Teams.

The values are those of https://github.com/microsoft/AdaptiveCards/tree/main/samples/HostConfig (microsoft-teams-light.json and
microsoft-teams-dark.json). Markdown, which the renderer leaves to its host, is markdown-it, as its documentation advises. So is what
happens to a word that is longer than a line: it is broken here, as in Teams' other messages.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from playwright.async_api import Page

Theme = Literal["light", "dark"]
PHONE, PANE = 320, 800  # CSS pixels

_MODULES = Path(__file__).parents[2] / "local/node_modules"
_SCRIPTS = (_MODULES / "adaptivecards/dist/adaptivecards.min.js", _MODULES / "markdown-it/dist/markdown-it.min.js")

_FONT = "'Segoe UI', 'Open Sans', 'DejaVu Sans', sans-serif"
_MONOSPACE = "'Courier New', 'DejaVu Sans Mono', monospace"
_SIZES = {"small": 12, "default": 14, "medium": 14, "large": 18, "extraLarge": 24}
_WEIGHTS = {"lighter": 200, "default": 400, "bolder": 600}

#: name -> (default, subtle), #AARRGGBB as Microsoft writes them
_Colors = dict[str, tuple[str, str]]
_LIGHT: _Colors = {
    "default": ("#ff252424", "#bf252424"),
    "dark": ("#ff252424", "#bf252424"),
    "light": ("#ffffffff", "#fff3f2f1"),
    "accent": ("#ff6264a7", "#ff8b8cc7"),
    "good": ("#ff92c353", "#e592c353"),
    "warning": ("#fff8d22a", "#e5f8d22a"),
    "attention": ("#ffc4314b", "#e5c4314b"),
}
_DARK: _Colors = {
    "default": ("#ffffffff", "#bfffffff"),
    "dark": ("#ff201f1f", "#ff2d2c2c"),
    "light": ("#ffffffff", "#bfffffff"),
    "accent": ("#ffa6a7dc", "#ff8b8cc7"),
    "good": ("#ff92c353", "#e592c353"),
    "warning": ("#fff8d22a", "#e5f8d22a"),
    "attention": ("#ffd74654", "#e5d74654"),
}
_ON_COLOR: _Colors = _DARK | {"default": ("#ff201f1f", "#ff2d2c2c")}  # coloured containers stay light in the dark theme
_COLORED = {"accent": "#ffc7def9", "good": "#ffccffcc", "attention": "#ffffc5b2", "warning": "#ffffe2b2"}
_PAPER: dict[Theme, dict[str, str]] = {
    "light": {"default": "#ffffffff", "emphasis": "#fff9f8f7"},
    "dark": {"default": "#ff2d2c2c", "emphasis": "#ff292828"},
}
#: What lies around a card in Teams, and its buttons.
_AROUND: dict[Theme, tuple[str, str, str]] = {"light": ("#f5f5f5", "#252424", "#bdbdbd"), "dark": ("#1f1f1f", "#ffffff", "#605e5c")}

_SHOW = """
({card, hostConfig, width, around}) => {
  const [back, ink, edge] = around;
  document.documentElement.lang = "en";
  document.body.style.cssText = `margin: 0; background: ${back}`;
  document.body.innerHTML = "";
  const style = document.createElement("style");
  style.textContent = `
    #card { width: ${width}px; overflow-wrap: break-word; }
    #card button { background: transparent; color: ${ink}; border: 1px solid ${edge}; border-radius: 4px; padding: 5px 12px;
      font: 600 14px 'Segoe UI', 'Open Sans', 'DejaVu Sans', sans-serif; max-width: 100%; overflow: hidden; text-overflow: ellipsis; }`;
  const host = document.createElement("div");
  host.id = "card";
  document.body.append(style, host);

  const markdown = window.markdownit();
  AdaptiveCards.AdaptiveCard.onProcessMarkdown = (text, result) => {
    result.outputHtml = markdown.render(text);
    result.didProcess = true;
  };
  window.opened = [];
  AdaptiveCards.AdaptiveCard.onExecuteAction = (action) => window.opened.push(action.url);
  const shown = new AdaptiveCards.AdaptiveCard();
  shown.hostConfig = new AdaptiveCards.HostConfig(hostConfig);
  const context = new AdaptiveCards.SerializationContext();
  shown.parse(card, context);
  const problems = [];
  for (let i = 0; i < context.eventCount; i++) problems.push(context.getEventAt(i).message);
  for (const event of shown.validateProperties().validationEvents) problems.push(event.message);
  const element = shown.render();
  host.append(element);
  return problems;
}
"""

_LOOK = """
() => {
  const host = document.getElementById("card");
  const rgba = (text) => {
    const parts = text.match(/[\\d.]+/g).map(Number);
    return parts.length === 3 ? [...parts, 1] : parts;
  };
  const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
  const paper = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) layers.push(rgba(getComputedStyle(at).backgroundColor));
    return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255, 1]);
  };
  const light = (color) => {
    const [r, g, b] = color.slice(0, 3).map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (element) => {
    const back = paper(element);
    const [a, b] = [light(over(rgba(getComputedStyle(element).color), back)), light(back)].sort((x, y) => y - x);
    return (a + 0.05) / (b + 0.05);
  };
  const texts = [...host.querySelectorAll("*")].filter((e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()));
  const all = [...host.querySelectorAll("*")];
  return {
    text: host.textContent,
    tags: [...new Set(all.map((e) => e.localName))],
    handlers: all.flatMap((e) => e.getAttributeNames()).filter((name) => name.startsWith("on")),
    addresses: all.flatMap((e) => ["href", "src", "action", "srcset"].map((name) => e.getAttribute(name)).filter(Boolean)),
    buttons: [...host.querySelectorAll("button")].map((e) => e.textContent),
    overflowing: [host, ...all].filter((e) => e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0 && !e.closest("button"))
      .map((e) => `${e.className}: ${e.textContent.slice(0, 60)}`),
    faint: texts.filter((e) => !/^[\\u25a0\\u25a1]+$/.test(e.textContent) && contrast(e) < 4.5)
      .map((e) => `${contrast(e).toFixed(1)}: ${e.textContent.slice(0, 60)}`),
    attacked: window.attacked === true,
  };
}
"""


@dataclass(frozen=True)
class Shown:
    """What a reader finds in the document."""

    problems: list[str]  #: of the renderer: what it did not understand
    text: str
    tags: list[str]
    handlers: list[str]
    addresses: list[str]
    buttons: list[str]
    overflowing: list[str]
    faint: list[str]  #: texts with less contrast than 4.5 : 1, with their own; the blocks of a bar are not texts
    attacked: bool


async def open_teams(page: Page) -> None:
    """Nothing is loaded but the two scripts, from this disk."""
    await page.set_content("<!doctype html><title>Teams</title>")
    for script in _SCRIPTS:
        await page.add_script_tag(path=script)


async def show(page: Page, message: dict[str, Any], theme: Theme = "light", width: int = PANE) -> Shown:
    """The message's card, in a page that `open_teams` has made ready."""
    (attachment,) = message["attachments"]
    problems = await page.evaluate(
        _SHOW, {"card": attachment["content"], "hostConfig": host_config(theme), "width": width, "around": _AROUND[theme]}
    )
    return Shown(problems=problems, **await page.evaluate(_LOOK))


def host_config(theme: Theme) -> dict[str, Any]:
    ink, on_color = (_LIGHT, _LIGHT) if theme == "light" else (_DARK, _ON_COLOR)
    styles = {name: _container(color, ink) for name, color in _PAPER[theme].items()}
    styles |= {name: _container(color, on_color) for name, color in _COLORED.items()}
    fonts = {"default": _FONT, "monospace": _MONOSPACE}
    return {
        "supportsInteractivity": True,
        "spacing": {"small": 8, "default": 12, "medium": 16, "large": 20, "extraLarge": 24, "padding": 16},
        "separator": {"lineThickness": 1, "lineColor": "#EEEEEE" if theme == "light" else "#484644"},
        "fontTypes": {name: {"fontFamily": font, "fontSizes": _SIZES, "fontWeights": _WEIGHTS} for name, font in fonts.items()},
        "containerStyles": styles,
        "actions": {"maxActions": 6, "buttonSpacing": 8, "actionsOrientation": "Horizontal", "actionAlignment": "Left"},
        "adaptiveCard": {"allowCustomStyle": False},
        "table": {"cellSpacing": 8},
    }


def _container(paper: str, ink: _Colors) -> dict[str, Any]:
    return {"backgroundColor": paper, "foregroundColors": {name: {"default": one, "subtle": two} for name, (one, two) in ink.items()}}
