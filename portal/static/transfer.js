// One file on its way, piece by piece: told in per cent of what has arrived, and gone on with where it stopped.
const PIECE_BYTES = 262_144; // a lost connection costs no more; 16 requests for the largest photo that is usual
const PATIENCE_MS = 60_000; // a piece that takes longer is sent anew: the connection is dead, or hardly alive
const RETRY_MS = [1000, 2000, 4000, 8000, 15000, 30000];

const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

// Returns the key of a file: the same for the same file, wherever it was chosen, and of no meaning without `salt`.
export async function keyOf(file, salt) {
  const bytes = crypto.subtle
    ? new Uint8Array(await crypto.subtle.digest("SHA-256", await new Blob([salt, file]).arrayBuffer()))
    : crypto.getRandomValues(new Uint8Array(32)); // without TLS nothing is gone on with after a reload
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("").slice(0, 40);
}

// Sends `file` from byte `at` on until the server has answered for good; returns its status and what it said. `begun`
// hears when a piece was answered, or lost; `tell` hears which part of it has arrived, from 0 to 1, and null while the
// connection is away. Where `wanted` has turned false nothing is returned, and nothing stays there.
export async function transfer(address, headers, key, file, { at = 0, tell, begun, wanted }) {
  for (let failures = 0; wanted(); ) {
    tell(at / file.size);
    const answer = await post(address, headers, { upload_key: key, at, size: file.size }, file.slice(at, at + PIECE_BYTES));
    begun();
    if (answer?.status === 202) {
      at = answer.said.received;
      failures = 0;
    } else if (answer && answer.status < 500 && answer.status !== 429) {
      return answer;
    } else {
      tell(null);
      await pause(RETRY_MS[Math.min(failures, RETRY_MS.length - 1)]);
      if (!navigator.onLine) await new Promise((back) => addEventListener("online", back, { once: true }));
      failures += 1;
    }
  }
  await post(`${address.pathname}/remove${address.search}`, headers, { upload_key: key });
  return null;
}

// Returns nothing where the network failed, or a proxy answered instead.
async function post(address, headers, query, body = null) {
  const there = new URL(address, location);
  for (const [name, value] of Object.entries(query)) there.searchParams.set(name, value);
  try {
    const answer = await fetch(there, { method: "POST", headers, body, signal: AbortSignal.timeout(PATIENCE_MS) });
    return { status: answer.status, said: await answer.json() };
  } catch {
    return null;
  }
}
