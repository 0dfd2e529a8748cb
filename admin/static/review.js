// The queue from the keyboard: arrows move, A approves, R opens the reasons. Keys count only within the list, and
// without scripts every button works by itself.
const list = document.getElementById("queue");
const note = document.getElementById("queue-note");

function cards() {
  return [...list.querySelectorAll("li[data-card]")];
}

function focus(card) {
  card?.focus();
  card?.scrollIntoView({ block: "nearest" });
}

function across() {
  const all = cards();
  return Math.max(1, all.filter((one) => one.offsetTop === all[0].offsetTop).length);
}

function move(card, by) {
  const all = cards();
  focus(all[Math.min(all.length - 1, Math.max(0, all.indexOf(card) + by))]);
}

async function send(form) {
  const card = form.closest("li[data-card]");
  const buttons = card.querySelectorAll("button");
  for (const one of buttons) one.disabled = true;
  try {
    const answer = await fetch(form.action, {
      method: "POST",
      body: new FormData(form),
      headers: { "X-Requested-With": "fetch" },
    });
    if (answer.status === 401) return form.submit();
    const said = await answer.json();
    note.textContent = said.message ?? said.error?.message ?? "";
    if (!answer.ok) {
      for (const one of buttons) one.disabled = false;
      return focus(card);
    }
  } catch {
    note.textContent = note.dataset.failed;
    for (const one of buttons) one.disabled = false;
    return focus(card);
  }
  const next = card.nextElementSibling ?? card.previousElementSibling;
  card.remove();
  const left = document.querySelector("[data-waiting]");
  const number = Number(left.dataset.waiting) - 1;
  left.dataset.waiting = number;
  left.textContent = number.toLocaleString(document.documentElement.lang);
  if (cards().length === 0) location.reload();
  else focus(next);
}

if (list) {
  list.addEventListener("submit", (event) => {
    event.preventDefault();
    send(event.target);
  });
  list.addEventListener("keydown", (event) => {
    const card = event.target.closest("li[data-card]");
    if (!card || event.ctrlKey || event.altKey || event.metaKey) return;
    const reasons = card.querySelector("details");
    if (event.key === "Escape" && reasons.open) {
      reasons.open = false;
      focus(card);
    } else if (event.target === card) {
      const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: across(), ArrowUp: -across() };
      const key = event.key.toLowerCase();
      if (event.key in steps) move(card, steps[event.key]);
      else if (key === "a") card.querySelector("form[data-approve]")?.requestSubmit();
      else if (key === "r") {
        reasons.open = true;
        reasons.querySelector("input[type=radio]").focus();
      } else return;
    } else return;
    event.preventDefault();
  });
}
