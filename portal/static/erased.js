// Shows the next step of the erasure once it is reached.
const place = document.querySelector("#erased");
for (;;) {
  const quick = place.dataset.status === "DESTROYING" || place.dataset.status === "FAILED";
  await new Promise((done) => setTimeout(done, quick ? 1500 : 30000));
  try {
    const answer = await fetch(place.dataset.poll, { headers: { "X-Requested-With": "fetch" } });
    if (answer.ok && (await answer.json()).status !== place.dataset.status) location.reload();
  } catch {
    // The network failed; the next round asks again.
  }
}
