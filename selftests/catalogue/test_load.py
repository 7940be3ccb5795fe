"""A file of the catalogue that cannot be used is refused, with the file and the line or the key."""

import re
import shutil

import pytest
from msgspec.structs import replace

from bkpaas.catalogue.load import FOLDER, load_catalogue, load_condition, load_topology
from bkpaas.catalogue.model import Command, Text
from bkpaas.catalogue.registry import TOPOLOGY
from bkpaas.catalogue.scope import OnController, PerHost, PerLink, PerPair, PerVirtualAddress
from bkpaas.catalogue.validate import validate, validate_condition
from bkpaas.errors import CatalogueError

CONDITION = """\
scope = {per = "host", roles = ["paas"]}
severity = "fail"

title.en = "It is so"
title.zh = "如此"
inputs.en = "A file."
inputs.zh = "文件。"
rule.en = "It is not so."
rule.zh = "并非如此。"
impact.en = \"\"\"
A long line
that goes on.
\"\"\"
impact.zh = \"\"\"
第一行，
第二行。
\"\"\"

[case.gone]
headline.en = "{host} is gone"
headline.zh = "{host} 不存在"
parameters = ["path"]

[[case.gone.remedy]]
en = "Look at {path}:"
zh = "查看 {path}："
commands = ["ls {home}", {run = "id", en = "as root", zh = "以 root 执行"}, {en = "edit it", zh = "修改"}]

[[case.gone.remedy]]
en = "Start it."
zh = "启动。"
generations = ["6.x"]

[case.mode]
headline.en = "The mode is wrong"
headline.zh = "权限有误"

[[case.mode.remedy]]
en = "Change it."
zh = "修改。"

[[caused_by]]
component = ["disk", "front"]
relation = "anywhere"

[[caused_by]]
condition = ["nginx-conf-port80", "clock-all"]
relation = "anywhere"
produces = ["wrong-value"]
mechanism.en = "A sentence."
mechanism.zh = "一句话。"
"""


@pytest.fixture
def load(tmp_path):
    """Load a condition from a text, after a replacement."""

    def loaded(old="", new="", text=CONDITION):
        assert old in text
        path = tmp_path / "some-id.toml"
        path.write_text(text.replace(old, new, 1), "utf-8")
        condition = load_condition(path, TOPOLOGY)
        validate_condition(condition, path, TOPOLOGY_IDS.__contains__)
        return condition

    return loaded


TOPOLOGY_IDS = {"clock-all", *(id_ for name in TOPOLOGY.component for id_ in TOPOLOGY.broken_by(name))}


def test_a_condition_has_all_that_its_file_says(load):
    condition = load()
    assert condition.id == "some-id" and condition.scopes == (PerHost(("paas",)),)
    assert condition.impact == Text("A long line that goes on.", "第一行，第二行。")
    gone, mode = condition.cases
    assert condition.case("gone") is gone and condition.case("mode") is mode
    assert gone.parameters == ("path",)
    assert gone.parts[0].commands == (
        Command("ls {home}"),
        Command("id", Text("as root", "以 root 执行")),
        Command("", Text("edit it", "修改")),
    )
    assert gone.remedy("5.x").en == "Look at {path}:\n$ ls {home}\n$ id    # as root\n$ # edit it"
    assert gone.remedy("6.x").zh.endswith("$ # 修改\n启动。") and gone.remedy() == gone.remedy("6.x")
    assert condition.case() is condition.case("unknown") is gone


def test_a_case_without_a_remedy_has_that_of_its_condition(load):
    remedy = re.compile(r"(?s)\[\[case\.mode\.remedy\]\].*?(?=\[\[caused)")
    shared = "[[remedy]]\nen = 'Look again.'\nzh = '再看。'\n\n"
    gone, mode = load(text=remedy.sub(shared, CONDITION, count=1)).cases
    assert gone.parts[0].text.en == "Look at {path}:"
    assert [part.text.en for part in mode.parts] == ["Look again."]
    with pytest.raises(CatalogueError, match="remedy: each case has a remedy of its own"):
        load(text=CONDITION.replace("[[caused_by]]", shared + "[[caused_by]]", 1))
    with pytest.raises(CatalogueError, match=r"remedy\[0\].zh: is empty"):
        load(text=remedy.sub(shared.replace("再看。", ""), CONDITION, count=1))


def test_a_component_becomes_the_conditions_that_break_it_each_once_and_in_order(load):
    nginx = (
        "nginx-conf-port80",
        "nginx-listen-vs-domain",
        "nginx-limits",
        "open-files",
        "nginx-passes-requests",
    )
    front = "virtual-address-held", "domain-certificate", *nginx
    condition = load()
    named = [(cause.condition, cause.relation) for cause in condition.causes]
    assert named == [(id_, "anywhere") for id_ in ("disk-space", *front, "clock-all")]
    assert [entry.component for entry in condition.caused_by] == [
        "disk", "virtual-address", "certificate", "nginx", "",
    ]  # fmt: skip
    assert condition.caused_by[0].mechanism == TOPOLOGY.component["disk"].mechanism
    assert condition.caused_by[-1].produces == ("wrong-value",)


