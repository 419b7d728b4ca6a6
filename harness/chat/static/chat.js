// A talk: it is kept here alone, and each answer is shown as it comes. What a model says is put
// into text nodes only, so that none of it becomes markup.
"use strict";

const byId = (id) => document.getElementById(id);
const talk = byId("talk"), question = byId("question"), state = byId("state");
const names = JSON.parse(talk.dataset.names);
let said = names.map(() => []); // the conversation with each speaker
let under = null; // what ends the answers under way

function make(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function makeWords(className, text) {
  const made = make("div", `words ${className}`, text);
  made.dir = "auto";
  return made;
}

function makeAnswer(name) {
  const box = make("section", "answer");
  const title = make("h2");
  const shown = make("bdi", "", name);
  shown.dir = "auto";
  title.append(shown);
  const words = makeWords("", "");
  box.append(title, words);
  return { box, words };
}

// The lines of an answer, as they come.
async function* readLines(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    for (const line of lines) yield JSON.parse(line);
  }
}

function showWhole(shown, found) {
  shown.words.textContent = found.answer;
  if (!found.reasoning) return;
  const thought = make("details");
  thought.append(make("summary", "", "Thinking"), makeWords("thought", found.reasoning));
  shown.words.before(thought);
}

async function answer(speaker, asked, shown, signal) {
  const before = said; // of this talk, if another is begun meanwhile
  const messages = [...before[speaker], { role: "user", content: asked }];
  const order = { speaker, talk: messages, system: byId("system").value };
  for (const name of ["thinking", "temperature", "max_tokens"]) order[name] = byId(name).value;
  let text = "", whole = null;
  try {
    const response = await fetch("/say", {
      method: "POST", signal, headers: { "content-type": "application/json" }, body: JSON.stringify(order),
    });
    if (!response.headers.get("content-type").includes("ndjson")) {
      throw new Error((await response.text()).slice(0, 500));
    }
    for await (const found of readLines(response)) {
      if (found.error) throw new Error(found.error);
      if (found.said !== undefined) {
        const follows = innerHeight + scrollY > document.documentElement.scrollHeight - 120;
        text += found.said;
        shown.words.textContent = text;
        if (follows) scrollTo(0, document.documentElement.scrollHeight);
      } else whole = found;
    }
    if (whole === null) throw new Error("The answer broke off: the program has ended.");
    showWhole(shown, whole);
  } catch (error) {
    if (!signal.aborted) {
      shown.box.append(make("p", "wrong", error.message));
      return;
    }
    shown.box.append(make("p", "note", "Stopped."));
    whole = { answer: text };
  }
  if (!whole.answer) {
    if (!signal.aborted) shown.box.append(make("p", "note", "No answer, only thinking or nothing."));
    return;
  }
  before[speaker] = [...messages, { role: "assistant", content: whole.answer }];
}

async function ask() {
  const asked = question.value.trim();
  if (!asked || under) return;
  under = new AbortController();
  const { signal } = under, now = said;
  const turn = make("article", "turn"), answers = make("div", "answers");
  turn.append(makeWords("question", asked), answers);
  turn.setAttribute("aria-busy", "true");
  talk.append(turn);
  question.value = "";
  show("Answering …");
  const shown = names.map((name) => makeAnswer(name));
  answers.append(...shown.map((one) => one.box));
  scrollTo(0, document.documentElement.scrollHeight);
  await Promise.all(names.map((_, n) => answer(n, asked, shown[n], signal)));
  turn.removeAttribute("aria-busy");
  if (now !== said) return; // another talk was begun
  under = null;
  show(signal.aborted ? "Stopped." : "Answered.");
  if (document.activeElement === byId("stop") || document.activeElement === document.body) question.focus();
}

function show(text) {
  state.textContent = text;
  byId("send").disabled = under !== null;
  byId("stop").disabled = under === null;
}

byId("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  ask();
});
question.addEventListener("keydown", (event) => {
  // Enter also ends a word that is being composed, as in Japanese.
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    ask();
  }
});
addEventListener("keydown", (event) => {
  if (event.key === "Escape" && under) under.abort();
});
byId("stop").addEventListener("click", () => under?.abort());
byId("new").addEventListener("click", () => {
  under?.abort();
  under = null;
  said = names.map(() => []);
  talk.replaceChildren();
  show("");
  question.focus();
});
