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
    if (list) {
      list.append(...[...(by.value ? shown.keys() : pictures.keys())].filter((key) => pictures.has(key)).map((key) => {
        const picture = pictures.get(key);
        picture.hidden = !shown.has(key);
        const value = by.value && !picture.hidden ? cell(shown.get(key), by.value) : "";
        picture.querySelector("output").textContent = heading && value ? `${heading}: ${value}` : "";
        return picture;
      }));
    }
    const visible = lines.filter((line) => !line.element.hidden).length;
    const cases = [...pictures.values()].filter((picture) => !picture.hidden).length;
    controls.querySelector("[data-count]").textContent =
      `${visible} of ${lines.length} regions, ${cases} of ${pictures.size} pictures`;
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
  const size = document.querySelector("[data-size]");
  if (size) size.addEventListener("input", () => list.style.setProperty("--picture", `${size.value}rem`));
  show();
}
// contents: the section at the top of the window is the current one
const contents = document.querySelector("[data-contents]");
if (contents) {
  const entries = [...contents.querySelectorAll("a")].map((link) => [link, document.querySelector(link.hash)]);
  const mark = () => {
    const passed = entries.filter(([, section]) => section && section.getBoundingClientRect().top < innerHeight / 3);
    const [current] = passed.at(-1) ?? entries[0];
    for (const [link] of entries) {
      if (link === current) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
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