@pytest.mark.parametrize(
    ("scope", "types"),
    [
        ('{per = "host"}', [PerHost]),
        ('{per = "pair", role = "paas"}', [PerPair]),
        ('{per = "link", from = ["nginx"], to = ["paas"], target_selected = true}', [PerLink]),
        ('[{per = "controller"}, {per = "virtual-address"}]', [OnController, PerVirtualAddress]),
    ],
)
def test_scopes(load, scope, types):
    condition = load('{per = "host", roles = ["paas"]}', scope)
    assert [type(one) for one in condition.scopes] == types


@pytest.mark.parametrize(
    ("old", "new", "where", "reason"),
    [
        ('severity = "fail"', "severity = fail", 2, "Invalid value"),
        ("title.en", "title.fr", "title", "unknown field `fr`"),
        ('title.zh = "如此"\n', "", "title", "missing required field `zh`"),
        ('title.zh = "如此"', 'title.zh = " "', "title.zh", "is empty"),
        ('severity = "fail"\n', "", None, "missing required field `severity`"),
        ('severity = "fail"', 'severity = "bad"', "severity", "'bad'"),
        ('severity = "fail"', 'severity = "fail"\ncolour = 1', None, "unknown field `colour`"),
        ('per = "host"', 'per = "hosts"', "scope.per", "'hosts'"),
        ('roles = ["paas"]', 'roles = ["pass"]', "scope", "'pass'"),
        ('severity = "fail"', 'severity = "fail"\nservices = ["logon"]', "services", "'logon'"),
        ('severity = "fail"', 'severity = "fail"\ngenerations = ["7.x"]', "generations[0]", "'7.x'"),
        ('headline.zh = "{host} 不存在"\n', "", "case.gone.headline", "missing required field `zh`"),
        ("{host} 不存在", "{hosts} 不存在", "case.gone.headline.zh", "'hosts'"),
        ("{host} 不存在", "不存在", "case.gone.headline", "one language only uses host"),
        ("ls {home}", "ls {hom}", "case.gone.remedy.en", "'hom'"),
        ("ls {home}", "ls {home", "case.gone.remedy.en", "expected '}'"),
        ("Look at {path}:", "Look at {path}: {}", "case.gone.remedy.en", "''"),
        ('run = "id"', 'do = "id"', "case.gone.remedy[0].commands[1]", "unknown field `do`"),
        ('zh = "以 root 执行"', 'zh = ""', "case.gone.remedy[0].commands[1].zh", "is empty"),
        ('relation = "anywhere"', 'relation = "near"', "caused_by[0].relation", "'near'"),
        ('["disk", "front"]', '["disc"]', "caused_by[0].component", "no component disc"),
        ('"clock-all"', '"clock-al"', "caused_by", "'clock-al'"),
        ('"wrong-value"', '"odd"', "caused_by[1].produces[0]", "'odd'"),
        (
            'relation = "anywhere"',
            'relation = "anywhere"\ngenerations = ["6.2"]',
            "caused_by[0].generations[0]",
            "'6.2'",
        ),
        (
            'mechanism.en = "A sentence."\nmechanism.zh = "一句话。"\n',
            "",
            "caused_by[1]",
            "needs `produces` and `mechanism`",
        ),
        ('component = ["disk", "front"]\n', "", "caused_by[0]", "needs `component` or `condition`"),
        ("component = [", 'condition = "clock-all"\ncomponent = [', "caused_by[0]", "not both"),
    ],
)
def test_what_is_wrong_is_refused_with_its_place(load, old, new, where, reason):
    with pytest.raises(CatalogueError, match=re.escape(reason)) as caught:
        load(old, new)
    assert caught.value.path.name == "some-id.toml" and caught.value.where == where
    assert str(caught.value).startswith(f"{caught.value.path}:")


def test_the_generation_of_an_edge_is_one_of_its_condition(load):
    text = CONDITION.replace("[[caused_by]]", '[[caused_by]]\ngenerations = ["6.x"]', 1)
    causes = load(text=text).causes
    assert [cause.generations for cause in (causes[0], causes[-1])] == [("6.x",), ()]
    with pytest.raises(CatalogueError, match=r"caused_by\[0\].*not checked on 6\.x"):
        load('severity = "fail"', 'severity = "fail"\ngenerations = ["5.x"]', text=text)


def test_a_condition_needs_a_case_and_a_remedy(load):
    without = re.sub(r"(?s)\[case\.gone\].*(?=\[\[caused_by)", "", CONDITION, count=1)
    with pytest.raises(CatalogueError, match="missing required field `case`"):
        load(text=without)
    with pytest.raises(CatalogueError, match="case: has no case"):
        load(text=without.replace("severity", "case = {}\nseverity", 1))
    empty = re.sub(r"(?s)\[\[case\.mode\.remedy.*?(?=\[\[caused)", "remedy = []\n", CONDITION, count=1)
    with pytest.raises(CatalogueError, match=r"case\.mode\.remedy: is empty"):
        load(text=empty)


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(CatalogueError, match="No such file"):
        load_condition(tmp_path / "nothing.toml", TOPOLOGY)
    path = tmp_path / "bytes.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(CatalogueError, match="is not UTF-8"):
        load_condition(path, TOPOLOGY)


