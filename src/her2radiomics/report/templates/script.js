"use strict";
// headings sort their table: numbers as numbers, text in the reader's order, empty cells last
for (const button of document.querySelectorAll(".sortable thead button")) {
  button.addEventListener("click", () => {
    const heading = button.parentElement, row = heading.parentElement, table = heading.closest("table");
    const column = [...row.children].indexOf(heading);
    const down = heading.getAttribute("aria-sort") === "ascending";
    for (const other of row.children) other.setAttribute("aria-sort", "none");
    heading.setAttribute("aria-sort", down ? "descending" : "ascending");
    const value = (line) => line.cells[column].textContent.trim();
    const lines = [...table.tBodies[0].rows];
    const numeric = lines.every((line) => value(line) === "" || !Number.isNaN(Number(value(line))));
    lines.sort((a, b) => {
      const x = value(a), y = value(b);
      if (x === "" || y === "") return (x === "") - (y === "");
      const order = numeric ? Number(x) - Number(y) : x.localeCompare(y, undefined, { numeric: true });
      return down ? -order : order;
    });
    table.tBodies[0].append(...lines);
  });
}
// one choice of status and text applies to the table and to the pictures
const status = document.querySelector("[data-filter=status]"), text = document.querySelector("[data-filter=text]");
if (status && text) {
  const rows = [...document.querySelectorAll("table[data-filtered] tbody tr, ul[data-filtered] li")];
  const regions = rows.filter((row) => row.tagName === "TR");
  const apply = () => {
    const wanted = text.value.trim().toLowerCase();
    for (const row of rows) {
      const shown = (!status.value || row.dataset.status === status.value) && row.textContent.toLowerCase().includes(wanted);
      row.hidden = !shown;
    }
    document.querySelector("[data-count]").textContent = `${regions.filter((row) => !row.hidden).length} of ${regions.length} regions`;
  };
  status.addEventListener("change", apply);
  text.addEventListener("input", apply);
  apply();
}
// what is folded on screen is printed
addEventListener("beforeprint", () => { for (const part of document.querySelectorAll("details")) part.open = true; });
