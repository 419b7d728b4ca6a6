// The offline packet: keeps votes in this browser, chains them by SHA-256, and gives them back as JSON.
(() => {
  "use strict";
  const get = (id) => document.getElementById(id);
  const text = get("shown").textContent;
  const items = JSON.parse(text);
  const meta = JSON.parse(get("meta").textContent);
  const place = "kakugo-packet-" + meta.packet;
  const read = () => { try { return JSON.parse(localStorage.getItem(place)); } catch { return null; } };
  const state = read() || { agreed: false, votes: [], guesses: {} };
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

  // A number of each vote's own, by which it is known when the file is given back twice.
  const number = () => [...crypto.getRandomValues(new Uint8Array(8))].map((b) => b.toString(16).padStart(2, "0")).join("");

  const chained = () => {
    let previous = sha256(meta.packet);
    return state.votes.map((vote) => {
      previous = sha256([previous, vote.id, vote.item, vote.choice, vote.verdict_a, vote.verdict_b, vote.comment].join("\n"));
      return { ...vote, hash: previous };
    });
  };
  // Of the latest votes, as many with different prompts as are asked for.
  const guessing = () => {
    const prompts = new Map(items.map((one) => [one.item, one.prompt]));
    const chosen = new Map();
    for (const vote of [...state.votes].reverse()) {
      const prompt = prompts.get(vote.item);
      if (chosen.size < meta.guesses && !chosen.has(prompt)) chosen.set(prompt, vote.item);
    }
    return [...chosen.values()];
  };
  const file = () => JSON.stringify({
    format: meta.format, study: meta.study, packet: meta.packet, shown_sha256: sha256(text),
    votes: chained(), guesses: state.guesses,
  }, null, 1);

  const show = () => {
    const done = state.votes.length;
    get("welcome").hidden = state.agreed;
    get("undo").hidden = !state.agreed || done === 0;
    get("save").hidden = !state.agreed;
    get("bar").max = items.length;
    get("bar").value = done;
    get("progress").textContent = meta.messages.progress.replace("{done}", done).replace("{total}", items.length);
    let item = items.find((one) => !state.votes.some((vote) => vote.item === one.item));
    const asking = !item && guessing().find((one) => !(one in state.guesses));
    if (asking) item = items.find((one) => one.item === asking);
    get("sheet").hidden = !state.agreed || !item;
    get("voting").hidden = Boolean(asking);
    get("guessing").hidden = !asking;
    get("done").hidden = !state.agreed || Boolean(item);
    if (item) {
      // Rendered and escaped when the packet was made; the page's policy runs no script in it.
      for (const part of ["prompt", "a", "b"]) get(part).innerHTML = item[part];
      get("sheet").dataset.item = item.item;
    }
    get("save").href = "data:application/json;charset=utf-8," + encodeURIComponent(file());
    get("save").download = meta.fileName;
  };
  const next = () => { keep(); show(); window.scrollTo(0, 0); };

  get("begin").addEventListener("click", () => { state.agreed = true; next(); });
  for (const button of document.querySelectorAll("[data-choice]")) {
    button.addEventListener("click", () => {
      const comment = get("comment").value.replace(/\r/g, "");
      const [verdict_a, verdict_b] = ["a", "b"].map((side) => {
        const marked = document.querySelector(`[name=verdict_${side}]:checked`);
        if (marked) marked.checked = false;
        return marked ? marked.value : "";
      });
      state.votes.push({ id: number(), item: get("sheet").dataset.item, choice: button.dataset.choice, verdict_a, verdict_b, comment });
      get("comment").value = "";
      next();
    });
  }
  for (const button of document.querySelectorAll("[data-guess]")) {
    button.addEventListener("click", () => { state.guesses[get("sheet").dataset.item] = button.dataset.guess; next(); });
  }
  get("undo").addEventListener("click", () => { state.votes.pop(); state.guesses = {}; next(); });
  show();
})();
