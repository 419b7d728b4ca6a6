// Sorting, filtering, the pickers of a language and a producer, opened samples, and long parts drawn
// when they are come to.
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
  // The producer that is chosen, and base beside it: the rows of others step back. Figures are of one
  // producer: of the one that is chosen, or else of the one with most results.
  const chooser = document.getElementById("producer");
  const bases = chooser ? JSON.parse(chooser.dataset.bases) : [];
  const showProducer = (root) => {
    const chosen = chooser.value;
    for (const head of root.querySelectorAll("th[data-producer]")) {
      const table = head.closest("table");
      const count = table.tHead.rows[0].cells.length;
      for (const row of [...table.tBodies].flatMap((body) => [...body.rows])) {
        // A cell over several rows stands in the first of them alone.
        const cell = row.cells[head.cellIndex - (count - row.cells.length)];
        const name = cell ? cell.textContent.trim() : "";
        row.classList.toggle("other", chosen !== "" && name !== chosen && !bases.includes(name));
      }
    }
  };
  const choose = (name) => {
    chooser.value = name;
    showProducer(document);
    const drawn = [...document.querySelectorAll(".of-producer")];
    const has = drawn.some((one) => one.dataset.producer === name);
    for (const one of drawn) {
      one.hidden = one.dataset.producer !== (has ? name : chooser.dataset.shown);
    }
  };
  const wire = (root) => {
    root.querySelectorAll("table.sortable").forEach(makeSortable);
    root.querySelectorAll(".tools[data-for]").forEach(makeFilter);
    if (chooser && chooser.value) showProducer(root);
  };
  wire(document);
  if (chooser) {
    chooser.closest(".tools").hidden = false;
    chooser.addEventListener("change", () => choose(chooser.value));
    choose("");
  }
  // Long parts of a large page: drawn when they come into view.
  const texts = new Map();
  const inflate = async (part) => {
    const data = part.querySelector("script").textContent;
    const bytes = Uint8Array.from(atob(data), (sign) => sign.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
    texts.set(part, await new Response(stream).text());
  };
  const fill = (part) => {
    if (!part.classList.contains("packed") || !texts.has(part)) return;
    part.innerHTML = texts.get(part);
    texts.delete(part);
    part.style.minHeight = "";
    part.classList.remove("packed");
    wire(part);
  };
  const unpack = async (part) => {
    if (part.classList.contains("packed") && !texts.has(part)) await inflate(part);
    fill(part);
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
      picked = false;
      await Promise.all(packed.map(unpack));
      showAll();
    });
    // Print and a search in the page wait for nobody: what they want is made ready in idle moments,
    // as text, and drawn at once when they are asked for.
    const showAll = () => {
      packed.forEach(fill);
      if (picker && !picked) pick("");
      whole.hidden = !document.querySelector(".packed");
    };
    const makeReady = async () => {
      for (const part of packed) {
        if (part.classList.contains("packed") && !texts.has(part)) await inflate(part);
      }
      document.documentElement.dataset.ready = "";
    };
    (window.requestIdleCallback || setTimeout)(makeReady);
    addEventListener("beforeprint", showAll);
    addEventListener("keydown", (event) => {
      const finds = event.key === "F3" || (event.key.toLowerCase() === "f" && (event.ctrlKey || event.metaKey));
      if (finds) showAll();
    });
  }
  const picker = document.getElementById("picker");
  const sections = [...document.querySelectorAll("section.language")];
  let picked = false; // by the reader, who then prints that language alone
  const pick = (id) => {
    picker.value = id;
    for (const section of sections) section.hidden = id !== "" && section.id !== id;
  };
  if (picker) {
    picker.closest(".tools").hidden = false;
    picker.addEventListener("change", () => {
      picked = picker.value !== "";
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
    const drawn = target.closest(".of-producer");
    if (drawn && drawn.hidden) choose(drawn.dataset.producer);
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
