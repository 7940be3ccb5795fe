"use strict";
// Draws the map and the table from the embedded record. Data reaches the page as text nodes and attributes only.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const { texts, kinds, places, outcomes, ui } = data;
  const CHUNK = 100; // rows drawn at a time, when the end of the drawn ones comes into view
  const PRINTED = 1000; // rows drawn for printing
  const IDS = 12; // ids named in a list
  const FLEET = 40; // rows of the map above which those with findings come first

  const wordOf = (i) => outcomes[data.outcome[i]][0];
  const conditionOf = (i) => texts[kinds[data.kind[i]][0]];
  const faqOf = (i) => texts[kinds[data.kind[i]][1]];
  const titleOf = (i) => texts[kinds[data.kind[i]][2]];
  const subjectOf = (i) => texts[places[data.place[i]][0]];
  const idOf = (i) => `${conditionOf(i)}@${subjectOf(i)}`;
  const causesOf = (i) => outcomes[data.outcome[i]][4].map((text) => texts[text]);
  const namesOf = (place) => (place[1].length ? place[1] : [place[0]]).map((text) => texts[text]);
  const hostsOf = (i) => namesOf(places[data.place[i]]);
  const toldOf = (i) => texts[outcomes[data.outcome[i]][2]] || texts[outcomes[data.outcome[i]][1]];
  const symptom = (key) => (Object.hasOwn(data.symptoms, key) ? data.symptoms[key] : key);
  const roots = new Set(data.roots);
  const rowOf = new Map();
  data.kind.forEach((_, i) => rowOf.set(idOf(i), i));

  function make(tag, attributes, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) element.setAttribute(name, value);
    element.append(...children);
    return element;
  }
  const fill = (pattern, values) => pattern.replace(/\{(\w+)\}/g, (_, name) => values[name]);

  // The address after "#" is the view: #host=paas-1&verdict=fail. "+" stands for itself, since ids have it.
  const NAMES = ["text", "host", "faq", "verdict", "condition", "cause", "id"];
  const decode = (text) => { try { return decodeURIComponent(text); } catch { return text; } };
  const encode = (text) => encodeURIComponent(text).replace(/%40/g, "@").replace(/%2B/g, "+").replace(/%2C/g, ",");
  const link = (view) => "#" + NAMES.filter((name) => view[name]).map((name) => `${name}=${encode(view[name])}`).join("&");
  function viewed() {
    const view = {};
    for (const part of location.hash.slice(1).split("&")) {
      const at = part.indexOf("=");
      if (at > 0 && NAMES.includes(part.slice(0, at))) view[part.slice(0, at)] = decode(part.slice(at + 1));
    }
    return view;
  }

  // Worst first; among equals the root causes first, else the order of the record.
  const order = data.words.map(() => []);
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
    const found = new Set(rowOf.has(cause) ? [rowOf.get(cause)] : []);
    for (const i of found) for (const effect of effects.get(idOf(i)) || []) found.add(effect);
    return found;
  }

  function matches(view) {
    // Each table of repeated things is searched once; then a verdict costs three look-ups.
    const needles = (view.text || "").toLowerCase().split(/\s+/).filter(Boolean);
    const has = (parts) => { const hay = parts.join("\n").toLowerCase(); return needles.map((needle) => hay.includes(needle)); };
    const byKind = kinds.map((k) => has([texts[k[0]], texts[k[1]], texts[k[2]], symptom(texts[k[1]])]));
    const byPlace = places.map((place) => has([texts[place[0]], ...namesOf(place)]));
    const byOutcome = outcomes.map((o) => has([texts[o[1]], texts[o[2]], texts[o[3]]]));
    const onHost = places.map((place) => !view.host || namesOf(place).includes(view.host));
    const inKind = kinds.map((k) => (!view.faq || texts[k[1]] === view.faq) && (!view.condition || texts[k[0]] === view.condition));
    const words = view.verdict && view.verdict.split(",");
    const asked = outcomes.map((o) => !words || words.includes(data.words[o[0]][0]));
    const set = view.cause && under(view.cause);
    return all.filter((i) => {
      const [kind, place, outcome] = [data.kind[i], data.place[i], data.outcome[i]];
      if (!inKind[kind] || !onHost[place] || !asked[outcome]) return false;
      if (set && !set.has(i)) return false;
      if (view.id && idOf(i) !== view.id) return false;
      return needles.every((needle, n) => byKind[kind][n] || byPlace[place][n] || byOutcome[outcome][n]
        || (needle.includes("@") && idOf(i).toLowerCase().includes(needle)));
    });
  }

  const mark = ([, sign, name]) => make("span", { class: "mark", role: "img", "aria-label": name }, sign);
  const probable = (id) => rowOf.has(id) && data.words[wordOf(rowOf.get(id))][0] === "no_data";

  function row(i, open) {
    const word = data.words[wordOf(i)];
    const what = make("span", { class: "what" }, make("b", {}, titleOf(i)), make("span", {}, idOf(i)));
    if (roots.has(i)) what.append(make("span", { class: "badge root" }, ui.cause));
    const causes = causesOf(i);
    if (causes.length) what.append(make("span", { class: "badge" }, `${probable(causes[0]) ? ui.probably : ui.because} ${causes[0]}`));
    const summary = make("summary", {}, mark(word), what,
      make("span", { class: "on" }, hostsOf(i).join(", ")), make("span", { class: "in" }, symptom(faqOf(i))));
    const details = make("details", { class: `w-${word[0]}` }, summary);
    details.addEventListener("toggle", () => { if (details.open && !details.querySelector(".body")) details.append(body(i)); });
    if (open) { details.append(body(i)); details.open = true; }
    return details;
  }

  function body(i) {
    const [, reason, evidence, remedy] = outcomes[data.outcome[i]].map((text) => texts[text]);
    const inside = make("div", { class: "body" });
    if (reason) inside.append(make("h4", {}, ui.reason), make("pre", { class: "evidence" }, reason));
    if (evidence) inside.append(make("h4", {}, ui.evidence), make("pre", { class: "evidence" }, evidence));
    const causes = causesOf(i);
    if (causes.length) inside.append(list(ui.under, causes));
    const follows = [...under(idOf(i))].slice(1).map(idOf);
    if (follows.length) inside.append(list(ui.explains, follows, idOf(i)));
    if (remedy) inside.append(make("h4", {}, ui.remedy), ...steps(remedy));
    inside.append(make("div", { class: "meta" },
      make("span", {}, data.words[wordOf(i)][2]), make("span", {}, symptom(faqOf(i))),
      ...hostsOf(i).map((host) => make("a", { href: link({ host }) }, host)), make("a", { href: link({ id: idOf(i) }) }, ui.link)));
    return inside;
  }

  function list(name, ids, cause) {
    const shown = cause ? ids.slice(0, IDS) : ids;
    const items = shown.map((id) => make("li", {}, make("a", { href: link({ id }) }, id)));
    const more = ids.length - shown.length;
    if (more) items.push(make("li", {}, make("a", { class: "more", href: link({ cause }) }, fill(ui.more, { n: more }))));
    return make("div", { class: "follows" }, make("h4", {}, `${name} ${ids.length}`), make("ul", {}, ...items));
  }

  function steps(remedy) {
    const made = [];
    let block = null;
    for (const line of remedy.split("\n")) {
      if (!line.startsWith("$ ")) { block = null; made.push(make("p", {}, line)); continue; }
      if (!block) {
        block = make("pre", { tabindex: "0" });
        const button = make("button", { type: "button", class: "copy" }, ui.copy);
        made.push(make("div", { class: "commands" }, button, block));
      }
      block.append(make("code", {}, line.slice(2)));
    }
    return made;
  }

  document.querySelectorAll(".copy").forEach((button) => { button.hidden = false; });
  document.addEventListener("click", async (event) => {
    const button = event.target.closest(".copy");
    if (!button) return;
    const block = button.parentElement.querySelector("pre");
    const commands = [...block.children].map((line) => line.textContent).join("\n");
    try {
      await navigator.clipboard.writeText(commands);
      button.textContent = ui.copied;
    } catch { // the browser gives no clipboard to this page: select, so that a key press copies
      getSelection().selectAllChildren(block);
      button.textContent = ui.selected;
    }
  });

  // Shows items a chunk at a time, the next one when the end of the last comes into view.
  function lazily(box, root, draw) {
    const end = make("div");
    let items = [], drawn = 0;
    const more = (count) => {
      end.before(...items.slice(drawn, drawn + count).map(draw));
      drawn = Math.min(items.length, drawn + Math.max(count, 0));
    };
    const observer = new IntersectionObserver((entries) => {
      if (drawn === items.length || !entries.some((entry) => entry.isIntersecting)) return;
      more(CHUNK);
      observer.unobserve(end); // so that it is told again when the end is still in view
      observer.observe(end);
    }, { root, rootMargin: "600px" });
    observer.observe(end);
    return {
      show(next) { items = next; drawn = 0; box.replaceChildren(end); more(CHUNK); },
      print() { more(PRINTED - drawn); },
    };
  }

  function map(box) {
    const sections = new Map(); // by section its conditions, side by side, with a gap after each section
    kinds.forEach(([condition, section]) => {
      if (!sections.has(section)) sections.set(section, new Set());
      sections.get(section).add(condition);
    });
    const columns = new Map();
    let next = 2; // the first column has the names
    for (const conditions of sections.values()) {
      for (const condition of conditions) if (!columns.has(condition)) columns.set(condition, next++);
      next++;
    }
    const tracks = [...sections.values()].map((conditions) => `repeat(${conditions.size}, minmax(var(--cell), 1fr))`);
    box.style.setProperty("--tracks", tracks.join(" 4px "));
    box.style.setProperty("--columns", columns.size);
    box.style.setProperty("--gaps", sections.size);
    const lines = new Map(data.hosts.map(([name]) => [name, []])); // by host: [column, verdicts]
    data.kind.forEach((kind, i) => hostsOf(i).forEach((name) => {
      if (!lines.has(name)) lines.set(name, []);
      const cells = lines.get(name), column = columns.get(kinds[kind][0]);
      (cells[column] || (cells[column] = [])).push(i);
    }));
    let names = [...lines.keys()];
    if (names.length > FLEET) {
      const worst = new Map(names.map((name) => [name, Math.min(...lines.get(name).flat().map(wordOf))]));
      names.sort((a, b) => worst.get(a) - worst.get(b));
      box.before(make("p", { class: "note" }, ui.findings_first));
    }
    const place = (element, column) => { element.style.gridColumn = column; return element; };
    const line = (name) => make("div", { class: "line" }, make("a", { href: link({ host: name }), title: about(name) }, name),
      ...lines.get(name).map((verdicts, column) => place(cell(name, verdicts), column)).filter(Boolean));
    const rows = make("div");
    const head = make("div", { class: "line head" }, make("span"), ...kinds.filter(([condition], k) => k === kinds.findIndex((kind) => kind[0] === condition)).map(([condition, section]) => {
      const [name, title] = [texts[condition], `${texts[condition]}\n${symptom(texts[section])}`];
      return place(make("a", { href: link({ condition: name }), title }, name), columns.get(condition));
    }));
    box.replaceChildren(head, rows);
    const drawn = lazily(rows, box, line);
    drawn.show(names);
    const first = box.querySelector(".cell.w-fail:not(.folded)");
    if (first) box.scrollLeft = first.getBoundingClientRect().left - box.getBoundingClientRect().left - box.clientWidth / 2;
    return drawn;
  }

  const known = new Map(data.hosts.map(([name, address, roles]) => [name, `${name}  ${address}  ${roles.join(", ")}`]));
  const about = (name) => known.get(name) || name;

  function cell(host, verdicts) {
    const worst = verdicts.reduce((a, b) => (wordOf(b) < wordOf(a) ? b : a));
    const [word, sign, name] = data.words[wordOf(worst)];
    const told = verdicts.slice(0, 5).map((i) => {
      const evidence = toldOf(i).slice(0, 200);
      return `${data.words[wordOf(i)][2]}  ${idOf(i)}\n${titleOf(i)}${evidence ? "\n" + evidence : ""}`;
    });
    if (verdicts.length > 5) told.push(fill(ui.verdicts, { n: verdicts.length }));
    const href = link(verdicts.length === 1 ? { id: idOf(worst) } : { host, condition: conditionOf(worst) });
    const made = make("a", { class: `cell w-${word}`, href, title: told.join("\n\n"), "aria-label": `${name}: ${idOf(worst)}` }, sign);
    if (word === "fail" && causesOf(worst).length) made.classList.add("folded");
    if (word === "pass" || word === "not_applicable") made.tabIndex = -1; // keys go from finding to finding
    return made;
  }

  const section = document.getElementById("verdicts");
  const form = section.querySelector("form");
  const table = lazily(section.querySelector(".rows"), null, (i) => row(i, viewed().id === idOf(i)));

  function options(select, first, values) {
    select.append(make("option", { value: "" }, first), ...values.map(([value, name]) => make("option", { value }, name)));
  }

  function show() {
    const view = viewed(), shown = matches(view);
    table.show(shown);
    if (!shown.length) section.querySelector(".rows").append(make("p", { class: "note" }, ui.none));
    section.querySelector(".shown").textContent = fill(ui.shown, { n: shown.length, all: all.length });
    for (const name of ["text", "host", "faq"]) if (form[name] !== document.activeElement) form[name].value = view[name] || "";
    const words = (view.verdict || "").split(",");
    form.querySelectorAll("[name=verdict]").forEach((box) => { box.checked = words.includes(box.value); });
    form.querySelector("button").hidden = !Object.keys(view).length;
    section.querySelector(".chips").replaceChildren(...["condition", "cause", "id"].filter((name) => view[name]).map((name) =>
      make("a", { href: link({ ...view, [name]: "" }) }, `${name === "cause" ? ui.cause : ui.only} ${view[name]}`)));
    if (Object.keys(view).length && !form.contains(document.activeElement)) section.scrollIntoView();
  }

  function changed() {
    const verdict = [...form.querySelectorAll("[name=verdict]:checked")].map((box) => box.value).join(",");
    const view = { ...viewed(), text: form.text.value, host: form.host.value, faq: form.faq.value, verdict };
    history.replaceState(null, "", link(view));
    show();
  }

  const drawnMap = map(document.querySelector(".matrix"));
  const subjects = new Set(data.hosts.map(([name]) => name));
  places.forEach((place) => namesOf(place).forEach((name) => subjects.add(name)));
  options(form.host, ui.all_hosts, [...subjects].map((name) => [name, name]));
  options(form.faq, ui.all_symptoms, [...new Set(kinds.map((kind) => texts[kind[1]]))].map((key) => [key, symptom(key)]));
  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", changed);
  form.addEventListener("reset", (event) => { event.preventDefault(); history.replaceState(null, "", "#"); form.text.value = form.host.value = form.faq.value = ""; show(); });
  addEventListener("hashchange", show);
  addEventListener("beforeprint", () => { drawnMap.print(); table.print(); });
  show();
})();
