// Keeps a vote that could not be sent, and the comment that is being written. Voting works without it.
(() => {
  "use strict";
  const form = document.getElementById("vote");
  const notice = document.getElementById("notice");
  // By rater: a device may be handed on.
  const KEPT = "kakugo-kept-vote-" + form.dataset.sheet;
  const draft = "kakugo-draft-" + form.elements.item.value;
  const store = (act) => { try { return act(window.localStorage); } catch { return null; } };
  const comment = form.elements.comment;
  let sending = false;

  // Fields of a kept vote; its form token is this page's, its idempotency key the one it was made with.
  const send = async (fields) => {
    if (sending) return;
    sending = true;
    store((s) => s.setItem(KEPT, JSON.stringify(fields)));
    const body = new URLSearchParams(fields);
    body.set("form", form.elements.form.value);
    try {
      const answer = await fetch("/vote", { method: "POST", body, redirect: "manual", credentials: "same-origin" });
      if (answer.type === "opaqueredirect" || answer.status === 303) {
        store((s) => { s.removeItem(KEPT); s.removeItem("kakugo-draft-" + fields.item); });
        window.location.replace("/rate");
        return;
      }
      const final = answer.status === 400 || answer.status === 409;
      // A vote that can never be taken is given up, and said to be; any other stays for the next try.
      if (final) store((s) => s.removeItem(KEPT));
      const later = answer.status === 429 || answer.status >= 500;
      notice.textContent = later ? notice.dataset.kept : notice.dataset.refused;
    } catch {
      notice.textContent = notice.dataset.kept;
    } finally {
      sending = false;
    }
  };
  const retry = () => {
    const kept = store((s) => s.getItem(KEPT));
    if (kept) send(JSON.parse(kept));
  };

  form.addEventListener("submit", (event) => {
    if (!event.submitter) return;
    event.preventDefault();
    const fields = Object.fromEntries(new FormData(form));
    fields.choice = event.submitter.value;
    send(fields);
  });
  if (comment) {
    const words = store((s) => s.getItem(draft));
    if (words) { comment.value = words; comment.closest("details").open = true; }
    comment.addEventListener("input", () => store((s) => s.setItem(draft, comment.value)));
  }
  window.addEventListener("online", retry);
  window.setInterval(retry, 5000);
  retry();
})();