@pytest.fixture
def copy(tmp_path):
    """A copy of the catalogue's files."""
    for name in ("conditions", "sections"):
        shutil.copytree(FOLDER / name, tmp_path / name)
    shutil.copy(FOLDER / "topology.toml", tmp_path)
    return tmp_path


def refused(folder):
    with pytest.raises(CatalogueError) as caught:
        validate(load_catalogue(folder), folder)
    return str(caught.value)


def edit(path, old, new):
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


@pytest.fixture(scope="module")
def catalogue():
    return load_catalogue()


def test_a_file_that_is_deleted_is_missed(copy, catalogue):
    first = next(iter(catalogue.conditions))
    (copy / "conditions" / f"{first}.toml").unlink()
    assert list(load_catalogue(copy).conditions) == list(catalogue.conditions)[1:]
    assert f"'{first}'" in refused(copy)


@pytest.mark.parametrize("id_", sorted(path.stem for path in (FOLDER / "conditions").glob("*.toml")))
def test_a_condition_that_is_deleted_is_missed(catalogue, id_):
    others = {other: condition for other, condition in catalogue.conditions.items() if other != id_}
    with pytest.raises(CatalogueError, match=f"'{id_}'"):
        validate(replace(catalogue, conditions=others), FOLDER)


@pytest.mark.parametrize("path", sorted((FOLDER / "sections").glob("*.toml")), ids=lambda path: path.stem)
def test_a_section_that_is_deleted_is_missed(copy, path):
    (copy / "sections" / path.name).unlink()
    assert "no section lists it" in refused(copy)


@pytest.mark.parametrize(
    ("file", "old", "new", "reason"),
    [
        ("sections/login-502.toml", '"domain-502",', '"domain-503",', "conditions: unknown: 'domain-503'"),
        ("sections/login-502.toml", "order", "number", "unknown field `number`"),
        ("sections/login-502.toml", '"domain-502", "nginx-error-log"', '"domain-501"', "points[0].conditions: unknown: 'domain-501'"),
        ("topology.toml", '["disk-space"]', '["disk-spice"]', "'disk-spice'"),
        ("topology.toml", 'parts = ["virtual-address"', 'parts = ["virtual"', "component.front.parts: no component virtual"),
        ("topology.toml", 'needs = ["resolver"]', 'needs = ["front"]', "component.front.needs: has a cycle"),
        ("topology.toml", 'components = ["host", "virtual-address", "nginx"]', 'components = ["nginks"]', "station.nginx.components: no component nginks"),
        ("topology.toml", 'signs = ["nginx-error-log", "nginx-upload-size"]', 'signs = ["nginx-log"]', "station.nginx.signs: unknown: 'nginx-log'"),
        ("topology.toml", 'same_as = "appo"', 'same_as = "appa"', "station.appt.same_as: no station appa"),
        ("topology.toml", 'inside = "open_paas"', 'inside = "paaas"', "station.login.inside: unknown: 'paaas'"),
        ("topology.toml", '"nginx>open_paas"', '"nginx>paaas"', "step.nginx>paaas: unknown: 'paaas'"),
        ("topology.toml", "[component.host]", "[component.host]\nhosts = 1", "unknown field `hosts`"),
    ],
)  # fmt: skip
def test_names_that_nothing_has_are_refused(copy, file, old, new, reason):
    edit(copy / file, old, new)
    text = refused(copy)
    assert text.startswith(str(copy / file)) and reason in text


def test_a_component_that_conditions_break_says_how_it_shows(copy):
    path = copy / "topology.toml"
    mechanism = TOPOLOGY.component["disk"].mechanism
    edit(path, f'mechanism.en = "{mechanism.en}"\nmechanism.zh = "{mechanism.zh}"\n', "")
    assert "component.disk: `broken_by` needs" in refused(copy)


def test_a_circle_of_parts_ends(tmp_path):
    path = tmp_path / "topology.toml"
    name = 'name = {en = "a", zh = "一"}\n'
    path.write_text(
        f'[component.a]\n{name}parts = ["b"]\n[component.b]\n{name}parts = ["a"]\n[station]\n[step]\n',
        "utf-8",
    )
    with pytest.raises(CatalogueError, match="has a cycle"):
        load_topology(path)


@pytest.mark.parametrize("alias", ["clock-all", "way-to-hosts"])
def test_an_alias_names_one_condition_only(copy, alias):
    path = copy / "conditions/disk-space.toml"
    path.write_text(f'aliases = ["{alias}"]\n' + path.read_text("utf-8"), "utf-8")
    assert f"aliases: '{alias}' is used twice" in refused(copy)
