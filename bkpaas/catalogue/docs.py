"""Write docs/faq.md and docs/faq.zh-CN.md from the catalogue: `python -m bkpaas.catalogue.docs`."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

from bkpaas.catalogue.model import Case, Condition, Point, ReadOn, Relation, RemedyPart, Section, Text
from bkpaas.catalogue.registry import CONDITIONS, SECTIONS, TOPOLOGY, section_of
from bkpaas.catalogue.scope import OnController, PerLink, PerPair, PerVirtualAddress, Scope
from bkpaas.catalogue.sources import reads
from bkpaas.catalogue.variables import render_usual
from bkpaas.inventory.deployment import DEFAULT_PORTS
from bkpaas.language import LANGUAGES, Language

DOCS = Path(__file__).parents[2] / "docs"
FILES: dict[Language, str] = {"en": "faq.md", "zh": "faq.zh-CN.md"}

_TITLE = Text(en="The PaaS FAQ: what is checked, and what to do about it", zh="PaaS平台FAQ：检查项手册")
_OTHER = Text(
    en="[中文：PaaS平台FAQ：检查项手册](faq.zh-CN.md)",
    zh="[English: The PaaS FAQ: what is checked, and what to do about it](faq.md)",
)
_SERVICES = (
    ("appengine", "appengine", Text(en="deployments of SaaS", zh="应用部署引擎")),
    ("paas", "paas", Text(en="developer center", zh="开发者中心")),
    ("esb", "esb", Text(en="component interfaces", zh="组件接口")),
    ("login", "login", Text(en="login service", zh="登录服务")),
    ("console", "console", Text(en="desktop, where there is one", zh="桌面（如果有）")),
    (
        "agent_nginx",
        "nginx",
        Text(en="SaaS, on every appo and appt host", zh="SaaS，在每台 appo、appt 主机上"),
    ),
    ("paas_agent", "paas_agent", Text(en="on every appo and appt host", zh="在每台 appo、appt 主机上")),
)
_HEAD = Text(
    en="""\
This page lists every section of the platform's FAQ: what the FAQ says, which conditions check it, and for each condition
what it reads, when it fails, what a failure means and how to repair it. `script/docs` writes the page from
`bkpaas/catalogue/`.

- A condition is checked for each of its subjects: a host, a connection `FROM+TO`, a pair of hosts, or `controller`, the
  machine that runs the suite.
- `-m MARKER` checks a section and everything that can cause its failures. `--only CONDITION@SUBJECT` checks one id; use it
  after a repair.
- Names in backquotes before a number, such as `disk_free_percent` (1), are limits and thresholds that can be set in
  [deployment.yaml](../inventory/README.md).
- A condition is no_data if its inputs could not be read. `host-reachable` can be the cause of any failure on that host.
- not_applicable means that there is nothing to check here, with the reason in the verdict. With a single paas host this
  applies to every comparison of two hosts, and without app hosts to every condition about them. On generation 6.x, which
  has other process managers, it applies to every condition whose generations are "5.x only".
- A known failure can be accepted until a date: [waivers](runs.md). no_data cannot be waived.
- Commands contain the usual paths below `/data/bkce`. Replace words in CAPITALS (DOMAIN_PORT is 80, or 443 for https,
  unless the site has another port). A line that begins with # is a step to do by hand before the next line. A report has
  the actual paths, addresses and ports of the host instead. The suite does not run any of these commands.
- For conditions of your site see [custom checks](custom-checks.md).
""",
    zh="""\
本页列出平台 FAQ 的每一节：原文内容、由哪些检查项检查，以及每个检查项读取什么、何时失败、失败的影响和处理办法。由 `script/docs` 根据
检查项目录 `bkpaas/catalogue/` 生成。

