// Sends the chosen photos one by one, so that no request is larger than one of them, and follows their checks.
const EVERY = 1500;
const form = document.querySelector("#put-photos-in");
const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
const headers = { "X-Requested-With": "fetch", Accept: "application/json" };
let following = false;

// The list as the server has it now; whoever stands on a button of it stays there.
async function refresh() {
  const answer = await fetch(`${location.pathname}?part=list`, { headers: { Accept: "text/html" } });
  if (!answer.ok) return;
  const part = document.createElement("template");
  part.innerHTML = await answer.text();
  const fresh = part.content.querySelector("#put-in");
  const shown = document.querySelector("#put-in");
  if (!fresh || fresh.innerHTML === shown.innerHTML) return;
  const before = new Map([...shown.querySelectorAll("li")].map((one) => [one.id, one.querySelector("div").textContent]));
  const changed = [...fresh.querySelectorAll("li > div")].filter((one) => before.get(one.parentElement.id) !== one.textContent);
  document.querySelector("#said").textContent = changed.map((one) => one.textContent.replace(/\s+/g, " ").trim()).join(". ");
  const focused = shown.contains(document.activeElement) ? document.activeElement.id : "";
  shown.replaceWith(fresh);
  if (focused) document.getElementById(focused)?.focus();
}

async function follow() {
  if (following) return;
  following = true;
  while (document.querySelector("#put-in").dataset.checking) {
    await new Promise((done) => setTimeout(done, EVERY));
    if (document.visibilityState === "visible") await refresh().catch(() => {}); // not reachable: the next round asks again
  }
  following = false;
}

async function send(file, key) {
  if (file.size > Number(form.dataset.mostBytes)) return form.dataset.large;
  const body = new FormData();
  body.set("csrf_token", form.elements.csrf_token.value);
  body.set("upload_key", key);
  body.set("photo", file);
  try {
    const answer = await fetch(form.action, { method: "POST", headers, body });
    return answer.ok ? "" : (await answer.json()).error.message;
  } catch {
    return form.dataset.failed;
  }
}

form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("button");
  if (button.getAttribute("aria-disabled")) return;
  button.setAttribute("aria-disabled", "true");
  const [sending, refused] = [form.querySelector("#sending"), form.querySelector("#not-taken")];
  const reasons = [];
  const files = [...form.elements.photo.files];
  sending.hidden = false;
  for (const [index, file] of files.entries()) {
    sending.textContent = fill(form.dataset.sending, { number: index + 1, count: files.length });
    const reason = await send(file, `${form.elements.upload_key.value}-${index}`);
    if (reason) reasons.push(`${file.name}: ${reason}`);
    await refresh().catch(() => {});
  }
  sending.hidden = true;
  refused.querySelector("ul").replaceChildren(...reasons.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
  refused.hidden = reasons.length === 0;
  // What is chosen next has keys of its own.
  form.elements.upload_key.value = [...crypto.getRandomValues(new Uint8Array(16))].map((one) => one.toString(16).padStart(2, "0")).join("");
  form.elements.photo.value = "";
  button.removeAttribute("aria-disabled");
  follow();
});

follow();
