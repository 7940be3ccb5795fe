"""What a command line asks for: help, a plan, an explanation, or a run. Only a run imports the modules of a run."""

from __future__ import annotations

import argparse
from pathlib import Path
from shutil import get_terminal_size

import pytest

from bkpaas import libraries
from bkpaas.errors import SuiteError
from bkpaas.language import language_of_locale, set_language
from bkpaas.messages import msg, plural, to_text

RUN = (
    "bkpaas.plugin.plain_assertions",
    "bkpaas.plugin.options",
    "bkpaas.plugin.session",
    "bkpaas.plugin.selection",
    "bkpaas.plugin.fixtures",
    "bkpaas.plugin.verdicts",
    "bkpaas.plugin.protocol",
    "bkpaas.plugin.read_facts",
)
"""The plugins of a run, in the order in which they are registered."""
INFORMATIVE = ("markers", "showfixtures", "show_fixtures_per_test", "version", "cacheshow")
"""Options of pytest that need no deployment; some print what the plugins of a run add."""


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Answer --plan, --collect-plan and --explain of a record; load the plugins of a run for anything but --help."""
    option = config.option
    set_language(option.lang or language_of_locale())
    if option.inventory or option.from_snapshot:
        libraries.capture()
    if option.explain and not (option.inventory or option.from_snapshot):
        from bkpaas.plugin.explanation import explain_record

        record = Path(option.report) / "results.json"
        print("\n".join(explain_record(record, option.explain, get_terminal_size().columns)))
        return 0
    if option.help:
        return None
    if not hasattr(config, "workerinput") and not any(getattr(option, name, False) for name in INFORMATIVE):
        _require_deployment(option)
        if option.collect_plan:
            return _plan_round(option)
        if option.plan:
            _print_plan(config)
            return 0
        _leave_workers_out(option)
    for name in RUN:
        config.pluginmanager.import_plugin(name)
    return None


def _require_deployment(option: argparse.Namespace) -> None:
    """Raise UsageError if no deployment is named, or options are given that do not go together."""
    if option.from_snapshot and (option.inventory or option.limit or option.plan):
        raise pytest.UsageError(
            to_text(
                msg("--from-snapshot brings its own inventory: leave --inventory, --limit and --plan out")
            )
        )
    if option.from_snapshot and (option.collect_plan or option.from_answers):
        raise pytest.UsageError(
            to_text(msg("--from-snapshot checks offline: leave --collect-plan and --from-answers out"))
        )
    if not option.inventory and not option.from_snapshot:
        raise pytest.UsageError(
            to_text(
                msg(
                    "which deployment? Give --inventory PATH (a copy of /data/install, an install.config or a directory with deployment.yaml). To see the suite at work without one: script/demo"
                )
            )
        )


def _leave_workers_out(option: argparse.Namespace) -> None:
    """Ignore -n for a snapshot, unless --dist is given too: each worker would read all of it once more."""
    if option.from_snapshot and getattr(option, "numprocesses", None) and option.dist == "no":
        print(
            to_text(
                msg(
                    "-n {number} is ignored: one process judges a snapshot faster (--dist load uses workers all the same)",
                    number=option.numprocesses,
                )
            )
        )
        option.numprocesses = 0


def _print_plan(config: pytest.Config) -> None:
    """Print what would be read and requested on each host."""
    from bkpaas.collect import plan_text
    from bkpaas.plugin.loading import load_deployment

    option = config.option

    print(to_text(plan_text.describe(load_deployment(option.inventory, option.limit, visits=False))))
    if (config.rootpath / "tests_site").is_dir():
        print(
            to_text(
                msg("    tests_site/: requests that its tests send to hosts themselves are not listed here")
            )
        )
    if option.login_user:
        print(
            to_text(
                msg(
                    "    controller: log {login_user} in through the login form (POST), request is_login and the platform with its token",
                    login_user=option.login_user,
                )
            )
        )


def _plan_round(option: argparse.Namespace) -> int:
    """Write the scripts of the next round for an engine, and say how to go on."""
    from bkpaas.collect.deployment import plan_round  # asyncssh and requests take longer than a start
    from bkpaas.plugin.loading import load_deployment
    from bkpaas.plugin.outputs import not_written

    directory = Path(option.collect_plan)
    if option.from_answers:
        raise pytest.UsageError(
            to_text(msg("--collect-plan writes plans, --from-answers checks: give only one of them"))
        )
    deployment = load_deployment(option.inventory, option.limit, visits=False)
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
