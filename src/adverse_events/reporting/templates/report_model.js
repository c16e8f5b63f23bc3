"use strict";
// What the report knows and how it counts; nothing here touches the document.
// Times are milliseconds since 1970, UTC. A drug or a condition is its index in facts.drugs or facts.codes.

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const MONDAY = 4 * DAY; // 1970-01-05, so that weeks begin on Mondays
const BUCKETS = [HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 7 * DAY, 28 * DAY, 364 * DAY];
const NO_FILTER = Object.freeze({ drug: null, condition: null, priority: null, from: null, to: null, text: "" });

const ROLE_NAMES = {
  ADE: "adverse event",
  INDICATION: "indication",
  BENEFIT: "benefit",
  WITHDRAWAL: "withdrawal",
  LACK_OF_EFFECT: "no effect",
  UNKNOWN: "unclear",
};
const PRIORITY_NAMES = ["Serious", "Special situation", "Routine", "Not read"]; // as PRIORITIES in positive.py
const TRAIT_NAMES = { NEGATION: "negated", HYPOTHETICAL: "hypothetical", PERTAINS_TO_FAMILY: "someone else" };

/** Return [class, name] of what an event is in its post: what the text says about it outranks its role. */
function standing(event) {
  if (event.traits.includes("NEGATION")) return ["denied", TRAIT_NAMES.NEGATION];
  const aside = ["PERTAINS_TO_FAMILY", "HYPOTHETICAL"].find((trait) => event.traits.includes(trait));
  if (aside) return ["aside", TRAIT_NAMES[aside]];
  const known = { ADE: "ade", INDICATION: "indication", BENEFIT: "benefit" };
  return [known[event.role] ?? "other", ROLE_NAMES[event.role] ?? event.role];
}

/** Return the name of a seriousness criterion or special situation, as people say it. */
function toldName({ name, isAuthor }) {
  return name.replaceAll("_", " ") + (isAuthor ? "" : ", someone else");
}

/** Return the text everything about a post can be searched in, lower case. */
function searchable(post) {
  const words = [post.text, ...post.mentions.flatMap((m) => [m.text, m.ingredient])];
  const conditions = post.events.flatMap((e) => [e.text, e.code, e.description]);
  const told = post.told.flatMap((t) => [t.text, toldName(t)]);
  return [...words, ...conditions, ...told].filter(Boolean).join("\n").toLowerCase();
}

function matches(filter, time, drugs, codes, priority) {
  return (
    (filter.priority === null || priority === filter.priority) &&
    (filter.drug === null || drugs.includes(filter.drug)) &&
    (filter.condition === null || codes.includes(filter.condition)) &&
    (filter.from === null || time >= filter.from) &&
    (filter.to === null || time < filter.to)
  );
}

/** Return the posts carried in full that pass the filter; every word of its text must occur. */
function postsMatching(facts, filter) {
  const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean);
  return facts.posts.filter(
    (post) => matches(filter, post.t, post.drugs, post.codes, post.priority) && words.every((word) => post.searchable.includes(word)),
  );
}

/** Return [time, drugs, codes, number of posts, priority] of all that pass: every positive post, but only those carried once a text is asked for. */
function cellsMatching(facts, filter, posts) {
  if (filter.text.trim()) return posts.map((post) => [post.t, post.drugs, post.codes, 1, post.priority]);
  return facts.cells.filter(([time, drugs, codes, , priority]) => matches(filter, time, drugs, codes, priority));
}

/** Return [[key, number of posts], ...], most first; `keysOf` gives the keys of a cell. */
function tally(cells, keysOf) {
  const counts = new Map();
  for (const cell of cells) {
    for (const key of keysOf(cell)) counts.set(key, (counts.get(key) ?? 0) + cell[3]);
  }
  return [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
}

/** Return the bars that tile [start, end): at most `atMost`, none finer than a cell. */
function series(cells, start, end, atMost, msPerCell) {
  const isFine = (step) => step >= msPerCell && (end - start) / step <= atMost;
  const step = BUCKETS.find(isFine) ?? BUCKETS.at(-1);
  const origin = step >= 7 * DAY ? MONDAY : 0;
  const floor = (time) => Math.floor((time - origin) / step) * step + origin;
  const bars = [];
  for (let time = floor(start); time < end; time += step) bars.push({ start: time, end: time + step, n: 0 });
  for (const [time, , , n] of cells) {
    const bar = bars[(floor(time) - floor(start)) / step];
    if (bar) bar.n += n;
  }
  return { step, bars };
}

/**
 * Cut a text where a drug or an event begins or ends: [{text, spans}, ...] in order.
 * Offsets count code points, as Python does; a JavaScript string counts UTF-16 units, so an emoji would shift every later span.
 */
function segments(post) {
  const points = Array.from(post.text);
  const spans = [
    ...post.mentions.map((m) => ({ ...m, kind: "drug", label: m.ingredient })),
    ...post.events.map((e) => {
      const [kind, name] = standing(e);
      return { ...e, kind: `event ${kind}`, label: [name, e.code, e.description].filter(Boolean).join(" · ") };
    }),
    ...post.told.map((t) => ({ ...t, kind: `told ${t.kind}`, label: toldName(t) })),
  ].filter(({ begin, end }) => Number.isInteger(begin) && 0 <= begin && begin < end && end <= points.length);
  const cuts = [...new Set([0, points.length, ...spans.flatMap((s) => [s.begin, s.end])])].sort((a, b) => a - b);
  return cuts.slice(1).map((end, i) => ({
    text: points.slice(cuts[i], end).join(""),
    spans: spans.filter((s) => s.begin <= cuts[i] && s.end >= end),
  }));
}

/** Return one CSV field. A leading formula sign is disarmed: spreadsheets would run what a stranger wrote. */
function csvField(value) {
  const text = String(value ?? "");
  const harmless = /^\s*[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

/** Return the posts as CSV with a byte order mark, which spreadsheets need to read UTF-8. */
function csv(posts) {
  const header = [
    "created_at", "ade_probability", "ingredients", "drug_mentions", "event_codes", "events",
    "other_conditions", "priority", "seriousness", "special_situations", "text", "lang", "n_duplicates", "reference",
  ];
  const joined = (values) => [...new Set(values.filter(Boolean))].join("; ");
  const named = (e) => [e.text, e.code, e.description].filter(Boolean).join(" | ");
  const rows = posts.map((post) => {
    const counted = post.events.filter((e) => e.isEvent);
    const told = (kind) => joined(post.told.filter((t) => t.kind === kind).map((t) => [toldName(t), t.text].filter(Boolean).join(" | ")));
    const others = post.events.filter((e) => !e.isEvent).map((e) => `${standing(e)[1]}: ${named(e)}`);
    return [
      new Date(post.t).toISOString(), post.p, joined(post.mentions.map((m) => m.ingredient)),
      joined(post.mentions.map((m) => m.text)), joined(counted.map((e) => e.code)), joined(counted.map(named)),
      joined(others), PRIORITY_NAMES[post.priority], told("serious"), told("special"), post.text, post.lang, post.nDuplicates, post.reference,
    ];
  });
  return "\uFEFF" + [header, ...rows].map((row) => row.map(csvField).join(",")).join("\r\n") + "\r\n";
}
