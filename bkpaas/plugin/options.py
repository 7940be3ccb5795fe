"""What the command line means: which deployment, in which language, where the reports go."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from shutil import get_terminal_size
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec
import pytest

from bkpaas import inventory, libraries
from bkpaas.catalogue.registry import (
    ALIASES,
    CONDITIONS,
    CUSTOM_PREFIX,
    SECTIONS,
    current_id,
    custom_section,
)
from bkpaas.errors import InventoryError, SuiteError
from bkpaas.facts import Snapshot
from bkpaas.facts.merging import merge
from bkpaas.inventory.deployment import Deployment
from bkpaas.language import language_of_locale, set_language
from bkpaas.messages import msg, plural, to_text
from bkpaas.plugin.explanation import explain_record
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
        deployment = _waivers_added(snapshot.deployment, config.option.waivers)
        config.stash[SNAPSHOT] = msgspec.structs.replace(snapshot, deployment=deployment)
        config.stash[DEPLOYMENT] = deployment
    elif config.option.inventory:
        visits = not informative and not config.option.from_answers
        deployment = _deployment(config.option.inventory, config.option.limit, visits=visits)
        config.stash[DEPLOYMENT] = _waivers_added(deployment, config.option.waivers)
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


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Ask for an inventory where one is needed; answer --plan."""
    set_language(config.option.lang or language_of_locale())
    if config.option.inventory or config.option.from_snapshot:
        libraries.capture()
    if config.option.explain and not (config.option.inventory or config.option.from_snapshot):
        record = Path(config.option.report) / "results.json"
        print("\n".join(explain_record(record, config.option.explain, get_terminal_size().columns)))
        return 0
    informative = ("help", "markers", "showfixtures", "show_fixtures_per_test", "version", "cacheshow")
    if hasattr(config, "workerinput") or any(getattr(config.option, name, False) for name in informative):
        return None
    if config.option.from_snapshot and (config.option.inventory or config.option.limit or config.option.plan):
        raise pytest.UsageError(
            to_text(
                msg("--from-snapshot brings its own inventory: leave --inventory, --limit and --plan out")
            )
        )
    if config.option.from_snapshot and (config.option.collect_plan or config.option.from_answers):
        raise pytest.UsageError(
            to_text(msg("--from-snapshot checks offline: leave --collect-plan and --from-answers out"))
        )
    if not config.option.inventory and not config.option.from_snapshot:
        raise pytest.UsageError(
            to_text(
                msg(
                    "which deployment? Give --inventory PATH (a copy of /data/install, an install.config or a directory with deployment.yaml). To see the suite at work without one: script/demo"
                )
            )
        )
    if config.option.collect_plan:
        return _plan_round(config.option)
    if config.option.plan:
        from bkpaas.collect import plan_text

        print(
            to_text(
                plan_text.describe(_deployment(config.option.inventory, config.option.limit, visits=False))
            )
        )
        if (config.rootpath / "tests_site").is_dir():
            print(
                to_text(
                    msg(
                        "    tests_site/: requests that its tests send to hosts themselves are not listed here"
                    )
                )
            )
        if config.option.login_user:
            print(
                to_text(
                    msg(
                        "    controller: log {login_user} in through the login form (POST), request is_login and the platform with its token",
                        login_user=config.option.login_user,
                    )
                )
            )
        return 0
    return None


def _plan_round(option: argparse.Namespace) -> int:
    """Write the scripts of the next round for an engine, and say how to go on."""
    from bkpaas.collect.deployment import plan_round

    directory = Path(option.collect_plan)
    if option.from_answers:
        raise pytest.UsageError(
            to_text(msg("--collect-plan writes plans, --from-answers checks: give only one of them"))
        )
    deployment = _deployment(option.inventory, option.limit, visits=False)
    try:
        number, count = plan_round(deployment, directory)
    except SuiteError as error:
        raise pytest.UsageError(str(error)) from None
    except OSError as error:
        raise pytest.UsageError(not_written(f"--collect-plan {directory}", error)) from None
    print(
        to_text(
            plural(
                "{folder}: {count} script of round {number}. Run HOST.sh on each HOST as root, put its output into HOST.out next to it",
                "{folder}: {count} scripts of round {number}. Run HOST.sh on each HOST as root, put its output into HOST.out next to it",
                count=count,
                folder=directory / f"round-{number}",
                number=number,
            )
        )
    )
    following = (
        msg("then: --collect-plan {directory} again, which plans round 2", directory=directory)
        if number == 1
        else msg("then: --from-answers {directory}, which checks", directory=directory)
    )
    print(to_text(following))
    return 0


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


class _Options(frozenset[str]):
    """What a waiver may name: the catalogue, and whatever a site's own tests, which are not read yet, will add."""

    def __contains__(self, condition: object) -> bool:
        return super().__contains__(current_id(str(condition))) or str(condition).startswith(CUSTOM_PREFIX)


def _waivers_added(deployment: Deployment, file: str | None) -> Deployment:
    """Return the deployment with the waivers of --waivers added to its own."""
    if file is None:
        return deployment
    try:
        more = inventory.load_waivers(Path(file), deployment.hosts, _Options(CONDITIONS))
    except InventoryError as error:
        raise pytest.UsageError(str(error)) from None
    return msgspec.structs.replace(deployment, waivers=(*deployment.waivers, *more))


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


def _deployment(path: str, limit: str | None, *, visits: bool) -> Deployment:
    try:
        return inventory.load(Path(path), limit=limit, conditions=_Options(CONDITIONS), visits=visits)
    except InventoryError as error:
        raise pytest.UsageError(str(error)) from None
