"""What login's access log of the last minutes tells of its answers to those who ask whether a user is logged in."""

from collections import Counter

from bkpaas.checks import (
    Access,
    Deployment,
    Finding,
    HostView,
    NoData,
    condition,
    host_time,
    say,
)


def _recent(host: HostView, deployment: Deployment, finding: Finding) -> list[Access]:
    """The calls of the last minutes, told apart by how they came."""
    access, minutes = host.login_access, deployment.thresholds.log_window_minutes
    calls = [
        call for call in access.calls if call.time is not None and host_time(host) - call.time <= minutes * 60
    ]
    if not calls and access.problems:
        raise NoData("; ".join(access.problems))
    if not calls and access.strange:
        raise NoData(
            say(
                en=f"{access.strange} lines name is_login or get_user in a log-format that is not known",
                zh=f"{access.strange} 行包含 is_login 或 get_user，但日志格式无法识别",
            )
        )
    callers = Counter((call.peer, call.way) for call in calls)
    words = {
        "nginx": say(en="through nginx", zh="经 nginx"),
        "ESB": say(en="directly, as ESB does", zh="直接访问（ESB 的方式）"),
        "direct": say(en="directly", zh="直接访问"),
    }
    finding.add_evidence(
        say(
            en=f"{len(calls)} calls within {minutes:.0f} minutes",
            zh=f"{minutes:.0f} 分钟内 {len(calls)} 次调用",
        )
        + "".join(f"; {peer} {words[way]}: {count}" for (peer, way), count in callers.most_common(8))
    )
    return calls


@condition("login-access-log-status")
def test_login_answered_without_errors(host: HostView, deployment: Deployment, finding: Finding) -> None:
    """Hardly any recent call of is_login or get_user was answered with a server error."""
    calls = _recent(host, deployment, finding)
    failed = [call for call in calls if call.status >= 500]
    limit = deployment.thresholds.login_error_percent
    assert len(failed) * 100 <= limit * len(calls), say(
        en=f"{len(failed)} of {len(calls)} calls were answered with a server error (limit {limit} %), the last: HTTP "
        f"{failed[-1].status} {failed[-1].path} for {failed[-1].peer}; {finding.evidence[-1]}",
        zh=f"{len(calls)} 次调用中有 {len(failed)} 次返回服务器错误（上限 {limit} %），最近一次：HTTP {failed[-1].status} "
        f"{failed[-1].path}，来自 {failed[-1].peer}；{finding.evidence[-1]}",
    )


@condition("login-access-log-latency")
def test_login_answered_quickly(host: HostView, deployment: Deployment, finding: Finding) -> None:
    """Nineteen of twenty recent calls of is_login or get_user were answered in good time."""
    calls = sorted(_recent(host, deployment, finding), key=lambda call: call.milliseconds)
    if not calls:
        return
    slow = calls[min(len(calls) - 1, len(calls) * 19 // 20)]
    limit = deployment.thresholds.login_slow_seconds
    assert slow.milliseconds <= limit * 1000, say(
        en=f"5% took {slow.milliseconds / 1000:.1f} s or longer (limit {limit} s), such as {slow.path} for "
        f"{slow.peer}; {finding.evidence[-1]}",
        zh=f"5% 的调用耗时 {slow.milliseconds / 1000:.1f} 秒以上（上限 {limit} 秒），例如来自 {slow.peer} 的 "
        f"{slow.path}；{finding.evidence[-1]}",
    )
