// Forty pictures fit into one upload when they are made smaller here; learning is followed until it is over.
import { smaller } from "./smaller.js";

const LARGEST = 1600; // pixels, as the server keeps them
const EVERY = 3000;

const pictures = document.getElementById("pictures");
const status = document.getElementById("preparing");
const send = document.getElementById("send");

let choice = 0; // the newest one counts: making the pictures of an earlier one smaller may end later

pictures?.addEventListener("change", async () => {
  const mine = ++choice;
  status.textContent = status.dataset.working;
  send.disabled = true;
  const chosen = new DataTransfer();
  for (const file of pictures.files) {
    const made = await smaller(file, LARGEST);
    if (mine !== choice) return;
    chosen.items.add(new File([made], file.name, { type: made.type }));
  }
  pictures.files = chosen.files;
  send.disabled = false;
  status.textContent = status.dataset.ready;
});

// Files are known to people by their names, which can name a person: they stay in this tab.
const give = document.getElementById("give");
const SENT = "pictures on their way";
give?.addEventListener("submit", () => {
  sessionStorage.setItem(SENT, JSON.stringify([...pictures.files].map((file) => file.name)));
});
const upload = give?.dataset.upload;
const sent = sessionStorage.getItem(SENT);
if (upload && sent) sessionStorage.setItem(upload, sent);
sessionStorage.removeItem(SENT);
const names = JSON.parse((upload && sessionStorage.getItem(upload)) ?? "[]");
for (const item of document.querySelectorAll("[data-number]")) {
  const name = names[Number(item.dataset.number) - 1];
  if (name) item.querySelector("strong").append(` · ${name}`);
}

const learning = document.getElementById("learning");
const bar = document.getElementById("bar");

async function follow() {
  if (document.visibilityState === "visible") {
    try {
      const answer = await fetch(learning.dataset.poll, { headers: { "X-Requested-With": "fetch" } });
      if (answer.status === 401) return; // signed out: the next click leads to the sign-in
      const found = await answer.json();
      if (!answer.ok || found.standing !== "learning") return location.replace(learning.dataset.poll);
      bar.value = found.percent ?? bar.value;
    } catch {
      // Not reachable right now; the next round asks again.
    }
  }
  setTimeout(follow, EVERY);
}

if (learning?.dataset.poll) setTimeout(follow, EVERY);
