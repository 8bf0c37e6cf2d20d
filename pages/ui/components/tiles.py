"""A grid of images: a click opens one, its checkbox selects it. st.image cannot be clicked."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import streamlit as st
from streamlit.components.v2 import component

CSS = """
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(104px, 1fr)); gap: 12px; }
figure { margin: 0; position: relative; min-width: 0; }
a { display: block; border-radius: 6px; text-decoration: none; color: var(--st-text-color); }
a:focus-visible { outline: 3px solid var(--st-primary-color); outline-offset: 2px; }
img { width: 100%; aspect-ratio: 1; image-rendering: pixelated; border-radius: 6px;
      display: block; }
a:hover img { box-shadow: 0 0 0 2px var(--st-primary-color); }
.selected img { box-shadow: 0 0 0 3px var(--st-primary-color); }
figcaption { font: .78rem/1.3 var(--st-font); margin-top: 4px; }
figcaption span { display: block; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
figcaption span + span { opacity: .75; }
label { position: absolute; top: 0; right: 0; padding: 6px; line-height: 0; cursor: pointer; }
input { width: 18px; height: 18px; margin: 0; accent-color: var(--st-primary-color);
        cursor: pointer; }
"""

# A real link, so that a middle click opens a new tab and the keyboard can reach it.
JS = """
export default function ({ data, parentElement, setStateValue, setTriggerValue }) {
  const root = parentElement.querySelector(".tiles")
  const selected = new Set(data.selected)
  root.replaceChildren(...data.tiles.map((tile) => {
    const figure = document.createElement("figure")
    figure.classList.toggle("selected", selected.has(tile.id))
    const link = document.createElement("a")
    link.href = tile.href
    link.title = tile.tip
    link.onclick = (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return
      event.preventDefault()
      setTriggerValue("opened", tile.id)
    }
    const image = document.createElement("img")
    image.src = tile.src
    image.alt = tile.tip
    const caption = document.createElement("figcaption")
    caption.append(...tile.lines.map((line) => {
      const span = document.createElement("span")
      span.textContent = line
      return span
    }))
    link.append(image, caption)
    const label = document.createElement("label")
    label.title = "Select"
    const box = document.createElement("input")
    box.type = "checkbox"
    box.checked = selected.has(tile.id)
    box.setAttribute("aria-label", "Select " + tile.tip)
    box.onchange = () => {
      box.checked ? selected.add(tile.id) : selected.delete(tile.id)
      figure.classList.toggle("selected", box.checked)
      setStateValue("selected", [...selected])
    }
    label.append(box)
    figure.append(link, ...(data.selectable ? [label] : []))
    return figure
  }))
}
"""


@dataclass(frozen=True)
class Tile:
    """An image of the grid.

    Attributes:
        id: Reported when the image is opened or selected.
        src: The image as a data URI.
        href: Target of the link, for a new tab.
        lines: Text below the image.
        tip: Tooltip and alt text.
    """

    id: int
    src: str
    href: str
    lines: tuple[str, ...]
    tip: str


_mount = component("tiles", html="<div class='tiles'></div>", css=CSS, js=JS)


def tiles(
    drawn: Sequence[Tile], selected: Sequence[int], key: str, selectable: bool = True
) -> tuple[int | None, list[int]]:
    """Draws the tiles; returns the id that was opened, if any, and all selected ids.

    Args:
        selected: The selected ids; those of tiles that are not drawn stay selected.
        selectable: Whether tiles have a checkbox.
    """
    state: Any = st.session_state.get(key)  # the checkboxes' state is newer than `selected`
    if state is not None and state.get("selected") is not None:
        selected = state["selected"]
    result = _mount(
        data={
            "tiles": [asdict(tile) for tile in drawn],
            "selected": list(selected),
            "selectable": selectable,
        },
        default={"selected": list(selected)},
        key=key,
        on_opened_change=lambda: None,
        on_selected_change=lambda: None,
    )
    newest = result.get("selected")
    return result.get("opened"), list(selected if newest is None else newest)
