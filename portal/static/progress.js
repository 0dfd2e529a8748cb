// Server-sent events; where they do not come through, asking every few seconds does as well.
const place = document.querySelector("#progress");
const bar = document.querySelector("#bar");
const label = document.querySelector("#label");
const said = document.querySelector("#said");
const left = document.querySelector("#left");
const note = document.querySelector("#note");
const POLL_MS = 3000;

function show(status) {
  bar.value = status.percent;
  if (label.textContent !== status.label) {
    label.textContent = status.label;
    said.textContent = status.label;
  }
  for (const [element, text] of [[left, status.left], [note, status.note]]) {
    element.textContent = text ?? "";
    element.hidden = !text;
  }
  if (status.next) location.replace(status.next);
  return Boolean(status.next);
}

async function ask() {
  try {
    const answer = await fetch(place.dataset.poll, { headers: { "X-Requested-With": "fetch" } });
    if (answer.status === 401) location.reload();
    return answer.ok && show(await answer.json());
  } catch {
    return false; // the network failed; the next round asks again
  }
}

async function poll() {
  do await new Promise((done) => setTimeout(done, POLL_MS));
  while (!(await ask()));
}

// A phone that was put away has lost the stream without being told; and the way back in history may show an old page.
document.addEventListener("visibilitychange", () => document.hidden || ask());
addEventListener("pageshow", (event) => event.persisted && ask());

const events = new EventSource(place.dataset.events);
events.addEventListener("message", (event) => {
  if (show(JSON.parse(event.data))) events.close();
});
events.addEventListener("error", () => {
  if (events.readyState === EventSource.CLOSED) poll(); // refused; a mere break is mended by the browser
});
