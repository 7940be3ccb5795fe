"""Make the errors of a collection: one function per kind, each with host, cause and fix in a sentence.

`where` is always the result of `host_label`.  Programs may rely on the kinds; the sentences are for people.
"""

from __future__ import annotations

import re
from typing import Any

from bkpaas.errors import CollectError
from bkpaas.inventory.deployment import Host
from bkpaas.lang import say
from bkpaas.messages import msg

_QUOTABLE = re.compile(rb"^(sudo: [^\n]{1,160}|This account is currently not available[^\n]{0,80})", re.M)
"""Parts of the output of other programs that may be quoted."""


def host_label(host: Host) -> str:
    """Return name and address of a host, or one of them if they are equal."""
    return host.address if host.name == host.address else f"{host.name} ({host.address})"


def via(where: str, jump: str, error: CollectError) -> CollectError:
    """Return the error of a bastion as the error of the host behind it."""
    return CollectError(
        error.kind, msg("{where} by way of {jump}: {reason}", where=where, jump=jump, reason=error.reason)
    )


def unreachable(where: str, cause: str) -> CollectError:
    en = (
        f"{where} cannot be reached: {cause}. Check that it is up, its address and port in the inventory, the "
        "route and the firewalls between."
    )
    zh = f"无法连通 {where}：{cause}。请检查主机是否开机、清单中的地址和端口、路由以及中间的防火墙。"
    return CollectError("unreachable", say(en=en, zh=zh))


def refused(where: str) -> CollectError:
    en = (
        f"{where} refuses the connection: nothing listens on its ssh port. Check that sshd runs there and that "
        "the inventory names its port."
    )
    zh = f"{where} 拒绝连接：ssh 端口没有监听。请确认该主机的 sshd 正在运行，并且清单中的端口正确。"
    return CollectError("refused", say(en=en, zh=zh))


def login_refused(where: str, user: str, cause: str) -> CollectError:
    en = (
        f"{where} does not let {user} in: {cause}. Try `ssh -o BatchMode=yes` with the same user and key; set "
        "user and key in deployment.yaml, or load the key into ssh-agent."
    )
    zh = (
        f"{where} 不允许 {user} 登录：{cause}。请用同一用户和密钥执行 `ssh -o BatchMode=yes` 验证；"
        "在 deployment.yaml 中设置 user 和 key，或将密钥加入 ssh-agent。"
    )
    return CollectError("login_refused", say(en=en, zh=zh))


def host_key_changed(where: str, offered: str) -> CollectError:
    en = (
        f"{where} shows another host key ({offered}) than the one in known_hosts: it was reinstalled, or "
        "something else answers in its place. Nothing was sent. Compare the fingerprint on the host's console "
        "(ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub), then replace the old line (ssh-keygen -R HOST)."
    )
    zh = (
        f"{where} 出示的主机密钥（{offered}）与 known_hosts 中的不一致：主机可能重装过，也可能被冒充。"
        "没有发送任何内容。请在主机控制台核对指纹（ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub），"
        "再替换旧记录（ssh-keygen -R HOST）。"
    )
    return CollectError("host_key_changed", say(en=en, zh=zh))


def host_key_unknown(where: str, offered: str) -> CollectError:
    en = (
        f"the host key of {where} ({offered}) is not in known_hosts, and a key is never accepted unseen. Compare "
        "the fingerprint on the host's console, then add it (ssh-keyscan HOST >> known_hosts), or name the "
        "right file as known_hosts in deployment.yaml."
    )
    zh = (
        f"known_hosts 中没有 {where} 的主机密钥（{offered}），未知密钥从不自动接受。"
        "请在主机控制台核对指纹后加入（ssh-keyscan HOST >> known_hosts），"
        "或在 deployment.yaml 中用 known_hosts 指定正确的文件。"
    )
    return CollectError("host_key_unknown", say(en=en, zh=zh))


def login_hung(where: str, seconds: float, stage: str) -> CollectError:
    """Return the error of a login without end; stage: the awaited event, in the language of the run."""
    en = (
        f"{where} accepts the connection, but {stage} did not come within {seconds:g} s. The host may be out of "
        "memory, its disk or home directory may hang, its DNS be slow; log in by hand and look, or raise "
        "limits.connect_seconds."
    )
    zh = (
        f"{where} 接受了连接，但 {seconds:g} 秒内没有等到{stage}。主机可能内存耗尽、磁盘或家目录挂起、"
        "DNS 过慢；请手工登录查看，或调大 limits.connect_seconds。"
    )
    return CollectError("login_hung", say(en=en, zh=zh))


def hung(where: str, seconds: float) -> CollectError:
    en = (
        f"{where} let us in but did not answer within {seconds:.0f} s: overloaded, or lost on the way. Look at "
        "its load and disks, or raise limits.host_seconds."
    )
    zh = (
        f"{where} 登录成功，但 {seconds:.0f} 秒内没有返回结果：主机过载或中途失联。请检查其负载和磁盘，"
        "或调大 limits.host_seconds。"
    )
    return CollectError("hung", say(en=en, zh=zh))


def out_of_time(where: str, seconds: float) -> CollectError:
    en = (
        f"{where} was not looked at to the end: the time for the whole run ({seconds:g} s) is over. Raise "
        "limits.run_seconds or limits.concurrent_hosts."
    )
    zh = (
        f"{where} 没有检查完：整次运行的时间（{seconds:g} 秒）已用完。"
        "请调大 limits.run_seconds 或 limits.concurrent_hosts。"
    )
    return CollectError("hung", say(en=en, zh=zh))


