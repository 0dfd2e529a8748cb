// Follows a picture that is being checked. Then the page is shown anew, unless somebody has begun to type in it.
const EVERY = 700;

for (const note of document.querySelectorAll("[data-checking]")) {
  const bar = note.querySelector("progress");
  let touched = false;
  addEventListener("input", () => { touched = true; });

  const follow = async () => {
    try {
      const answer = await fetch(note.dataset.checking, { headers: { "X-Requested-With": "fetch" } });
      if (answer.status === 401) return; // signed out: the next click says how to go on
      const sent = answer.ok ? await answer.json() : { standing: "gone", message: "" };
      if (answer.status < 500 && sent.standing !== "checking") {
        if (sent.next) return location.assign(sent.next);
        if (!touched) return location.reload();
        if (!sent.message) return note.remove();
        note.classList.add("bad");
        note.querySelector("p").textContent = sent.message;
        return bar.remove();
      }
      if (sent.percent) bar.value = sent.percent;
    } catch {
      // Not reachable right now; the next round asks again.
    }
    setTimeout(follow, EVERY);
  };
  setTimeout(follow, EVERY);
}
