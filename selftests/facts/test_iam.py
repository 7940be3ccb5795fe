"""What paas's log has of bkiam, and the address of bkiam in its settings."""

from __future__ import annotations

import recorded

from bkpaas.facts import Secrets
from bkpaas.facts.file import Files
from bkpaas.facts.iam import iam_address, iam_failures
from bkpaas.facts.settings import settings

LOG = f"{recorded.HOME}/logs/open_paas/paas_uwsgi.log"
FAILED = """\
Traceback (most recent call last):
  File "./bkauth/decorators.py", line 20, in wrapper
    raise AuthAPIError(message)
iam.exceptions.AuthAPIError: verify from iam server fail
[10.0.1.1] [Mon Jul 30 09:47:28 2018] [GET] [/platform/?bk_token=Pl4nted] [HTTP/1.0] [500] [12] [-] [Mozilla]
"""
OTHER = """\
Traceback (most recent call last):
  File "x.py", line 1, in x
KeyError: 'x'
[10.0.1.1] [Mon Jul 30 09:47:29 2018] [GET] [/app/list/] [HTTP/1.0] [500] [12] [-] [Mozilla]
"""
WELL = "[10.0.1.1] [Mon Jul 30 09:47:30 2018] [GET] [/platform/] [HTTP/1.0] [200] [12] [-] [Mozilla]\n"


def tails(text: str) -> Files:
    return {"uwsgi-log-paas": [recorded.entry(LOG, text)]}


def test_only_requests_with_an_exception_of_bkiams_client_count() -> None:
    failures = iam_failures(tails(FAILED + OTHER), Secrets())
    assert [(one.route, one.exception) for one in failures.failed] == [
        ("GET /platform/", "iam.exceptions.AuthAPIError (verify from iam server fail)")
    ]
    assert failures.files == (LOG,)
    assert "Pl4nted" not in repr(failures)


def test_a_redirect_to_the_login_form_is_no_success() -> None:
    assert len(iam_failures(tails(FAILED + WELL.replace("[200]", "[302]")), Secrets()).failed) == 1


def test_a_page_that_succeeded_since_does_not_count() -> None:
    assert iam_failures(tails(FAILED + WELL), Secrets()).failed == ()
    assert iam_failures({}, Secrets()).failed == ()


def test_the_address_of_bkiam() -> None:
    def address(line: str) -> str:
        path = f"{recorded.HOME}/open_paas/paas/conf/settings_production.py"
        return iam_address(settings({"settings-paas-2": [recorded.entry(path, line)]}, Secrets()))

    assert address("HOST_IAM_NEW = 'bkiam.service.consul:5001'") == "bkiam.service.consul:5001"
    for line in (
        "X = 1",
        "HOST_IAM_NEW = ''",
        "HOST_IAM_NEW = ':'",
        "HOST_IAM_NEW = 'a/b:1'",
        "HOST_IAM_NEW = 5",
    ):
        assert address(line) == ""
