// Each file has a key of its own: neither a retry nor choosing it again makes a second photo.
import { nameOf, remember } from "./names.js";
import { shrink } from "./shrink.js";
import { keyOf, transfer } from "./transfer.js";

const form = document.querySelector("#upload");
const list = document.querySelector("#photos");
const empty = document.querySelector("#empty");
const hint = document.querySelector("#hint");
const sendForm = document.querySelector("#send-form");
const sendButton = document.querySelector("#send");
const later = document.querySelector("#later");
const head = document.querySelector(".list-head");
const count = document.querySelector("#count");
const unfinished = document.querySelector("#unfinished");
const asking = document.querySelector("#asking");
const said = document.querySelector("#said");
const sentence = (text) => (/[.!?…]$/.test(text) ? text : `${text}.`);
const words = document.querySelector("#words").dataset;
const part = (name) => document.querySelector(`#${name}-template`).content.firstElementChild.cloneNode(true);
const { token, list: listUrl, mostBytes, salt } = form.dataset;
const pieces = new URL(form.dataset.pieces, location);
const arrived = JSON.parse(form.dataset.arrived); // bytes of earlier uploads that stopped, by key
const headers = { "X-CSRFToken": token, "X-Requested-With": "fetch" };

const AT_ONCE = 2; // a poor connection carries two uploads better than ten
const POLL_MS = 700;

const queue = [];
let running = 0;
let polling = false;
let sendsLater = false; // the person has said so, and something is still on its way or being checked
let leaving = false;
let before = Promise.resolve(); // until the photo chosen before has begun to arrive: the server numbers them by that

const percent = new Intl.NumberFormat(document.documentElement.lang, { style: "percent" });
const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
const some = (state) => list.querySelector(`.photo.${state}`) !== null;
// What was refused never came to the server, which numbers what it has.
const numbered = () => [...list.children].filter((one) => one.dataset.id || one.dataset.state !== "rejected");
const numberOf = (item) => numbered().indexOf(item) + 1;
const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

const PILLS = { accepted: "good", rejected: "bad", asks: "warn", unsure: "warn" };

function show(item, state, label, advice = [], { kind = PILLS[state] ?? "info", rank = null, reasons = [] } = {}) {
  const before = item.dataset.state;
  item.dataset.state = state;
  item.className = `photo ${state}`;
  const parts = [];
  if (rank) parts.push(line(pill("rank", rank), ` ${reasons.join(" · ")}`, "why"));
  parts.push(line(pill(kind, label)), ...advice.map((text) => line(text)));
  item.querySelector(".verdict").replaceChildren(...parts);
  for (const question of item.querySelectorAll(".asking")) question.remove();
  if (before && before !== state && state !== "checking") said.textContent = [label, ...advice].map(sentence).join(" ");
}

function line(...parts) {
  const paragraph = document.createElement("p");
  if (parts.at(-1) === "why") paragraph.className = parts.pop();
  paragraph.append(...parts);
  return paragraph;
}

function pill(kind, label) {
  return Object.assign(document.createElement("span"), { className: `pill ${kind}`, textContent: label });
}

function thumb(item, address) {
  const place = item.querySelector(".thumb");
  if (place.dataset.shown === address) return;
  const image = new Image();
  image.addEventListener("load", () => {
    image.alt = fill(words.photo, { number: numberOf(item) });
    place.replaceChildren(image);
  });
  image.src = address;
  place.dataset.shown = address;
}

function add(files) {
  const items = [...files].map((file) => {
    const item = part("photo");
    item.dataset.name = file.name;
    item.querySelector(".photo-name").append(` · ${file.name}`);
    if (/^image\/(jpeg|png|webp|avif)$/.test(file.type)) thumb(item, URL.createObjectURL(file));
    show(item, "checking", words.waits);
    item.querySelector(".remove").addEventListener("click", () => remove(item));
    list.append(item);
    queue.push({ item, file });
    return item;
  });
  number();
  // What was chosen is what is looked at; the first with the heading, below which the others follow.
  if (items.length) (list.firstElementChild === items[0] ? head : items[0]).scrollIntoView({ behavior: calm ? "auto" : "smooth" });
  work();
}

function named(item) {
  const name = nameOf(item.dataset.key);
  if (name) item.querySelector(".photo-name").append(` · ${name}`);
}

function work() {
  while (running < AT_ONCE && queue.length) {
    running += 1;
    const { item, file } = queue.shift();
    const turn = before;
    let begun;
    before = new Promise((done) => { begun = done; });
    send(item, file, turn, begun).finally(() => {
      begun();
      running -= 1;
      work();
    });
  }
  settle();
}

