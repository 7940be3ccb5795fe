"""What the command line means: which deployment, in which language, where the reports go."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec
import pytest

from bkpaas import libraries
from bkpaas.catalogue.registry import (
    ALIASES,
    SECTIONS,
    custom_section,
)
from bkpaas.errors import SuiteError
from bkpaas.facts import Snapshot
from bkpaas.facts.merging import merge
from bkpaas.inventory.deployment import Deployment
from bkpaas.language import language_of_locale, set_language
from bkpaas.messages import msg, to_text
from bkpaas.plugin.loading import load_deployment, with_waivers
from bkpaas.plugin.outputs import disk_is_full, not_written
from bkpaas.plugin.places import lock, private, refused, secret_key, to_fill, to_write
from bkpaas.report import bkmonitor
from bkpaas.report.webhook import KINDS, Hook
from bkpaas.runs.history import Archive

if TYPE_CHECKING:
    from bkpaas.collect.exchange import Exchange
    from bkpaas.collect.login import Credentials

# Modules of collect are imported in the functions that use them: asyncssh and requests take longer than a start.

DEPLOYMENT = pytest.StashKey[Deployment]()
SNAPSHOT = pytest.StashKey[Snapshot]()
PASSWORD = "BKPAAS_LOGIN_PASSWORD"
CREDENTIALS = pytest.StashKey["Credentials | None"]()
BASELINE = pytest.StashKey[Snapshot | None]()
ARCHIVE = pytest.StashKey[Archive | None]()
HOOK = pytest.StashKey[Hook | None]()
MONITOR = pytest.StashKey[bkmonitor.Channel | None]()
KEY = pytest.StashKey[bytes | None]()
UNREMEMBERED = pytest.StashKey[list[str]]()
"""A notice for a history that cannot be written."""
LOCK = pytest.StashKey[int]()
WEBHOOK = "BKPAAS_WEBHOOK"


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    set_language(config.option.lang or language_of_locale())
    for symptom in (*SECTIONS, custom_section()):
        config.addinivalue_line("markers", f"{symptom.marker}: {symptom.title}. {symptom.introduction}")
    condition = to_text(msg("the condition of the catalogue that a test checks"))
    config.addinivalue_line("markers", f"condition(id): {condition}")
    # A site's file that cannot be imported must not keep the rest from being judged; the run is red all the same.
    config.option.continue_on_collection_errors = True
    worker_input = getattr(config, "workerinput", None)
    if worker_input is not None:
        libraries.capture()
        snapshot = Snapshot.load(Path(worker_input["bkpaas_snapshot"]))
        config.stash[SNAPSHOT] = snapshot
        config.stash[DEPLOYMENT] = snapshot.deployment
        return
    informative = config.option.plan or config.option.collectonly
    if config.option.from_snapshot:
        snapshot = _snapshots(config.option.from_snapshot)
        deployment = with_waivers(snapshot.deployment, config.option.waivers)
        config.stash[SNAPSHOT] = msgspec.structs.replace(snapshot, deployment=deployment)
        config.stash[DEPLOYMENT] = deployment
    elif config.option.inventory:
        visits = not informative and not config.option.from_answers
        deployment = load_deployment(config.option.inventory, config.option.limit, visits=visits)
        config.stash[DEPLOYMENT] = with_waivers(deployment, config.option.waivers)
        config.stash[CREDENTIALS] = _credentials(config.option.login_user, config.option.login_password_file)
    else:
        return
    os.umask(0o077)  # every file is private from its creation, those of plugins too
    _check_paths(config.option)
    if not informative:
        config.stash[LOCK] = lock(Path(config.option.report))
    config.stash[KEY] = secret_key(file) if (file := config.option.secret_key_file) else None
    config.stash[BASELINE] = _snapshot(file) if (file := config.option.baseline) else None
    config.stash[HOOK] = _hook(config.option)
    config.stash[MONITOR] = _monitor(file) if (file := config.option.bkmonitor_file) else None
    config.stash[ARCHIVE], config.stash[UNREMEMBERED] = None, []
    if config.option.history and not informative:
        _open_archive(config)
    if not informative:
        config.option.htmlpath = config.option.htmlpath or str(Path(config.option.report) / "details.html")
        config.option.self_contained_html = True


def exchange(option: argparse.Namespace, deployment: Deployment) -> Exchange:
    """Return the exchange of --from-answers. UsageError: a round is not planned yet, or it is of another suite."""
    from bkpaas.collect.exchange import Exchange, load_manifest

    directory = Path(option.from_answers)
    try:
        planned = load_manifest(directory).rounds
        if "2" not in planned:
            raise SuiteError(
                msg(
                    "{directory}: round 2 is not planned yet: call --collect-plan {directory} again",
                    directory=directory,
                )
            )
        return Exchange(directory, deployment)
    except SuiteError as error:
        raise pytest.UsageError(str(error)) from None


def _credentials(user: str | None, file: str | None) -> Credentials | None:
    """Return who logs in. Raises UsageError if the password cannot be read, or others could read it too."""
    from bkpaas.collect.login import Credentials

    if user is None:
        return None
    if file is None:
        password = os.environ.get(PASSWORD, "")
    else:
        try:
            password = private("--login-password-file", file).decode("utf-8").rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise pytest.UsageError(f"{file}: {error.reason}") from None
    if not password:
        raise pytest.UsageError(
            to_text(
                msg(
                    "--login-user {user}: no password; put it into {password} or give --login-password-file",
                    user=user,
                    password=PASSWORD,
                )
            )
        )
    return Credentials(user, password)


def _check_paths(option: argparse.Namespace) -> None:
    """Check every file and directory that will be written. Raises UsageError if one cannot be."""
    to_fill("--report", option.report)
    if option.save_snapshot:
        to_write("--save-snapshot", option.save_snapshot, option.report)
    if option.code_quality:
        to_write("--code-quality", option.code_quality, option.report)
    if option.bundle:
        to_write("--bundle", option.bundle, option.report)
    if option.summary and option.summary != "-":
        to_write("--summary", option.summary, option.report)
    if option.prometheus and to_write("--prometheus", option.prometheus, option.report).suffix != ".prom":
        raise refused(
            "--prometheus",
            Path(option.prometheus),
            to_text(msg("does not end in .prom")),
            to_text(msg("node_exporter reads no other files")),
        )
    if option.secret_key_file and option.from_snapshot:
        raise pytest.UsageError(
            to_text(
                msg("--secret-key-file is for collecting: a saved snapshot keeps the digests that it has")
            )
        )


def _hook(option: argparse.Namespace) -> Hook | None:
    """Return where the message goes. UsageError: --notify without an address, or an address without --notify."""
    if option.webhook_kind is None:
        if option.webhook_file:
            raise pytest.UsageError(
                to_text(
                    msg("--webhook-file: of which kind? Add --webhook-kind {kinds}", kinds="|".join(KINDS))
                )
            )
        return None
    address = os.environ.get(WEBHOOK, "")
    if option.webhook_file:
        address = private("--webhook-file", option.webhook_file).decode("utf-8", "replace")
    url = address.strip()
    try:
        sound = url.startswith(("http://", "https://")) and bool(urlsplit(url).hostname) and url.isprintable()
    except ValueError:
        sound = False
    if not sound:
        raise pytest.UsageError(
            to_text(
                msg(
                    "--webhook-kind {webhook_kind}: no address that begins with https:// or http://; put it into {webhook} or give --webhook-file",
                    webhook_kind=option.webhook_kind,
                    webhook=WEBHOOK,
                )
            )
        )
    return Hook(option.webhook_kind, url)


def _monitor(file: str) -> bkmonitor.Channel:
    """Return where events are reported to. UsageError: the file cannot be used."""
    content = private("--bkmonitor-file", file)
    try:
        return bkmonitor.channel(content)
    except SuiteError as error:
        raise pytest.UsageError(f"--bkmonitor-file {file}: {error}") from None


def _open_archive(config: pytest.Config) -> None:
    """Open the history. UsageError: it cannot be used. A full disk costs the history only."""
    directory = config.option.history
    try:
        config.stash[ARCHIVE] = Archive(
            to_fill("--history", directory), config.stash[DEPLOYMENT].domain, ALIASES
        )
    except SuiteError as error:
        if isinstance(error.__cause__, OSError) and disk_is_full(error.__cause__):
            config.stash[UNREMEMBERED].append(not_written(f"--history {directory}", error.__cause__))
            return
        raise pytest.UsageError(f"--history {error}") from None


def _snapshots(paths: list[str]) -> Snapshot:
    """Return the one snapshot, or several merged. UsageError: one cannot be read, or they do not fit together."""
    snapshots = [(path, _snapshot(path)) for path in paths]
    if len(snapshots) == 1:
        return snapshots[0][1]
    try:
        return merge(snapshots)
    except SuiteError as error:
        raise pytest.UsageError(str(error)) from None


def _snapshot(path: str) -> Snapshot:
    try:
        return Snapshot.load(Path(path))
    except (SuiteError, OSError) as error:
        raise pytest.UsageError(str(error)) from None
