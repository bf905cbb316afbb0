/* Looks an area up in the packed table of areas_data.js, and shows it beside its province and the nation. */
"use strict";
(async function () {
  const said = JSON.parse(document.getElementById("areas-words").textContent);
  const words = said.words, chinese = said.language === "zh";
  const [form, field, found, list, shown] = ["form", "name", "found", "list", "shown"].map(
    name => document.getElementById("areas-" + name));
  const MOST = 20, ORDER = ["nation", "province", "prefecture", "county"];

  async function unpack(text) {
    const bytes = Uint8Array.from(atob(text), sign => sign.charCodeAt(0));
    const plain = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return JSON.parse(await new Response(plain).text());
  }

  if (typeof DecompressionStream === "undefined") {
    found.textContent = words.old_browser;
    return;
  }
  const {areas, figures} = await unpack(window.areasPacked);
  const known = new Map(areas.map(([code, zh, en, level, under, cautions]) =>
    [code, {code, zh, en, level, under, cautions, plain: plain(en)}]));
  const lines = new Map();
  for (const line of figures.split("\n")) {
    const code = Number(line.slice(0, 6));
    lines.set(code, [...(lines.get(code) || []), line.slice(7)]);
  }

  function plain(text) {
    return text.toLowerCase().normalize("NFD").replace(/[^a-z0-9\u3400-\u9fff]/g, "");
  }

  function element(name, text, attributes = {}) {
    const made = document.createElement(name);
    made.textContent = text;
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  }

  function filled(phrase, values) {
    return phrase.replace(/{(\w+)}/g, (_, name) => values[name]);
  }

  /* A name in the page's language, and behind it in the other, marked as such for who hears the page. */
  function named(area) {
    const [own, other] = chinese ? [area.zh, area.en] : [area.en, area.zh];
    const made = element("span", own + " ");
    made.append(element("span", other, {lang: chinese ? "en" : "zh-Hans"}));
    return made;
  }

  function lineOf(area) {
    const line = [];
    for (let one = area; one; one = known.get(one.under)) line.push(one);
    return line;
  }

  function matches(text) {
    const asked = plain(text);
    if (!asked) return [];
    const rank = area => {
      if (String(area.code) === asked || area.zh === asked || area.plain === asked) return 0;
      if (area.zh.startsWith(asked) || area.plain.startsWith(asked)) return 1;
      if (String(area.code).startsWith(asked)) return 2;
      return area.zh.includes(asked) ? 3 : 9;
    };
    return [...known.values()].map(area => [rank(area), ORDER.indexOf(area.level), area])
      .filter(([place]) => place < 9)
      .sort((one, other) => one[0] - other[0] || one[1] - other[1] || one[2].code - other[2].code)
      .map(([, , area]) => area);
  }

  function look() {
    const fits = matches(field.value);
    list.replaceChildren(...fits.slice(0, MOST).map(area => {
      const item = document.createElement("li");
      const button = element("button", "", {type: "button"});
      button.append(named(area));
      const above = lineOf(area).slice(1, -1).map(one => chinese ? one.zh : one.en);
      const told = [...above, said.levels[area.level], area.code];
      button.append(element("span", (chinese ? "（" : "(") + told.join(chinese ? "、" : ", ") + (chinese ? "）" : ")")));
      button.addEventListener("click", () => show(area));
      item.append(button);
      return item;
    }));
    found.textContent = !plain(field.value) ? words.waiting
      : !fits.length ? words.nothing
        : filled(fits.length > MOST ? words.many : words.found, {count: fits.length, shown: MOST});
    return fits;
  }

  /* Numbers of three digits as the reports write them: all of a range in the unit of its smallest. */
  function range(cell) {
    const ends = cell.split(" ").map(Number);
    const fit = value => said.sizes.filter(size => Math.abs(value) >= size).pop() || 1;
    const size = Math.min(...ends.filter(value => value).map(fit));
    const [low, central, high] = ends.map(value => number(value, Number.isFinite(size) ? size : 1));
    return filled(said.range, {low, central, high});
  }

  function number(value, size) {
    if (size === 1) return digits(Math.abs(value) < 100 ? Math.round(value) : value, 0);
    const told = value / size;
    const decimals = told ? Math.max(0, 2 - Math.floor(Math.log10(Math.abs(told)))) : 0;
    return filled(said.large[said.sizes.indexOf(size)], {number: digits(told, decimals)});
  }

  function digits(value, decimals) {
    const text = value.toFixed(decimals).replace(/\B(?=(\d{3})+(?!\d))/g, said.thousands);
    return decimals ? value.toFixed(decimals).replace(/^\d+/, whole =>
      whole.replace(/\B(?=(\d{3})+(?!\d))/g, said.thousands)) : text;
  }

  function tableOf(area) {
    const told = filled(words.table, {name: chinese ? area.zh : area.en});
    const box = element("div", "", {class: "table-wrapper", tabindex: 0, role: "region", "aria-label": told});
    const table = element("table", "", {class: "wide"});
    table.append(element("caption", told));
    const head = document.createElement("tr");
    head.append(element("th", words.figure, {scope: "col"}),
      ...said.years.map(year => element("th", year, {scope: "col", class: "number"})));
    const top = document.createElement("thead");
    top.append(head);
    const body = document.createElement("tbody");
    (lines.get(area.code) || []).forEach((line, place) => {
      const row = element("tr", "");
      row.append(element("th", said.rows[place], {scope: "row"}));
      for (const cell of line.split(",")) row.append(element("td", range(cell), {class: "number"}));
      body.append(row);
    });
    table.append(top, body);
    box.append(table);
    return box;
  }

  function show(area) {
    const line = lineOf(area);
    const beside = line.filter(one => one !== area && ["province", "nation"].includes(one.level));
    const title = element("h2", "", {tabindex: -1});
    title.append(named(area));
    title.append(element("span", " " + area.code + (chinese ? "，" : ", ") + said.levels[area.level]));
    const province = line.find(one => one.level === "province") || line[line.length - 1];
    const cautions = area.cautions.map(name => element("p", said.cautions[name], {class: "lead"}));
    shown.replaceChildren(title, ...cautions, tableOf(area));
    if (beside.length) shown.append(element("h3", words.beside), ...beside.map(tableOf));
    shown.append(element("h3", words.basis), element("p", said.basis[province.code]), element("p", words.from));
    list.replaceChildren();
    field.value = chinese ? area.zh : area.en;
    found.textContent = filled(words.shown, {name: field.value});
    history.replaceState(null, "", "#" + area.code);
    title.focus();
  }

  form.addEventListener("submit", event => {
    event.preventDefault();
    const fits = look();
    if (fits.length) show(fits[0]);
  });
  field.addEventListener("input", look);
  const asked = known.get(Number(location.hash.slice(1)));
  if (asked) show(asked);
  document.documentElement.dataset.areas = "ready";
})();
