// Counts that follow the shoot: polled while the page is in sight, quietly retried when it is not reachable.
const EVERY = 4000;

function said(number) {
  return number.toLocaleString(document.documentElement.lang);
}

function show(card, found) {
  for (const [state, number] of Object.entries(found.counts)) {
    for (const place of card.querySelectorAll(`[data-state="${state}"]`)) {
      place.textContent = said(number);
      place.closest(".count")?.classList.toggle("zero", number === 0);
    }
  }
  for (const name of ["total", "can_finish", "done"]) {
    for (const place of card.querySelectorAll(`[data-number="${name}"]`)) place.textContent = said(found[name]);
  }
  for (const [state, number] of Object.entries(found.mails)) {
    for (const place of card.querySelectorAll(`[data-mail="${state}"]`)) {
      place.textContent = number.toLocaleString(document.documentElement.lang);
    }
  }
  let x = 0;
  for (const part of card.querySelectorAll("[data-bar-state]")) {
    const width = found.total ? (1000 * found.counts[part.dataset.barState]) / found.total : 0;
    part.setAttribute("x", x);
    part.setAttribute("width", width);
    x += width;
  }
}

async function refresh(card) {
  try {
    const answer = await fetch(card.dataset.live, { headers: { "X-Requested-With": "fetch" } });
    if (answer.status === 401) return false; // signed out: the next click leads to the sign-in
    if (answer.ok) show(card, await answer.json());
  } catch {
    // Not reachable right now; the numbers on the page are the last known ones.
  }
  return true;
}

for (const card of document.querySelectorAll("[data-live]")) {
  const tick = async () => {
    if (document.visibilityState === "visible" && !(await refresh(card))) return;
    setTimeout(tick, EVERY);
  };
  setTimeout(tick, EVERY);
}
