// The raters' pages: says beside the buttons what became of a tap, keeps a vote that could not be sent,
// and the words that are being written. Everything works without it while there is a connection.
(() => {
  "use strict";
  const own = document.querySelector("main").dataset;
  const notice = document.getElementById("notice");
  const form = document.getElementById("vote");
  // Never form.elements.NAME: `item` and others are the browser's own methods there.
  const field = (name) => form.querySelector(`[name="${name}"]`);
  const buttons = form ? [...form.querySelectorAll(".choices button")] : [];
  const PATIENCE = 20000, PAUSE = 5000, SAID = ["comment", "verdict_a", "verdict_b"];

  // What is kept bears the rater's own name: a device may be handed on. Where the browser keeps nothing,
  // this page does.
  const spare = new Map();
  const place = (name) => `kakugo-${own.sheet}-${name}`;
  const write = (name, value) => {
    if (!own.sheet) return;
    // An older value goes first: where there is no room for the new one, the older must not be sent.
    remove(name);
    try { localStorage.setItem(place(name), JSON.stringify(value)); } catch { spare.set(place(name), value); }
  };
  const read = (name) => {
    try { return spare.get(place(name)) ?? JSON.parse(localStorage.getItem(place(name))); } catch { return null; }
  };
  const remove = (name) => {
    spare.delete(place(name));
    try { localStorage.removeItem(place(name)); } catch { /* nothing was kept */ }
  };
  const names = (start) => {
    let all = [...spare.keys()];
    try { all = all.concat(Object.keys(localStorage)); } catch { /* nothing was kept */ }
    return [...new Set(all)].filter((name) => own.sheet && name.startsWith(place(start)))
      .map((name) => name.slice(place("").length));
  };
  // What another version kept, or a full disk cut off, is no vote and must not stand in a vote's way.
  const kept = () => names("vote-").filter((name) => {
    const { at, fields } = read(name) || {};
    const whole = Number.isFinite(at) && fields?.item && fields.idempotency && fields.choice && fields.turn > 0;
    if (!whole) remove(name);
    return whole;
  });

  const tell = (what) => {
    const words = what ? notice?.dataset[what] : "";
    if (!notice || notice.textContent === words) return;
    // Only what answers a tap is brought into sight; a reader is not moved by a try in the background.
    const tapped = notice.textContent === notice.dataset.sending || what === "sending";
    notice.textContent = words;
    if (tapped) notice.scrollIntoView({ block: "nearest" });
  };
  const ask = async (url, options) => {
    const patience = new AbortController();
    const timer = setTimeout(() => patience.abort(), PATIENCE);
    try { return await fetch(url, { cache: "no-store", signal: patience.signal, ...options }); }
    catch { return null; } finally { clearTimeout(timer); }
  };

  // Votes. A page's choices are numbered, so that the server knows a later one from one sent again.
  let chosen = null, turn = 0, sending = false, busy = false, moved = false;
  let voteName = form && "vote-" + field("idempotency").value;
  const draftName = form && "draft-" + field("item").value;
  const extras = () => {
    const said = {};
    for (const name of SAID) {
      const one = field(name);
      const given = one && (one.type === "radio" ? form.querySelector(`[name="${name}"]:checked`) : one);
      if (given && given.value) said[name] = given.value;
    }
    return said;
  };
  const show = () => {
    for (const button of buttons) {
      button.setAttribute("aria-pressed", String(button.value === chosen));
      button.disabled = sending && button.value !== chosen;
    }
  };
  const keep = () => {
    turn = Math.max(turn, read(voteName)?.fields?.turn ?? 0) + 1;
    const [item, idempotency, seen] = ["item", "idempotency", "seen"].map((name) => field(name).value);
    write(voteName, { at: Date.now(), fields: { item, idempotency, seen, turn, choice: chosen, ...extras() } });
  };
  const post = async (fields) => {
    const body = new URLSearchParams({ ...fields, form: own.form });
    const answer = await ask("/vote", { method: "POST", body, headers: { accept: "application/json" } });
    // A portal that wants a login answers as well: only this study's own word counts.
    const said = answer && answer.ok ? await answer.json().catch(() => ({})) : {};
    if (said.taken === fields.idempotency) return "taken";
    return { 400: "refused", 401: "formExpired", 403: "formExpired", 409: "ended" }[answer && answer.status] || "kept";
  };
  // Sends what is kept, oldest first. A vote that can never be taken is given up, and said to be;
  // where the study has ended, or the rater's part in it, the next page says so.
  let delivery = null, leaving = false;
  const deliver = () => (busy ? delivery : (delivery = send()));
  const send = async () => {
    busy = true;
    let outcome = "taken";
    for (let name; outcome === "taken" && (name = kept().sort((x, y) => read(x).at - read(y).at)[0]);) {
      const { fields } = read(name);
      outcome = await post(fields);
      if (["kept", "formExpired"].includes(outcome)) break;
      moved ||= outcome !== "refused";
      if (read(name)?.fields.turn === fields.turn) remove(name);
      if (outcome === "taken") remove("draft-" + fields.item);
    }
    busy = false;
    if (["taken", "ended"].includes(outcome)) {
      // Another tab may have sent this page's. A tap that leads elsewhere meanwhile goes before.
      if (leaving) return;
      if (moved || (chosen && !read(voteName))) window.location.replace("/rate");
      return;
    }
    sending = false;
    if (!voteName || !read(voteName)) chosen = null;
    show();
    tell(outcome);
  };

  if (form) {
    const draft = read(draftName) || {};
    for (const name of SAID) {
      const one = field(name), value = draft[name];
      if (!one || typeof value !== "string") continue;
      if (one.type !== "radio") { one.value = value; one.closest("details").open = true; }
      else for (const radio of form.querySelectorAll(`[name="${name}"]`)) radio.checked = radio.value === value;
    }
    form.addEventListener("input", () => {
      write(draftName, extras());
      if (chosen) keep();
    });
    form.addEventListener("submit", (event) => {
      if (!event.submitter) return;
      event.preventDefault();
      if (sending || !event.submitter.value) return;
      chosen = event.submitter.value;
      sending = true;
      keep();
      show();
      tell("sending");
      deliver();
    });
    // A vote on this item that an earlier page kept: this page goes on from it.
    const earlier = kept().find((name) => read(name).fields.item === field("item").value);
    if (earlier) {
      const { fields } = read(earlier);
      voteName = earlier;
      [field("idempotency").value, field("seen").value, chosen] = [fields.idempotency, fields.seen, fields.choice];
      show();
    }
  }

  // Other forms and links leave the page. What a rater would lose by that (data-offline names the sentence)
  // is asked for first; the rest goes at once unless the device knows that it is offline.
  const leave = async (event, by, go) => {
    const why = by.dataset.offline;
    if (navigator.onLine && !why) return tell("sending");
    event.preventDefault();
    if (leaving) return;
    leaving = true;
    tell("sending");
    const answer = await ask("/", { method: "HEAD" });
    // A vote that is on its way arrives first: the next page would send it again, and go on from it.
    await delivery;
    const reached = answer && answer.ok;
    if (reached && !(why === "undoOffline" && chosen)) return go();
    leaving = false;
    // What only this page keeps would be lost with it.
    if (!reached) tell(why === "pauseOffline" && spare.size ? "kept" : why || "offline");
    // An undo means the choice that waits here: once that is sent, the next page undoes it.
    else deliver();
  };
  document.addEventListener("submit", (event) => {
    if (event.target !== form) leave(event, event.target, () => HTMLFormElement.prototype.submit.call(event.target));
  });
  for (const link of document.querySelectorAll('a[href^="/"]')) {
    link.addEventListener("click", (event) => {
      if (!event.ctrlKey && !event.metaKey && !event.shiftKey) leave(event, link, () => window.location.assign(link.href));
    });
  }
  window.addEventListener("pageshow", (event) => { if (event.persisted) { leaving = false; tell(""); } });

  // The bar's mark is where the reader is: at the last part whose heading has come up to the bar.
  const steps = [...document.querySelectorAll(".bar a")];
  const parts = steps.map((step) => document.querySelector(step.hash));
  const mark = () => {
    const line = steps[0].parentElement.getBoundingClientRect().bottom + 40;
    const end = window.innerHeight + window.scrollY >= document.documentElement.scrollHeight - 2;
    const tops = parts.map((part) => part.getBoundingClientRect().top);
    let here = 0;
    // Side by side, the two answers are one place.
    tops.forEach((top, at) => { if (top <= line && top > tops[here]) here = at; });
    if (end) here = steps.length - 1;
    steps.forEach((step, at) => (at === here ? step.setAttribute("aria-current", "true") : step.removeAttribute("aria-current")));
  };
  if (steps.length) {
    mark();
    window.addEventListener("scroll", mark, { passive: true });
  }
  // Where a text is short on this screen, there is nothing to unfold.
  for (const fold of document.querySelectorAll(".fold")) {
    const text = fold.parentElement.querySelector(".words");
    if (text.scrollHeight <= text.clientHeight + 1) fold.checked = true;
  }

  // Nothing private stays behind: drafts end with the last vote, everything with a withdrawal.
  for (const name of names({ drafts: "draft-", all: "" }[own.clear] ?? "none")) remove(name);
  try { localStorage.removeItem("kakugo-draft-undefined"); } catch { /* an earlier version kept it */ }
  window.addEventListener("online", deliver);
  window.setInterval(deliver, PAUSE);
  deliver();
})();
