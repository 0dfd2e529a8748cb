// The preview follows the form: a little after the last change, only the newest answer is shown.
import { smaller } from "./smaller.js";
import "./values.js";

const WAIT = 120;
const LARGEST_UPLOAD = 1200; // pixels: the preview needs no more
const form = document.getElementById("studio");
const image = document.getElementById("preview");
const frame = document.getElementById("frame");
const status = document.getElementById("preview-status");
const file = document.getElementById("image");
// What the first answer finds well may still be what the last saving found wrong.
const failed = Boolean(document.getElementById("summary"));
let timer, request, shown, picture = null, changed = false;

function say(name, text) {
  status.textContent = text ?? status.dataset[name];
}

// Says beside each field what is wrong with it; without arguments everything is well, but for the name, which
// the preview does not look at.
function mark(fields = [], said = []) {
  for (const place of form.querySelectorAll(".wrong")) {
    const name = place.id.replace(/-error$/, "");
    if (fields.includes(name)) {
      place.textContent = said[fields.indexOf(name)];
      document.getElementById(name)?.setAttribute("aria-invalid", "true");
    } else if (name !== "name") well(name);
  }
}

function well(name) {
  document.getElementById(`${name}-error`).textContent = "";
  document.getElementById(name)?.removeAttribute("aria-invalid");
  const summary = document.getElementById("summary");
  summary?.querySelector(`a[href="#${name}"]`)?.parentElement.remove();
  if (summary && !summary.querySelector("a")) summary.remove();
}

// Without what cannot be used, the preview shows the rest.
function without(body, fields) {
  for (const field of fields) body.delete(field === "image" ? "backdrop_kind" : field);
  return body;
}

function ask(body) {
  return fetch(form.dataset.preview, {
    method: "POST",
    body,
    signal: request.signal,
    headers: { "X-Requested-With": "fetch", "X-CSRFToken": body.get("csrf_token") },
  });
}

async function draw(answer) {
  const next = URL.createObjectURL(await answer.blob());
  image.src = next;
  if (shown) URL.revokeObjectURL(shown);
  shown = next;
}

async function update() {
  request?.abort();
  request = new AbortController();
  frame.classList.add("busy");
  say("loading");
  const body = new FormData(form);
  body.delete("image");
  if (picture && body.get("backdrop_kind") === "image") body.append("image", picture, "backdrop");
  try {
    const answer = await ask(body);
    if (answer.ok) {
      await draw(answer);
      say("ready");
      if (changed || !failed) mark();
    } else {
      const { error } = await answer.json();
      say("problem", error.message);
      const fields = error.marked ?? (error.field ? [error.field] : []);
      if (!fields.length) return void frame.classList.remove("busy");
      if (changed || !failed) mark(fields, error.said ?? [error.message]);
      const rest = await ask(without(body, fields));
      if (rest.ok) await draw(rest);
    }
  } catch (error) {
    if (error.name === "AbortError") return;
    say("offline");
  }
  frame.classList.remove("busy");
}

function soon() {
  changed = true;
  clearTimeout(timer);
  timer = setTimeout(update, WAIT);
}

form.addEventListener("input", (event) => {
  if (event.target.id === "name") well("name");
  else if (event.target.id !== "image") soon();
});
file.addEventListener("change", async () => {
  picture = file.files[0] ? await smaller(file.files[0], LARGEST_UPLOAD) : null;
  soon();
});
// A name that was typed stays when another preset is chosen; a preset's own name does not.
const name = document.getElementById("name");
document.getElementById("presets")?.addEventListener("click", (event) => {
  const link = event.target.closest("a");
  const typed = name.value.trim();
  if (!link || !typed || (typed === name.defaultValue && !("typed" in name.dataset))) return;
  const address = new URL(link.href);
  address.searchParams.set("name", typed);
  link.href = address;
});
update();
