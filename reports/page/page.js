// Sorting, filtering, the language picker and opened samples. Without it, everything is shown.
"use strict";
(() => {
  const value = (row, column) => {
    const text = row.cells[column].textContent.trim();
    const number = parseFloat(text.replace(/−/g, "-").replace(/[,%$<\s]/g, ""));
    return { text, number: Number.isNaN(number) ? null : number };
  };
  const compare = (one, other, numeric) => {
    if (!numeric) return one.text.localeCompare(other.text);
    if (one.number === null || other.number === null) {
      return (one.number === null) - (other.number === null);
    }
    return one.number - other.number;
  };
  for (const table of document.querySelectorAll("table.sortable")) {
    const body = table.tBodies[0];
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        const numeric = head.classList.contains("num");
        const was = head.getAttribute("aria-sort");
        const down = was ? was === "ascending" : numeric;
        for (const other of heads) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const rows = [...body.rows].map((row) => [value(row, column), row]);
        const lacking = (entry) => numeric && entry.number === null;
        rows.sort(([one], [other]) => {
          // What has no number stays at the end, whichever way the others run.
          if (lacking(one) || lacking(other)) return lacking(one) - lacking(other);
          return (down ? -1 : 1) * compare(one, other, numeric);
        });
        body.append(...rows.map(([, row]) => row));
      });
    });
  }
  for (const tools of document.querySelectorAll(".tools[data-for]")) {
    const rows = [...document.getElementById(tools.dataset.for).tBodies[0].rows];
    const texts = rows.map((row) => row.textContent.toLowerCase());
    const count = tools.querySelector("[role=status]");
    tools.hidden = false;
    tools.querySelector("input").addEventListener("input", (event) => {
      const words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      rows.forEach((row, place) => {
        row.hidden = !words.every((word) => texts[place].includes(word));
        shown += !row.hidden;
      });
      count.textContent = words.length ? `${shown} of ${rows.length} rows` : "";
    });
  }
  const picker = document.getElementById("picker");
  const sections = [...document.querySelectorAll("section.language")];
  const pick = (id) => {
    picker.value = id;
    for (const section of sections) section.hidden = id !== "" && section.id !== id;
  };
  if (picker) {
    picker.closest(".tools").hidden = false;
    picker.addEventListener("change", () => pick(picker.value));
    if (sections.length > 3) pick(sections[0].id);
  }
  const follow = () => {
    const target = location.hash && document.getElementById(location.hash.slice(1));
    if (!target) return;
    const section = target.closest("section.language");
    if (section && picker && section.hidden) pick(section.id);
    if (target.tagName === "DETAILS") target.open = true;
    target.scrollIntoView();
  };
  addEventListener("hashchange", follow);
  follow();
})();
