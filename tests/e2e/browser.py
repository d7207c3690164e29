"""A real browser, Chromium, on a page: what is on it, and what a person does there."""

import contextlib
import json
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from websockets.sync.client import ClientConnection, connect

QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

_FILL_IN = """
((labels) => {
  const areas = [...document.querySelectorAll("textarea")];
  const around = (area) => {  // the largest part of the page that has this one alone
    let part = area;
    while (part.parentElement?.querySelectorAll("textarea").length === 1) part = part.parentElement;
    return part;
  };
  const chosen = (value) => [...document.querySelectorAll("select")].find(
    (list) => [...list.options].some((option) => option.value === value)
  );
  for (const [label, value] of labels) {
    const field = chosen(value)
      ?? areas.find((area) => around(area).innerText.trim().startsWith(label));
    if (!field) return `no field ${label}`;
    const kind = field.tagName === "SELECT" ? HTMLSelectElement : HTMLTextAreaElement;
    Object.getOwnPropertyDescriptor(kind.prototype, "value").set.call(field, value);
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.dispatchEvent(new Event("change", { bubbles: true }));
  }
  return "";
})
"""


@dataclass
class Page:
    """A page that is open in a browser."""

    connection: ClientConnection

    def ask(self, method: str, **params: Any) -> Any:
        """What the browser answers to a command of its own protocol."""
        self.connection.send(json.dumps({"id": 1, "method": method, "params": params}))
        while "id" not in (answer := json.loads(self.connection.recv(timeout=60))):
            pass
        return answer["result"]

    def run(self, script: str) -> Any:
        """What JavaScript makes of the page, a promise waited for; None where it fails."""
        found = self.ask(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        return found["result"].get("value")

    def look(self, width: int, scheme: str) -> None:
        """Shows it on a screen of that width, `light` or `dark`."""
        self.ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=900,
            deviceScaleFactor=1,
            mobile=width < 700,
        )
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self.ask("Emulation.setEmulatedMedia", features=[feature])

    def press(self, key: str) -> None:
        """Presses a key of the keyboard: `Tab`, or `Enter`."""
        code, text = {"Tab": (9, ""), "Enter": (13, "\r")}[key]
        pressed = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        self.ask("Input.dispatchKeyEvent", type="keyDown", text=text, **pressed)
        self.ask("Input.dispatchKeyEvent", type="keyUp", **pressed)

    def text(self) -> str:
        """The text on it."""
        return str(self.run("document.body?.innerText ?? ''"))

    def click(self, label: str) -> bool:
        """Whether it has a button that says so; it is pressed then."""
        return bool(
            self.run(
                "(() => { const one = [...document.querySelectorAll('button')]"
                f".find((one) => one.innerText.trim() === {json.dumps(label)} && !one.disabled);"
                "one?.click(); return !!one; })()"
            )
        )

    def fill_in(self, fields: dict[str, str]) -> str:
        """What is wrong with the form; "" once its fields are filled in, by label."""
        return str(self.run(f"{_FILL_IN}({json.dumps(list(fields.items()))})"))


@contextlib.contextmanager
def open_page(browser: str, url: str, profile: Path) -> Iterator[Page]:
    """Opens the page in a browser, as a person would."""
    words = [browser, *QUIET, f"--user-data-dir={profile}", "--remote-debugging-port=0", url]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        try:
            port = wait_for(lambda: (profile / "DevToolsActivePort").read_text().split()[0])
            [tab] = wait_for(
                lambda: [
                    one
                    for one in httpx.get(f"http://127.0.0.1:{port}/json/list").json()
                    if one["url"].startswith(url)
                ]
            )
            with connect(tab["webSocketDebuggerUrl"], max_size=None) as connection:
                yield Page(connection)
        finally:
            running.kill()


def wait_for(look: Callable[[], Any], patience_s: float = 60) -> Any:
    """What `look` finds, as soon as it finds something."""
    ends = time.monotonic() + patience_s
    while time.monotonic() < ends:
        with contextlib.suppress(OSError, IndexError, httpx.HTTPError):
            if found := look():
                return found
        time.sleep(0.1)
    raise AssertionError("nothing came in time")
