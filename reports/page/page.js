// Sorting, filtering, the language picker, opened samples, and long parts drawn when they are come to.
// Without it, all is shown but the long parts of a large page.
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
  const makeSortable = (table) => {
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
  };
  const makeFilter = (tools) => {
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
  };
  const wire = (root) => {
    root.querySelectorAll("table.sortable").forEach(makeSortable);
    root.querySelectorAll(".tools[data-for]").forEach(makeFilter);
  };
  wire(document);
  // Long parts of a large page: drawn when they come into view.
  const unpack = async (part) => {
    const data = part.querySelector("script");
    if (!data || part.dataset.begun) return;
    part.dataset.begun = "yes";
    const bytes = Uint8Array.from(atob(data.textContent), (sign) => sign.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
    part.innerHTML = await new Response(stream).text();
    part.style.minHeight = "";
    part.classList.remove("packed");
    wire(part);
  };
  const packed = [...document.querySelectorAll(".packed")];
  if (packed.length && "DecompressionStream" in window) {
    const near = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) {
        if (!isIntersecting) continue;
        near.unobserve(target);
        unpack(target);
      }
    }, { rootMargin: "300px" });
    packed.forEach((part) => near.observe(part));
    const whole = document.getElementById("whole");
    whole.hidden = false;
    whole.querySelector("button").addEventListener("click", async () => {
      if (picker) pick("");
      await Promise.all(packed.map(unpack));
      whole.hidden = true;
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
    picker.addEventListener("change", () => {
      pick(picker.value);
      const chosen = picker.value && document.getElementById(picker.value);
      if (chosen) chosen.querySelectorAll(".packed").forEach(unpack);
    });
    if (sections.length > 3) pick(sections[0].id);
  }
  const follow = async () => {
    const id = location.hash.slice(1);
    if (!id) return;
    const part = packed.find((one) => one.dataset.ids.split(" ").includes(id));
    if (part) await unpack(part);
    const target = document.getElementById(id);
    if (!target) return;
    const section = target.closest("section.language");
    if (section && picker && section.hidden) pick(section.id);
    let folded = target.closest("details");
    for (; folded; folded = folded.parentElement.closest("details")) folded.open = true;
    // What is drawn above it meanwhile moves it; whoever scrolls has the say.
    let moved = false;
    for (const sign of ["wheel", "touchmove", "keydown"]) {
      addEventListener(sign, () => { moved = true; }, { once: true, passive: true });
    }
    for (let times = 0; times < (packed.length ? 8 : 1) && !moved; times += 1) {
      target.scrollIntoView();
      if (packed.length) await new Promise((done) => setTimeout(done, 150));
    }
  };
  addEventListener("hashchange", follow);
  follow();
})();