async function send(item, file, turn, begun) {
  show(item, "checking", fill(words.uploading, { percent: percent.format(0) }));
  const photo = await shrink(file);
  const key = await keyOf(photo, salt);
  // A refused one has no number, and may be tried again.
  const same = [...list.querySelectorAll(`[data-key="${key}"]`)].find((one) => one !== item && numberOf(one));
  if (same) {
    refuse(item, fill(words.again, { number: numberOf(same) }));
    return;
  }
  item.dataset.key = key;
  remember(key, file.name);
  if (photo.size > Number(mostBytes)) {
    refuse(item, words.large);
    return;
  }
  await turn;
  const tell = (part) => show(item, "checking", part === null ? words.waiting : fill(words.uploading, { percent: percent.format(part) }));
  const answer = await transfer(pieces, headers, key, photo, { at: arrived[key], tell, begun, wanted: () => item.isConnected });
  delete arrived[key];
  unfinished.hidden = Object.keys(arrived).length === 0;
  if (!answer) return;
  if (answer.status >= 400) {
    refuse(item, answer.status === 401 ? words.signedout : answer.said.error.message);
  } else if (item.isConnected) {
    item.dataset.id = answer.said.id;
    update(item, answer.said);
    poll();
  } else {
    discard(answer.said.id); // it was removed at the last moment
  }
}

function refuse(item, reason) {
  show(item, "rejected", words.refused, [reason]);
  number();
}

function update(item, photo) {
  const now = JSON.stringify(photo);
  const place = item.querySelector(".thumb");
  if (photo.preview_url) thumb(item, photo.preview_url);
  if (photo.middle) place.style.setProperty("--middle", photo.middle.map((value) => `${value}%`).join(" "));
  if (item.dataset.photo === now) return; // whoever is choosing keeps the focus
  item.dataset.photo = now;
  const verdict = photo.state !== "accepted" ? photo.state : photo.tried ? "tried" : photo.could_be_better ? "better" : "accepted";
  const advice = photo.issues.map((issue) => (issue.same_as ? twin(issue) : issue.advice));
  const more = { rank: photo.rank, reasons: photo.reasons, ...(verdict !== photo.state && { kind: "warn" }) };
  show(item, photo.state, words[verdict], advice, more);
  if (photo.again_url) question(item, part("recheck"), photo.again_url);
  if (photo.state === "unsure") doubt(item, photo);
  if (photo.faces.length) ask(item, photo);
}

function question(item, asked, address) {
  const form = asked.querySelector("form");
  form.action = address;
  asked.setAttribute("aria-label", fill(words.photo, { number: numberOf(item) }));
  listen(item, form, asked);
  item.append(asked);
}

function doubt(item, photo) {
  const asked = part("unsure");
  question(item, asked, photo.confirm_url);
  asked.setAttribute("aria-label", `${asked.getAttribute("aria-label")}: ${words.unsure}`);
  asked.querySelector(".no").addEventListener("click", () => remove(item));
}

// Photos are numbered as they stand here; the server numbers them as they arrived.
function twin(issue) {
  return fill(words.twin, { number: numberOf(list.querySelector(`[data-id="${issue.same_as}"]`)) });
}

function ask(item, photo) {
  const people = part("people");
  people.action = photo.choose_url;
  const image = people.querySelector("img");
  image.src = photo.preview_url;
  image.alt = fill(words.scene, { number: numberOf(item) });
  for (const face of photo.faces) {
    const mark = part("face");
    mark.value = face.index;
    mark.firstElementChild.textContent = face.number;
    mark.setAttribute("aria-label", `${face.name}: ${words.me}`);
    placeFace(mark, face);
    people.querySelector(".scene").append(mark);
    const choice = part("choice");
    choice.firstElementChild.value = face.index;
    choice.querySelector("span").textContent = `${face.name}:`;
    people.querySelector(".choices").append(choice);
  }
  listen(item, people, people);
  const place = photo.answered ? part("again") : Object.assign(document.createElement("div"), { className: "asking" });
  place.append(people);
  item.append(place);
}

function placeFace(mark, face) {
  for (const [name, value] of [["left", face.x], ["top", face.y], ["width", face.width], ["height", face.height]]) {
    mark.style.setProperty(name, `${value}%`);
  }
}

function listen(item, form, question) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    reply(item, form, question, event.submitter);
  });
}

async function reply(item, form, question, button) {
  const problem = question.querySelector(".problem");
  const body = new FormData();
  if (button.name) body.set(button.name, button.value);
  button.disabled = true;
  let reason = words.failed;
  try {
    const answer = await fetch(form.action, { method: "POST", headers, body });
    const told = await answer.json();
    if (answer.ok) {
      update(item, told);
      item.focus();
      if (told.state === "checking") said.textContent = words.checking;
      poll();
      return;
    }
    reason = told.error.message;
  } catch {
    // The network failed: the question stays, and the button works again.
  }
  problem.textContent = reason;
  problem.hidden = false;
  button.disabled = false;
  button.focus();
}

