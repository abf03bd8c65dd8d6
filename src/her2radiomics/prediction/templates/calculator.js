"use strict";
const model = JSON.parse(document.getElementById("model").textContent);
const $ = (name) => document.querySelector(`[data-${name}]`);
const minus = (text) => text.replace("-", "−");
const expit = (x) => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x)));
const four = (x) => minus(Math.abs(x) >= 1e4 && Math.abs(x) < 1e6 ? x.toFixed(0) : String(Number(x.toPrecision(4))));
// as on a patient's page: no probability is printed as 0 or 100%
const percent = (p) => (p >= 0.9995 ? "> 99.9" : p < 0.0005 ? "< 0.1" : (100 * p).toFixed(1));
let loaded = {}, before = {};
let rows = [], header = [];

function scaled(feature, value) {
  for (const [shift, scale] of feature.scalings) value = (value - shift) / scale;
  return value;
}

function beyond(predictor, value) {
  const slack = model.rounding * (predictor.high - predictor.low);
  return value < predictor.low - slack || value > predictor.high + slack;
}

// What a control holds: undefined where nothing is entered, null where it is not known.
function entered(place) {
  const unknown = document.getElementById(`p${place}-unknown`);
  if (unknown && unknown.checked) return null;
  if (model.predictors[place].kind === "levels") {
    const chosen = document.querySelector(`[name="p${place}"]:checked`);
    return chosen ? chosen.value : undefined;
  }
  const field = document.getElementById(`p${place}`);
  return field.value.trim() === "" || !Number.isFinite(Number(field.value)) ? undefined : Number(field.value);
}

function show(name, value, text) {
  const out = $(name);
  if (!out) return;
  out.textContent = text;
  out.dataset.value = value === null ? "" : String(value);
}

function compute() {
  const missing = [], warnings = [], used = [], points = [];
  let score = model.intercept, total = 0;
  model.predictors.forEach((predictor, place) => {
    const given = entered(place);
    const field = document.getElementById(`p${place}`);
    if (field) field.disabled = given === null;
    if (given === undefined) { missing.push(predictor.label); return; }
    const value = given === null ? predictor.fill : given;
    if (given === null) warnings.push(`${predictor.label}: not known, filled from training`);
    let x = value, contribution;
    if (predictor.kind === "levels") contribution = predictor.weights[value];
    else {
      if (given !== null && beyond(predictor, value))
        warnings.push(`${predictor.label} ${four(value)} lies outside the range of training, ${four(predictor.low)} to ${four(predictor.high)}`);
      if (predictor.kind === "feature") x = scaled(predictor, value);
      contribution = predictor.coefficient * x;
    }
    used[place] = x;
    score = score + contribution;
    if (model.points) {
      points[place] = (contribution - model.points.lowest[place]) * model.points.perUnit;
      total += points[place];
    }
  });
  const complete = missing.length === 0;
  for (const inner of Object.keys(loaded)) if (loaded[inner].beyond) warnings.push(loaded[inner].beyond);
  const probability = expit(score);
  show("missing", null, complete ? "" : `Still to enter: ${missing.slice(0, 4).join(", ")}${missing.length > 4 ? ` and ${missing.length - 4} more` : ""}`);
  show("probability", complete ? probability : null, complete ? `${percent(probability)}%` : "–");
  show("score", complete ? score : null, complete ? minus(score.toFixed(3)) : "–");
  const positive = probability >= model.threshold;
  show("class", complete ? Number(positive) : null, complete ? model.classes[Number(positive)] : "–");
  let bounds = null;
  if (complete && model.uncertainty) bounds = interval(score, used);
  show("interval", bounds && bounds.join(" "), bounds ? `${percent(bounds[0])}% to ${percent(bounds[1])}%` : "–");
  show("total", complete && model.points ? total : null, complete && model.points ? minus(total.toFixed(1)) : "–");
  document.querySelectorAll("[data-points]").forEach((out) => {
    const value = points[Number(out.dataset.points)];
    out.textContent = value === undefined ? "" : `${minus(value.toFixed(1))} points`;
    out.dataset.value = value === undefined ? "" : String(value);
  });
  mark(points, complete ? total : undefined);
  bar(complete ? probability : null, bounds);
  const list = $("warnings");
  if (complete && bounds && bounds[0] < model.threshold && model.threshold <= bounds[1])
    warnings.push("The interval holds the threshold: the class is uncertain");
  list.replaceChildren(...warnings.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
  list.parentElement.hidden = warnings.length === 0;
}

function interval(score, used) {
  const x = [1, ...model.terms.map((term) => (term.codes ? term.codes[used[term.predictor]] : used[term.predictor]))];
  let variance = 0;
  x.forEach((a, i) => x.forEach((b, j) => { variance += a * model.uncertainty[i][j] * b; }));
  const half = model.z * Math.sqrt(variance);
  return [expit(score - half), expit(score + half)];
}

function mark(points, total) {
  document.querySelectorAll("circle[data-mark]").forEach((circle) => {
    const name = circle.dataset.mark, last = name === "total_points" || name === "probability";
    const value = last ? total : points[model.predictors.findIndex((predictor) => predictor.name === name)];
    circle.setAttribute("visibility", value === undefined ? "hidden" : "visible");
    if (value === undefined) return;
    const [origin, unit] = model.points.scale[Number(last)];
    circle.setAttribute("cx", Math.min(Math.max(origin + unit * value, circle.dataset.first), circle.dataset.last));
  });
}

function bar(probability, bounds) {
  const place = (line, first, last) => {
    line.setAttribute("visibility", first === null ? "hidden" : "visible");
    if (first !== null) { line.setAttribute("x1", 1000 * first); line.setAttribute("x2", 1000 * last); }
  };
  place($("spot"), probability, probability);
  place($("range"), bounds && bounds[0], bounds && bounds[1]);
}

// Features from a CSV file: <sequence>__<region>__<name> columns, or PyRadiomics' own names of one sequence and region.
function parse(text) {
  const first = text.split(/\r?\n/, 1)[0];
  const mark = [",", ";", "\t"].sort((a, b) => first.split(b).length - first.split(a).length)[0];
  const table = [[]];
  let cell = "", quoted = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (quoted) { if (c !== '"') cell += c; else if (text[i + 1] === '"') { cell += c; i++; } else quoted = false; }
    else if (c === '"') quoted = true;
    else if (c === mark) { table.at(-1).push(cell); cell = ""; }
    else if (c === "\n") { table.at(-1).push(cell); table.push([]); cell = ""; }
    else if (c !== "\r") cell += c;
  }
  table.at(-1).push(cell);
  const filled = table.filter((row) => row.length > 1);
  return [filled.slice(1).map((row) => row.map((text) => (mark === ";" ? text.replace(",", ".") : text).trim())), (filled[0] || []).map((text) => text.replace(/^\ufeff/, "").trim())];
}

