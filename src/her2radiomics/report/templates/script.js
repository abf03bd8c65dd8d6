"use strict";
// quality control: one choice, one order, for the table of regions and for the pictures of cases
const regions = document.querySelector("[data-qc-table]"), controls = document.querySelector("[data-qc-controls]");
if (regions && controls) {
  const headings = [...regions.tHead.rows[0].cells], names = headings.map((heading) => heading.dataset.name);
  const lines = [...regions.tBodies[0].rows].map((element, place) => {
    const cells = [...element.cells].map((cell) => cell.textContent.trim());
    return { element, place, cells, text: cells.join(" ").toLowerCase() };
  });
  const cell = (line, name) => line.cells[names.indexOf(name)] ?? "";
  const list = document.querySelector("[data-qc-pictures]");
  const pictures = new Map([...(list ? list.children : [])].map((element) =>
    [JSON.stringify([element.dataset.patient, element.dataset.sequence]), element]));
  const filters = [...controls.querySelectorAll("[data-filter]")];
  const by = controls.querySelector("[data-sort]"), order = controls.querySelector("[data-order]");
  // 12×12×4 counts as its product: voxels of an image, size of a voxel
  const number = (text) => text.split("×").reduce((product, part) => product * (part.trim() === "" ? NaN : Number(part.replace("−", "-"))), 1);

  const chosen = (line) => filters.every(({ dataset: { filter }, value }) => !value ||
    (filter === "*" ? line.text.includes(value.trim().toLowerCase()) : cell(line, filter) === value));

  // numbers as numbers, text in the reader's order, empty cells last
  const sorted = () => {
    const column = names.indexOf(by.value), down = order.value === "descending" ? -1 : 1;
    if (column < 0) return [...lines];
    const texts = lines.map((line) => line.cells[column]).filter((text) => text !== "");
    const numeric = texts.every((text) => !Number.isNaN(number(text)));
    const collator = new Intl.Collator("en-GB", { numeric: true });
    const compare = numeric ? (x, y) => number(x) - number(y) : collator.compare;
    return [...lines].sort((a, b) => {
      const x = a.cells[column], y = b.cells[column];
      if (x === "" || y === "") return (x === "") - (y === "") || a.place - b.place;
      return down * compare(x, y) || a.place - b.place;
    });
  };

  const show = () => {
    const arranged = sorted(), shown = new Map();
    for (const line of arranged) {
      line.element.hidden = !chosen(line);
      const key = JSON.stringify([cell(line, "patient_id"), cell(line, "sequence")]);
      if (!line.element.hidden && !shown.has(key)) shown.set(key, line);
    }
    regions.tBodies[0].append(...arranged.map((line) => line.element));
    for (const [place, heading] of headings.entries()) {
      heading.setAttribute("aria-sort", names[place] === by.value ? order.value : "none");
    }
    // a case's picture stands where the first of its regions stands, and says that region's value
    const heading = names.includes(by.value) ? headings[names.indexOf(by.value)].textContent.trim() : "";
    for (const picture of pictures.values()) picture.hidden = true;
    order.disabled = by.value === "";  // by urgency there is one order
    if (list) {
      list.append(...[...shown.keys()].filter((key) => pictures.has(key)).map((key) => {
        const picture = pictures.get(key);
        picture.hidden = false;
        const value = by.value ? cell(shown.get(key), by.value) : "";
        picture.querySelector("output").textContent = heading && value ? `${heading}: ${value}` : "";
        return picture;
      }));
    }
    const visible = lines.filter((line) => !line.element.hidden).length;
    const cases = [...pictures.values()].filter((picture) => !picture.hidden).length;
    controls.querySelector("[data-count]").textContent =
      `${visible} of ${lines.length} regions, ${cases} of ${pictures.size} pictures` + (visible ? "" : ". No region fits the filters.");
  };

  controls.addEventListener("submit", (event) => event.preventDefault());
  controls.addEventListener("input", show);
  controls.addEventListener("reset", () => setTimeout(show));
  for (const heading of headings) {
    heading.firstElementChild.addEventListener("click", () => {
      const again = by.value === heading.dataset.name && order.value === "ascending";
      by.value = heading.dataset.name;
      order.value = again ? "descending" : "ascending";
      show();
    });
  }
  const size = controls.parentElement.querySelector("input[data-size]");
  if (size) size.addEventListener("input", () => list.style.setProperty("--picture", `${size.value}rem`));
  show();
}
// viewer: the pictures that are shown, in their order; of each the whole, then slice by slice
const viewer = document.querySelector("[data-viewer]");
if (viewer) {
  const pictures = document.querySelector("[data-qc-pictures]"), section = viewer.closest("section");
  const part = (name) => viewer.querySelector(`[data-${name}]`);
  const stage = part("stage"), range = part("slice"), outlines = part("contours-button");
  const everywhere = section.querySelector("input[data-contours]");
  const shown = () => [...pictures.children].filter((item) => !item.hidden && item.querySelector("img"));
  let current = null;
  const places = (layers) => layers.dataset.slices.split(";").filter(Boolean).map((place) => place.split(",").map(Number));

  const draw = () => {
    const items = shown(), layers = current.querySelector(".layers"), slices = places(layers);
    const [width, height] = layers.dataset.size.split(",").map(Number);
    const [number, left, top, wide, high] = slices[range.value - 1] ?? [0, 0, 0, width, height];
    stage.style.aspectRatio = `${wide} / ${high}`;
    stage.style.width = `min(100%, ${(62 * wide / high).toFixed(2)}vh)`;
    stage.replaceChildren(...[...layers.children].map((picture) => {
      const copy = picture.cloneNode();
      copy.loading = "eager";
      Object.assign(copy.style, { width: `${100 * width / wide}%`, left: `${-100 * left / wide}%`, top: `${-100 * top / high}%` });
      return copy;
    }));
    const name = current.querySelector("a > span:last-child").textContent;
    const where = number ? `slice ${number} of ${layers.dataset.of}` : "whole picture";
    part("now").textContent = `${name} · case ${items.indexOf(current) + 1} of ${items.length} · ${where}`;
    range.setAttribute("aria-valuetext", where);
    part("file").href = current.querySelector("a").getAttribute("href");
  };
  const open = (item) => {
    current = item;
    const layers = item.querySelector(".layers");
    range.max = places(layers).length;
    range.value = 0;
    range.disabled = range.max === "0";
    outlines.disabled = layers.children.length < 2;
    draw();
    if (!viewer.open) viewer.showModal();
  };
  const step = (by) => {
    const items = shown();
    open(items[(items.indexOf(current) + by + items.length) % items.length]);
  };
  const slice = (by) => {
    range.value = Number(range.value) + by;
    draw();
  };
  const contours = (on) => {
    everywhere.checked = on;
    outlines.setAttribute("aria-pressed", String(on));
    section.classList.toggle("no-contours", !on);
  };
  pictures.addEventListener("click", (event) => {
    const item = event.target.closest("li");
    if (!event.target.closest("a") || !item.querySelector("img") || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    open(item);
  });
  viewer.addEventListener("click", ({ target }) => {
    if (target.dataset.step) step(Number(target.dataset.step));
    else if (target === outlines) contours(outlines.getAttribute("aria-pressed") !== "true");
    else if (target === part("close")) viewer.close();
  });
  viewer.addEventListener("keydown", (event) => {
    const act = { ArrowLeft: () => step(-1), ArrowRight: () => step(1), ArrowUp: () => slice(-1), ArrowDown: () => slice(1) }[event.key];
    if (!act || event.target === range) return;
    event.preventDefault();
    act();
  });
  // back to the picture that was looked at last
  viewer.addEventListener("close", () => current.querySelector("a").focus());
  range.addEventListener("input", draw);
  everywhere.addEventListener("input", () => contours(everywhere.checked));
}
// copy: the clipboard where the browser grants it, else the old command, else the text selected for the reader's own keys
for (const row of document.querySelectorAll("[data-copies]")) {
  row.hidden = false;
  row.addEventListener("click", async ({ target: button }) => {
    if (!button.dataset.copy) return;
    const parts = [...document.querySelectorAll(`[data-copied="${button.dataset.copy}"]`)];
    const text = parts.map((element) => {
      const number = element.tagName === "LI" ? `${[...element.parentElement.children].indexOf(element) + 1}. ` : "";
      return number + element.textContent.trim();
    }).join(parts[0]?.tagName === "LI" ? "\n" : "\n\n");
    let copied = false;
    try {
      await navigator.clipboard.writeText(text);
      copied = true;
    } catch {
      const field = row.querySelector("textarea") ?? document.createElement("textarea");
      field.value = text;
      field.setAttribute("aria-label", "Text to copy");
      row.append(field);
      field.select();
      try { copied = document.execCommand("copy"); } catch { copied = false; }
      if (copied) field.remove();
    }
    row.querySelector("[role=status]").textContent = copied ? "Copied." : "Not copied: press Ctrl+C or Cmd+C in the field below.";
    if (copied) button.focus();
  });
}
// contents: the section at the top of the window is the current one
const contents = document.querySelector("[data-contents]");
if (contents) {
  const entries = [...contents.querySelectorAll("a")].map((link) => [link, document.querySelector(link.hash)]);
  const mark = () => {
    const passed = entries.filter(([, section]) => section && section.getBoundingClientRect().top < innerHeight / 3);
    const [current] = passed.at(-1) ?? entries[0];
    for (const [link] of entries) {
      if (link === current && !link.hasAttribute("aria-current")) {
        link.setAttribute("aria-current", "true");
        // on a phone the list scrolls sideways, and the current entry stays in sight
        const row = link.closest("ul"), middle = link.offsetLeft - (row.clientWidth - link.offsetWidth) / 2;
        row.scrollLeft = middle;
      }
      if (link !== current) link.removeAttribute("aria-current");
    }
  };
  addEventListener("scroll", mark, { passive: true });
  mark();
}
// a link into a folded part opens it
addEventListener("hashchange", () => document.getElementById(location.hash.slice(1))?.closest("details")?.setAttribute("open", ""));
// what is folded or not yet loaded on screen is printed
addEventListener("beforeprint", () => {
  for (const part of document.querySelectorAll("details")) part.open = true;
  for (const picture of document.images) picture.loading = "eager";
});