async function poll() {
  if (polling) return;
  polling = true;
  for (let waiting = true; waiting; ) {
    await pause(POLL_MS);
    try {
      const answer = await fetch(listUrl, { headers });
      if (!answer.ok) continue;
      const listing = await answer.json();
      const items = new Map(listing.photos.map((photo) => [list.querySelector(`[data-key="${CSS.escape(photo.upload_key)}"]`), photo]));
      items.delete(null);
      arrange([...items.keys()]);
      for (const [item, photo] of items) update(item, photo);
      count.textContent = fill(count.dataset.text, listing);
      if (asking.textContent !== listing.asking) asking.textContent = listing.asking;
      waiting = list.querySelector(".photo.checking[data-id]") !== null;
      settle();
    } catch {
      // The network failed; the next round asks again.
    }
  }
  polling = false;
}

// One that goes on after a reload has its place from when it began.
function arrange(items) {
  const here = [...list.children].filter((one) => items.includes(one));
  if (here.every((one, index) => one === items[index])) return;
  list.prepend(...items);
  number();
}

async function remove(item) {
  if (!item.dataset.id) {
    const place = queue.findIndex((one) => one.item === item);
    if (place >= 0) queue.splice(place, 1);
    item.remove();
    number();
    return;
  }
  const button = item.querySelector(".remove");
  button.disabled = true;
  try {
    const answer = await discard(item.dataset.id);
    if (answer.ok) {
      const next = item.nextElementSibling?.querySelector(".remove") ?? document.querySelector("#picker");
      item.remove();
      number();
      next.focus();
      poll();
      return;
    }
    said.textContent = (await answer.json()).error.message;
  } catch {
    // The network failed: the photo stays in the list, and the button works again.
  }
  button.disabled = false;
}

function discard(id) {
  const address = new URL(form.action); // which names the shoot behind a question mark
  address.pathname += `/${id}/remove`;
  return fetch(address, { method: "POST", headers });
}

// The bar is there once it has something to say, the button once there is something to send. Whoever presses it while
// photos are on their way or being checked does not have to wait beside it.
function settle() {
  const sends = some("accepted");
  const asked = some("asks") || some("unsure");
  if (sendsLater && !some("checking")) {
    sendsLater = false;
    leaving = sends && !asked;
    if (leaving) sendForm.submit();
  }
  sendButton.hidden = !sends || sendsLater || leaving;
  later.hidden = !sendsLater && !leaving;
  sendForm.hidden = !sends && !asked;
}

function number() {
  const items = [...list.children];
  empty.hidden = items.length > 0;
  hint.hidden = items.length === 0;
  const counted = numbered();
  for (const item of items) {
    const place = counted.indexOf(item) + 1;
    const name = place ? fill(words.photo, { number: place }) : "–";
    item.querySelector(".photo-name span").textContent = name;
    const image = item.querySelector(".thumb img");
    if (image) image.alt = place ? name : item.dataset.name;
    item.querySelector(".remove").setAttribute("aria-label", place ? fill(words.remove, { number: place }) : fill(words.removenamed, { name: item.dataset.name }));
  }
  settle();
}

for (const one of form.querySelectorAll("[data-needs-script]")) one.hidden = false;
for (const input of [document.querySelector("#picker"), document.querySelector("#camera")]) {
  input.addEventListener("change", () => {
    add(input.files);
    input.value = "";
  });
}
for (const item of list.children) {
  const photo = JSON.parse(item.dataset.photo);
  item.dataset.photo = ""; // drawn anew, so that faces and thumbnails stand where the script puts them
  item.dataset.state = photo.state;
  named(item);
  update(item, photo);
  item.querySelector("form:has(.remove)").addEventListener("submit", (event) => {
    event.preventDefault();
    remove(item);
  });
}
for (const name of ["dragenter", "dragover"]) {
  form.addEventListener(name, (event) => {
    event.preventDefault();
    form.classList.add("over");
  });
}
for (const name of ["dragleave", "drop"]) form.addEventListener(name, () => form.classList.remove("over"));
form.addEventListener("drop", (event) => {
  event.preventDefault();
  add(event.dataTransfer.files);
});
sendForm.addEventListener("submit", (event) => {
  sendsLater = some("checking");
  leaving = !sendsLater;
  if (!sendsLater) return;
  event.preventDefault();
  settle();
  later.querySelector("button").focus();
});
later.querySelector("button").addEventListener("click", () => {
  sendsLater = false;
  settle();
  sendButton.focus();
});
addEventListener("beforeunload", (event) => {
  if (!leaving && (running + queue.length || sendsLater)) event.preventDefault();
});
settle();
if (some("checking")) poll();
