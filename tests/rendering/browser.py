"""A headless Chromium that shows a page, by its DevTools protocol.

Selenium and Playwright need a driver or a browser of their own, of the right version; the protocol needs what
Debian's package has, and one websocket. https://chromedevtools.github.io/devtools-protocol/
"""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

#: What the browser is called by Debian, Ubuntu, and Google.
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_PATIENCE_S = 60


def find_browser() -> str | None:
    """The first Chromium on the path."""
    return next((found for name in _NAMES if (found := shutil.which(name))), None)


class Browser:
    """One page of the browser, and what happened on it.

    Attributes
    ----------
    console
        Texts of console messages, log entries and exceptions.
    requests
        Addresses that were asked for, the page's own among them.
    """

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._n_sent = 0
        self._session: str | None = None
        self.console: list[str] = []
        self.requests: list[str] = []
        self._is_loaded = False
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and wait for its answer."""
        self._n_sent += 1
        message: dict[str, Any] = {"id": self._n_sent, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        self._socket.send(json.dumps(message))
        while (answer := self._receive()).get("id") != self._n_sent:
            pass
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']['message']}")
        result: dict[str, Any] = answer["result"]
        return result

    def _receive(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self._socket.recv(timeout=_PATIENCE_S))
        what = message.get("params", {})
        match message.get("method"):
            case "Runtime.consoleAPICalled":
                self.console.append(json.dumps(what["args"]))
            case "Runtime.exceptionThrown":
                self.console.append(json.dumps(what["exceptionDetails"]))
            case "Log.entryAdded":
                self.console.append(what["entry"]["text"])
            case "Network.requestWillBeSent":
                self.requests.append(what["request"]["url"])
            case "Page.loadEventFired":
                self._is_loaded = True
        return message

    def open(self, page: Path, width: int, *, scheme: str = "light") -> None:
        """Show a page in a window of a width [px], in the light or dark colour scheme."""
        self.console.clear()
        self.requests.clear()
        self.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False
        )
        self._is_loaded = False
        self.send("Page.navigate", url=page.resolve().as_uri())
        while not self._is_loaded:
            self._receive()

    def evaluate(self, script: str) -> Any:
        """The value of an expression in the page; of a promise, what it comes to."""
        answer = self.send("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(json.dumps(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def print(self) -> bytes:
        """The page as it is printed, as PDF on the paper that its style sheet names."""
        answer = self.send("Page.printToPDF", preferCSSPageSize=True, printBackground=True)
        return base64.b64decode(answer["data"])

    def screenshot(self) -> bytes:
        """The whole page as PNG."""
        answer = self.send("Page.captureScreenshot", captureBeyondViewport=True)
        return base64.b64decode(answer["data"])


@contextmanager
def running_browser(executable: str) -> Iterator[Browser]:
    """Start a browser with a profile of its own, and end it."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [
                executable,
                "--headless=new",
                # It shows nothing but our own page, and its sandbox does not work for root or in containers.
                "--no-sandbox",
                "--disable-dev-shm-usage",
                "--disable-gpu",
                "--disable-background-networking",
                "--disable-component-update",
                "--no-first-run",
                "--hide-scrollbars",  # as a phone does
                "--remote-debugging-port=0",
                f"--user-data-dir={profile}",
                "about:blank",
            ],
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        )
        try:
            assert process.stderr is not None
            mark = "DevTools listening on "
            address = next((line for line in process.stderr if line.startswith(mark)), None)
            if address is None:
                raise RuntimeError(f"{executable} ended without a word on where it listens.")
            with connect(address.removeprefix(mark).strip(), max_size=None) as socket:
                yield Browser(socket)
        finally:
            process.terminate()
            process.communicate(timeout=_PATIENCE_S)
