"use strict";
// Draws the matrix and the table from the embedded record. Data reaches the page as text nodes and attributes only.
(async () => {
  const CHUNK = 50; // rows drawn at a time
  const MOST = 5000; // the same when all are asked for
  const LINES = 32; // the same for the matrix
  const IDS = 12; // ids named in a list
  const FLEET = 40; // rows of the matrix above which those with findings come first
  const LANGUAGES = ["en", "zh"];

  const root = document.documentElement;
  const home = root.lang.slice(0, 2); // the language of the run
  const dark = document.getElementById("dark");
  const byItself = dark.media;
  let lang = home, theme = "";
  const said = (text) => (typeof text === "string" ? text : text[LANGUAGES.indexOf(lang)]);

  // The address after "#" is the view: #host=paas-1&verdict=fail. "+" stands for itself, since ids have it.
  const FILTERS = ["text", "host", "condition", "faq", "verdict", "cause", "step", "id"];
  const NAMES = [...FILTERS, "lang", "theme"];
  const decode = (text) => { try { return decodeURIComponent(text); } catch { return text; } };
  const encode = (text) => encodeURIComponent(text).replace(/%40/g, "@").replace(/%2B/g, "+").replace(/%2C/g, ",").replace(/%3E/g, ">");
  const link = (view) => "#" + NAMES.filter((name) => view[name]).map((name) => `${name}=${encode(view[name])}`).join("&");
  function viewed() {
    const view = {};
    for (const part of location.hash.slice(1).split("&")) {
      const at = part.indexOf("=");
      if (at > 0 && NAMES.includes(part.slice(0, at))) view[part.slice(0, at)] = decode(part.slice(at + 1));
    }
    return view;
  }
  const chosen = () => ({ lang: lang === home ? "" : lang, theme });
  const go = (view) => history.replaceState(null, "", link({ ...view, ...chosen() }));

  // Language and colours, which need none of the data.
  function look() {
    root.lang = lang === "zh" ? "zh-CN" : "en";
    dark.media = { "": byItself, light: "not all", dark: "screen" }[theme];
    document.querySelectorAll(".switches button").forEach((button) => {
      button.setAttribute("aria-pressed", String(button.value === { lang, theme }[button.name]));
    });
    document.querySelectorAll("[data-en]").forEach((element) => {
      const text = element.dataset[lang];
      if (element.tagName === "TITLE") document.title = text;
      else if (element instanceof SVGElement) tip(element, text);
      else element.title = text;
    });
  }
  function tip(element, text) {
    let title = element.querySelector(":scope > title");
    if (!title) element.prepend(title = document.createElementNS("http://www.w3.org/2000/svg", "title"));
    title.textContent = text;
    const named = element.querySelector("text:not(.sign)"); // its name is what is written on it
    if (element.hasAttribute("href") && !named) element.setAttribute("aria-label", text);
  }
  function choose({ lang: language, theme: colours }) {
    if (LANGUAGES.includes(language)) lang = language;
    if (["light", "dark"].includes(colours)) theme = colours;
    look();
  }
  choose(viewed());
  document.querySelector(".switches").hidden = false;

  document.querySelectorAll(".copy").forEach((button) => { button.hidden = false; });
  document.addEventListener("click", async (event) => {
    const button = event.target.closest(".copy");
    if (!button) return;
    const block = button.parentElement.querySelector("pre");
    const commands = [...block.children].map((line) => line.innerText).join("\n");
    try {
      await navigator.clipboard.writeText(commands);
      button.textContent = said(ui.copied);
    } catch { // the browser gives no clipboard to this page: select, so that a key press copies
      getSelection().selectAllChildren(block);
      button.textContent = said(ui.selected);
    }
  });

  async function unpacked(text) {
    const bytes = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
    return new Response(stream).text();
  }
  document.getElementById("blank").hidden = true;
  const embedded = document.getElementById("data");
  let json = embedded.textContent;
  if (embedded.type === "application/packed") {
    try {
      json = await unpacked(json);
    } catch {
      document.getElementById("old").hidden = false;
      return;
    }
  }
  const data = JSON.parse(json);
  embedded.textContent = json = "";
  const { texts, kinds, places, outcomes, ui } = data;
  const WORDS = data.words.map(([word]) => word);

  const text = (number) => said(texts[number]);
  const wordOf = (i) => outcomes[data.outcome[i]][0];
  const conditionOf = (i) => texts[kinds[data.kind[i]][0]];
  const faqOf = (i) => texts[kinds[data.kind[i]][1]];
  const titleOf = (i) => text(kinds[data.kind[i]][2]);
  const subjectOf = (i) => texts[places[data.place[i]][0]];
  const idOf = (i) => `${conditionOf(i)}@${subjectOf(i)}`;
  const causesOf = (i) => outcomes[data.outcome[i]][4].map((number) => texts[number]);
  const namesOf = (place) => (place[1].length ? place[1] : [place[0]]).map((number) => texts[number]);
  const hostsOf = (i) => namesOf(places[data.place[i]]);
  const toldOf = (i) => text(outcomes[data.outcome[i]][2]) || text(outcomes[data.outcome[i]][1]);
  const label = (word) => data.words[word][LANGUAGES.indexOf(lang) + 2];
  const sections = new Map(data.sections.map(([key, en, zh, conditions]) => [key, { title: [en, zh], conditions: new Set(conditions) }]));
  const section = (key) => (sections.has(key) ? said(sections.get(key).title) : key);
  const roots = new Set(data.roots);
  const known = new Map(data.hosts.map(([name, address, roles]) => [name, { about: `${name}  ${address}  ${roles.join(", ")}`, roles }]));
  let rows; // by id its row; made when first asked for
  function rowOf(id) {
    if (!rows) rows = new Map(data.kind.map((_, i) => [idOf(i), i]));
    return rows.get(id);
  }

  function make(tag, attributes, ...children) {
    const element = document.createElement(tag);
    for (const name in attributes) element.setAttribute(name, attributes[name]);
    element.append(...children);
    return element;
  }
  const fill = (pattern, values) => said(pattern).replace(/\{(\w+)\}/g, (_, name) => values[name]);

  // Worst first; among equals the root causes first, else the order of the record.
  const order = WORDS.map(() => []);
  data.roots.forEach((i) => order[wordOf(i)].push(i));
  data.kind.forEach((_, i) => { if (!roots.has(i)) order[wordOf(i)].push(i); });
  const all = order.flat();

  let effects; // by id, the verdicts that name it as a cause; made when first asked for
  function under(cause) { // the verdict and everything that follows from it
    if (!effects) {
      effects = new Map();
      data.kind.forEach((_, i) => causesOf(i).forEach((id) => {
        if (!effects.has(id)) effects.set(id, []);
        effects.get(id).push(i);
      }));
    }
    const found = new Set(rowOf(cause) === undefined ? [] : [rowOf(cause)]);
    for (const i of found) for (const effect of effects.get(idOf(i)) || []) found.add(effect);
    return found;
  }

  let hays; // what is searched, by kind, place and outcome, in both languages; made when first asked for
  function searched() {
    const both = (number) => (typeof texts[number] === "string" ? texts[number] : texts[number].join("\n"));
    const titles = (key) => (sections.has(key) ? sections.get(key).title : []);
    const joined = (parts) => parts.join("\n").toLowerCase();
    if (!hays) hays = [
      kinds.map((k) => joined([texts[k[0]], texts[k[1]], both(k[2]), ...titles(texts[k[1]])])),
      places.map((place) => joined([texts[place[0]], ...namesOf(place)])),
      outcomes.map((o) => joined([both(o[1]), both(o[2]), both(o[3])])),
    ];
    return hays;
  }

  function matches(view) {
    // Each table of repeated things is searched once; then a verdict costs a few look-ups.
    if (!FILTERS.some((name) => view[name])) return all;
    const needles = (view.text || "").toLowerCase().split(/\s+/).filter(Boolean);
    const has = (hay) => needles.map((needle) => hay.includes(needle));
    const [byKind, byPlace, byOutcome] = needles.length ? searched().map((table) => table.map(has)) : [];
    const onHost = places.map((place) => !view.host || namesOf(place).includes(view.host));
    const conditions = view.condition && new Set(view.condition.split(","));
    const listed = sections.get(view.faq);
    const inKind = kinds.map((k) => (!view.faq || texts[k[1]] === view.faq || Boolean(listed && listed.conditions.has(texts[k[0]])))
      && (!conditions || conditions.has(texts[k[0]])));
    const words = view.verdict && view.verdict.split(",");
    const asked = outcomes.map((o) => !words || words.includes(WORDS[o[0]]));
    const part = view.step && (data.parts[view.step] || [[], [], []]);
    const onStep = part && stands(...part);
    const set = view.cause && under(view.cause);
    return all.filter((i) => {
      const [kind, place, outcome] = [data.kind[i], data.place[i], data.outcome[i]];
      if (!inKind[kind] || !onHost[place] || !asked[outcome]) return false;
      if (set && !set.has(i)) return false;
      if (onStep && !onStep(kind, place, outcome)) return false;
      if (view.id && idOf(i) !== view.id) return false;
      return needles.every((needle, n) => byKind[kind][n] || byPlace[place][n] || byOutcome[outcome][n]
        || (needle.includes("@") && idOf(i).toLowerCase().includes(needle)));
    });
  }

  function stands(conditions, roles, anywhere) { // for a station or a step of the way
    const [some, any] = [new Set(conditions), new Set(anywhere)];
    const here = places.map((place) => !roles.length
      || namesOf(place).some((name) => known.has(name) && known.get(name).roles.some((role) => roles.includes(role))));
    const none = WORDS.indexOf("not_applicable");
    return (kind, place, outcome) => outcomes[outcome][0] !== none
      && (any.has(texts[kinds[kind][0]]) || (here[place] && some.has(texts[kinds[kind][0]])));
  }

  const mark = (word) => make("span", { class: "mark", role: "img", "aria-label": label(word) }, data.words[word][1]);
  const probable = (id) => rowOf(id) !== undefined && WORDS[wordOf(rowOf(id))] === "no_data";

  function row(i, open) {
    const word = wordOf(i);
    const what = make("span", { class: "what" }, make("b", {}, titleOf(i)), make("span", {}, idOf(i)));
    if (roots.has(i)) what.append(make("span", { class: "badge root" }, said(ui.cause)));
    const causes = causesOf(i);
    if (causes.length) what.append(make("span", { class: "badge" }, `${said(probable(causes[0]) ? ui.probably : ui.because)} ${causes[0]}`));
    const summary = make("summary", {}, mark(word), what,
      make("span", { class: "on" }, hostsOf(i).join(", ")), make("span", { class: "in" }, section(faqOf(i))));
    const details = make("details", { class: `w-${WORDS[word]}` }, summary);
    details.addEventListener("toggle", () => { if (details.open && !details.querySelector(".body")) details.append(body(i)); });
    if (open) { details.append(body(i)); details.open = true; }
    return details;
  }

  function body(i) {
    const [reason, evidence, remedy] = outcomes[data.outcome[i]].slice(1, 4).map(text);
    const inside = make("div", { class: "body" });
    if (reason) inside.append(make("h4", {}, said(ui.reason)), make("pre", { class: "evidence" }, reason));
    if (evidence) inside.append(make("h4", {}, said(ui.evidence)), make("pre", { class: "evidence" }, evidence));
    const causes = causesOf(i);
    if (causes.length) inside.append(list(ui.under, causes));
    const follows = [...under(idOf(i))].slice(1).map(idOf);
    if (follows.length) inside.append(list(ui.explains, follows, idOf(i)));
    if (remedy) inside.append(make("h4", {}, said(ui.remedy)), ...steps(remedy));
    inside.append(make("div", { class: "meta" },
      make("span", {}, label(wordOf(i))), make("span", {}, section(faqOf(i))),
      ...hostsOf(i).map((host) => make("a", { href: link({ host }) }, host)), make("a", { href: link({ id: idOf(i) }) }, said(ui.link))));
    return inside;
  }

  function list(name, ids, cause) {
    const shown = cause ? ids.slice(0, IDS) : ids;
    const items = shown.map((id) => make("li", {}, make("a", { href: link({ id }) }, id)));
    const more = ids.length - shown.length;
    if (more) items.push(make("li", {}, make("a", { class: "more", href: link({ cause }) }, fill(ui.more, { n: more }))));
    return make("div", { class: "follows" }, make("h4", {}, `${said(name)} `, make("small", {}, String(ids.length))), make("ul", {}, ...items));
  }

  function steps(remedy) {
    const made = [];
    let block = null;
    const slashes = (text) => text.split(/(?<=[\w.-])(?=\/)/).flatMap((part, at) => (at ? [make("wbr", {}), part] : [part]));
    for (const line of remedy.split("\n")) {
      if (!line.startsWith("$ ")) { block = null; made.push(make("p", {}, line)); continue; }
      if (!block) {
        block = make("pre", { tabindex: "0" });
        const button = make("button", { type: "button", class: "copy" }, said(ui.copy));
        made.push(make("div", { class: "commands" }, button, block));
      }
      block.append(make("code", {}, ...slashes(line.slice(2))));
    }
    return made;
  }

  // Shows items a chunk at a time, the next one when the end of the last comes into view.
  function lazily(box, frame, chunk, draw) {
    const end = make("div");
    let items = [], drawn = 0;
    const more = (count) => {
      end.before(...items.slice(drawn, drawn + count).map(draw));
      drawn = Math.min(items.length, drawn + Math.max(count, 0));
    };
    const observer = new IntersectionObserver((entries) => {
      if (drawn === items.length || !entries.some((entry) => entry.isIntersecting)) return;
      more(chunk);
      observer.unobserve(end); // so that it is told again when the end is still in view
      observer.observe(end);
    }, { root: frame, rootMargin: "600px" });
    observer.observe(end);
    return { show(next) { items = next; drawn = 0; box.replaceChildren(end); more(chunk); } };
  }

  function matrix(box) {
    const bad = new Set(); // conditions with findings
    const worry = WORDS.map((word) => ["fail", "no_data", "warn"].includes(word));
    data.kind.forEach((kind, i) => { if (worry[wordOf(i)]) bad.add(kinds[kind][0]); });
    const total = new Set(kinds.map(([condition]) => condition)).size;
    let every = !bad.size; // all columns, or those with findings
    const columns = new Map(); // by condition its column and its section
    const numberOf = new Map(kinds.map(([condition], n) => [condition, n]));
    const column = kinds.map(([condition]) => numberOf.get(condition)); // of its condition, among all
    function arrange() {
      const sorted = new Map(); // by section its conditions, side by side, with a gap after each section
      kinds.forEach(([condition, faq]) => {
        if (!every && !bad.has(condition)) return;
        if (!sorted.has(faq)) sorted.set(faq, new Set());
        sorted.get(faq).add(condition);
      });
      columns.clear();
      let next = 2; // the first column has the names
      for (const [faq, conditions] of sorted) {
        for (const condition of conditions) if (!columns.has(condition)) columns.set(condition, [next++, faq]);
        next++;
      }
      const width = columns.size > 40 ? "1fr" : "34px";
      const tracks = [...sorted.values()].map((conditions) => `repeat(${conditions.size}, minmax(var(--cell), ${width}))`);
      box.style.setProperty("--tracks", tracks.join(" 4px "));
      box.style.setProperty("--columns", columns.size);
      box.style.setProperty("--gaps", sorted.size);
    }
    const lines = new Map(data.hosts.map(([name]) => [name, []])); // by host: by condition its verdicts
    const names = places.map(namesOf);
    data.kind.forEach((kind, i) => names[data.place[i]].forEach((name) => {
      if (!lines.has(name)) lines.set(name, []);
      const cells = lines.get(name);
      (cells[column[kind]] || (cells[column[kind]] = [])).push(i);
    }));
    let shown = [...lines.keys()];
    const first = make("p", { class: "note" });
    if (shown.length > FLEET) {
      const worst = new Map(shown.map((name) => [name, Math.min(...lines.get(name).flat().map(wordOf))]));
      shown.sort((a, b) => worst.get(a) - worst.get(b));
      box.before(first);
    }
    const place = (element, at) => { element.style.gridColumn = at; return element; };
    const about = (name) => (known.has(name) ? known.get(name).about : name);
    const line = (name) => make("div", { class: "line" }, make("a", { href: link({ host: name }), title: about(name) }, name),
      ...[...columns].map(([condition, [at]]) => {
        const verdicts = lines.get(name)[numberOf.get(condition)];
        return verdicts && place(cell(name, verdicts), at);
      }).filter(Boolean));
    const body = make("div");
    const drawn = lazily(body, box, LINES, line);
    new IntersectionObserver((entries, observer) => { // wider than its frame, it shows what failed; asking earlier costs a layout
      if (!entries.some((entry) => entry.isIntersecting)) return;
      observer.disconnect();
      const found = box.querySelector(".cell.w-fail:not(.folded)");
      if (found) box.scrollLeft = found.getBoundingClientRect().left - box.getBoundingClientRect().left - box.clientWidth / 2;
    }).observe(box);
    const [button] = document.querySelector(".columns").children;
    button.parentElement.hidden = !bad.size || bad.size === total;
    button.addEventListener("click", () => { every = !every; again(); });
    function again() {
      arrange();
      button.textContent = every ? said(ui.findings_only) : fill(ui.every_column, { n: total });
      const heads = [...columns].map(([condition, [at, faq]]) => {
        const title = `${texts[condition]}\n${section(texts[faq])}`;
        return place(make("a", { href: link({ condition: texts[condition] }), title }, texts[condition]), at);
      });
      box.setAttribute("aria-label", said(ui.matrix));
      first.textContent = said(ui.findings_first);
      box.replaceChildren(make("div", { class: "line head" }, make("span"), ...heads), body);
      const drawable = (name) => known.has(name) || [...columns.keys()].some((condition) => lines.get(name)[numberOf.get(condition)]);
      drawn.show(shown.filter(drawable));
    }
    return { ...drawn, draw: again };
  }

  function cell(host, verdicts) {
    const worst = verdicts.length === 1 ? verdicts[0] : verdicts.reduce((a, b) => (wordOf(b) < wordOf(a) ? b : a));
    const word = WORDS[wordOf(worst)];
    const href = link(verdicts.length === 1 ? { id: idOf(worst) } : { host, condition: conditionOf(worst) });
    const made = make("a", { class: `cell w-${word}`, href, "aria-label": `${label(wordOf(worst))}: ${idOf(worst)}` }, data.words[wordOf(worst)][1]);
    if (word === "fail" && causesOf(worst).length) made.classList.add("folded");
    if (word === "pass" || word === "not_applicable") made.tabIndex = -1; // keys go from finding to finding
    made.told = () => saying(verdicts);
    return made;
  }
  function saying(verdicts) { // what a cell says when pointed at
    const told = verdicts.slice(0, 5).map((i) => {
      const evidence = toldOf(i).slice(0, 200);
      return `${label(wordOf(i))}  ${idOf(i)}\n${titleOf(i)}${evidence ? "\n" + evidence : ""}`;
    });
    if (verdicts.length > 5) told.push(fill(ui.verdicts, { n: verdicts.length }));
    return told.join("\n\n");
  }
  for (const event of ["pointerover", "focusin"]) {
    document.querySelector(".matrix").addEventListener(event, ({ target }) => {
      const pointed = target.closest(".cell");
      if (pointed && !pointed.title) pointed.title = pointed.told();
    });
  }

  const panel = document.getElementById("verdicts");
  const form = panel.querySelector("form");
  const pages = panel.querySelector(".pages");
  const table = paged(panel.querySelector(".rows"), (i) => row(i, viewed().id === idOf(i)));
  function paged(box, draw) { // the end of the list is the end of the page: more of it comes when asked for
    let items = [], drawn = 0;
    const [next, rest] = pages.children;
    const more = (count) => {
      box.append(...items.slice(drawn, drawn + count).map(draw));
      drawn = Math.min(items.length, drawn + count);
      pages.hidden = drawn === items.length;
      const left = items.length - drawn;
      next.textContent = fill(ui.more_rows, { n: Math.min(CHUNK, left) });
      rest.textContent = left > MOST ? fill(ui.more_rows, { n: MOST }) : fill(ui.all_rows, { n: items.length });
      rest.hidden = left <= CHUNK;
    };
    next.addEventListener("click", () => more(CHUNK));
    rest.addEventListener("click", () => more(MOST));
    return { show(all) { items = all; drawn = 0; box.replaceChildren(); more(CHUNK); } };
  }
  const subjects = new Set(known.keys());
  places.forEach((place) => namesOf(place).forEach((name) => subjects.add(name)));

  function controls() { // in the language that is shown
    const option = ([value, name]) => make("option", { value }, name);
    const byFaq = new Map();
    kinds.forEach((k) => {
      if (!byFaq.has(k[1])) byFaq.set(k[1], new Set());
      byFaq.get(k[1]).add(texts[k[0]]);
    });
    form.host.replaceChildren(option(["", said(ui.all_hosts)]), ...[...subjects].map((name) => option([name, name])));
    form.faq.replaceChildren(option(["", said(ui.all_sections)]), ...[...byFaq.keys()].map((k) => option([texts[k], section(texts[k])])));
    form.condition.replaceChildren(option(["", said(ui.all_conditions)]), ...[...byFaq].map(([k, conditions]) =>
      make("optgroup", { label: section(texts[k]) }, ...[...conditions].map((name) => option([name, name])))));
    form.text.placeholder = said(ui.search);
    for (const name of ["text", "host", "faq", "condition"]) form[name].setAttribute("aria-label", said(name === "text" ? ui.search : ui[name]));
  }

  function show(jump) {
    const view = viewed(), shown = matches(view);
    table.show(shown);
    if (!shown.length) panel.querySelector(".rows").append(make("p", { class: "note" }, said(ui.none)));
    panel.querySelector(".shown").textContent = fill(ui.shown, { n: shown.length, all: all.length });
    const several = (view.condition || "").includes(",");
    for (const name of ["text", "host", "faq", "condition"]) {
      if (form[name] !== document.activeElement) form[name].value = (name === "condition" && several ? "" : view[name]) || "";
    }
    const words = (view.verdict || "").split(",");
    form.querySelectorAll("[name=verdict]").forEach((box) => { box.checked = words.includes(box.value); });
    const filtered = FILTERS.some((name) => view[name]);
    form.querySelector("button").hidden = !filtered;
    const chip = (name, told) => make("a", { href: link({ ...view, [name]: "" }) }, told);
    const chips = [];
    if (several) chips.push(chip("condition", fill(ui.several, { n: view.condition.split(",").length })));
    if (view.cause) chips.push(chip("cause", `${said(ui.cause)} ${view.cause}`));
    if (view.step) chips.push(chip("step", `${said(ui.step)} ${data.names[view.step] ? said(data.names[view.step]) : view.step}`));
    if (view.id) chips.push(chip("id", `${said(ui.only)} ${view.id}`));
    panel.querySelector(".chips").replaceChildren(...chips);
    if (jump && filtered && !form.contains(document.activeElement)) panel.scrollIntoView();
  }

  function changed() {
    const verdict = [...form.querySelectorAll("[name=verdict]:checked")].map((box) => box.value).join(",");
    const view = viewed();
    const condition = form.condition.value || ((view.condition || "").includes(",") ? view.condition : "");
    go({ ...view, text: form.text.value, host: form.host.value, faq: form.faq.value, condition, verdict });
    show();
  }

  const drawn = matrix(document.querySelector(".matrix"));
  function draw() {
    document.querySelectorAll(".copy").forEach((button) => { if (!button.children.length) button.textContent = said(ui.copy); });
    drawn.draw();
    controls();
  }
  document.querySelector(".switches").addEventListener("click", ({ target }) => {
    const button = target.closest("button");
    if (!button) return;
    if (button.name === "lang") lang = button.value;
    else theme = button.value;
    go(viewed());
    look();
    if (button.name !== "lang") return;
    draw();
    show();
  });
  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", changed);
  form.addEventListener("reset", (event) => {
    event.preventDefault();
    for (const name of ["text", "host", "faq", "condition"]) form[name].value = "";
    go({});
    show();
  });
  addEventListener("hashchange", () => {
    const before = lang;
    choose(viewed());
    if (link(viewed()) !== link({ ...viewed(), ...chosen() })) go(viewed()); // a link within the page names neither
    if (lang !== before) draw();
    show(true);
  });
  draw();
  show(true);
  root.dataset.ready = "";
})();
