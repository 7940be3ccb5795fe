"""A headless Chromium over its DevTools pipe: two file descriptors, one JSON object after the other, each ended by a NUL."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
from pathlib import Path
from typing import Any

BINARY = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-pipe",
    "--disable-ipc-flooding-protection",  # a test clicks faster than a person
)
ANSWER_SECONDS = 60
WAIT_SECONDS = 20


class Browser:
    """One Chromium with one page; `noise` collects what a quiet page leaves empty."""

    def __init__(self, profile: Path) -> None:
        ours_in, theirs_out = os.pipe()
        theirs_in, ours_out = os.pipe()

        def as_3_and_4() -> None:
            first, second = os.dup(theirs_in), os.dup(theirs_out)  # out of the way of 3 and 4
            os.dup2(first, 3)
            os.dup2(second, 4)

        self._process = subprocess.Popen(
            [str(BINARY), *FLAGS, f"--user-data-dir={profile}", "about:blank"],
            preexec_fn=as_3_and_4,
            close_fds=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self._in, self._out = os.fdopen(ours_in, "rb", 0), os.fdopen(ours_out, "wb", 0)
        self._buffer, self._number, self._session = b"", 0, ""
        self.noise: list[str] = []
        self.requests: list[str] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def close(self) -> None:
        self._session = ""
        self._send("Browser.close", {})
        self._process.wait(ANSWER_SECONDS)
        self._in.close()
        self._out.close()

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        number = self._send(method, params)
        while True:
            message = self._message()
            if message.get("id") == number:
                assert "error" not in message, message
                return dict(message["result"])

    def open(self, path: Path, view: str = "") -> None:
        """Load a file from disk, as if typed into a new tab, and wait for it."""
        self.noise.clear()
        self.requests.clear()
        self.call("Page.navigate", url="about:blank")
        self.call("Page.navigate", url=f"{path.as_uri()}{view}")
        self.wait("document.readyState === 'complete' && location.protocol === 'file:'")

    def wait(self, condition: str) -> None:
        """Until a JavaScript condition holds."""
        script = f"""new Promise((done, fail) => {{
          const late = Date.now() + {WAIT_SECONDS * 1000};
          const look = () => ({condition}) ? done(true) : Date.now() > late ? fail("never so") : setTimeout(look, 10);
          look();
        }})"""
        assert self.evaluate(script) is True

    def evaluate(self, script: str) -> Any:
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, (script, answer["exceptionDetails"])
        return answer["result"].get("value")

    def size(self, width: int, height: int, *, dark: bool = False) -> None:
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])

    def screenshot(self, path: Path, *, whole: bool = True) -> None:
        image = self.call("Page.captureScreenshot", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(image["data"]))

    def _send(self, method: str, params: dict[str, Any]) -> int:
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        self._out.write(json.dumps(message).encode() + b"\0")
        return self._number

    def _message(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            assert select.select([self._in], [], [], ANSWER_SECONDS)[0], "Chromium does not answer"
            piece = self._in.read(1 << 20)
            assert piece, f"Chromium ended with {self._process.wait(ANSWER_SECONDS)}"
            self._buffer += piece
        raw, self._buffer = self._buffer.split(b"\0", 1)
        message: dict[str, Any] = json.loads(raw)
        self._note(message.get("method", ""), message.get("params", {}))
        return message

    def _note(self, event: str, params: dict[str, Any]) -> None:
        if event == "Runtime.exceptionThrown":
            self.noise.append(json.dumps(params["exceptionDetails"]))
        elif event == "Runtime.consoleAPICalled":
            self.noise.append(json.dumps(params["args"]))
        elif event == "Log.entryAdded":
            self.noise.append(params["entry"]["text"])
        elif event == "Page.javascriptDialogOpening":
            self.noise.append(f"dialog: {params['message']}")
        elif event == "Network.requestWillBeSent" and params["request"]["url"] != "about:blank":
            self.requests.append(params["request"]["url"])
