"""Styles and scripts of a SaaS that nginx of the app host may not read."""

from __future__ import annotations

from lab.control import Lab
from lab.faults.actions import host
from lab.faults.fault import Fault

SECTION = "appt-502"


def static(lab: Lab) -> str:
    return f"{lab.layout.home}/paas_agent/apps/projects/bk_framework/code/bk_framework/static"


def make_static(lab: Lab, file: str, folder: str) -> None:
    """An application with one style, of these modes."""
    path = static(lab)
    lab.run(
        host(lab, "appo"),
        f"mkdir -p {path} && echo 'a {{}}' > {path}/style.css && chmod {file} {path}/style.css && chmod {folder} {path}",
    )


def remove_static(lab: Lab) -> None:
    lab.run(host(lab, "appo"), f"rm -rf {static(lab)}")


FAULTS = (
    Fault(
        "saas-static-closed",
        "saas-run-state",
        SECTION,
        "an upload under umask 077 left the styles of bk_framework on the appo host closed to nginx",
        "在 umask 077 下上传后，appo 主机上 bk_framework 的样式目录对 nginx 不可读",
        lambda lab: make_static(lab, "755", "700"),
        remove_static,
    ),
    Fault(
        "saas-static-file-closed",
        "saas-run-state",
        SECTION,
        "a style of bk_framework on the appo host may be read by root only",
        "appo 主机上 bk_framework 的一个样式文件只有 root 可读",
        lambda lab: make_static(lab, "600", "755"),
        remove_static,
    ),
)
