"""A healthz that names a setting is explained by what is wrong with this setting, and by no other setting."""

import json
from typing import Any

import pytest

OTHER = "http://192.0.2.10:8080"
CC = "系统 CC 接口访问异常：Component request third-party system [CC] interface [get_app_list] error: refused"
CC_6 = "System CC interface access abnormal: Component request third-party system [CC] interface [x] error: x"
LOGIN_PAGE = "第三方依赖连接超时: name=login_host, host=http://192.0.2.10:8080,  error=x"
USERMGR = (
    "System BK_LOGIN interface access abnormal: Component request third-party system [USERMANAGE] error: x"
)


def broken(service: str, message: str, setting: str) -> Any:
    """Let a service report this, and give a setting of it another value, both on paas-1."""

    def change(snapshot: dict[str, Any]) -> None:
        host = snapshot["hosts"]["paas-1"]
        plain = service == "paas"  # paas of 5.x answers 500 with a text
        body = message if plain else json.dumps({"ok": False, "message": message})
        host["answers"]["by_name"][f"healthz-{service}"].update(body=body, status=500 if plain else 200)
        row = host["settings"]["by_project"][service]["values"][setting]
        row[3], row[4] = OTHER, ""

    return change


@pytest.mark.parametrize(
    ("service", "message", "setting", "explained"),
    [
        ("esb", CC, "HOST_CC", True),
        ("esb", CC_6, "HOST_CC", True),
        ("esb", CC, "HOST_FTA", False),
        ("esb", CC, "HOST_JOB", False),
        ("esb", USERMGR, "HOST_CC", False),
        ("esb", "settings 配置中 HOST_FTA 不能为空", "HOST_FTA", True),
        ("esb", "settings 配置中 HOST_FTA 不能为空", "HOST_CC", False),
        ("esb", "数据库连接出现异常：(2003, 'x')", "HOST_CC", False),
        ("paas", LOGIN_PAGE, "LOGIN_HOST", True),
        ("paas", LOGIN_PAGE, "HOST_JOB", False),
    ],
)
def test_a_healthz_that_names_a_setting(
    record: Any, service: str, message: str, setting: str, explained: bool
) -> None:
    results = record(broken(service, message, setting))
    verdict = next(one for one in results["verdicts"] if one["id"] == f"healthz-{service}@paas-1")
    roots = {id_.partition("@")[0] for id_ in results["root_causes"]}
    assert "login-settings-equal" in roots
    assert (f"healthz-{service}" not in roots) is explained, verdict
    by = "login-settings-equal@paas-1+paas-2"
    assert (by in verdict["explained_by"]) is explained
