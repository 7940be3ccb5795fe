"""What the command line means: which deployment, in which language, where the reports go."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bkpaas import inventory, lang
from bkpaas.collect import plan
from bkpaas.collect.login import Credentials
from bkpaas.errors import InventoryError, SuiteError
from bkpaas.facts import Snapshot
from bkpaas.faq.catalogue import CONDITIONS, OF_SITE, SYMPTOMS, site
from bkpaas.inventory.deployment import Deployment
from bkpaas.lang import say

DEPLOYMENT = pytest.StashKey[Deployment]()
SNAPSHOT = pytest.StashKey[Snapshot]()
PASSWORD = "BKPAAS_LOGIN_PASSWORD"
CREDENTIALS = pytest.StashKey[Credentials | None]()


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    lang.speak(config.option.lang or lang.of_locale())
    for symptom in (*SYMPTOMS, site()):
        config.addinivalue_line("markers", f"{symptom.marker}: {symptom.title}. {symptom.introduction}")
    condition = say(en="the condition of the catalogue that a test judges", zh="测试所判定的检查项")
    config.addinivalue_line("markers", f"condition(id): {condition}")
    # A site's file that cannot be imported must not keep the rest from being judged; the run is red all the same.
    config.option.continue_on_collection_errors = True
    worker_input = getattr(config, "workerinput", None)
    if worker_input is not None:
        snapshot = Snapshot.load(Path(worker_input["bkpaas_snapshot"]))
        config.stash[SNAPSHOT] = snapshot
        config.stash[DEPLOYMENT] = snapshot.deployment
        return
    if config.option.from_snapshot:
        config.stash[SNAPSHOT] = _snapshot(config.option.from_snapshot)
        config.stash[DEPLOYMENT] = config.stash[SNAPSHOT].deployment
    elif config.option.inventory:
        config.stash[DEPLOYMENT] = _deployment(config.option.inventory, config.option.limit)
        config.stash[CREDENTIALS] = _credentials(config.option.login_user, config.option.login_password_file)
    else:
        return
    config.option.htmlpath = config.option.htmlpath or str(Path(config.option.report) / "details.html")
    config.option.self_contained_html = True


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Ask for an inventory where one is needed; answer --plan."""
    lang.speak(config.option.lang or lang.of_locale())
    informative = ("help", "markers", "showfixtures", "show_fixtures_per_test", "version", "cacheshow")
    if hasattr(config, "workerinput") or any(getattr(config.option, name, False) for name in informative):
        return None
    if config.option.from_snapshot and (config.option.inventory or config.option.limit or config.option.plan):
        raise pytest.UsageError(
            say(
                en="--from-snapshot brings its own inventory: leave --inventory, --limit and --plan out",
                zh="--from-snapshot 自带清单：请去掉 --inventory、--limit 和 --plan",
            )
        )
    if not config.option.inventory and not config.option.from_snapshot:
        raise pytest.UsageError(
            say(
                en="which deployment? Give --inventory PATH (a copy of /data/install, an install.config or a "
                "directory with deployment.yaml). To see the suite at work without one: script/demo",
                zh="要检查哪个部署？请给出 --inventory 路径（/data/install 的副本、install.config 或含 "
                "deployment.yaml 的目录）。没有部署也想看效果：script/demo",
            )
        )
    if config.option.plan:
        print(plan.describe(_deployment(config.option.inventory, config.option.limit)))
        if (config.rootpath / "tests_site").is_dir():
            print(
                say(
                    en="    tests_site/: what its tests ask of the hosts themselves is not listed here",
                    zh="    tests_site/：其中的测试自行访问主机的内容未列出",
                )
            )
        if config.option.login_user:
            print(
                say(
                    en=f"    controller: log {config.option.login_user} in through the login form (POST), ask is_login "
                    "and the platform with what it gives",
                    zh=f"    控制机：通过登录表单（POST）登录 {config.option.login_user}，再用所得登录态访问 is_login 和平台",
                )
            )
        return 0
    return None


def _credentials(user: str | None, file: str | None) -> Credentials | None:
    """Who is to be logged in; UsageError when the password cannot be had, or others could read it too."""
    if user is None:
        return None
    if file is None:
        password = os.environ.get(PASSWORD, "")
    else:
        try:
            mode = Path(file).stat().st_mode
            if mode & 0o077:
                raise pytest.UsageError(
                    say(
                        en=f"{file}: others may read or write it (mode {mode & 0o777:o}); chmod 600 it",
                        zh=f"{file}：其他用户可以读写（权限 {mode & 0o777:o}）；请执行 chmod 600",
                    )
                )
            password = Path(file).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise pytest.UsageError(f"{file}: {error}") from None
    if not password:
        raise pytest.UsageError(
            say(
                en=f"--login-user {user}: no password; put it into {PASSWORD} or give --login-password-file",
                zh=f"--login-user {user}：没有密码；请设置 {PASSWORD} 或给出 --login-password-file",
            )
        )
    return Credentials(user, password)


def _snapshot(path: str) -> Snapshot:
    try:
        return Snapshot.load(Path(path))
    except (SuiteError, OSError) as error:
        raise pytest.UsageError(f"{path}: {error}") from None


def _deployment(path: str, limit: str | None) -> Deployment:
    try:
        deployment = inventory.load(Path(path), limit=limit)
    except InventoryError as error:
        raise pytest.UsageError(str(error)) from None
    for waiver in deployment.waivers:
        if waiver.condition not in CONDITIONS and not waiver.condition.startswith(OF_SITE):
            raise pytest.UsageError(
                say(
                    en=f"{path}: a waiver names the condition {waiver.condition}, which does not exist",
                    zh=f"{path}：豁免中的检查项 {waiver.condition} 不存在",
                )
            )
    return deployment
