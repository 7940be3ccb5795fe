"""What a run writes beside its report directory, when it was asked to; what goes wrong there changes no verdict."""

from __future__ import annotations

import argparse
from pathlib import Path

from bkpaas.lang import say
from bkpaas.report import prometheus, summary, webhook
from bkpaas.report.record import Results, write_private


def write(results: Results, option: argparse.Namespace, hook: webhook.Hook | None) -> list[str]:
    """Metrics, summary and message; what could not be written or sent, in lines for a person."""
    troubles = []
    if option.prometheus:
        try:
            prometheus.write(results, Path(option.prometheus))
        except OSError as error:
            troubles.append(_unwritten("--prometheus", error))
    if option.summary and option.summary != "-":
        try:
            write_private(Path(option.summary), summary.markdown(results).encode("utf-8", "replace"))
        except OSError as error:
            troubles.append(_unwritten("--summary", error))
    if hook is not None:
        try:
            webhook.send(hook, webhook.body(results, hook.kind, option.report_url))
        except webhook.NotSent as error:
            troubles.append(
                say(
                    en=f"the message to {hook.kind} was not sent: {error}",
                    zh=f"发往 {hook.kind} 的消息未送达：{error}",
                )
            )
    return troubles


def _unwritten(option: str, error: OSError) -> str:
    return say(
        en=f"{option} {error.filename}: not written: {error.strerror}",
        zh=f"{option} {error.filename}：未写入：{error.strerror}",
    )