def closed(where: str, cause: str) -> CollectError:
    en = (
        f"{where} closed the connection: {cause}. Look at its sshd's log (journalctl -u sshd, /var/log/secure) "
        "and at the login shell of that account."
    )
    zh = (
        f"{where} 关闭了连接：{cause}。请查看该主机的 sshd 日志（journalctl -u sshd、/var/log/secure）"
        "以及该账号的登录 shell。"
    )
    return CollectError("closed", say(en=en, zh=zh))


def garbage(where: str, cause: str) -> CollectError:
    en = (
        f"{where} answers something else than what was asked: {cause}. Check that the port is an ssh server's "
        "and that neither a forced command nor the login shell replaces what is run."
    )
    zh = (
        f"{where} 返回的不是预期的内容：{cause}。请确认该端口是 ssh 服务，"
        "并且没有强制命令或登录 shell 替换了要执行的程序。"
    )
    return CollectError("garbage", say(en=en, zh=zh))


def too_much(where: str, limit: int) -> CollectError:
    en = (
        f"{where} sends more than {limit} bytes; the connection was cut. Something there prints without end; if "
        "the answer is truly that large, raise limits.answer_bytes."
    )
    zh = (
        f"{where} 返回的数据超过 {limit} 字节，已切断连接。可能有程序在不停输出；"
        "如果数据确实这么大，请调大 limits.answer_bytes。"
    )
    return CollectError("too_much", say(en=en, zh=zh))


def too_costly(where: str, cause: str) -> CollectError:
    en = (
        f"what {where} answered was not read: {cause}, the limit of one host. Look at what its files and logs hold; "
        "if they are as they should be, please report it."
    )
    zh = f"未解析 {where} 返回的内容：{cause}，超过单台主机的上限。请检查其文件和日志的内容；如果内容正常，请反馈此问题。"
    return CollectError("too_costly", say(en=en, zh=zh))


def undecodable(where: str, error: Exception) -> CollectError:
    """Describe an answer that program.decoded refuses: Garbage or TooMuch."""
    cause = str(error) or say(en="it unpacks to more than is allowed", zh="解压后超过上限")
    return garbage(where, cause)


def no_python(where: str) -> CollectError:
    en = (
        f"no Python (2.6 or newer) was found on {where}: not in PATH, /usr/libexec, /opt/py36, /opt/py27 nor in "
        "the .envs of BlueKing. Install python3 there."
    )
    zh = (
        f"在 {where} 上没有找到 Python（2.6 及以上）：PATH、/usr/libexec、/opt/py36、/opt/py27 "
        "以及蓝鲸的 .envs 中都没有。请在该主机安装 python3。"
    )
    return CollectError("no_python", say(en=en, zh=zh))


def sudo_denied(where: str, message: str) -> CollectError:
    en = (
        f"sudo on {where} refuses: {message}. Allow this account sudo without a password (NOPASSWD) and without a "
        "terminal (!requiretty), or log in as root."
    )
    zh = (
        f"{where} 上的 sudo 被拒绝：{message}。请为该账号配置免密码（NOPASSWD）且不要求终端（!requiretty）的 sudo，"
        "或改用 root 登录。"
    )
    return CollectError("sudo_denied", say(en=en, zh=zh))


def config(where: str, cause: str) -> CollectError:
    en = (
        f"the connection to {where} cannot be set up here: {cause}. Correct key, known_hosts, ssh_config or "
        "bastion in deployment.yaml; if only OpenSSH understands your ssh_config, use --transport openssh."
    )
    zh = (
        f"本机无法建立到 {where} 的连接：{cause}。请修正 deployment.yaml 中的 key、known_hosts、ssh_config 或 "
        "bastion；如果只有 OpenSSH 能读懂该 ssh_config，请使用 --transport openssh。"
    )
    return CollectError("config", say(en=en, zh=zh))


def backend(where: str, cause: str) -> CollectError:
    en = f"{where} could not be looked at: {cause}. Try the same connection by hand with the tool that it names."
    zh = f"无法检查 {where}：{cause}。请用对应的工具手工尝试同样的连接。"
    return CollectError("backend", say(en=en, zh=zh))


def interrupted(where: str) -> CollectError:
    en, zh = f"{where} was not looked at to the end: interrupted.", f"{where} 没有检查完：运行被中断。"
    return CollectError("interrupted", say(en=en, zh=zh))


def suite(where: str, cause: str) -> CollectError:
    en = f"a fault of this suite while looking at {where}: {cause}. Please report it."
    zh = f"检查 {where} 时本套件自身出错：{cause}。请反馈此问题。"
    return CollectError("suite", say(en=en, zh=zh))


def unexpected(where: str, word: str, value: Any, limit: int) -> CollectError:
    """Return the error for an unexpected event of bkpaas.collect.program.AnswerParser."""
    if word == "too much":
        return too_much(where, limit)
    if word == "nopython":
        return no_python(where)
    if word == "failed":
        return suite(where, value)
    return garbage(where, value if word == "garbage" else word)


def ended(where: str, noise: bytes, stderr: bytes, status: int | None) -> CollectError:
    """Return the error for an end before the answer; noise, stderr: last output of other programs."""
    quote = _QUOTABLE.search(stderr) or _QUOTABLE.search(noise)
    text = quote.group(1).decode("utf-8", "replace").strip() if quote else ""
    if text.startswith("sudo:"):
        return sudo_denied(where, text)
    if noise and not text:
        return garbage(where, say(en=f"{len(noise)} bytes, then the end", zh=f"{len(noise)} 字节后即结束"))
    code = "" if status is None else say(en=f", exit status {status}", zh=f"，退出码 {status}")
    return closed(where, text or say(en=f"before the answer{code}", zh=f"返回结果之前{code}"))
