// The offline packet: keeps votes in this browser, chains them by SHA-256, and gives them back as JSON.
(() => {
  "use strict";
  const get = (id) => document.getElementById(id);
  const text = get("shown").textContent;
  const items = JSON.parse(text);
  const meta = JSON.parse(get("meta").textContent);
  const place = "kakugo-packet-" + meta.packet;
  const read = () => { try { return JSON.parse(localStorage.getItem(place)); } catch { return null; } };
  // page: this browser's own number, since a packet may be opened on two devices; log: all that was done,
  // in order; drafts: what is being written, by item.
  const page = () => [...crypto.getRandomValues(new Uint8Array(8))].map((n) => n.toString(16).padStart(2, "0")).join("");
  const state = read() || { agreed: false, page: page(), log: [], drafts: {} };
  const keep = () => { try { localStorage.setItem(place, JSON.stringify(state)); } catch { /* the file can still be saved */ } };

  // SHA-256 (FIPS 180-4): the browser's own is missing where a file counts as no secure context.
  const K = [], H0 = [];
  for (let n = 2; K.length < 64; n++) {
    let prime = true;
    for (let d = 2; d * d <= n; d++) if (n % d === 0) prime = false;
    if (!prime) continue;
    if (H0.length < 8) H0.push((Math.sqrt(n) % 1) * 4294967296 | 0);
    K.push((Math.cbrt(n) % 1) * 4294967296 | 0);
  }
  const sha256 = (string) => {
    const bytes = new TextEncoder().encode(string);
    const padded = new Uint8Array(((bytes.length + 8 >> 6) + 1) << 6);
    padded.set(bytes);
    padded[bytes.length] = 0x80;
    const view = new DataView(padded.buffer);
    view.setUint32(padded.length - 8, Math.floor(bytes.length / 536870912));
    view.setUint32(padded.length - 4, bytes.length << 3);
    const h = H0.slice(), w = new Int32Array(64);
    const turn = (x, n) => x >>> n | x << 32 - n;
    for (let start = 0; start < padded.length; start += 64) {
      for (let i = 0; i < 16; i++) w[i] = view.getInt32(start + 4 * i);
      for (let i = 16; i < 64; i++) {
        const x = w[i - 15], y = w[i - 2];
        w[i] = w[i - 16] + w[i - 7] + (turn(x, 7) ^ turn(x, 18) ^ x >>> 3) + (turn(y, 17) ^ turn(y, 19) ^ y >>> 10);
      }
      let [a, b, c, d, e, f, g, j] = h;
      for (let i = 0; i < 64; i++) {
        const one = j + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + (e & f ^ ~e & g) + K[i] + w[i] | 0;
        const two = (turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + (a & b ^ a & c ^ b & c) | 0;
        j = g; g = f; f = e; e = d + one | 0; d = c; c = b; b = a; a = one + two | 0;
      }
      [a, b, c, d, e, f, g, j].forEach((value, i) => { h[i] = h[i] + value | 0; });
    }
    return h.map((value) => (value >>> 0).toString(16).padStart(8, "0")).join("");
  };

  const chained = () => {
    let previous = sha256(meta.packet + "\n" + state.page);
    return state.log.map((one) => {
      previous = sha256([previous, one.kind, one.item, one.choice, one.verdict_a, one.verdict_b, one.comment, one.seen].join("\n"));
      return { ...one, hash: previous };
    });
  };
  const file = () => JSON.stringify({
    format: meta.format, study: meta.study, packet: meta.packet, page: state.page, shown_sha256: sha256(text), log: chained(),
  }, null, 1);
  const add = (kind, item, choice, said) => {
    state.log.push({ kind, item, choice, verdict_a: "", verdict_b: "", comment: "", seen: meta.seen[kind === "guess" ? "guesses" : item] || "", ...said });
    keep();
    show();
    window.scrollTo(0, 0);
  };

  // What the log adds up to: this browser's votes, latest last, and the guesses made after them.
  const standing = () => {
    const votes = new Map();
    for (const one of state.log) {
      if (one.kind === "guess") continue;
      votes.delete(one.item);
      if (one.kind === "vote") votes.set(one.item, one);
    }
    return votes;
  };
  const guessed = () => {
    const items = new Set();
    for (const one of state.log) {
      if (one.kind !== "guess") items.clear();
      else if (one.seen === (meta.seen.guesses || "")) items.add(one.item);
    }
    return items;
  };
  // An item is open that nobody chose on, or on which the rater chose differently in another browser.
  const open = (item) => {
    const vote = standing().get(item);
    if (item in meta.decide) return !vote || vote.seen !== meta.seen[item];
    return !vote && (state.log.some((one) => one.item === item && one.kind !== "guess") || !meta.known.includes(item));
  };
  // Of the latest votes, as many with different prompts as are asked for.
  const guessing = () => {
    const prompts = new Map(items.map((one) => [one.item, one.prompt]));
    const chosen = new Map();
    for (const item of [...standing().keys()].reverse()) {
      if (chosen.size < meta.guesses && !chosen.has(prompts.get(item))) chosen.set(prompts.get(item), item);
    }
    return meta.guessed ? [] : [...chosen.values()];
  };

  const radios = () => [...document.querySelectorAll("#voting input[type=radio]")];
  const said = () => {
    const marked = Object.fromEntries(radios().filter((one) => one.checked).map((one) => [one.name, one.value]));
    return { comment: get("comment").value.replace(/\r/g, ""), ...marked };
  };
  const fill = (draft) => {
    get("comment").value = draft.comment || "";
    for (const one of radios()) one.checked = draft[one.name] === one.value;
  };

  const show = () => {
    const todo = items.filter((one) => open(one.item));
    const done = items.length - todo.length;
    get("welcome").hidden = state.agreed;
    get("undo").hidden = !state.agreed || standing().size === 0;
    get("save").hidden = !state.agreed;
    get("bar").max = items.length;
    get("bar").value = done;
    get("progress").textContent = meta.messages.progress.replace("{done}", done).replace("{total}", items.length);
    let item = todo.find((one) => one.item in meta.decide) || todo[0];
    const asking = !item && guessing().find((one) => !guessed().has(one));
    if (asking) item = items.find((one) => one.item === asking);
    get("sheet").hidden = !state.agreed || !item;
    get("voting").hidden = Boolean(asking);
    get("guessing").hidden = !asking;
    get("done").hidden = !state.agreed || Boolean(item);
    if (item) {
      // Rendered and escaped when the packet was made; the page's policy runs no script in it.
      for (const part of ["prompt", "a", "b"]) get(part).innerHTML = item[part];
      get("sheet").dataset.item = item.item;
      const decide = asking ? null : meta.decide[item.item];
      get("twice").hidden = !decide;
      get("chosen").replaceChildren(...(decide ? decide.choices : []).map((choice) => {
        const line = document.createElement("li");
        line.textContent = meta.messages["choose_" + choice];
        return line;
      }));
      fill(state.drafts[item.item] || decide || {});
    }
    get("save").href = "data:application/json;charset=utf-8," + encodeURIComponent(file());
    get("save").download = meta.fileName;
  };

  get("begin").addEventListener("click", () => { state.agreed = true; keep(); show(); window.scrollTo(0, 0); });
  get("voting").addEventListener("input", () => { state.drafts[get("sheet").dataset.item] = said(); keep(); });
  for (const button of document.querySelectorAll("[data-choice]")) {
    button.addEventListener("click", () => {
      const { item } = get("sheet").dataset;
      delete state.drafts[item];
      add("vote", item, button.dataset.choice, said());
    });
  }
  for (const button of document.querySelectorAll("[data-guess]")) {
    button.addEventListener("click", () => add("guess", get("sheet").dataset.item, button.dataset.guess));
  }
  get("undo").addEventListener("click", () => {
    const [item, { comment, verdict_a, verdict_b }] = [...standing()].pop();
    // What was written with the vote is there again.
    state.drafts[item] = { comment, verdict_a, verdict_b };
    add("undo", item, "");
  });
  show();
})();
