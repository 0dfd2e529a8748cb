// How far an import is, asked every second while the page is in sight; when it is over, the page says what came of it.
const EVERY = 1000;
const place = document.querySelector("#importing");
const bar = document.querySelector("#bar");
const said = document.querySelector("#said");

async function refresh() {
  try {
    const answer = await fetch(place.dataset.poll, {
      headers: { Accept: "application/json", "X-Requested-With": "fetch" },
    });
    if (answer.status === 401 || answer.status === 410) return true; // signed out: the page says so
    if (!answer.ok) return false;
    const found = await answer.json();
    bar.value = found.percent;
    if (said.textContent !== found.said) said.textContent = found.said;
    return found.finished_at !== null || found.failure !== null;
  } catch {
    return false; // not reachable right now: the next round asks again
  }
}

for (let over = false; !over; ) {
  await new Promise((done) => setTimeout(done, EVERY));
  if (document.visibilityState === "visible") over = await refresh();
}
location.reload();
