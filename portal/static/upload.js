// One request per file, each with a key of its own: a retry never makes a second photo.
const form = document.querySelector("#upload");
const list = document.querySelector("#photos");
const empty = document.querySelector("#empty");
const withPhotos = document.querySelectorAll("#hint, #send-form");
const count = document.querySelector("#count");
const said = document.querySelector("#said");
const words = document.querySelector("#words").dataset;
const template = document.querySelector("#photo-template").content.firstElementChild;
const { token, list: listUrl, mostBytes } = form.dataset;
const headers = { "X-CSRFToken": token, "X-Requested-With": "fetch" };

const AT_ONCE = 2; // a poor connection carries two uploads better than ten
const POLL_MS = 700;
const RETRY_MS = [1000, 2000, 4000, 8000, 15000, 30000];

const queue = [];
let running = 0;
let polling = false;

const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
const newKey = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

function show(item, state, label, advice = []) {
  const before = item.dataset.state;
  item.dataset.state = state;
  item.className = `photo ${state}`;
  const place = item.querySelector(".photo-words");
  const pill = document.createElement("span");
  pill.className = `pill ${{ accepted: "good", rejected: "bad" }[state] ?? "info"}`;
  pill.textContent = label;
  place.replaceChildren(
    pill,
    ...advice.map((text) => Object.assign(document.createElement("p"), { textContent: text })),
  );
  if (before && before !== state && state !== "checking") said.textContent = [label, ...advice].join(". ");
}

function thumb(item, address) {
  const place = item.querySelector(".thumb");
  if (place.dataset.shown === address) return;
  const image = new Image();
  image.alt = "";
  image.addEventListener("load", () => place.replaceChildren(image));
  image.src = address;
  place.dataset.shown = address;
}

function add(files) {
  for (const file of files) {
    const item = template.cloneNode(true);
    item.dataset.key = newKey();
    if (/^image\/(jpeg|png|webp)$/.test(file.type)) thumb(item, URL.createObjectURL(file));
    show(item, "checking", words.uploading);
    item.querySelector("button").addEventListener("click", () => remove(item));
    list.append(item);
    if (file.size > Number(mostBytes)) show(item, "rejected", words.refused, [words.large]);
    else queue.push({ item, file });
  }
  number();
  work();
}

async function work() {
  while (running < AT_ONCE && queue.length) {
    running += 1;
    const { item, file } = queue.shift();
    send(item, file).finally(() => {
      running -= 1;
      work();
    });
  }
}

async function send(item, file) {
  for (let attempt = 0; item.isConnected; attempt += 1) {
    const body = new FormData();
    body.set("upload_key", item.dataset.key);
    body.set("photo", file, "photo"); // the file's own name can name a person, so it stays here
    try {
      const answer = await fetch(form.action, { method: "POST", headers, body });
      if (answer.ok) {
        const photo = await answer.json();
        item.dataset.id = photo.id;
        update(item, photo);
        poll();
        return;
      }
      if (answer.status < 500 && answer.status !== 429) {
        const problem = answer.status === 401 ? words.signedout : (await answer.json()).error.message;
        show(item, "rejected", words.refused, [problem]);
        return;
      }
    } catch {
      // The network failed; the same key makes another try safe.
    }
    show(item, "checking", words.waiting);
    await pause(RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)]);
    if (!navigator.onLine) await new Promise((back) => addEventListener("online", back, { once: true }));
    show(item, "checking", words.uploading);
  }
}

function update(item, photo) {
  const told = photo.issues.filter((issue) => photo.state !== "rejected" || issue.severity === "block");
  show(item, photo.state, words[photo.state], told.map((issue) => issue.advice));
  if (photo.preview_url) thumb(item, photo.preview_url);
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
      for (const photo of listing.photos) {
        const item = list.querySelector(`[data-key="${CSS.escape(photo.upload_key)}"]`);
        if (item) update(item, photo);
      }
      count.textContent = fill(count.dataset.text, listing);
      waiting = listing.checking > 0;
    } catch {
      // The network failed; the next round asks again.
    }
  }
  polling = false;
}

async function remove(item) {
  if (!item.dataset.id) {
    const place = queue.findIndex((one) => one.item === item);
    if (place >= 0) queue.splice(place, 1);
    item.remove();
    number();
    return;
  }
  const button = item.querySelector("button");
  button.disabled = true;
  try {
    const answer = await fetch(`${form.action}/${item.dataset.id}/remove`, { method: "POST", headers });
    if (answer.ok) {
      const next = item.nextElementSibling?.querySelector("button") ?? document.querySelector("#picker");
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

function number() {
  const items = [...list.children];
  empty.hidden = items.length > 0;
  for (const part of withPhotos) part.hidden = items.length === 0;
  items.forEach((item, index) => {
    const name = fill(words.photo, { number: index + 1 });
    const image = item.querySelector("img");
    if (image) image.alt = name;
    item.querySelector("button").setAttribute("aria-label", fill(words.remove, { number: index + 1 }));
  });
}

for (const part of form.querySelectorAll("[data-needs-script]")) part.hidden = false;
for (const input of [document.querySelector("#picker"), document.querySelector("#camera")]) {
  input.addEventListener("change", () => {
    add(input.files);
    input.value = "";
  });
}
for (const item of list.children) {
  item.dataset.state = item.className.replace("photo ", "");
  item.querySelector("form")?.addEventListener("submit", (event) => {
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
document.querySelector(".send").addEventListener("submit", (event) => {
  if ((running || queue.length) && !confirm(words.still)) event.preventDefault();
});
if (list.querySelector(".checking")) poll();