function features() {
  return model.predictors.flatMap((predictor) => (predictor.kind === "feature" ? [predictor] : predictor.rule ? predictor.rule.predictors : []));
}

function choose(select, choices) {
  select.replaceChildren(...choices.map(([value, text]) => Object.assign(document.createElement("option"), { value, textContent: text })));
  select.parentElement.hidden = choices.length < 2;
}

async function read(file) {
  [rows, header] = parse(await file.text());
  before = { ...loaded };
  const name = Math.max(0, header.findIndex((text) => /^(patient_id|patient|id|image)$/i.test(text)));
  choose($("row"), rows.map((row, place) => [String(place), row[name]]));
  const bare = !features().some((feature) => header.includes(feature.name));
  const groups = [...new Set(features().map((feature) => feature.name.split("__").slice(0, 2).join("__")))];
  const named = groups.map((group) => [group, group.replace("__", ", ")]);
  choose($("group"), !bare ? [] : groups.length > 1 ? [["", "– choose –"], ...named] : named);
  take();
}

function take() {
  const row = rows[Number($("row").value || 0)] || [], group = $("group").value;
  let found = 0;
  loaded = { ...before };
  for (const feature of features()) {
    const parts = feature.name.split("__");
    let place = header.indexOf(feature.name);
    if (place < 0 && parts.length > 2 && parts.slice(0, 2).join("__") === group) place = header.indexOf(parts.slice(2).join("__"));
    if (place < 0) continue;
    const text = row[place], value = text === "" || text === undefined ? NaN : Number(text);
    const value_ = Number.isFinite(value) ? value : feature.fill;
    loaded[feature.name] = { value: value_, beyond: Number.isFinite(value)
      ? beyond(feature, value) ? `${feature.label} ${four(value)} lies outside the range of training, ${four(feature.low)} to ${four(feature.high)}` : ""
      : `${feature.label}: no number in the file, filled from training` };
    found++;
  }
  const lacking = features().filter((feature) => !(feature.name in loaded));
  $("read").textContent = `${found} features read` + (lacking.length ? `; ${lacking.length} of ${features().length} still lacking, such as ${lacking[0].name}` : "; all that the model needs");
  model.predictors.forEach((predictor, place) => {
    const field = document.getElementById(`p${place}`);
    if (predictor.kind === "feature" && predictor.name in loaded) field.value = String(loaded[predictor.name].value);
    if (predictor.rule && predictor.rule.predictors.every((feature) => feature.name in loaded))
      field.value = String(predictor.rule.predictors.reduce((sum, feature) => sum + feature.coefficient * scaled(feature, loaded[feature.name].value), predictor.rule.intercept));
  });
  // a feature with a control of its own is judged by what that holds
  for (const predictor of model.predictors) if (predictor.kind === "feature" && loaded[predictor.name]) loaded[predictor.name].beyond = loaded[predictor.name].beyond.includes("no number") ? loaded[predictor.name].beyond : "";
  compute();
}

const form = document.getElementById("controls");
form.addEventListener("input", (event) => {
  if (event.target.matches("[data-file]")) { if (event.target.files[0]) read(event.target.files[0]); }
  else if (event.target.matches("[data-row], [data-group]")) take();
  else compute();
});
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("reset", () => { loaded = {}; before = {}; setTimeout(compute); });
for (const kind of ["dragover", "drop"]) document.addEventListener(kind, (event) => {
  event.preventDefault();
  if (kind === "drop" && $("file") && event.dataTransfer.files[0]) read(event.dataTransfer.files[0]);
});
compute();
