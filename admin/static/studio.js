// The preview follows the form: a little after the last change, only the newest answer is shown.
import { smaller } from "./smaller.js";
import "./values.js";

const WAIT = 120;
const LARGEST_UPLOAD = 2560; // pixels, as the server keeps them
const ASK_EVERY = 300;
const form = document.getElementById("studio");
const image = document.getElementById("preview");
const frame = document.getElementById("frame");
const status = document.getElementById("preview-status");
const file = document.getElementById("image");
// What the first answer finds well may still be what the last saving found wrong.
const failed = Boolean(document.getElementById("summary"));
let timer, request, shown, changed = false;
const imageId = form.elements.image_id;
const pending = form.elements.upload;
let choice = 0; // the newest one counts

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
  inFrame(next);
  if (shown) URL.revokeObjectURL(shown);
  shown = next;
}

// The sample as an avatar: the shape and the ring are the browser's, and take no answer.
const avatar = document.getElementById("avatar");
function inFrame(address = avatar.src) {
  const { avatar_shape, avatar_border, avatar_color } = form.elements;
  avatar.src = address;
  avatar.hidden = !address;
  avatar.style.borderRadius = avatar_shape.value === "circle" ? "50%" : "18%";
  avatar.style.borderWidth = `${avatar_border.value * avatar.width}px`;
  avatar.style.borderColor = avatar_color.value;
}

async function update() {
  request?.abort();
  request = new AbortController();
  frame.classList.add("busy");
  say("loading");
  const body = new FormData(form);
  body.delete("image");
  body.delete("upload"); // the preview does without a picture that is being checked
  if (pending.value && !imageId.value) without(body, ["image"]);
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
  else if (event.target.name.startsWith("avatar_")) inFrame();
  else if (event.target.id !== "image") soon();
});
// The picture goes ahead of the form, once: a worker checks it, and what came of it is in the form from then on.
async function take(upload) {
  const mine = ++choice;
  const body = new FormData();
  const token = form.elements.csrf_token.value;
  body.append("image", await smaller(upload, LARGEST_UPLOAD), "backdrop");
  const headers = { "X-Requested-With": "fetch", "X-CSRFToken": token };
  say("checking", pending.dataset.checking);
  well("image");
  try {
    const answer = await fetch(pending.dataset.take, { method: "POST", body, headers });
    const sent = await answer.json();
    if (mine !== choice) return;
    if (!answer.ok) return refuse(sent.error.message);
    pending.value = sent.upload;
    remember(sent.upload);
    file.value = ""; // it must not be sent a second time
    await follow(mine);
  } catch {
    say("offline"); // the file is still in the form, and goes with it
  }
}

async function follow(mine) {
  say("checking", pending.dataset.checking);
  while (mine === choice) {
    const answer = await fetch(`/admin/uploads/${pending.value}.json`, { headers: { "X-Requested-With": "fetch" } });
    if (mine !== choice) return;
    const sent = answer.ok ? await answer.json() : { standing: "refused", message: (await answer.json()).error.message };
    if (sent.standing === "kept") {
      imageId.value = sent.result;
      pending.value = "";
      return soon();
    }
    if (sent.standing === "refused") return refuse(sent.message);
    await new Promise((resolve) => setTimeout(resolve, ASK_EVERY));
  }
}

// A page that is loaded anew follows the same picture.
function remember(upload) {
  const address = new URL(location.href);
  if (upload) address.searchParams.set("picture", upload);
  else address.searchParams.delete("picture");
  history.replaceState(null, "", address);
}

// What the form had before stays in it.
function refuse(message) {
  remember(null);
  pending.value = "";
  file.value = "";
  say("problem", message);
  document.getElementById("image-error").textContent = message;
  file.setAttribute("aria-invalid", "true");
}

file.addEventListener("change", () => {
  if (file.files[0]) take(file.files[0]);
});
if (pending.value) follow(choice);
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
