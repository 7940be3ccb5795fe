"""What a condition reads on each generation: written in its file, else derived from the nouns of facts that its check reads.

nouns.toml has the nouns of each condition, written by `python -m selftests.docs.nouns`: it runs every check.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from bkpaas.catalogue.model import Condition, ReadOn, Text
from bkpaas.inventory.platform import settings_files_of

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

NOUNS = Path(__file__).with_name("nouns.toml")


def _settings(generation: ReadOn) -> Text:
    files = settings_files_of("5.x" if generation == "5.x" else "6.x")
    paths = [f"`{path.removeprefix('open_paas/')}`" for paths in files.values() for path in paths]
    host = Text(en=" of the host, which the container mounts", zh="（宿主机的文件，由容器挂载）")
    where = host if generation == "6.2" else Text(en="", zh="")
    return Text(en=f"{', '.join(paths)}{where.en}", zh=f"{'、'.join(paths)}{where.zh}")


def _all(first: Text, second: Text, third: Text) -> Mapping[ReadOn, Text]:
    return {"5.x": first, "6.0": second, "6.2": third}


_OPENRESTY = Text(
    en="`/usr/local/openresty/nginx/conf` and its `conf.d`, which consul-template writes",
    zh="`/usr/local/openresty/nginx/conf` 及其 `conf.d`（由 consul-template 写入）",
)
_CONSUL_NAMES = Text(
    en="the domains, and `paas.service.consul`, as the resolver of the host answers",
    zh="各域名和 `paas.service.consul` 在本机的解析结果",
)
_AS_BEFORE = Text(en="as in 6.0", zh="与 6.0 相同")
SOURCES: Mapping[str, Mapping[ReadOn, Text]] = {
    "settings": _all(_settings("5.x"), _settings("6.0"), _settings("6.2")),
    "nginx": _all(
        Text(
            en="the files of the nginx that runs, with `etc/nginx` of the installation",
            zh="正在运行的 nginx 的文件，包括安装目录下的 `etc/nginx`",
        ),
        _OPENRESTY,
        _OPENRESTY,
    ),
    "services": _all(
        Text(en="the programs of supervisord", zh="supervisord 的程序"),
        Text(en="the units `bk-paas-*` and their control groups", zh="`bk-paas-*` 单元及其控制组"),
        Text(en="the containers `bk-paas-*` and their control groups", zh="`bk-paas-*` 容器及其控制组"),
    ),
    "names": _all(
        Text(en="the domains, as the resolver of the host answers", zh="各域名在本机的解析结果"),
        _CONSUL_NAMES,
        _CONSUL_NAMES,
    ),
}
"""The nouns that are read differently on the generations; all others are read alike."""


@cache
def nouns() -> Mapping[str, tuple[str, ...]]:
    """Return the nouns of facts that the check of each condition reads."""
    table = tomllib.loads(NOUNS.read_text("utf-8"))["nouns"]
    return {id_: tuple(names) for id_, names in table.items()}


def reads(condition: Condition) -> Mapping[ReadOn, Text]:
    """Return what a condition reads on each of its generations; empty where it is the same on all."""
    if condition.reads:
        return condition.reads
    sources = [SOURCES[noun] for noun in nouns().get(condition.id, ()) if noun in SOURCES]
    generations: tuple[ReadOn, ...] = ("5.x", "6.0", "6.2")
    if not sources:
        return {}
    texts: dict[ReadOn, Text] = {
        generation: Text(
            en="; ".join(source[generation].en for source in sources),
            zh="；".join(source[generation].zh for source in sources),
        )
        for generation in generations
        if ("5.x" if generation == "5.x" else "6.x") in condition.generations
    }
    if "6.2" in texts and texts["6.2"] == texts["6.0"]:
        texts["6.2"] = _AS_BEFORE
    return texts
