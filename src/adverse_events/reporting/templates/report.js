// What the reader sees and does. Text of posts reaches the document as text nodes only.

const facts = JSON.parse(document.getElementById("facts").textContent);
for (const post of facts.posts) {
  post.searchable = searchable(post);
  post.rank = -post.priority;
}

const $ = (id) => document.getElementById(id);
const number = new Intl.NumberFormat("en");
const inUtc = (options) => new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", ...options });
const dayFormat = inUtc({ weekday: "short", day: "numeric", month: "short" });
const yearFormat = inUtc({ day: "numeric", month: "short", year: "numeric" });
const clockFormat = inUtc({ hour: "2-digit", minute: "2-digit" });
const SHOWN_BARS = 10;
const MOST_BARS = 500;
const LEAST_WIDTH = 120;

const view = { filter: NO_FILTER, sort: "rank", descending: true, page: 0, pageSize: 25, expanded: new Set() };

/** Create an element; children that are not elements become text. */
function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (value !== null) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

function shape(tag, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

const posts = (n) => `${number.format(n)} ${n === 1 ? "post" : "posts"}`;
const codeName = (index) => facts.codes[index][0] || "No code";
const codeDescription = (index) => facts.codes[index][1] || (facts.codes[index][0] ? "" : "condition found, not coded");
const conditionLabel = (index) => [element("code", {}, codeName(index)), " ", codeDescription(index)];

// ---- filters

function setFilter(change) {
  view.filter = { ...view.filter, ...change };
  view.page = 0;
  draw();
}

const toggled = (key, index) => setFilter({ [key]: view.filter[key] === index ? null : index });
const dayOf = (time) => new Date(time).toISOString().slice(0, 10);

function midnight(input) {
  return input.value ? Date.parse(`${input.value}T00:00:00Z`) : null;
}

function readDates() {
  const to = midnight($("to"));
  setFilter({ from: midnight($("from")), to: to === null ? null : to + DAY });
}

function showFilter() {
  const { drug, condition, priority, from, to, text } = view.filter;
  const values = {
    drug: drug ?? "",
    priority: priority ?? "",
    condition: condition ?? "",
    from: from === null ? "" : dayOf(from),
    to: to === null ? "" : dayOf(to - DAY),
    text,
  };
  for (const [id, value] of Object.entries(values)) {
    if ($(id).value !== String(value)) $(id).value = value;
    $(id).parentElement.classList.toggle("is-set", value !== "");
  }
  $("clear").disabled = Object.values(values).every((value) => value === "");
}

function filterInWords() {
  const { drug, condition, priority, from, to, text } = view.filter;
  return [
    priority === null ? null : PRIORITY_NAMES[priority].toLowerCase(),
    drug === null ? null : facts.drugs[drug],
    condition === null ? null : `${codeName(condition)} ${codeDescription(condition)}`,
    from === null ? null : `from ${yearFormat.format(from)}`,
    to === null ? null : `to ${yearFormat.format(to - DAY)}`,
    text.trim() ? `“${text.trim()}”` : null,
  ].filter(Boolean);
}

function fillChoices() {
  const byDrug = new Map(tally(facts.cells, ([, drugs]) => drugs));
  const byCode = new Map(tally(facts.cells, ([, , codes]) => codes));
  facts.drugs.forEach((name, i) => $("drug").append(element("option", { value: i }, `${name} (${byDrug.get(i)})`)));
  facts.codes.forEach((_, i) =>
    $("condition").append(element("option", { value: i }, `${codeName(i)} ${codeDescription(i)} (${byCode.get(i)})`)),
  );
  for (const [i, n] of tally(facts.cells, ([, , , , priority]) => [priority]).sort(([a], [b]) => a - b)) {
    $("priority").append(element("option", { value: i }, `${PRIORITY_NAMES[i]} (${n})`));
  }
  if (facts.span) {
    for (const id of ["from", "to"]) {
      $(id).min = dayOf(facts.span[0]);
      $(id).max = dayOf(facts.span[1] - 1);
    }
  }
}

// ---- the verdict and the time series

function drawVerdict(total) {
  const words = filterInWords();
  const share = facts.nPositives ? Math.round((1000 * total) / facts.nPositives) / 10 : 0;
  const parts = words.length
    ? [element("b", {}, number.format(total)), ` of ${posts(facts.nPositives)} (${share} %): ${words.join(", ")}`]
    : [element("b", {}, number.format(total)), ` positive ${total === 1 ? "post" : "posts"}`];
  $("verdict").replaceChildren(...parts);
}

function barName({ start, end }, step) {
  if (step < DAY) return `${dayFormat.format(start)}, ${clockFormat.format(start)} to ${clockFormat.format(end)}`;
  return step === DAY ? dayFormat.format(start) : `${yearFormat.format(start)} to ${yearFormat.format(end - DAY)}`;
}

function niceStep(highest) {
  const raw = Math.max(1, highest / 3);
  const power = 10 ** Math.floor(Math.log10(raw));
  return Math.max(1, [1, 2, 5, 10].find((factor) => factor * power >= raw) * power);
}

function drawSeries(cells) {
  const box = $("series");
  const width = box.clientWidth;
  if (!facts.span || width < LEAST_WIDTH) return; // hidden or still being laid out; drawn when it gets its width
  const start = Math.max(view.filter.from ?? -Infinity, facts.span[0]);
  const end = Math.max(Math.min(view.filter.to ?? Infinity, facts.span[1]), start + HOUR);
  const [height, left, bottom, top] = [box.clientHeight, 34, 22, 8];
  const plot = width - left;
  const { step, bars } = series(cells, start, end, Math.min(130, Math.floor(plot / 9)), facts.msPerCell);
  const [first, last] = [bars[0].start, bars.at(-1).end];
  const x = (time) => left + (plot * (time - first)) / (last - first);
  const tick = niceStep(Math.max(1, ...bars.map((bar) => bar.n)));
  const highest = Math.max(tick, Math.ceil(Math.max(...bars.map((bar) => bar.n)) / tick) * tick);
  const y = (n) => height - bottom - ((height - bottom - top) * n) / highest;

  const picture = shape("svg", { viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" });
  for (const [from, to] of [[-Infinity, facts.span[0]], ...facts.gaps, [facts.span[1], Infinity]]) {
    const [a, b] = [Math.max(from, first), Math.min(to, last)];
    if (a < b) picture.append(shape("rect", { class: "gap", x: x(a), width: x(b) - x(a), y: top, height: height - bottom - top }));
  }
  for (let n = 0; n <= highest; n += tick) {
    picture.append(shape("line", { class: n ? "axis" : "axis base", x1: left, x2: width, y1: y(n), y2: y(n) }));
    picture.append(shape("text", { x: left - 6, y: y(n) + 4, "text-anchor": "end" }, number.format(n)));
  }
  const between = [6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY, 28 * DAY, 84 * DAY, 364 * DAY].find(
    (gap) => (plot * gap) / (last - first) >= 76,
  ) ?? 364 * DAY;
  const origin = between % (7 * DAY) ? 0 : MONDAY;
  for (let time = Math.ceil((first - origin) / between) * between + origin; time < last; time += between) {
    const label = time % DAY ? clockFormat.format(time) : (between < 28 * DAY ? dayFormat : yearFormat).format(time);
    picture.append(shape("line", { class: "axis base", x1: x(time), x2: x(time), y1: height - bottom, y2: height - bottom + 4 }));
    if (x(time) < width - 56) picture.append(shape("text", { x: x(time), y: height - 4 }, label));
  }
  const slots = bars.map((bar) => {
    const [from, to] = [x(bar.start), x(bar.end)];
    const inset = Math.min(1, (to - from) / 8);
    const slot = shape(
      "g", { class: "slot" },
      shape("rect", { class: "bar", x: from + inset, width: to - from - 2 * inset, y: y(bar.n), height: y(0) - y(bar.n) }),
      shape("rect", { class: "hit", x: from, width: to - from, y: top, height: height - bottom - top }),
      shape("title", {}, `${barName(bar, step)}: ${posts(bar.n)}`),
    );
    slot.dataset.n = bar.n;
    return slot;
  });
  picture.append(...slots);
  box.replaceChildren(picture);
  listenToSeries(box, slots, bars, step);
  const every = step < DAY ? `${step / HOUR}-hour` : { [DAY]: "daily", [7 * DAY]: "weekly" }[step] ?? `${step / DAY}-day`;
  $("series-note").textContent = `${every} bars, UTC${facts.gaps.length ? "; shaded: not processed" : ""}`;
}

function listenToSeries(box, slots, bars, step) {
  let current = -1;
  const read = (index) => {
    current = index;
    slots.forEach((slot, i) => slot.classList.toggle("is-current", i === index));
    $("readout").classList.toggle("is-reading", index >= 0);
    $("readout").textContent =
      index < 0 ? "Point at a bar to read it; click it to filter to its days." : `${barName(bars[index], step)}: ${posts(bars[index].n)}`;
  };
  const choose = (bar) => {
    const from = Math.floor(bar.start / DAY) * DAY;
    const to = Math.ceil(bar.end / DAY) * DAY;
    const isChosen = view.filter.from === from && view.filter.to === to;
    setFilter(isChosen ? { from: null, to: null } : { from, to });
  };
  slots.forEach((slot, i) => {
    slot.addEventListener("pointerenter", () => read(i));
    slot.addEventListener("click", () => choose(bars[i]));
  });
  box.onpointerleave = () => read(-1);
  box.onkeydown = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step) read(Math.min(Math.max(current + step, 0), bars.length - 1));
    else if (event.key === "Enter" && current >= 0) choose(bars[current]);
    else return;
    event.preventDefault();
  };
  read(-1);
}

// ---- bars that are filters

function drawBars(id, counts, isPressed, press, label) {
  const most = counts.length ? counts[0][1] : 1;
  const limit = view.expanded.has(id) ? MOST_BARS : SHOWN_BARS;
  const rows = counts.slice(0, limit).map(([key, n]) => {
    const name = element("span", {}, ...label(key));
    name.title = name.textContent;
    const bar = element("i", { "aria-hidden": "true" });
    bar.style.width = `${(100 * n) / most}%`;
    const button = element("button", { type: "button", "aria-pressed": isPressed(key), click: () => press(key) });
    button.append(bar, name, element("b", {}, number.format(n)));
    return element("li", {}, button);
  });
  if (counts.length > SHOWN_BARS) {
    const change = () => {
      if (!view.expanded.delete(id)) view.expanded.add(id);
      drawBars(id, counts, isPressed, press, label);
    };
    const more = counts.length > MOST_BARS ? `Show ${MOST_BARS} of ${number.format(counts.length)}` : `Show all ${counts.length}`;
    const text = view.expanded.has(id) ? "Show fewer" : more;
    rows.push(element("li", {}, element("button", { type: "button", class: "more", click: change }, text)));
  }
  $(id).replaceChildren(...(rows.length ? rows : [element("li", { class: "nothing" }, "None")]));
}

function drawTops(cells) {
  const { drug, condition } = view.filter;
  drawBars("top-drugs", tally(cells, ([, drugs]) => drugs), (i) => i === drug, (i) => toggled("drug", i), (i) => [facts.drugs[i]]);
  drawBars("top-conditions", tally(cells, ([, , codes]) => codes), (i) => i === condition, (i) => toggled("condition", i), conditionLabel);
  const width = facts.codes.length || 1;
  const pairs = tally(cells, ([, drugs, codes]) => drugs.flatMap((d) => codes.map((c) => d * width + c)));
  const parts = (pair) => ({ drug: Math.floor(pair / width), condition: pair % width });
  const isPressed = (pair) => parts(pair).drug === drug && parts(pair).condition === condition;
  const press = (pair) => setFilter(isPressed(pair) ? { drug: null, condition: null } : parts(pair));
  const label = (pair) => [`${facts.drugs[parts(pair).drug]} · `, codeDescription(parts(pair).condition) || codeName(parts(pair).condition)];
  drawBars("top-pairs", pairs, isPressed, press, label);
}

// ---- the posts

function postText(post) {
  if (post.text === null) return element("p", { class: "post is-missing" }, "Text is not kept (keep_text = none).");
  const pieces = segments(post).map(({ text, spans }) =>
    spans.length
      ? element("mark", { class: spans.map((s) => s.kind).join(" "), title: spans.map((s) => s.label).join("\n") }, text)
      : text,
  );
  return element("p", { class: "post", dir: "auto", lang: post.lang }, ...pieces);
}

/** Say which ingredient a mention stands for, where its own words do not. */
function ingredientNotes(post) {
  const isPlain = (m) => post.text !== null && m.text?.toLowerCase() === m.ingredient;
  const note = (m) => (post.text === null || !m.text ? m.ingredient : `${m.text} = ${m.ingredient}`);
  return [...new Set(post.mentions.filter((m) => !isPlain(m)).map(note))];
}

function postAbout(post) {
  const copies = post.nDuplicates ? [`+${number.format(post.nDuplicates)} ${post.nDuplicates === 1 ? "copy" : "copies"}`] : [];
  const reference =
    post.reference === null ? [] : [element("code", { title: `Reference ${post.reference}` }, post.reference.slice(0, 8))];
  const notes = ingredientNotes(post).map((note) => element("b", {}, note));
  return element("p", { class: "about quiet" }, ...[...notes, ...copies, ...reference].map((part) => element("span", {}, part)));
}

function conditionItem(event) {
  const [kind, name] = standing(event);
  const words = event.description || event.text || "";
  const concept = element("span", {}, kind === "denied" ? element("s", {}, words) : words);
  if (event.code) concept.prepend(element("code", {}, event.code), " ");
  else concept.append(element("span", { class: "quiet" }, " no code"));
  if (event.causeCode) concept.title = `Drug coded as ${event.causeCode}`;
  return element("li", { class: event.isEvent ? null : "is-not-counted" }, element("span", { class: `role ${kind}` }, name), concept);
}

function toldItem(told) {
  const words = told.text === null ? "" : `“${told.text}”`;
  return element("li", {}, element("span", { class: `role told ${told.kind}` }, toldName(told)), element("span", {}, words));
}

function postRow(post) {
  const meter = element("span", { class: "meter", "aria-hidden": "true" }, element("i"));
  meter.firstChild.style.width = `${100 * post.p}%`;
  const when = new Date(post.t);
  return element(
    "tr", {},
    element("td", {}, element("time", { datetime: when.toISOString() }, element("b", {}, yearFormat.format(when)), " ", clockFormat.format(when))),
    element("td", {}, element("span", { class: `priority p${post.priority}` }, PRIORITY_NAMES[post.priority])),
    element("td", {}, post.p.toFixed(2), meter),
    element("td", {}, postText(post), postAbout(post)),
    element("td", {}, element("ul", { class: "found" }, ...post.told.map(toldItem), ...post.events.map(conditionItem))),
  );
}

function sorted(found) {
  const sign = view.descending ? -1 : 1;
  return [...found].sort((a, b) => sign * (a[view.sort] - b[view.sort]) || b.p - a.p || a.t - b.t);
}

function drawPosts(found) {
  const pages = Math.max(1, Math.ceil(found.length / view.pageSize));
  view.page = Math.min(view.page, pages - 1);
  const from = view.page * view.pageSize;
  const rows = sorted(found).slice(from, from + view.pageSize);
  $("table").tBodies[0].replaceChildren(...rows.map(postRow));
  for (const head of $("table").querySelectorAll("th[data-sort]")) {
    if (head.dataset.sort === view.sort) head.setAttribute("aria-sort", view.descending ? "descending" : "ascending");
    else head.removeAttribute("aria-sort");
  }
  $("page-range").textContent = `${found.length ? from + 1 : 0} to ${from + rows.length} of ${number.format(found.length)}`;
  $("previous").disabled = view.page === 0;
  $("next").disabled = view.page >= pages - 1;
  $("download").textContent = `Download CSV (${posts(found.length)})`;
  $("download").disabled = !found.length;
  $("table").hidden = $("pager").hidden = !found.length;
  drawEmpty(found.length === 0);
}

function drawEmpty(isEmpty) {
  $("empty").hidden = !isEmpty;
  if (!isEmpty) return;
  const hasPosts = facts.posts.length > 0;
  const text = hasPosts ? "No positive post passes these filters." : "No post of this period was flagged as an adverse drug event.";
  $("empty").replaceChildren(element("p", {}, text));
  if (hasPosts) $("empty").append(element("button", { type: "button", click: () => setFilter(NO_FILTER) }, "Clear the filters"));
}

function download() {
  const found = sorted(postsMatching(facts, view.filter));
  const address = URL.createObjectURL(new Blob([csv(found)], { type: "text/csv;charset=utf-8" }));
  const days = facts.span ? `${dayOf(facts.span[0])}-to-${dayOf(facts.span[1] - 1)}` : "empty";
  const link = element("a", { href: address, download: `adverse-drug-events-${days}.csv` });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

// ---- everything together

function draw() {
  const found = postsMatching(facts, view.filter);
  const cells = cellsMatching(facts, view.filter, found);
  showFilter();
  drawVerdict(cells.reduce((sum, cell) => sum + cell[3], 0));
  drawSeries(cells);
  drawTops(cells);
  drawPosts(found);
}

function turnPage(change) {
  view.page += change;
  draw();
  $("posts").scrollIntoView();
}

function listen() {
  const chosen = (id) => ($(id).value === "" ? null : Number($(id).value));
  $("drug").addEventListener("change", () => setFilter({ drug: chosen("drug") }));
  $("condition").addEventListener("change", () => setFilter({ condition: chosen("condition") }));
  $("priority").addEventListener("change", () => setFilter({ priority: chosen("priority") }));
  $("from").addEventListener("change", readDates);
  $("to").addEventListener("change", readDates);
  let typing;
  $("text").addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(() => setFilter({ text: $("text").value }), 120);
  });
  $("filters").addEventListener("submit", (event) => event.preventDefault());
  $("clear").addEventListener("click", () => setFilter(NO_FILTER));
  $("download").addEventListener("click", download);
  $("previous").addEventListener("click", () => turnPage(-1));
  $("next").addEventListener("click", () => turnPage(1));
  $("page-size").addEventListener("change", () => {
    Object.assign(view, { pageSize: Number($("page-size").value), page: 0 });
    draw();
  });
  for (const head of $("table").querySelectorAll("th[data-sort]")) {
    head.querySelector("button").addEventListener("click", () => {
      const isSame = view.sort === head.dataset.sort;
      Object.assign(view, { sort: head.dataset.sort, descending: isSame ? !view.descending : true, page: 0 });
      draw();
    });
  }
  let width = $("series").clientWidth;
  new ResizeObserver(() => {
    if ($("series").clientWidth === width) return;
    width = $("series").clientWidth;
    draw();
  }).observe($("series"));
}

fillChoices();
listen();
draw();
