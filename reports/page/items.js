// Opens an item: loads the file that holds its texts, once, and shows them below its line.
"use strict";
(() => {
  const loaded = new Map();
  // A file of texts calls this; a page in a folder may load scripts, but fetch nothing.
  window.kakugoItems = (name, items) => loaded.get(name).resolve(items);
  const load = (name) => {
    if (!loaded.has(name)) {
      const entry = {};
      entry.texts = new Promise((resolve, reject) => Object.assign(entry, { resolve, reject }));
      loaded.set(name, entry);
      const script = document.createElement("script");
      script.src = name;
      script.onerror = () => {
        loaded.delete(name);
        entry.reject();
      };
      document.head.append(script);
    }
    return loaded.get(name).texts;
  };
  const element = (name, text, attributes = {}) => {
    const made = document.createElement(name);
    made.textContent = text;
    for (const [key, value] of Object.entries(attributes)) if (value) made.setAttribute(key, value);
    return made;
  };
  const show = (item) => {
    const box = document.createElement("div");
    for (const { language, lines } of item) {
      const list = element("dl", "", { class: "said" });
      for (const [label, text, dir, lang] of lines) {
        list.append(element("dt", label), element("dd", text || "(nothing)", { dir, lang }));
      }
      box.append(element("h2", language), list);
    }
    return box;
  };
  for (const row of document.querySelectorAll("tr[data-file]")) {
    const head = row.cells[0];
    const button = element("button", head.textContent, { type: "button", "aria-expanded": "false" });
    head.replaceChildren(button);
    let opened = null;
    button.addEventListener("click", async () => {
      if (!opened) {
        opened = document.createElement("tr");
        opened.className = "opened";
        const cell = element("td", "Loading …", { colspan: row.cells.length });
        opened.append(cell);
        row.after(opened);
        const name = row.dataset.file;
        try {
          cell.replaceChildren(show((await load(name))[Number(row.dataset.place)]));
        } catch {
          cell.textContent = `The file ${name} is not beside this page: copy the whole folder.`;
        }
      } else {
        opened.hidden = !opened.hidden;
      }
      button.setAttribute("aria-expanded", String(!opened.hidden));
    });
  }
  const filter = document.getElementById("filter");
  if (!filter) return;
  filter.closest(".tools").hidden = false;
  const rows = [...document.querySelectorAll("tr[data-file]")];
  const count = document.getElementById("count");
  filter.addEventListener("input", () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
      const next = row.nextElementSibling;
      if (next?.className === "opened" && row.hidden) next.hidden = true;
      shown += !row.hidden;
    }
    count.textContent = words.length ? `${shown} of ${rows.length} items of this page` : "";
  });
})();