- 检查项对每个对象分别判定：主机、连接 `源+目标`、一对主机，或 `controller`（运行套件的机器）。
- `-m 标记` 判定一节及其所有可能原因；`--only 检查项@对象` 只判定一项：处理之后请这样复查。
- 反引号中的名称后跟数字（例如 `disk_free_percent`（1））是限值或阈值，可在 [deployment.yaml](../inventory/README.zh-CN.md) 中修改。
- 所需内容无法读取时判定为 no_data；`host-reachable` 可能是该主机上任何失败的原因。
- not_applicable 表示这里没有检查对象，判定中写明原因。只有一台 paas 主机时，所有两台之间的比较都是如此；没有 app 主机时，与其有关的检查项都是如此。6.x 的进程管理方式不同，版本标明“仅 5.x”的检查项为 not_applicable。
- 已知的失败可以豁免至指定日期：见[豁免](runs.zh-CN.md)。no_data 不能豁免。
- 命令使用 `/data/bkce` 下的常见路径；大写单词需自行替换（DOMAIN_PORT 一般为 80，https 为 443）。以 # 开头的行需先手工完成，再执行下一行。报告中则是该主机的实际路径、地址和端口。套件从不执行这些命令。
- 站点可以添加自己的检查项：[自定义检查](custom-checks.zh-CN.md)。
""",
)
_SEVERITY = {
    "fail": Text(en="failure", zh="失败"),
    "warn": Text(en="warning", zh="警告"),
}
RELATIONS: dict[Relation, Text] = {
    "same-host": Text(en="on the same host", zh="同一主机"),
    "same-setting": Text(en="about the same setting of the same host", zh="同一主机的同一配置项"),
    "wrong-role": Text(en="for a role of the same host", zh="针对同一主机的角色"),
    "source": Text(en="from the same host", zh="同一来源主机"),
    "target": Text(en="on the host that is reached", zh="目标主机"),
    "same-link": Text(en="between the same hosts", zh="相同的两台主机"),
    "needed": Text(en="on a host that it needs", zh="所依赖的主机"),
    "anywhere": Text(en="anywhere", zh="任意位置"),
    "seen-from-host": Text(en="for the controller, on any host", zh="对运行套件的机器而言，任一主机"),
    "seen-by-all": Text(en="as the controller sees it", zh="从运行套件的机器看到的"),
}


def page(language: Language) -> str:
    """Return the whole page in one language: Markdown with anchors that are the ids and keys of the catalogue."""
    return "\n".join(_wrapped(line, language) for line in _lines(language)) + "\n"


def _wrapped(line: str, language: Language) -> str:
    """Wrap English text; Chinese stays on one line, where a line break would show as a space."""
    if language == "zh" or line.startswith(("|", "#")) or "\n" in line:
        return line
    indent = re.match(r"( *- |\d+\. )?", line)
    assert indent is not None
    return textwrap.fill(
        line, 118, subsequent_indent=" " * len(indent[0]), break_long_words=False, break_on_hyphens=False
    )


def _lines(language: Language) -> Iterator[str]:
    yield from (f"# {_TITLE.in_(language)}", "", _OTHER.in_(language), "", _HEAD.in_(language))
    yield f"| {Text(en='section', zh='章节').in_(language)} | `-m` |"
    yield "|---|---|"
    for section in SECTIONS:
        yield f"| {_link(section.key, section.title.in_(language))} | `{section.marker}` |"
    yield from ("", Text(en="Default ports:", zh="默认端口：").in_(language), "")
    yield f"| {Text(en='port', zh='端口').in_(language)} | {Text(en='service', zh='服务').in_(language)} | |"
    yield "|---|---|---|"
    for port, name, description in _SERVICES:
        yield f"| {DEFAULT_PORTS[port]} | {name} | {description.in_(language)} |"
    for section in SECTIONS:
        yield from _section(section, language)
    yield from _components(language)


def _components(language: Language) -> Iterator[str]:
    """Yield the components of the topology: what each needs, what breaks it and how that shows."""
    yield from ("", f"## {Text(en='Components of the platform', zh='平台的组成').in_(language)}", "")
    yield Text(
        en="The components that the causes above refer to: what each needs, and the conditions that fail when it is "
        "broken.",
        zh="上述原因涉及的组件：各自的依赖，以及它出问题时失败的检查项。",
    ).in_(language)
    head = [
        Text(en="component", zh="组件"),
        Text(en="needs", zh="依赖"),
        Text(en="consists of", zh="包含"),
        Text(en="broken when these fail", zh="出问题时失败的检查项"),
        Text(en="how it shows", zh="表现"),
    ]
    yield from ("", f"| {' | '.join(name.in_(language) for name in head)} |", "|---" * len(head) + "|")
    for component in TOPOLOGY.component.values():
        cells = [
            component.name.in_(language),
            *(
                _comma(language).join(TOPOLOGY.component[name].name.in_(language) for name in names)
                for names in (component.needs, component.parts)
            ),
            _links(component.broken_by, language),
            component.mechanism.in_(language) if component.mechanism else "",
        ]
        yield f"| {' | '.join(cells)} |"


def _section(section: Section, language: Language) -> Iterator[str]:
    yield from ("", f'<a id="{section.key}"></a>', "", f"## {section.title.in_(language)}", "")
    yield from (f"`-m {section.marker}`", "", section.introduction.in_(language), "")
    if section.points:
        yield Text(en="The FAQ says, in short:", zh="FAQ 的要点：").in_(language)
        yield ""
        yield from (_point(point, language) for point in section.points)
        yield ""
    yield Text(en="Where to look, in this order:", zh="按此顺序检查：").in_(language)
    yield ""
    for number, id_ in enumerate(section.conditions, 1):
        yield f"{number}. {_link(id_)}{_colon(language)}{CONDITIONS[id_].title.in_(language)}"
    for id_ in section.conditions:
        if section_of(id_) is section:
            yield from _condition(CONDITIONS[id_], language)


def _point(point: Point, language: Language) -> str:
    lines = [f"- *{point.faq_text.in_(language)}*"]
    if point.answer:
        lines.append(point.answer.in_(language))
    if point.conditions:
        checked = Text(en="Checked by", zh="检查项：").in_(language)
        end = Text(en=".", zh="。").in_(language)
        lines.append(checked + (" " if language == "en" else "") + _links(point.conditions, language) + end)
    return " ".join(lines)  # without the space, Markdown takes no star for an end after a full stop


def _condition(condition: Condition, language: Language) -> Iterator[str]:
    def item(name: Text, text: str) -> str:
        return f"- **{name.in_(language)}**{_colon(language)}{text}"

    yield from (
        "",
        f"### {condition.id}",
        "",
        f"{condition.title.in_(language)}{Text(en='.', zh='。').in_(language)}",
        "",
    )
    yield item(Text(en="Severity", zh="级别"), _SEVERITY[condition.severity].in_(language))
    yield item(Text(en="Judged on", zh="判定对象"), _subjects_text(condition, language))
    yield item(Text(en="Reads", zh="读取内容"), condition.inputs.in_(language))
    yield item(Text(en="Generations", zh="版本"), _generations(condition, language))
    yield from (
        f"  - {_GENERATIONS[generation].in_(language)}{_colon(language)}{text.in_(language)}"
        for generation, text in reads(condition).items()
    )
    yield item(Text(en="Fails when", zh="失败条件"), condition.rule.in_(language))
    yield item(Text(en="Means", zh="含义"), condition.impact.in_(language))
    if listed := causes(condition, language):
        yield item(Text(en="Can be caused by", zh="可能原因"), listed)
    for entry in condition.caused_by:
        if not entry.component:
            names = _links(dict.fromkeys(cause.condition for cause in entry.causes), language)
            only = " ".join(entry.generations)
            where = Text(en=f" ({only})", zh=f"（{only}）").in_(language) if only else ""
            yield f"  - {names}{where}{_colon(language)}{entry.mechanism.in_(language)}"
    effects = [
        other.id
        for other in CONDITIONS.values()
        if condition.id in {cause.condition for cause in other.causes}
    ]
    if condition.id == "host-reachable":
        effects = [
            Text(en="everything that is judged on this host", zh="该主机上的所有其他检查").in_(language)
        ]
        yield item(Text(en="Can cause", zh="可能导致"), effects[0])
    elif effects:
        yield item(Text(en="Can cause", zh="可能导致"), _links(effects, language))
    remedies: dict[tuple[RemedyPart, ...], list[Case]] = {}
    for case in condition.cases:
        remedies.setdefault(case.parts, []).append(case)
    for parts, cases in remedies.items():
        yield from _repair(parts, cases if len(remedies) > 1 else [], language)


def _repair(parts: tuple[RemedyPart, ...], cases: list[Case], language: Language) -> Iterator[str]:
    """Yield a remedy, under the headlines of its cases."""
    head = f"**{Text(en='Repair', zh='处理方法').in_(language)}**{_colon(language)}"
    for case in cases:
        yield from ("", f"*{render_usual(case.headline.in_(language))}*")
    for part in parts:
        only = f"{' '.join(part.generations)}{_colon(language)}" if len(part.generations) == 1 else ""
        yield from ("", head + only + render_usual(part.text.in_(language)))
        if part.commands:
            commands = (render_usual(command.line(language))[2:] for command in part.commands)
            yield from ("", "\n".join(("```bash", *commands, "```")))
        head = ""


_GENERATIONS: dict[ReadOn, Text] = {
    "5.x": Text(en="5.x (supervisord)", zh="5.x（supervisord）"),
    "6.0": Text(en="6.0 and 6.1 (systemd)", zh="6.0 和 6.1（systemd）"),
    "6.2": Text(en="6.2 and later (docker)", zh="6.2 及以上（docker）"),
}


def _generations(condition: Condition, language: Language) -> str:
    """Return on which generations a condition is judged, and whether each reads the same."""
    if condition.generations == ("5.x",):
        return Text(en="5.x only", zh="仅 5.x").in_(language)
    if reads(condition):
        text = Text(en="what is read differs", zh="读取内容有差异")
    elif condition.generations == ("6.x",):
        text = Text(en="6.0 and later, the same is read", zh="6.0 及以上，读取内容相同")
    else:
        text = Text(en="all, the same is read", zh="全部，读取内容相同")
    return text.in_(language)


def _subjects_text(condition: Condition, language: Language) -> str:
    text = _comma(language).join(_scope(scope, language) for scope in condition.scopes)
    if condition.schemes == ("https",):
        text += Text(en="; behind https only", zh="；仅 https").in_(language)
    return text


def _scope(scope: Scope, language: Language) -> str:
    def either(roles: tuple[str, ...]) -> str:
        return Text(en=" or ", zh=" 或 ").in_(language).join(roles)

    if isinstance(scope, OnController):
        return Text(en="the controller", zh="运行套件的机器").in_(language)
    if isinstance(scope, PerPair):
        return Text(en=f"each pair of {scope.role} hosts", zh=f"每两台 {scope.role} 主机").in_(language)
    if isinstance(scope, PerLink):
        sources, targets = either(scope.sources), either(scope.targets)
        return Text(
            en=f"each connection from a {sources} host to an {targets} host"
            if targets[0] in "aeiou"
            else f"each connection from a {sources} host to a {targets} host",
            zh=f"每条从 {sources} 主机到 {targets} 主机的连接",
        ).in_(language)
    if isinstance(scope, PerVirtualAddress):
        return Text(en="each virtual address of the inventory", zh="清单中的每个虚拟地址").in_(language)
    if not scope.roles:
        return Text(en="every host", zh="每台主机").in_(language)
    return Text(en=f"every {either(scope.roles)} host", zh=f"每台 {either(scope.roles)} 主机").in_(language)


def causes(condition: Condition, language: Language) -> str:
    """Return the causes of a condition by their relation, those of the same host first."""
    parts = []
    for relation, name in RELATIONS.items():
        ids = dict.fromkeys(cause.condition for cause in condition.causes if cause.relation == relation)
        if ids:
            parts.append(f"{name.in_(language)}{_colon(language)}{_links(ids, language)}")
    return Text(en="; ", zh="；").in_(language).join(parts)


def _link(id_: str, text: str | None = None) -> str:
    return f"[{text or id_}](#{id_})"


def _links(ids: object, language: Language) -> str:
    return _comma(language).join(_link(id_) for id_ in ids)  # type: ignore[attr-defined]


def _colon(language: Language) -> str:
    return Text(en=": ", zh="：").in_(language)


def _comma(language: Language) -> str:
    return Text(en=", ", zh="、").in_(language)


def main() -> None:
    DOCS.mkdir(exist_ok=True)
    for language in LANGUAGES:
        (DOCS / FILES[language]).write_text(page(language), encoding="utf-8")
        print(DOCS / FILES[language])


if __name__ == "__main__":
    main()
